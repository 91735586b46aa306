"""The pattern of a Cholesky factor, for libraries that leave out what happens to be zero."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_array

from animalmm.linalg.interface import IndexArray, Pattern

__all__ = ["both_triangles", "with_fill"]


def both_triangles(pattern: Pattern, values: IndexArray) -> csc_array:
    """Both triangles of the matrix that has these values in its lower one."""
    rows, columns = pattern.indices, pattern.columns
    below = rows != columns
    shape = (pattern.n, pattern.n)
    upper = csc_array((values[below], (columns[below], rows[below])), shape=shape)
    return csc_array((values, rows, pattern.indptr), shape=shape) + upper


def with_fill(L: csc_array, A: csc_array, rank: IndexArray) -> csc_array:
    """L on the pattern of a symbolic factorisation of A, whose rows have these ranks in L."""
    n = L.shape[0]
    own = _keys(L, np.arange(n))
    keys = np.union1d(own, _keys(A, rank))
    changed = np.ones(n, dtype=bool)
    while changed.any():  # the rows of a column go on to the column of the first one below it
        columns, rows = np.divmod(keys, n)
        below = rows > columns
        columns, rows = columns[below], rows[below]
        first = np.flatnonzero(np.diff(columns, prepend=-1))
        parent = np.repeat(rows[first], np.diff(np.append(first, len(rows))))
        wanted = (parent * n + rows)[(rows > parent) & changed[columns]]
        new = np.setdiff1d(wanted, keys)
        changed = np.bincount(new // n, minlength=n) > 0
        keys = np.union1d(keys, new)
    values = np.zeros(len(keys))
    values[np.searchsorted(keys, own)] = L.data
    columns, rows = np.divmod(keys, n)
    return csc_array((values, rows, np.searchsorted(columns, np.arange(n + 1))), shape=(n, n))


def _keys(A: csc_array, rank: IndexArray) -> IndexArray:
    """Column and row of each entry of the lower triangle in one number, the rows being ranked."""
    rank = rank.astype(np.int64)
    columns, rows = np.repeat(rank, np.diff(A.indptr)), rank[A.indices]
    below = rows >= columns
    return columns[below] * len(rank) + rows[below]
