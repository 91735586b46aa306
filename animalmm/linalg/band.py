"""A dense symmetric matrix in band form: ``A = Q B Q'``, B a block tridiagonal band matrix.

One reduction, and every further ``a B + c I`` is factorised in O(n b^2). LAPACK's way to a
tridiagonal form (dsytrd) does half of its work matrix times vector, at the speed of memory; to stop
at a band of b columns lets all of it be matrix times matrix (Schreiber & Van Loan 1989; Bischof,
Lang & Sun 2000, the first of two stages). See benchmarks/one_kernel.py for what that gains.

All products are SciPy's. NumPy brings a BLAS of its own, whose threads spin for a while after each
product and take the cores from those of SciPy's: mixed, the reduction took three times as long with
two threads as with one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg.blas import dgemm, dsymm, dsyr2k, dtrsm
from scipy.linalg.lapack import dgeqrt, dpotrf

from animalmm.linalg.interface import FloatArray, NotPositiveDefiniteError

__all__ = ["BandCholesky", "BandForm", "reduce_to_band"]

WIDTH = 64  # of a block: enough for BLAS-3, and little work for each factorisation
_DONE = 0.08  # share of the rows after which what is left moves to an array of its own


@dataclass(frozen=True, eq=False)
class BandCholesky:
    """Cholesky factor of a block tridiagonal matrix, by blocks.

    Attributes
    ----------
    diagonal : sequence of ndarray, k blocks
        Lower triangular blocks on the diagonal.
    below : sequence of ndarray, k - 1 blocks
        The blocks under them.
    """

    diagonal: Sequence[FloatArray]
    below: Sequence[FloatArray]

    def logdet(self) -> float:
        """Natural logarithm of the determinant of the matrix."""
        return 2.0 * sum(float(np.log(L.diagonal()).sum()) for L in self.diagonal)

    def forward(self, v: FloatArray) -> FloatArray:
        """``L^-1 v`` for v of shape (n, k)."""
        parts = self._parts(v)
        solved: list[FloatArray] = []
        for i, L in enumerate(self.diagonal):
            rest = parts[i] - _times(self.below[i - 1], solved[-1]) if i else parts[i]
            solved.append(dtrsm(1.0, L, rest, lower=1))
        return np.concatenate(solved)

    def backward(self, v: FloatArray) -> FloatArray:
        """``L'^-1 v`` for v of shape (n, k)."""
        parts = self._parts(v)
        last = dtrsm(1.0, self.diagonal[-1], parts[-1], lower=1, trans_a=1)
        solved: list[FloatArray] = [last]
        for i in reversed(range(len(self.below))):
            rest = parts[i] - _transposed_times(self.below[i], solved[-1])
            solved.append(dtrsm(1.0, self.diagonal[i], rest, lower=1, trans_a=1))
        return np.concatenate(solved[::-1])

    def inverse_blocks(self) -> Iterator[tuple[FloatArray, FloatArray | None]]:
        """Blocks of the inverse of the matrix, from the last ones to the first (Takahashi 1973).

        Yields
        ------
        diagonal, below : ndarray
            The block on the diagonal and the one under it, None under the last.
        """
        after = np.zeros((0, 0))
        for i in reversed(range(len(self.diagonal))):
            L = self.diagonal[i]
            inverse = dtrsm(1.0, L, np.eye(len(L)), lower=1)
            block, below = _transposed_times(inverse, inverse), None
            if i < len(self.below):
                G = _times(self.below[i], inverse)
                below = -_times(after, G)
                block -= _transposed_times(G, below)
            yield block, below
            after = block

    def _parts(self, v: FloatArray) -> list[FloatArray]:
        return np.split(v, np.cumsum([len(L) for L in self.diagonal])[:-1])


