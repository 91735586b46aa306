"""The fixed effects on a well-conditioned basis.

The likelihood does not depend on the basis of X but its rounding errors do: a covariate in grams,
or a raw fourth power, would make X'V^-1X badly conditioned. The equations are therefore solved for
``gamma = R beta`` with ``X R^-1`` orthonormal (dense X) or of unit columns (sparse X).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg, sparse

from animalmm.core import DesignMatrix, Matrix, Vector

__all__ = ["FixedBasis", "fixed_basis", "solve_information"]


@dataclass(frozen=True, eq=False)
class FixedBasis:
    """``X = B R``.

    Attributes
    ----------
    B : ndarray or csc_array, shape (n, p)
        The basis; ``B'WB = I`` when X is dense.
    R : ndarray, shape (p, p) upper triangular or (p,) diagonal
        From beta to gamma.
    """

    B: DesignMatrix
    R: Matrix | Vector

    @cached_property
    def logdet(self) -> float:
        """log|R|."""
        diagonal = self.R if self.R.ndim == 1 else np.diag(self.R)
        return float(np.log(np.abs(diagonal)).sum())

    def beta(self, gamma: Matrix) -> Matrix:
        """``R^-1 gamma``, for gamma of shape (p,) or (p, k)."""
        if not gamma.size:
            return gamma
        if self.R.ndim == 1:
            return np.asarray((gamma.T / self.R).T)
        return np.asarray(linalg.solve_triangular(self.R, gamma))

    def beta_covariance(self, covariance: Matrix) -> Matrix:
        """Covariance of beta from that of gamma, shape (p, p)."""
        return self.beta(self.beta(covariance).T)


def fixed_basis(X: DesignMatrix, weights: Vector) -> FixedBasis:
    """Orthonormalise a dense X or scale a sparse one, in the metric of the weights."""
    root = np.sqrt(weights)
    if sparse.issparse(X):
        norms = np.sqrt(np.asarray((sparse.diags_array(root) @ X).power(2).sum(axis=0)).ravel())
        return FixedBasis(sparse.csc_array(X @ sparse.diags_array(1.0 / norms)), norms)
    if not X.shape[1]:
        return FixedBasis(X, np.zeros((0, 0)))
    Q, R = np.linalg.qr(root[:, None] * X)
    return FixedBasis(Q / root[:, None], R)


def solve_information(cholesky: Matrix, v: Matrix) -> Matrix:
    """``(B'N^-1B)^-1 v`` from the lower Cholesky factor; also for no fixed effects."""
    return np.asarray(linalg.cho_solve((cholesky, True), v)) if v.size else v
