"""SuperLU in symmetric mode: the backend that SciPy brings, where CHOLMOD is absent."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy
from scipy.sparse import csc_array, diags_array
from scipy.sparse.linalg import SuperLU, splu

from animalmm.linalg.interface import (
    Factor,
    FloatArray,
    IndexArray,
    NotPositiveDefiniteError,
    Ordering,
    Pattern,
    Symbolic,
)

__all__ = ["SuperLUFactor", "SuperLUSymbolic"]

EPS = np.finfo(np.float64).eps


class SuperLUSymbolic(Symbolic):
    """A fill-reducing permutation, and where each value goes in the permuted full matrix."""

    backend = f"SuperLU (SciPy {scipy.__version__})"

    def __init__(self, pattern: Pattern, ordering: Ordering) -> None:
        super().__init__(pattern)
        # SuperLU knows one good ordering for symmetric patterns; it serves for all but "natural".
        self.order = np.arange(self.n) if ordering == "natural" else _minimum_degree(pattern)
        numbered = _full(pattern, np.arange(1, len(pattern.indices) + 1))
        permuted = numbered[self.order][:, self.order]
        permuted.sort_indices()
        self._source = permuted.data - 1
        self._indices, self._indptr = permuted.indices, permuted.indptr

    def _factorize(self, values: FloatArray) -> SuperLUFactor:
        A = csc_array((values[self._source], self._indices, self._indptr), shape=(self.n, self.n))
        try:
            lu = _splu(A, "NATURAL")
        except RuntimeError as error:  # "Factor is exactly singular"
            raise NotPositiveDefiniteError from error
        pivots = lu.U.diagonal()[lu.perm_c]
        # A pivot below the rounding of the number that it was computed from cannot be told from 0;
        # one off the diagonal was chosen because the diagonal was exactly 0.
        bad = ~(pivots > EPS * A.diagonal()) | (lu.perm_r != lu.perm_c)
        if bad.any():
            raise NotPositiveDefiniteError(column=int(self.order[bad.argmax()]))
        return SuperLUFactor(lu, A, self.order, float(np.log(pivots).sum()))


class SuperLUFactor(Factor):
    """``P A P' = L U``, where ``U = D L'``, P being the permutation by `order`."""

    def __init__(self, lu: SuperLU, A: csc_array, order: IndexArray, logdet: float) -> None:
        super().__init__(len(order))
        self._lu = lu
        self._A = A
        self._order = order
        self._logdet = logdet

    @property
    def nnz(self) -> int:
        """Entries of L, the diagonal counted."""
        return int(self._lu.L.nnz)

    def logdet(self) -> float:
        """Natural logarithm of the determinant of the matrix."""
        return self._logdet

    def lower(self) -> tuple[csc_array, IndexArray]:
        """L of ``P A P' = L L'``, from ``L U`` with the pivots on the diagonal of U."""
        L = csc_array(self._lu.L @ diags_array(np.sqrt(self._lu.U.diagonal())))
        filled = _with_fill(L, self._A, self._lu.perm_c)  # SuperLU leaves zeros out
        return filled, self._order[np.argsort(self._lu.perm_c)]

    def _solve(self, b: FloatArray) -> FloatArray:
        x = np.empty_like(b)
        x[self._order] = self._lu.solve(b[self._order])
        return x


def _minimum_degree(pattern: Pattern) -> IndexArray:
    """Order the columns by minimum degree on the pattern, whatever the values will be."""
    # SuperLU gives its ordering only with a factorisation; diagonal dominance makes it a safe one.
    entries = np.where(pattern.indices == pattern.columns, float(pattern.n), -0.5)
    return np.argsort(_splu(_full(pattern, entries), "MMD_AT_PLUS_A").perm_c)


def _splu(A: csc_array[np.float64], ordering: Literal["NATURAL", "MMD_AT_PLUS_A"]) -> SuperLU:
    return splu(A, permc_spec=ordering, diag_pivot_thresh=0.0, options={"SymmetricMode": True})


def _full(pattern: Pattern, values: IndexArray) -> csc_array:
    """Both triangles of the matrix that has these values in its lower one."""
    rows, columns = pattern.indices, pattern.columns
    below = rows != columns
    shape = (pattern.n, pattern.n)
    upper = csc_array((values[below], (columns[below], rows[below])), shape=shape)
    return csc_array((values, rows, pattern.indptr), shape=shape) + upper


def _with_fill(L: csc_array, A: csc_array, rank: IndexArray) -> csc_array:
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
