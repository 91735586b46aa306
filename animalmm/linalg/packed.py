"""Symmetric matrices in rectangular full packed form: half the memory, at the speed of BLAS-3.

The lower triangle fills a rectangle without gaps, and LAPACK works on the blocks of that
(Gustavson, Wasniewski, Dongarra & Langou 2010, ACM Trans. Math. Softw. 37:18). Here the rectangle
is a vector: a sum of matrices, and the trace of the product of two, are operations on vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import ddot
from scipy.linalg.lapack import dpftrf, dpftri, dsfrk, dtfsm, dtrttf

from animalmm.linalg.interface import FloatArray, NotPositiveDefiniteError

__all__ = ["LARGEST", "PackedCholesky", "pack", "packed_places", "product_trace", "subtract_outer"]

LARGEST = 65_535  # rows of a matrix whose packed elements LAPACK can count with 32 bits


@dataclass(frozen=True, eq=False)
class PackedCholesky:
    """Cholesky factor of a packed matrix.

    Attributes
    ----------
    L : ndarray, shape (n (n + 1) / 2,)
        The factor, packed.
    n : int
        Rows of the matrix.
    """

    L: FloatArray
    n: int

    @classmethod
    def of(cls, A: FloatArray, n: int) -> PackedCholesky:
        """Factorise a packed matrix, which is overwritten; NotPositiveDefiniteError if it fails."""
        L, info = dpftrf(n, A, uplo="L", overwrite_a=1)
        if info or np.isnan(L[packed_places(n, n - 1, n - 1)]):  # NaN passes LAPACK
            raise NotPositiveDefiniteError(column=info - 1 if info else None)
        return cls(L, n)

    def logdet(self) -> float:
        """Natural logarithm of the determinant of the matrix."""
        return 2.0 * float(np.log(self.L[_diagonal(self.n)]).sum())

    def forward(self, v: FloatArray) -> FloatArray:
        """``L^-1 v`` for v of shape (n, k)."""
        solved: FloatArray = dtfsm(1.0, self.L, v, uplo="L") if v.size else v
        return solved

    def backward(self, v: FloatArray) -> FloatArray:
        """``L'^-1 v`` for v of shape (n, k)."""
        solved: FloatArray = dtfsm(1.0, self.L, v, uplo="L", trans="T") if v.size else v
        return solved

    def inverse(self) -> FloatArray:
        """The inverse of the matrix, packed."""
        inverse: FloatArray = dpftri(self.n, self.L, uplo="L")[0]
        return inverse


def pack(A: FloatArray) -> FloatArray:
    """The lower triangle of a symmetric matrix, packed; shape (n (n + 1) / 2,)."""
    packed: FloatArray = dtrttf(A, uplo="L")[0]
    return packed


def packed_places(
    n: int, row: NDArray[np.intp] | int, column: NDArray[np.intp] | int
) -> NDArray[np.intp]:
    """Where elements on or below the diagonal of a matrix of n rows stand when it is packed."""
    row, column = np.asarray(row), np.asarray(column)
    half, even = (n + 1) // 2, 1 - n % 2
    left = column < half
    at_row = np.where(left, row + even, column - half)
    at_column = np.where(left, column, row - half + 1 - even)
    return np.asarray(at_row + at_column * (n + even), dtype=np.intp)


def product_trace(n: int, A: FloatArray, B: FloatArray) -> float:
    """``tr(A B)`` of two packed matrices."""
    diagonal = _diagonal(n)
    return float(2.0 * ddot(A, B) - ddot(A[diagonal], B[diagonal]))


def subtract_outer(n: int, A: FloatArray, H: FloatArray) -> FloatArray:
    """``A - H H'`` for a packed A, which is overwritten, and H of shape (n, k)."""
    if not H.size:
        return A
    H = np.asfortranarray(H)
    less: FloatArray = dsfrk(n, H.shape[1], -1.0, H, 1.0, A, uplo="L", overwrite_c=1)
    return less


def _diagonal(n: int) -> NDArray[np.intp]:
    at = np.arange(n)
    return packed_places(n, at, at)
