"""Cholesky factor of a small covariance matrix that may be singular, and its derivative."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from animalmm.core import Matrix
from animalmm.errors import ArgumentError

__all__ = ["cholesky_derivative", "lower_root", "semidefinite_cholesky"]


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
    if np.abs(correlation - correlation.T).max(initial=0.0) > 1e-8:
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
            # a small pivot multiplies rounding errors: no more than the variance that is left
            left = np.sqrt(np.maximum(1.0 - (T[j:, :j] ** 2).sum(axis=1), 0.0))
            T[j:, j] = np.clip(rest / np.sqrt(rest[0]), -left, left)
    return np.asarray(sd[:, None] * T)


def lower_root(F: Matrix) -> Matrix:
    """Lower triangular T with ``T T' = F F'`` and no negative diagonal, for F of rank t, (t, k)."""
    L = np.linalg.qr(F.T).R.T
    return np.asarray(L * np.where(np.diag(L) < 0.0, -1.0, 1.0))


def cholesky_derivative(T: Matrix, change: Matrix) -> Matrix:
    """Derivative of the factor T of a positive definite matrix that changes by `change`.

    ``T Phi(T^-1 change T^-T)``, Phi the lower triangle with half the diagonal (Smith 1995, J.
    Comput. Graph. Stat. 4: 134-147).
    """
    half = linalg.solve_triangular(T, change, lower=True)
    inner = np.tril(linalg.solve_triangular(T, half.T, lower=True))
    inner[np.diag_indices_from(inner)] /= 2.0
    return np.asarray(T @ inner)