@dataclass(frozen=True, eq=False)
class BandForm:
    """``A = Q B Q'``.

    Attributes
    ----------
    diagonal, below : sequence of ndarray
        The blocks of B: symmetric (lower triangle) on the diagonal, upper triangular under it.
    reflectors : sequence of (start, Y, T)
        Q is the product of the ``I - Y T Y'``, each on the rows from its start.
    """

    diagonal: Sequence[FloatArray]
    below: Sequence[FloatArray]
    reflectors: Sequence[tuple[int, FloatArray, FloatArray]]

    def rotate(self, v: FloatArray) -> FloatArray:
        """``Q' v`` for v of shape (n, k)."""
        rows = np.array(v.T, order="F")  # its columns from some start on lie together
        for start, Y, T in self.reflectors:
            rows[:, start:] -= dgemm(1.0, _times(_times(rows[:, start:], Y), T), Y, trans_b=1)
        return rows.T

    def rotate_back(self, v: FloatArray) -> FloatArray:
        """``Q v`` for v of shape (n, k)."""
        rows = np.array(v.T, order="F")
        for start, Y, T in reversed(self.reflectors):
            turned = dgemm(1.0, _times(rows[:, start:], Y), T, trans_b=1)
            rows[:, start:] -= dgemm(1.0, turned, Y, trans_b=1)
        return rows.T

    def times(self, v: FloatArray) -> FloatArray:
        """``B v`` for v of shape (n, k)."""
        parts = np.split(v, np.cumsum([len(D) for D in self.diagonal])[:-1])
        product = [_times(D, part) for D, part in zip(self.diagonal, parts, strict=True)]
        for i, R in enumerate(self.below):
            product[i + 1] += _times(R, parts[i])
            product[i] += _transposed_times(R, parts[i + 1])
        return np.concatenate(product)

    def trace_with_inverse(self, cholesky: BandCholesky) -> float:
        """Trace of ``M^-1 B``, from the factor of an M that is a band like B."""
        total = 0.0
        diagonal, under = reversed(self.diagonal), reversed([*self.below, None])
        for D, R, (block, below) in zip(diagonal, under, cholesky.inverse_blocks(), strict=True):
            total += float(np.vdot(D, block))
            if R is not None and below is not None:
                total += 2.0 * float(np.vdot(R, below))
        return total

    def cholesky(self, scale: float, shift: float) -> BandCholesky:
        """Factorise ``scale B + shift I``; a NotPositiveDefiniteError when it has no factor."""
        diagonal: list[FloatArray] = []
        below: list[FloatArray] = []
        for i, D in enumerate(self.diagonal):
            block = scale * D
            block.flat[:: len(D) + 1] += shift
            if i:
                E = dtrsm(scale, diagonal[-1], self.below[i - 1], side=1, lower=1, trans_a=1)
                below.append(E)
                block -= dgemm(1.0, E, E, trans_b=1)
            L, info = dpotrf(block, lower=1, clean=1)
            if info or np.isnan(L[-1, -1]):
                raise NotPositiveDefiniteError
            diagonal.append(L)
        return BandCholesky(diagonal, below)


def reduce_to_band(A: FloatArray, width: int = WIDTH) -> BandForm:
    """Reduce a symmetric matrix to band form by blocked Householder reflections.

    Parameters
    ----------
    A : ndarray, shape (n, n), n > 0
        Symmetric; only the lower triangle is read. Overwritten when it is in column-major order.
    width : int, default 64
        Rows and columns of a block.

    Returns
    -------
    BandForm
        4/3 n^3 multiplications and additions, against the 1/3 n^3 of a Cholesky factor.
    """
    n, at = len(A), 0  # at: where in A, which shrinks, the next panel begins
    A = np.asfortranarray(A)
    diagonal, below, reflectors = [], [], []
    for start in range(0, n - width, width):
        if at > _DONE * len(A):
            A, at = np.asfortranarray(A[at:, at:]), 0
        end = at + width
        diagonal.append(A[at:end, at:end].copy())
        Y, T, R = _reflector(A[end:, at:end])
        A = _apply(A, end, Y, T)
        below.append(R)
        reflectors.append((start + width, Y, T))
        at = end
    diagonal.append(A[at:, at:].copy())
    return BandForm([np.tril(D) + np.tril(D, -1).T for D in diagonal], below, reflectors)


def _reflector(panel: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Y, T and R with ``panel = (I - Y T Y') [R; 0]``, by a QR factorisation."""
    size = min(panel.shape)
    packed, T, _ = dgeqrt(size, panel)
    Y = np.tril(packed[:, :size], -1)
    Y[np.arange(size), np.arange(size)] = 1.0
    return Y, np.triu(T[:size, :size]), np.triu(packed[:size])


def _apply(A: FloatArray, end: int, Y: FloatArray, T: FloatArray) -> FloatArray:
    """``H' A H`` of the rows and columns of A from `end`, H = I - Y T Y'; lower triangle only.

    It is ``A - Y W' - W Y'`` with ``W = A U - Y (U' A U) / 2`` and U = Y T. Rows of zeros above
    spare BLAS a copy of that part of A.
    """
    tall = np.zeros((len(A), Y.shape[1]), order="F")
    tall[end:] = Y
    U = _times(tall, T)
    AU = dsymm(1.0, A, U, lower=1)
    AU[:end] = 0.0
    W = AU - 0.5 * _times(tall, _transposed_times(U, AU))
    updated: FloatArray = dsyr2k(-1.0, tall, W, beta=1.0, c=A, lower=1, overwrite_c=1)
    return updated


def _times(a: FloatArray, b: FloatArray) -> FloatArray:
    product: FloatArray = dgemm(1.0, a, b)
    return product


def _transposed_times(a: FloatArray, b: FloatArray) -> FloatArray:
    product: FloatArray = dgemm(1.0, a, b, trans_a=1)
    return product
