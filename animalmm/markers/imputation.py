"""Missing genotypes by the EM algorithm of the multivariate normal distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpotrf

from animalmm.core import Matrix, Vector
from animalmm.errors import ConvergenceWarning, DataError, warn

__all__ = ["EMProduct", "em_product"]

MAX_ITERATIONS = 100
_SINGULAR = 1e-7  # of the largest pivot: a smaller one has lost half of its digits


@dataclass(frozen=True, eq=False)
class EMProduct:
    """The expected W W' of partly observed codes W.

    Attributes
    ----------
    product : ndarray, shape (n, n)
        ``E[W W' | observed]``.
    imputed : ndarray, shape (n, m)
        ``E[W | observed]``.
    iterations : int
        How many were needed.
    """

    product: Matrix
    imputed: Matrix
    iterations: int


def em_product(W: Matrix, divisor: float, tolerance: float = 0.02) -> EMProduct:
    """Estimate W W' when part of W is missing.

    The columns of W (markers) are independent draws from N(mu, Sigma) over the animals. E step: the
    missing elements of a column get their expectation given the observed ones, and their products
    the conditional covariance besides. M step: mu and Sigma are the means over the columns. Markers
    that lack the same animals share one factorisation; the cost of each is a third of the cube of
    the number of animals.

    Parameters
    ----------
    W : ndarray, shape (n, m)
        Centred codes, NaN where missing; m > n.
    divisor : float
        The relationship matrix is ``W W' / divisor``.
    tolerance : float, default 0.02
        Stop when the root mean square change of its elements is below this.

    Raises
    ------
    DataError
        The covariance of the observed animals is singular: copies of an animal.

    Warns
    -----
    ConvergenceWarning
        100 iterations were not enough.

    References
    ----------
    Poland, J., Endelman, J. et al. (2012). Genomic selection in wheat breeding using
    genotyping-by-sequencing. Plant Genome 5: 103-113.
    Endelman, J.B. & Jannink, J.-L. (2012). Shrinkage estimation of the realized relationship
    matrix. G3 2: 1405-1413.
    """
    n, m = W.shape
    patterns = _patterns(np.isnan(W))
    imputed = np.nan_to_num(W)
    product = imputed @ imputed.T
    for iteration in range(1, MAX_ITERATIONS + 1):
        mean = imputed.mean(axis=1)
        covariance = product / m - np.outer(mean, mean)
        uncertain = _expect(imputed, patterns, mean, covariance)
        new = imputed @ imputed.T + uncertain
        change = np.linalg.norm(new - product) / (n * divisor)
        product = new
        if change < tolerance:
            return EMProduct(product, imputed, iteration)
    warn(
        f"EM imputation stopped after {MAX_ITERATIONS} iterations; the relationships still change "
        f"by {change:.2g} (tolerance {tolerance:g})",
        ConvergenceWarning,
    )
    return EMProduct(product, imputed, MAX_ITERATIONS)


Pattern = tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]


def _patterns(missing: npt.NDArray[np.bool_]) -> list[Pattern]:
    """The distinct sets of animals (n,) that markers lack, each with the markers (k,)."""
    columns = np.flatnonzero(missing.any(axis=0))
    groups: dict[bytes, list[int]] = {}
    for j in columns.tolist():
        groups.setdefault(missing[:, j].tobytes(), []).append(j)
    return [(missing[:, at[0]], np.array(at)) for at in groups.values()]


def _expect(imputed: Matrix, patterns: list[Pattern], mean: Vector, covariance: Matrix) -> Matrix:
    """Impute, in place, and return the sum of the conditional covariances, shape (n, n)."""
    total = np.zeros_like(covariance)
    for lost, columns in patterns:
        seen = ~lost
        across = covariance[np.ix_(seen, lost)]
        L = _factor(covariance[np.ix_(seen, seen)])
        H = solve_triangular(L, across, lower=True)
        deviations = imputed[np.ix_(seen, columns)] - mean[seen, None]
        expected = H.T @ solve_triangular(L, deviations, lower=True)
        imputed[np.ix_(lost, columns)] = mean[lost, None] + expected
        conditional = covariance[np.ix_(lost, lost)] - H.T @ H
        total[np.ix_(lost, lost)] += len(columns) * conditional
    return total


def _factor(covariance: Matrix) -> Matrix:
    L, info = dpotrf(covariance, lower=1)
    pivots = np.diag(L)
    if info != 0 or pivots.min() <= _SINGULAR * pivots.max():
        raise DataError(
            "EM imputation needs animals whose genotypes are linearly independent, and some of "
            "these are not (copies of an animal?): leave out the copies, or use missing='mean'"
        )
    return np.asarray(L)
