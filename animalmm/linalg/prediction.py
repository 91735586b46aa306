"""How much a Cholesky factor will hold and cost, from the pattern and the order alone.

Row i of L has entries at the nodes of a subtree of the elimination tree: the paths from the columns
where row i of A has entries up to i. In a postorder of the tree it is told by its leaves and by the
lowest common ancestors of leaves that follow each other (Gilbert, Ng & Peyton 1994); the number of
rows whose subtree has node j is the count of column j. The tree itself is that of a minimum
spanning forest of the graph of A, an edge between i and j weighing max(i, j), as it depends only on
what the nodes 0 to k connect, for each k.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import depth_first_order, minimum_spanning_tree

from animalmm.linalg.supernodes import ends_of, node_begins

__all__ = ["LARGE", "Fill", "predicted_fill"]

LARGE = 20_000  # columns from which on a prediction pays

_Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Fill:
    """The columns of a factor L of order n, without the zeros that a library may add.

    CHOLMOD joins small supernodes, which can make the panels of the largest systems half as large
    again: the bytes are what is needed at least.

    Attributes
    ----------
    count : ndarray, shape (n,)
        Entries of each column of L, the diagonal counted.
    parent : ndarray, shape (n,)
        Row of the first entry below the diagonal; -1 where there is none.
    order : ndarray, shape (n,)
        The column of A that each column of L is: the given order, in a postorder of its tree.
    """

    count: _Indices
    parent: _Indices
    order: _Indices

    @property
    def nnz(self) -> int:
        """Entries of L."""
        return int(self.count.sum())

    @property
    def multiplications(self) -> float:
        """Those of a factorisation, the sum of the squared counts; divisions are counted too."""
        return float((self.count.astype(np.float64) ** 2).sum())

    @property
    def factor_bytes(self) -> float:
        """What a factor takes: the panels of its supernodes, full rectangles."""
        rows, columns = self.fronts
        return 8.0 * float(rows @ columns)

    @property
    def inverse_bytes(self) -> float:
        """What its selected inverse takes in the making, the elements themselves among it.

        Panels like those of the factor; a copy of L, and its row indices in the pattern that is
        kept; and four squares of the largest front: two on the way down the tree, and L and the
        inverse of L of the root.
        """
        rows, _ = self.fronts
        largest = float(rows.max(initial=0))
        return self.factor_bytes + (8 + 4 + 4) * self.nnz + 4 * 8 * largest**2

    @cached_property
    def fronts(self) -> tuple[_Indices, _Indices]:
        """Rows and columns of the supernodes."""
        first = np.flatnonzero(node_begins(self.count, self.parent))
        return self.count[first], np.diff(np.append(first, len(self.count)))


def predicted_fill(lower: csc_array, order: NDArray[np.integer]) -> Fill:
    """Predict the Cholesky factor of a symmetric positive definite matrix.

    Parameters
    ----------
    lower : csc_array, shape (n, n)
        Lower triangle of A; its pattern alone matters.
    order : ndarray of int, shape (n,)
        A permutation: ``A[order][:, order]`` is what is factorised.

    Returns
    -------
    Fill
        Of the factor without cancellation.
    """
    n, rank = len(order), _ranks(order)
    row, column = rank[lower.indices], np.repeat(rank, np.diff(lower.indptr))
    row, column = np.maximum(row, column), np.minimum(row, column)
    row, column = row[row > column], column[row > column]
    parent = _elimination_tree(n, row, column)
    post = _postorder(parent)
    rank = _ranks(post)
    parent = np.append(rank, -1)[parent[post]]
    return Fill(_column_counts(parent, rank[row], rank[column]), parent, np.asarray(order)[post])


def _ranks(order: NDArray[np.integer]) -> _Indices:
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank


def _elimination_tree(n: int, row: _Indices, column: _Indices) -> _Indices:
    """Parent of each node, -1 for a root, from the entries below the diagonal (Liu 1986)."""
    graph = csr_array((row.astype(np.float64), (row, column)), shape=(n, n))
    forest = minimum_spanning_tree(graph).tocoo()
    by_row = np.argsort(forest.row, kind="stable")
    parent = [-1] * n
    above = list(range(n))  # an ancestor, the highest so far at the end of the chain
    # The n - 1 edges at most, not all entries: the one loop in Python.
    for i, node in zip(forest.row[by_row].tolist(), forest.col[by_row].tolist(), strict=True):
        while above[node] != node:
            above[node] = node = above[above[node]]
        parent[node] = above[node] = i
    return np.array(parent, dtype=np.int64)


def _postorder(parent: _Indices) -> _Indices:
    """The nodes, children before parents, each subtree in one piece; a postorder stays as it is."""
    n = len(parent)
    parent = np.where(parent < 0, n, parent)  # one root above all
    child = np.full(n + 1, -1)
    child[parent] = np.arange(n)  # the last one
    by_parent = np.argsort(parent, kind="stable")
    siblings = np.flatnonzero(np.diff(parent[by_parent]) == 0)
    sibling = np.full(n + 1, -1)
    sibling[by_parent[siblings + 1]] = by_parent[siblings]  # the one before
    # As a binary tree, since `depth_first_order` takes the square of the number of children.
    links = np.stack([child, sibling], axis=1)
    binary = csr_array(
        (np.ones((links >= 0).sum()), links[links >= 0], ends_of((links >= 0).sum(axis=1))),
        shape=(n + 1, n + 1),
    )
    return np.asarray(depth_first_order(binary, n, return_predecessors=False)[:0:-1])


def _column_counts(parent: _Indices, row: _Indices, column: _Indices) -> _Indices:
    """Entries of each column of L from those of A below the diagonal, all in a postorder."""
    n = len(parent)
    A = csr_array((np.ones(len(row), dtype=np.int8), (row, column)), shape=(n, n))
    A.sort_indices()
    row, column = np.repeat(np.arange(n), np.diff(A.indptr)), A.indices.astype(np.int64)
    first = _first_descendants(parent)
    opens = np.diff(row, prepend=-1) > 0
    leaf = opens | (np.append(-1, column[:-1])[: len(row)] < first[column])
    row, column, opens = row[leaf], column[leaf], opens[leaf]
    later = np.flatnonzero(~opens)
    meet = _common_ancestors(parent, first, column[later - 1], column[later])
    # What the rows add: summed over the descendants of a node, a row adds 1 on its subtree, else 0.
    alone = np.bincount(row, minlength=n) == 0  # the diagonal is the leaf
    added = alone + np.bincount(column, minlength=n)
    added -= np.bincount(meet, minlength=n) + np.bincount(parent[parent >= 0], minlength=n)
    total = ends_of(added)
    return np.asarray(total[1:] - total[first])


def _first_descendants(parent: _Indices) -> _Indices:
    """The first node of each subtree, in a postorder."""
    first = np.arange(len(parent))
    below = np.flatnonzero(parent >= 0)[::-1]
    first[parent[below]] = below  # the first child is written last
    while (further := first[first]).tobytes() != first.tobytes():
        first = further
    return first


def _common_ancestors(parent: _Indices, first: _Indices, u: _Indices, v: _Indices) -> _Indices:
    """The lowest ones of nodes u < v in a postorder, neither an ancestor of the other.

    Between them stand only descendants of their ancestor, the highest of them its children.
    """
    n = len(parent)
    depth = np.cumsum(np.bincount(first, minlength=n)) - np.arange(n)
    by_depth = np.argsort(depth, kind="stable")
    highest = _ranks(by_depth)  # of the 2^k nodes from each one on
    power = np.frexp(v - u + 1)[1] - 1
    pairs = np.argsort(power, kind="stable")
    ends = np.searchsorted(power[pairs], np.arange(power.max(initial=-1) + 2))
    child = np.empty(len(u), dtype=np.int64)
    for k in range(len(ends) - 1):
        some = pairs[ends[k] : ends[k + 1]]
        child[some] = np.minimum(highest[u[some]], highest[v[some] - 2**k + 1])
        highest = np.minimum(highest[: -(2**k)], highest[2**k :])
    return np.asarray(parent[by_depth[child]])
