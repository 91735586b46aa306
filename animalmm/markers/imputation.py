"""Missing genotypes by the EM algorithm of the multivariate normal distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from animalmm.core import Matrix, Vector
from animalmm.errors import ConvergenceWarning, DataError, warn

__all__ = ["EMProduct", "em_product"]

MAX_ITERATIONS = 100
SINGULAR = 1e-9  # of the largest eigenvalue: a smaller one is zero but for rounding


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
    the conditional covariance besides. M step: mu and Sigma are the means over the columns.

    Sigma is inverted once an iteration; from there, the animals that lack a marker take an inverse
    of their number only, shared by the markers that lack the same animals.

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
        The covariance of the animals is singular: copies of an animal.

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
    missing = np.isnan(W)
    patterns = _patterns(missing)
    imputed = np.nan_to_num(W)
    product = imputed @ imputed.T
    for iteration in range(1, MAX_ITERATIONS + 1):
        mean = imputed.mean(axis=1)
        covariance = product / m - np.outer(mean, mean)
        deviations = np.where(missing, 0.0, W - mean[:, None])
        uncertain = _expect(imputed, deviations, patterns, mean, _joint_precision(covariance))
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


Pattern = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]


def _patterns(missing: npt.NDArray[np.bool_]) -> list[Pattern]:
    """The distinct sets of animals (k,) that markers lack, each with those markers."""
    columns = np.flatnonzero(missing.any(axis=0))
    groups: dict[bytes, list[int]] = {}
    for j in columns.tolist():
        groups.setdefault(missing[:, j].tobytes(), []).append(j)
    return [(np.flatnonzero(missing[:, at[0]]), np.array(at)) for at in groups.values()]


def _joint_precision(covariance: Matrix) -> Matrix:
    """Inverse of the covariance, bordered by its null direction if there is one.

    Codes that are centred by the observed frequencies add up to zero over the animals, before and
    after imputation. ``[[C, v], [v', 0]]^-1 = [[C^+, v], [v', 0]]``, C v = 0, holds that sum, as a
    Lagrange multiplier does.

    Returns
    -------
    ndarray, shape (n + d, n + d)
        d is 1 where the elements of C add up to zero, else 0.
    """
    values, vectors = eigh(covariance)
    singular = values <= SINGULAR * values[-1]
    border = vectors[:, singular]
    d = border.shape[1]
    if d > 1 or np.ptp(border, axis=0).sum() > SINGULAR**0.5:
        raise DataError(
            "EM imputation needs animals whose genotypes are linearly independent, and some of "
            "these are not (copies of an animal?): leave out the copies, or use missing='mean'"
        )
    rest = vectors[:, ~singular] / np.sqrt(values[~singular])
    return np.block([[rest @ rest.T, border], [border.T, np.zeros((d, d))]])


def _expect(
    imputed: Matrix, deviations: Matrix, patterns: list[Pattern], mean: Vector, precision: Matrix
) -> Matrix:
    """Impute, in place, and return the sum of the conditional covariances, shape (n, n).

    Given the others, the missing elements of a column have the precision that stands at their
    rows; `deviations` (n, m) from the mean are zero where missing.
    """
    n = len(imputed)
    border = np.arange(n, len(precision))
    total = np.zeros((n, n))
    pull = precision[:, :n] @ deviations
    for lost, columns in patterns:
        at = np.append(lost, border)
        conditional = np.linalg.inv(precision[np.ix_(at, at)])[: len(lost)]
        imputed[np.ix_(lost, columns)] = mean[lost, None] - conditional @ pull[np.ix_(at, columns)]
        total[np.ix_(lost, lost)] += len(columns) * conditional[:, : len(lost)]
    return total
