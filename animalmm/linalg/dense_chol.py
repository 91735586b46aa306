"""A factor ``K = L L'`` of a dense matrix that may be positive semi-definite."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh, eigvalsh
from scipy.linalg.lapack import dpocon, dpotrf, dpotri, dpstrf

from animalmm.errors import ArgumentError
from animalmm.linalg.interface import FloatArray, NotPositiveDefiniteError

__all__ = ["inverse_from_factor", "safe_cholesky"]

EPS = np.finfo(np.float64).eps
SINGULAR = 8 * EPS  # of singular matrices it was below 0.5 EPS in 30,000 trials


def safe_cholesky(K: FloatArray, *, tolerance: float = 1e-8) -> FloatArray:
    """Factorise a symmetric positive definite or semi-definite matrix.

    Parameters
    ----------
    K : (q, q) ndarray
        Symmetric; only the lower triangle is read.
    tolerance : float, default 1e-8
        What counts as zero in a matrix that is not numerically definite, relative to the largest
        diagonal element: above the rounding in a relationship matrix that was read from a text
        file, and far below any relationship.

    Returns
    -------
    (q, r) ndarray
        L with ``K = L L'``. When `K` is definite, r = q and L is the lower triangular Cholesky
        factor; else r is the rank, the rows of L are in the order of `K`, and no element of
        ``L L' - K`` exceeds twice the tolerance.

    Raises
    ------
    NotPositiveDefiniteError
        When no such L exists, an eigenvalue lying below zero by more than the tolerance; it
        carries the ``smallest_eigenvalue``.
    ArgumentError
        When `K` is not square, or not finite.
    """
    K = np.asarray(K, dtype=np.float64)
    if K.ndim != 2 or K.shape[0] != K.shape[1]:
        raise ArgumentError(f"a square matrix is needed, not one of shape {K.shape}")
    if not np.isfinite(K).all():
        raise ArgumentError("the matrix has elements that are not finite")
    if not K.size:
        return K.copy()
    scale = max(float(K.diagonal().max()), 0.0)
    L, info = dpotrf(K, lower=1, clean=1)
    if info == 0 and _condition(K, L) > SINGULAR:
        definite: FloatArray = L
        return definite
    zero = max(tolerance, len(K) * EPS) * scale
    semidefinite = _pivoted(K, zero)
    return _spectral(K, zero) if semidefinite is None else semidefinite


def inverse_from_factor(L: FloatArray) -> FloatArray:
    """``(L L')^-1`` of a lower triangular L, exactly symmetric."""
    half = dpotri(L, lower=1)[0]  # zeros above the diagonal, as in L
    full: FloatArray = half + half.T
    np.fill_diagonal(full, half.diagonal())
    return full


def _condition(K: FloatArray, L: FloatArray) -> float:
    """Estimated reciprocal condition number of K = L L' in the 1-norm.

    The pivots of L do not tell a singular matrix: a leading block that is nearly singular magnifies
    the rounding in the last of them a million times.
    """
    below = np.abs(np.tril(K, -1))
    norm = float((below.sum(axis=0) + below.sum(axis=1) + np.abs(K.diagonal())).max())
    return float(dpocon(L, norm, uplo="L")[0])


def _pivoted(K: FloatArray, zero: float) -> FloatArray | None:
    """Pivoted Cholesky, or None when what is left after the last positive pivot is not zero."""
    c, pivots, rank, _ = dpstrf(K, tol=zero, lower=1)
    order = pivots - 1
    L = np.tril(c)[:, :rank]
    # LAPACK looked at the diagonal of the remainder only, and [[0, 1], [1, 0]] has a zero one.
    rest = np.sort(order[rank:])
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    L = L[back]
    left = np.tril(K[np.ix_(rest, rest)] - L[rest] @ L[rest].T)
    return L if np.abs(left).max(initial=0.0) <= 2 * zero else None


def _spectral(K: FloatArray, zero: float) -> FloatArray:
    """Scaled eigenvectors, for a matrix at the edge; refuses one that is indefinite."""
    smallest = float(eigvalsh(K, subset_by_index=(0, 0))[0])
    if smallest < -zero:
        raise NotPositiveDefiniteError(
            f"the matrix is not positive semi-definite: its smallest eigenvalue is {smallest:.4g}",
            smallest_eigenvalue=smallest,
        )
    values, vectors = eigh(K)
    keep = values > zero
    factor: FloatArray = vectors[:, keep] * np.sqrt(values[keep])
    return factor
