"""A root ``K = L L'`` of a known matrix, dense or sparse, definite or semi-definite.

A sparse matrix keeps its sparsity: a definite one by a permuted sparse Cholesky factor, any other
one connected block after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg import cho_solve
from scipy.sparse import coo_array, csc_array, csr_array, tril
from scipy.sparse.csgraph import connected_components

from animalmm.linalg.cholmod import analyze
from animalmm.linalg.dense_chol import inverse_from_factor, safe_cholesky
from animalmm.linalg.interface import FloatArray, IndexArray, NotPositiveDefiniteError
from animalmm.linalg.memory import require_memory

__all__ = ["Root", "inverse", "root"]

SURE = 1e-10  # a pivot that keeps less of its diagonal element may be zero but for rounding


@dataclass(frozen=True, eq=False)
class Root:
    """``K = L L'``.

    Attributes
    ----------
    L : ndarray or csc_array, shape (q, r)
        r is the rank of K; sparse where K is.
    logdet : float
        log|K|, -inf when r < q.
    solve : callable
        ``K^-1 b`` for b of shape (q,) or (q, k); only when r = q.
    """

    L: FloatArray | csc_array
    logdet: float
    solve: Callable[[FloatArray], FloatArray]


def root(K: FloatArray | csc_array, what: str, instead: str) -> Root:
    """Factorise a symmetric positive definite or semi-definite matrix.

    Parameters
    ----------
    K : ndarray or csc_array, shape (q, q)
        Symmetric, both triangles.
    what, instead : str
        What is factorised and the cheaper way, for the message when memory does not suffice.

    Raises
    ------
    NotPositiveDefiniteError
        An eigenvalue is negative beyond rounding; carries the ``smallest_eigenvalue``.
    ArgumentError
        A dense factor would not fit into memory.
    """
    if isinstance(K, np.ndarray):
        require_memory(2 * 8.0 * len(K) ** 2, what, instead)
        L = safe_cholesky(K)
        return Root(L, _logdet(L), lambda b: cho_solve((L, True), b))
    return _sparse_root(K) or _root_by_blocks(K, what, instead)


def inverse(
    K: FloatArray | csc_array, factorised: Root, what: str, instead: str
) -> FloatArray | csc_array:
    """K^-1 of a positive definite matrix, sparse where K is, block by block.

    The inverse of a connected block is full.

    Parameters
    ----------
    K : ndarray or csc_array, shape (q, q)
        Positive definite.
    factorised : Root
        What `root` made of it.
    what, instead : str
        As for `root`.

    Raises
    ------
    NotPositiveDefiniteError
        K is singular.
    ArgumentError
        The inverse would not fit into memory.
    """
    if factorised.logdet == -np.inf:
        raise NotPositiveDefiniteError("the matrix is singular", smallest_eigenvalue=0.0)
    if isinstance(factorised.L, np.ndarray):
        require_memory(3 * 8.0 * K.shape[0] ** 2, what, instead)
        return inverse_from_factor(factorised.L)
    return _inverse_by_blocks(csc_array(K), what, instead)


def _sparse_root(K: csc_array) -> Root | None:
    """The sparse Cholesky factor, rows back in the order of K; None where it is not safe."""
    lower = csc_array(tril(K, format="csc"))
    lower.sort_indices()
    diagonal = K.diagonal()
    if not (diagonal > 0).all():
        return None
    try:
        factor = analyze(lower).factorize(lower)
    except NotPositiveDefiniteError:
        return None
    L, order = factor.lower()
    if not (L.diagonal() ** 2 > SURE * diagonal[order]).all():
        return None
    L.eliminate_zeros()
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return Root(csc_array(csr_array(L)[back]), factor.logdet(), factor.solve)


def _root_by_blocks(K: csc_array, what: str, instead: str) -> Root:
    parts: list[tuple[IndexArray, IndexArray, FloatArray]] = []
    rank, logdet = 0, 0.0
    worst: NotPositiveDefiniteError | None = None
    for at, block in _blocks(K, what, instead):
        try:
            L = safe_cholesky(block)
        except NotPositiveDefiniteError as error:
            worst = error if worst is None else min(worst, error, key=_smallest)
            continue
        parts.append((at, np.arange(rank, rank + L.shape[1]), L))
        rank += L.shape[1]
        logdet += _logdet(L)
    if worst is not None:
        raise worst
    return Root(
        _assembled(parts, (K.shape[0], rank)),
        logdet,
        lambda b: _inverse_by_blocks(K, what, instead) @ b,
    )


def _smallest(error: NotPositiveDefiniteError) -> float:
    return 0.0 if error.smallest_eigenvalue is None else error.smallest_eigenvalue


def _logdet(L: FloatArray) -> float:
    """log|L L'|; -inf when L has fewer columns than rows."""
    return 2.0 * float(np.log(L.diagonal()).sum()) if L.shape[0] == L.shape[1] else -np.inf


def _inverse_by_blocks(K: csc_array, what: str, instead: str) -> csc_array:
    parts = [(at, at, inverse_from_factor(safe_cholesky(B))) for at, B in _blocks(K, what, instead)]
    return _assembled(parts, K.shape)


def _blocks(K: csc_array, what: str, instead: str) -> Iterator[tuple[IndexArray, FloatArray]]:
    """The connected blocks of K: their positions, and their elements as a dense matrix."""
    _, block_of = connected_components(K, directed=False)
    largest = np.bincount(block_of).max(initial=0)
    require_memory(4 * 8.0 * float(largest) ** 2, what, instead)
    order = np.argsort(block_of, kind="stable")
    rows = csr_array(csr_array(K)[order][:, order])
    ends = np.flatnonzero(np.diff(block_of[order], append=-1)) + 1
    for start, end in pairwise([0, *ends.tolist()]):
        first, last = rows.indptr[start], rows.indptr[end]
        row = np.repeat(np.arange(end - start), np.diff(rows.indptr[start : end + 1]))
        block = np.zeros((end - start, end - start))
        block[row, rows.indices[first:last] - start] = rows.data[first:last]
        yield order[start:end], block


def _assembled(
    parts: list[tuple[IndexArray, IndexArray, FloatArray]], shape: tuple[int, int]
) -> csc_array:
    """The sparse matrix that has these dense blocks at these rows and columns."""
    rows = [np.repeat(r, len(c)) for r, c, _ in parts]
    columns = [np.tile(c, len(r)) for r, c, _ in parts]
    values = [block.ravel() for *_, block in parts]
    if not parts:
        return csc_array(shape)
    triplets = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
    assembled = csc_array(coo_array(triplets, shape=shape))
    assembled.eliminate_zeros()
    return assembled
