"""SuperLU in symmetric mode: the backend that SciPy brings, where CHOLMOD is absent."""

from __future__ import annotations

from typing import Literal

import numpy as np
import scipy
from scipy.sparse import csc_array, diags_array
from scipy.sparse.linalg import SuperLU, splu

from animalmm.linalg.fill import both_triangles, with_fill
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
        self._order = np.arange(self.n) if ordering == "natural" else _minimum_degree(pattern)
        numbered = both_triangles(pattern, np.arange(1, len(pattern.indices) + 1))
        permuted = numbered[self._order][:, self._order]
        permuted.sort_indices()
        self._source = permuted.data - 1
        self._indices, self._indptr = permuted.indices, permuted.indptr

    def order(self) -> IndexArray:
        """The order that SuperLU chose."""
        return self._order

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
            raise NotPositiveDefiniteError(column=int(self._order[bad.argmax()]))
        return SuperLUFactor(lu, A, self._order, float(np.log(pivots).sum()))


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
        filled = with_fill(L, self._A, self._lu.perm_c)  # SuperLU leaves zeros out
        return filled, self._order[np.argsort(self._lu.perm_c)]

    def _solve(self, b: FloatArray) -> FloatArray:
        x = np.empty_like(b)
        x[self._order] = self._lu.solve(b[self._order])
        return x


def _minimum_degree(pattern: Pattern) -> IndexArray:
    """Order the columns by minimum degree on the pattern, whatever the values will be."""
    # SuperLU gives its ordering only with a factorisation; diagonal dominance makes it a safe one.
    entries = np.where(pattern.indices == pattern.columns, float(pattern.n), -0.5)
    return np.argsort(_splu(both_triangles(pattern, entries), "MMD_AT_PLUS_A").perm_c)


def _splu(A: csc_array[np.float64], ordering: Literal["NATURAL", "MMD_AT_PLUS_A"]) -> SuperLU:
    return splu(A, permc_spec=ordering, diag_pivot_thresh=0.0, options={"SymmetricMode": True})
