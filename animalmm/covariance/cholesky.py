"""Cholesky factor of a small covariance matrix that may be singular."""

from __future__ import annotations

import numpy as np

from animalmm.core import Matrix
from animalmm.errors import ArgumentError

__all__ = ["semidefinite_cholesky"]


def semidefinite_cholesky(sigma: Matrix) -> Matrix:
    """Lower Cholesky factor of a small positive semi-definite matrix.

    A pivot that is zero to rounding gives a zero column, so that a singular Sigma (correlation of
    one, variance of zero) has a factor too. Whatever the units of the effects: every tolerance is
    relative to the variances of the effects concerned.

    Parameters
    ----------
    sigma : ndarray, shape (t, t)
        Covariance matrix.

    Returns
    -------
    ndarray, shape (t, t)
        Lower triangular T with ``sigma = T T'``.

    Raises
    ------
    ArgumentError
        `sigma` is not symmetric or not positive semi-definite.
    """
    if not np.isfinite(sigma).all():
        raise ArgumentError("a covariance matrix must be finite")
    variances = np.diag(sigma)
    sd = np.sqrt(np.where(variances > 0, variances, 1.0))
    correlation = sigma / np.outer(sd, sd)
    if not np.allclose(correlation, correlation.T, rtol=0.0, atol=1e-8):
        raise ArgumentError("a covariance matrix must be symmetric")
    if np.linalg.eigvalsh(correlation)[0] < -1e-8:
        raise ArgumentError(
            f"a covariance matrix must not have a negative eigenvalue; "
            f"this one has {np.linalg.eigvalsh(sigma)[0]:.4g}"
        )
    t = len(sigma)
    T = np.zeros((t, t))
    for j in range(t):
        rest = correlation[j:, j] - T[j:, :j] @ T[j, :j]
        if rest[0] > 1e-14:
            T[j:, j] = rest / np.sqrt(rest[0])
    return np.asarray(sd[:, None] * T)
