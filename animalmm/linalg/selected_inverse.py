"""Elements of the inverse of a sparse matrix on the pattern of its Cholesky factor.

The whole inverse is full; its elements where L has any need no others (Takahashi et al. 1973;
Erisman & Tinney 1975). For a supernode J, the rows s below it and ``B = L_sJ L_JJ^-1``, the inverse
Z has

    Z_sJ = -Z_ss B,    Z_JJ = L_JJ^-T L_JJ^-1 - B' Z_sJ,

from the last supernode to the first (Lin et al. 2011, SelInv). All of s stands in the front F of
the parent, so that Z_ss is gathered from the parent's Z_FF, which is kept until the last child has
been there. The tree of a pedigree is wide and low: small nodes of one shape are computed together,
large ones one by one, all with BLAS. What depends on the pattern alone is found once
(`FactorPattern`), for all matrices of that pattern.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.lapack import dlauum, dtrtri
from scipy.sparse import csc_array

from animalmm.linalg.inverse_plan import LARGE, Batch, inverse_plan
from animalmm.linalg.supernodes import supernodes

__all__ = ["DensePattern", "FactorPattern", "InversePattern", "SelectedInverse"]

_Floats = NDArray[np.float64]
_Indices = NDArray[np.int64]

_ONE_THREAD = 2**18  # multiplications of a matrix product up to which OpenBLAS takes one thread
_FEW_ROWS = 8  # with fewer at a time, one product with threads is faster


class InversePattern(Protocol):
    """Which elements of an inverse are known, and where they are kept."""

    @property
    def n(self) -> int:
        """Order of the matrix."""

    def places(self, rows: ArrayLike, columns: ArrayLike) -> _Indices:
        """Places of elements among the values; -1 for those outside the pattern.

        Parameters
        ----------
        rows, columns : array_like of int
            Of shapes that broadcast, in the order of the matrix.
        """


@dataclass(frozen=True, eq=False)
class SelectedInverse:
    """Z = A^-1 where its pattern has elements.

    Attributes
    ----------
    pattern : InversePattern
        The same object, or an equal one, for all matrices of one pattern.
    values : ndarray
        The elements, at the places that the pattern gives.
    """

    pattern: InversePattern
    values: _Floats

    def at(self, rows: ArrayLike, columns: ArrayLike) -> _Floats:
        """Elements of Z, in the order of A; NaN outside the pattern.

        Parameters
        ----------
        rows, columns : array_like of int
            Of shapes that broadcast.
        """
        places = self.pattern.places(rows, columns)
        if not self.values.size:
            return np.full(places.shape, np.nan)
        return np.where(places >= 0, self.values[places], np.nan)

    def diagonal(self) -> _Floats:
        """Diagonal of Z, shape (n,)."""
        every = np.arange(self.pattern.n)
        return self.at(every, every)


@dataclass(frozen=True)
class DensePattern:
    """All elements, row by row."""

    n: int

    def places(self, rows: ArrayLike, columns: ArrayLike) -> _Indices:
        """See `InversePattern.places`."""
        return np.asarray(np.asarray(rows, dtype=np.int64) * self.n + np.asarray(columns))


class FactorPattern:
    """The pattern of L, for ``A[order][:, order] = L L'``, and the plan of the computation.

    Parameters
    ----------
    L : csc_array, shape (n, n)
        Lower triangular, rows sorted. Its pattern, explicit zeros counted, is that of a symbolic
        factorisation: all rows below the first one under the diagonal are rows of that column too.
    order : ndarray of int, shape (n,)
        The order of the rows of A in L.
    """

    def __init__(self, L: csc_array, order: NDArray[np.integer]) -> None:
        self._indptr, self._indices, self._order = L.indptr, L.indices, order
        self._rank = np.empty(len(order), dtype=np.int64)
        self._rank[order] = np.arange(len(order))
        self._nodes = supernodes(L)
        self._plan, self._begin = inverse_plan(L, self._nodes)

    @property
    def n(self) -> int:
        """Order of the matrix."""
        return len(self._order)

    def fits(self, L: csc_array, order: NDArray[np.integer]) -> bool:
        """Whether this is the pattern of another factor."""
        return (
            np.array_equal(L.indptr, self._indptr)
            and np.array_equal(L.indices, self._indices)
            and np.array_equal(order, self._order)
        )

    def places(self, rows: ArrayLike, columns: ArrayLike) -> _Indices:
        """See `InversePattern.places`."""
        i, k = np.broadcast_arrays(self._rank[np.asarray(rows)], self._rank[np.asarray(columns)])
        nodes, column, row = self._nodes, np.minimum(i, k), np.maximum(i, k)
        node = nodes.of_column[column]
        place, found = nodes.find(node, row)
        at = self._begin[node] + (column - nodes.first[node]) * nodes.size[node] + place
        return np.where(found, at, -1)

    def inverse(self, L: csc_array) -> SelectedInverse:
        """Z from an L of this pattern."""
        values = np.empty(int((self._nodes.size * self._nodes.width).sum()))
        waiting = [(portion, np.empty(0)) for portion in self._plan]
        while waiting:
            portion, above = waiting.pop()
            fronts = np.empty(portion.fronts)
            for batch in portion.batches:
                invert = _invert_together if batch.size < LARGE else _invert_one
                own = None if batch.front is None else fronts[batch.front :]
                panels = invert(L.data, above, batch, own)
                values[batch.target : batch.target + panels.size] = panels.ravel()
            waiting += [(child, fronts) for child in portion.children]
        return SelectedInverse(self, values)


def _invert_together(data: _Floats, above: _Floats, batch: Batch, own: _Floats | None) -> _Floats:
    """``Z_FJ'`` of many small nodes, shape (g, width, size); their Z_FF to the beginning of `own`.

    NumPy takes no threads for so small products.
    """
    size, width = batch.size, batch.width
    Z_ss = _gathered(above, batch)
    columns = _columns(data, batch)
    inverse = _inverses(columns[:, :, :width])
    B = inverse @ columns[:, :, width:]
    panels = np.empty(columns.shape)
    Z_Js = np.negative(B @ Z_ss, out=panels[:, :, width:])
    squares = inverse @ inverse.transpose(0, 2, 1)
    np.subtract(squares, B @ Z_Js.transpose(0, 2, 1), out=panels[:, :, :width])
    if own is not None:
        fronts = own[: len(panels) * size**2].reshape(-1, size, size)
        fronts[:, :width] = panels
        fronts[:, width:, :width] = Z_Js.transpose(0, 2, 1)
        fronts[:, width:, width:] = Z_ss
    return panels


def _columns(data: _Floats, batch: Batch) -> _Floats:
    """``L_FJ'``, shape (g, width, size), zero below the diagonal."""
    number, size, width = len(batch.source), batch.size, batch.width
    if width == 1:
        return data.take(batch.source + np.arange(size))[:, None, :]
    stored = np.tri(size, width, dtype=bool).T
    columns = np.zeros((number, width, size))
    columns[:, stored] = data.take(batch.source + np.arange(stored.sum()))
    return columns


