"""Columns of a Cholesky factor that share a structure, and the tree that they stand in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

__all__ = ["Supernodes", "ends_of", "node_begins", "supernodes"]

_FRONTS = 2**22  # elements of the fronts that a portion of nodes leaves to its children: 32 MiB

_Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Supernodes:
    """The m supernodes of a factor L of n columns.

    The front of a node are the rows where its first column has entries: its own columns, and the
    rows below them. The rows below stand in the front of its parent (Liu 1990).

    Attributes
    ----------
    first, width : ndarray, shape (m,)
        First column, and number of columns.
    starts : ndarray, shape (m + 1,)
        Where the front of each node begins in `rows`.
    rows : ndarray
        The rows of all fronts, ascending in each.
    parent : ndarray, shape (m,)
        Node of the first row below the columns; -1 for a root.
    """

    first: _Indices
    width: _Indices
    starts: _Indices
    rows: _Indices
    parent: _Indices

    @cached_property
    def size(self) -> _Indices:
        """Rows of each front, shape (m,)."""
        return np.diff(self.starts)

    @cached_property
    def of_column(self) -> _Indices:
        """Node of each column, shape (n,)."""
        return np.repeat(np.arange(len(self.first)), self.width)

    @cached_property
    def _keys(self) -> _Indices:
        """Node and row in one number, ascending."""
        return np.repeat(np.arange(len(self.first)), self.size) * len(self.of_column) + self.rows

    def find(self, node: _Indices, row: _Indices) -> tuple[_Indices, NDArray[np.bool_]]:
        """Place of a row in the front of a node, and whether it is there."""
        key = node * len(self.of_column) + row
        place = np.minimum(np.searchsorted(self._keys, key), len(self._keys) - 1)
        return place - self.starts[node], self._keys[place] == key

    @cached_property
    def in_parent(self) -> _Indices:
        """Place in the front of the parent of each row below; 0 for the others, shape of `rows`."""
        own = np.arange(len(self.rows)) - np.repeat(self.starts[:-1], self.size)
        below = own >= np.repeat(self.width, self.size)
        place = np.zeros(len(self.rows), dtype=np.int64)
        parent = np.repeat(self.parent, self.size)[below]
        place[below] = self.find(parent, self.rows[below])[0]
        return place

    @cached_property
    def _by_parent(self) -> tuple[_Indices, _Indices]:
        """Nodes sorted by parent, and where the children of each node begin there, (m + 2,)."""
        order = np.argsort(self.parent, kind="stable")
        nodes = np.arange(-1, len(self.parent) + 1)
        return order, np.searchsorted(self.parent[order], nodes)

    @cached_property
    def has_children(self) -> NDArray[np.bool_]:
        """Whether a node has any, shape (m,)."""
        return np.diff(self._by_parent[1])[1:] > 0

    def roots(self) -> _Indices:
        """Nodes without a parent."""
        return self._children_of(-1)

    def children(self, nodes: _Indices) -> _Indices:
        """All children of these nodes."""
        parents = nodes[self.has_children[nodes]].tolist()
        return np.concatenate([self._children_of(p) for p in parents] or [np.empty(0, np.int64)])

    def _children_of(self, node: int) -> _Indices:
        order, begin = self._by_parent
        return order[begin[node + 1] : begin[node + 2]]

    def portions(self, nodes: _Indices) -> Iterator[list[_Indices]]:
        """Cut nodes into portions whose fronts fit into memory, each in groups of one shape.

        A node without children leaves no front. In a group, the sizes and the widths are equal, and
        all have children or none has.
        """
        shape = np.stack([self.size, self.width, self.has_children])[:, nodes]
        order = np.lexsort(shape)
        shape, nodes = shape[:, order], nodes[order]
        portion = np.cumsum(shape[0] ** 2 * shape[2]) // _FRONTS
        for part in _runs(np.arange(len(nodes)), portion[None]):
            yield _runs(nodes[part], shape[:, part])


def _runs(values: _Indices, keys: _Indices) -> list[_Indices]:
    """Cut values where one of their keys (keys, values) changes."""
    if not len(values):
        return []
    return np.split(values, np.flatnonzero(np.diff(keys).any(axis=0)) + 1)


def supernodes(L: csc_array) -> Supernodes:
    """Find the supernodes of L from the structure of its columns.

    Parameters
    ----------
    L : csc_array, shape (n, n)
        Lower triangular, rows sorted. Its pattern, explicit zeros counted, is that of a symbolic
        factorisation: all rows below the first one under the diagonal are rows of that column too.
    """
    n, count = L.shape[0], np.diff(L.indptr).astype(np.int64)
    below = np.full(n, -1)
    below[count > 1] = L.indices[L.indptr[:-1][count > 1] + 1]
    begins = node_begins(count, below)
    first = np.flatnonzero(begins)
    width = np.diff(np.append(first, n))
    under = below[first + width - 1]  # the last column of a node has only rows below the node
    return Supernodes(
        first=first,
        width=width,
        starts=ends_of(count[first]),
        rows=L.indices[np.repeat(begins, count)].astype(np.int64),
        parent=np.where(under >= 0, np.repeat(np.arange(len(first)), width)[under], -1),
    )


def node_begins(count: _Indices, below: _Indices) -> NDArray[np.bool_]:
    """Where a supernode begins: columns that share their rows, one below another, are of one.

    Parameters
    ----------
    count, below : ndarray, shape (n,)
        Entries of each column of L, and the row of the first one below the diagonal.
    """
    goes_on = (below[:-1] == np.arange(1, len(below))) & (count[:-1] == count[1:] + 1)
    return np.append(True, ~goes_on)[: len(below)]


def ends_of(sizes: _Indices | list[int]) -> _Indices:
    """Zero and the cumulated sizes: where each of them begins, and the end."""
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
