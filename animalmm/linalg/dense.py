"""LAPACK backend, for matrices that are small or hardly sparse."""

from __future__ import annotations

import math

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotrs
from scipy.sparse import csc_array

from animalmm.linalg.dense_chol import inverse_from_factor
from animalmm.linalg.interface import (
    Factor,
    FloatArray,
    IndexArray,
    NotPositiveDefiniteError,
    Pattern,
    Symbolic,
)
from animalmm.linalg.selected_inverse import DensePattern, SelectedInverse

__all__ = ["DenseFactor", "DenseSymbolic"]


class DenseSymbolic(Symbolic):
    """Where the entries go in a dense array: all the analysis that a dense matrix needs."""

    backend = "LAPACK"

    def __init__(self, pattern: Pattern) -> None:
        super().__init__(pattern)
        self._places = pattern.columns * pattern.n + pattern.indices  # column-major

    def _factorize(self, values: FloatArray) -> DenseFactor:
        flat = np.zeros(self.n * self.n)
        flat[self._places] = values
        if self.n == 0:  # LAPACK refuses a leading dimension of zero
            return DenseFactor(flat.reshape(0, 0), 0.0)
        L, info = dpotrf(flat.reshape(self.n, self.n, order="F"), lower=1, clean=0, overwrite_a=1)
        if info:
            raise NotPositiveDefiniteError(column=info - 1)
        logdet = 2.0 * float(np.log(L.diagonal()).sum())
        if math.isnan(logdet):  # pivots that are not numbers pass LAPACK
            raise NotPositiveDefiniteError
        return DenseFactor(L, logdet)


class DenseFactor(Factor):
    """Cholesky factor in the lower triangle of a dense array; its upper triangle is not used."""

    def __init__(self, L: FloatArray, logdet: float) -> None:
        super().__init__(len(L))
        self._L = L
        self._logdet = logdet

    @property
    def nnz(self) -> int:
        """Entries of the lower triangle."""
        return self.n * (self.n + 1) // 2

    def logdet(self) -> float:
        """Natural logarithm of the determinant of the matrix."""
        return self._logdet

    def lower(self) -> tuple[csc_array, IndexArray]:
        """A copy of L, every element stored, and the order, which is that of the matrix."""
        columns, rows = np.triu_indices(self.n)
        ends = np.concatenate([[0], np.cumsum(np.arange(self.n, 0, -1))])
        L = csc_array((self._L[rows, columns], rows, ends), shape=(self.n, self.n))
        return L, np.arange(self.n)

    def selected_inverse(self) -> SelectedInverse:
        """The whole inverse."""
        inverse = inverse_from_factor(self._L) if self.n else self._L
        return SelectedInverse(DensePattern(self.n), inverse.ravel())

    def _solve(self, b: FloatArray) -> FloatArray:
        x: FloatArray = dpotrs(self._L, b, lower=1)[0]
        return x