def _inverses(U: _Floats) -> _Floats:
    """``U^-1`` of upper triangular matrices, shape (g, w, w)."""
    if U.shape[1] == 1:
        return 1.0 / U
    inverse = np.empty(U.shape)
    for k, one in enumerate(U):
        inverse[k] = dtrtri(one.T, lower=1)[0].T
    return inverse


def _invert_one(data: _Floats, above: _Floats, batch: Batch, own: _Floats | None) -> _Floats:
    """``Z_FJ'`` of one large node, shape (width, size); its Z_FF to the beginning of `own`."""
    size, width = batch.size, batch.width
    L = np.zeros((width, size)).T
    at = int(batch.source[0, 0])
    for k in range(width):
        L[k:, k] = data[at : at + size - k]
        at += size - k
    Z_FF = np.empty((size, size)) if own is None else own[: size**2].reshape(size, size)
    inverse = dtrtri(L[:width], lower=1, overwrite_c=1)[0]  # in place for a root: it may be huge
    B = _product(L[width:], inverse)
    half = dlauum(inverse, lower=1, overwrite_c=1)[0]  # the lower triangle of L_JJ^-T L_JJ^-1
    half.flat[:: width + 1] /= 2
    np.add(half, half.T, out=Z_FF[:width, :width])
    if size > width:
        Z_ss = _gathered(above, batch)[0]
        Z_sJ = np.negative(_product(Z_ss, B))
        Z_FF[:width, :width] -= _product(B.T, Z_sJ)
        Z_FF[:width, width:] = Z_sJ.T
        Z_FF[width:, :width] = Z_sJ
        Z_FF[width:, width:] = Z_ss
    return Z_FF[:width]


def _gathered(fronts: _Floats, batch: Batch) -> _Floats:
    """Z_ss from the fronts of the parents, shape (g, r, r)."""
    rows = batch.above + batch.place * batch.above_size
    at = rows[:, :, None] + batch.place[:, None, :]
    return fronts.take(at) if at.size else np.empty(at.shape)


def _product(A: _Floats, B: _Floats) -> _Floats:
    """``A B``, by as many rows at a time as OpenBLAS multiplies in one thread.

    For the thousands of narrow nodes the threads would wait for each other longer than they work.
    """
    rows = _ONE_THREAD // B.size
    if rows < _FEW_ROWS:
        return np.asarray(A @ B)
    out = np.empty((len(A), B.shape[1]))
    for start in range(0, len(A), rows):
        part = slice(start, start + rows)
        np.matmul(A[part], B, out=out[part])
    return out
