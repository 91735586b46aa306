"""Elements of the inverse of a sparse matrix on the pattern of its Cholesky factor.

The whole inverse is full; its elements where L has any need no others (Takahashi et al. 1973;
Erisman & Tinney 1975). For a supernode J, the rows s below it and ``B = L_sJ L_JJ^-1``, the inverse
Z has

    Z_sJ = -Z_ss B,    Z_JJ = L_JJ^-T L_JJ^-1 - B' Z_sJ,

from the last supernode to the first (Lin et al. 2011, SelInv). All of s stands in the front F of
the parent, so that Z_ss is gathered from the parent's Z_FF, which is kept until the last child has
been there. The tree of a pedigree is wide and low: nodes of one shape are computed together, with
BLAS and no loop over columns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg.lapack import dlauum, dtrtri
from scipy.sparse import csc_array

from animalmm.linalg.supernodes import Supernodes, ends_of, supernodes

__all__ = ["SelectedInverse"]

_TOGETHER = 2**19  # elements of the fronts that are computed together: they stay in the cache

_Floats = NDArray[np.float64]
_Indices = NDArray[np.int64]


class SelectedInverse:
    """Z = A^-1 on the pattern of L, for ``A[order][:, order] = L L'``.

    Parameters
    ----------
    L : csc_array, shape (n, n)
        Lower triangular, rows sorted. Its pattern, explicit zeros counted, is that of a symbolic
        factorisation: all rows below the first one under the diagonal are rows of that column too.
    order : ndarray of int, shape (n,)
        The order of the rows of A in L.
    """

    def __init__(self, L: csc_array, order: NDArray[np.integer]) -> None:
        self._rank = np.empty(len(order), dtype=np.int64)
        self._rank[order] = np.arange(len(order))
        self._nodes = supernodes(L)
        self._panels, self._begin = _inverse_panels(L, self._nodes)

    def at(self, rows: ArrayLike, columns: ArrayLike) -> _Floats:
        """Elements of Z, in the order of A; NaN outside the pattern of L.

        Parameters
        ----------
        rows, columns : array_like of int
            Of shapes that broadcast.
        """
        i, k = np.broadcast_arrays(self._rank[np.asarray(rows)], self._rank[np.asarray(columns)])
        nodes, column, row = self._nodes, np.minimum(i, k), np.maximum(i, k)
        node = nodes.of_column[column]
        place, found = nodes.find(node, row)
        at = self._begin[node] + place * nodes.width[node] + column - nodes.first[node]
        return np.where(found, self._panels[np.where(found, at, 0)], np.nan)

    def diagonal(self) -> _Floats:
        """Diagonal of Z, shape (n,)."""
        every = np.arange(len(self._rank))
        return self.at(every, every)


def _inverse_panels(L: csc_array, nodes: Supernodes) -> tuple[_Floats, _Indices]:
    """Z_FJ of every supernode J, by rows, and where each begins."""
    panels, begin, filled = np.empty((nodes.size * nodes.width).sum()), nodes.first.copy(), 0
    front_at = nodes.first.copy()  # where the front of each node begins among its portion's
    waiting = [(groups, np.empty(0)) for groups in nodes.portions(nodes.roots())]
    while waiting:
        groups, above = waiting.pop()
        portion = np.concatenate(groups)
        parents = portion[nodes.has_children[portion]]
        ends = ends_of(nodes.size[parents] ** 2)
        front_at[parents] = ends[:-1]
        fronts = np.empty(ends[-1])
        for group in _cut(groups, nodes):
            Z_ss = _gathered(above, front_at, nodes, group)
            panel = _panel(_columns(L, nodes, group), Z_ss)
            begin[group] = filled + np.arange(len(group)) * panel[0].size
            panels[filled : filled + panel.size] = panel.ravel()
            filled += panel.size
            if nodes.has_children[group[0]]:
                _write_fronts(fronts[front_at[group[0]] :], panel, Z_ss)
        waiting += [(groups, fronts) for groups in nodes.portions(nodes.children(portion))]
    return panels, begin


def _cut(groups: list[_Indices], nodes: Supernodes) -> list[_Indices]:
    """Groups of nodes that are computed together."""
    most = [max(_TOGETHER // int(nodes.size[group[0]]) ** 2, 1) for group in groups]
    return [g[i : i + m] for g, m in zip(groups, most, strict=True) for i in range(0, len(g), m)]


def _gathered(fronts: _Floats, front_at: _Indices, nodes: Supernodes, group: _Indices) -> _Floats:
    """Z_ss of nodes of one shape from the fronts of their parents, shape (g, r, r)."""
    below = np.arange(nodes.width[group[0]], nodes.size[group[0]])
    place = nodes.in_parent[nodes.starts[group][:, None] + below]
    parent = nodes.parent[group]
    rows = front_at[parent][:, None] + place * nodes.size[parent][:, None]
    return fronts[rows[:, :, None] + place[:, None, :]]


def _columns(L: csc_array, nodes: Supernodes, group: _Indices) -> _Floats:
    """L_FJ of nodes of one shape, shape (g, size, width), zero above the diagonal."""
    stored = np.tri(nodes.size[group[0]], nodes.width[group[0]], dtype=bool).T
    begin = L.indptr[nodes.first[group]].astype(np.int64)
    columns = np.zeros((len(group), *stored.shape))
    columns[:, stored] = L.data[begin[:, None] + np.arange(stored.sum())]
    return columns.transpose(0, 2, 1)


def _panel(columns: _Floats, Z_ss: _Floats) -> _Floats:
    """Z_FJ from L_FJ and Z_ss, shape (g, size, width)."""
    width = columns.shape[2]
    own, Z_JJ = _inverses(columns[:, :width])
    B = columns[:, width:] @ own
    Z_sJ = -(Z_ss @ B)
    return np.concatenate([Z_JJ - B.transpose(0, 2, 1) @ Z_sJ, Z_sJ], axis=1)


def _inverses(L: _Floats) -> tuple[_Floats, _Floats]:
    """``L^-1`` and ``L^-T L^-1`` of lower triangular matrices, both of shape (g, w, w)."""
    if L.shape[1] == 1:
        return 1.0 / L, L**-2.0
    inverse, product = np.empty(L.shape), np.empty(L.shape)
    for k, one in enumerate(L):
        inverse[k] = dtrtri(one, lower=1)[0]
        lower = dlauum(inverse[k], lower=1)[0]
        product[k] = lower + np.tril(lower, -1).T
    return inverse, product


def _write_fronts(free: _Floats, panel: _Floats, Z_ss: _Floats) -> None:
    """Put Z_FF of the nodes at the beginning of `free`."""
    number, size, width = panel.shape
    fronts = free[: number * size**2].reshape(number, size, size)
    fronts[:, :, :width] = panel
    fronts[:, :width, width:] = panel[:, width:].transpose(0, 2, 1)
    fronts[:, width:, width:] = Z_ss
