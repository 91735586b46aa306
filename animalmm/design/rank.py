"""Which columns of a matrix are independent, the earliest kept, as R and lme4 keep them."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import linalg
from scipy import sparse as sp
from scipy.sparse.linalg import splu

__all__ = ["independent_columns"]

Floats: TypeAlias = npt.NDArray[np.float64]

RIDGE = 1e-9  # far below the eigenvalues of designs of full rank, far above rounding
ITERATIONS = 4  # each divides what is not null space by eigenvalue / RIDGE
SUPPORT = 1e-7  # a smaller coefficient of a unit null vector is rounding
PIECE = 1 << 20  # numbers in the dense product with a piece of a sparse X
NULL_EIGENVALUE = 1e-5  # a guess at the size of the null space; the values of X itself decide


def independent_columns(
    X: Floats | sp.csc_array, weights: Floats | None = None, tol: float = 1e-7
) -> npt.NDArray[np.intp]:
    """Find the columns that are no combination of columns to their left.

    Parameters
    ----------
    X : ndarray or sparse array, (n, p)
        A sparse one is never made dense; its cross-product is factorised instead.
    weights : ndarray, (n,), optional
        Positive weights of the rows.
    tol : float, default 1e-7
        Columns are scaled to unit length first; then a direction counts as null when its
        singular value is below `tol` times the largest. A matrix all of whose columns keep more
        than `tol` of their length after projection on those to their left has full rank, which
        is the rule of R's ``qr``.

    Returns
    -------
    ndarray of int, (r,)
        Indices of the columns to keep, ascending; r is the rank.

    Notes
    -----
    A column depends on those to its left exactly when some null vector of X ends at it. With an
    orthonormal basis of the null space, columns are therefore met from the last to the first,
    and one in which the basis has an entry is dropped; a reflection then leaves the vectors that
    vanish there.

    The null space comes from the singular vectors of the R factor when X is dense. When it is
    sparse, inverse iteration on ``X'X + ridge`` finds a subspace that holds it, and the singular
    values of X on that subspace, which cross-products have not squared, tell what is null.
    """
    root = None if weights is None else np.sqrt(np.asarray(weights, dtype=float))
    if sp.issparse(X):
        S = sp.csc_array(X, dtype=float, copy=True)
        if root is not None:
            S.data *= root[S.indices]
        lengths = np.sqrt(np.asarray(S.power(2).sum(axis=0)).ravel())
        used = np.flatnonzero(lengths > 0)
        S = S[:, used]
        S.data /= np.repeat(lengths[used], np.diff(S.indptr))
        null = _sparse_null_space(S, tol)
    else:
        D = np.array(X, dtype=float, order="F")
        if root is not None:
            D *= root[:, None]
        R = linalg.qr(D, mode="raw", overwrite_a=True, check_finite=False)[1]
        lengths = np.linalg.norm(R, axis=0)  # those of the columns of X
        if len(R) == R.shape[1] and (np.abs(np.diagonal(R)) > tol * lengths).all():
            return np.arange(len(R))
        used = np.flatnonzero(lengths > 0)
        null = _dense_null_space(R[:, used] / lengths[used], tol)
    return np.asarray(used[_earliest(null)])


def _earliest(null: Floats) -> npt.NDArray[np.intp]:
    """Columns to keep, given an orthonormal basis of the null space, (p, k)."""
    p = len(null)
    keep = np.ones(p, dtype=bool)
    for j in range(p - 1, -1, -1):
        if not null.shape[1]:
            break
        row = null[j]
        length = np.linalg.norm(row)
        if length > SUPPORT:
            keep[j] = False
            # the reflection that turns the row into a multiple of the last unit vector
            mirror = row / length
            mirror[-1] += np.copysign(1.0, mirror[-1])
            null = null[:j] - np.outer(null[:j] @ mirror, 2 * mirror / (mirror @ mirror))
            null = null[:, :-1]
    return np.flatnonzero(keep)


def _dense_null_space(R: Floats, tol: float) -> Floats:
    """Find orthonormal null vectors, (p, k), of an R factor with columns of unit length."""
    if not R.shape[1]:
        return np.empty((0, 0))
    _, values, vectors = linalg.svd(R, full_matrices=True, check_finite=False)
    rank = int((values > tol * values[0]).sum())
    return np.asarray(vectors[rank:].T)


def _sparse_null_space(X: sp.csc_array, tol: float) -> Floats:
    """Find orthonormal null vectors, (p, k), of a sparse matrix with columns of unit length."""
    p = X.shape[1]
    if not p:
        return np.empty((0, 0))
    ridged = sp.csc_matrix(X.T @ X + RIDGE * sp.eye_array(p))
    factor = splu(
        ridged,
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    # most null vectors show as a pivot near the ridge where their elimination ends
    suspects = int((np.abs(factor.U.diagonal()) < NULL_EIGENVALUE).sum())
    rng = np.random.default_rng(0)  # a start for the iteration only
    size = min(p, suspects + 5)
    rows = sp.csr_array(X)
    while True:
        basis = rng.standard_normal((p, size))
        for _ in range(ITERATIONS):
            basis = np.linalg.qr(factor.solve(basis))[0]
        _, values, vectors = linalg.svd(_r_factor(rows, basis), check_finite=False)
        values = np.pad(values, (0, size - len(values)))
        # the columns have unit length, so the largest singular value of X is 1 or more
        rank = int((values > tol).sum())
        if rank or size == p:  # a direction that is not null: all that are have been found
            return np.asarray(basis @ vectors[rank:].T)
        size = min(p, 2 * size)


def _r_factor(X: sp.csr_array, basis: Floats) -> Floats:
    """Compute R of the QR decomposition of X @ basis, by pieces of X that fit in memory."""
    step = max(4 * basis.shape[1], PIECE // basis.shape[1])
    R = np.empty((0, basis.shape[1]))
    for start in range(0, X.shape[0], step):
        piece = np.vstack([R, X[start : start + step] @ basis])
        R = linalg.qr(piece, mode="r", check_finite=False)[0][: basis.shape[1]]
    return R
