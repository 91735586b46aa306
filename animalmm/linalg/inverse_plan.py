"""In which order the blocks of a selected inverse are computed, and from where each one reads."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from animalmm.linalg.supernodes import Supernodes, ends_of

__all__ = ["LARGE", "Batch", "Portion", "inverse_plan"]

LARGE = 64  # rows of a front from which on a node is computed on its own
_TOGETHER = 2**19  # elements of the fronts that are computed together: they stay in the cache

_Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Batch:
    """The g supernodes of one shape that are computed together.

    Attributes
    ----------
    size, width : int
        Rows of the front, and columns, of each.
    source : ndarray, shape (g, 1)
        Where the columns of each begin in ``L.data``.
    place : ndarray, shape (g, r)
        Of the r rows below the columns, in the front of the parent.
    above, above_size : ndarray, shape (g, 1)
        Where the front of the parent begins among those of its portion, and its rows.
    target : int
        Where the elements of the inverse go: size x width of them for each node.
    front : int or None
        Where the fronts of these nodes go in their portion; None where there are no children.
    """

    size: int
    width: int
    source: _Indices
    place: _Indices
    above: _Indices
    above_size: _Indices
    target: int
    front: int | None


@dataclass(frozen=True, eq=False)
class Portion:
    """Nodes whose parents all stand in one portion, and whose fronts fit into memory.

    Attributes
    ----------
    batches : list of Batch
        In any order.
    fronts : int
        Elements of the fronts that the children will read.
    children : list of Portion
        Those that read them.
    """

    batches: list[Batch]
    fronts: int
    children: list[Portion] = field(default_factory=list)


def inverse_plan(L: csc_array, nodes: Supernodes) -> tuple[list[Portion], _Indices]:
    """The portions of the roots, and where the elements of each node go, shape (m,)."""
    begin, filled = nodes.first.copy(), 0
    front_at = nodes.first.copy()  # where the front of each node begins in its portion
    columns_at = L.indptr[nodes.first].astype(np.int64)
    roots: list[Portion] = []
    waiting = [(groups, roots) for groups in nodes.portions(nodes.roots())]
    while waiting:
        groups, siblings = waiting.pop()
        portion = np.concatenate(groups)
        parents = portion[nodes.has_children[portion]]
        ends = ends_of(nodes.size[parents] ** 2)
        front_at[parents] = ends[:-1]
        own = Portion([], int(ends[-1]))
        siblings.append(own)
        for group in _cut(groups, nodes):
            size, width = int(nodes.size[group[0]]), int(nodes.width[group[0]])
            parent = nodes.parent[group]
            batch = Batch(
                size=size,
                width=width,
                source=columns_at[group][:, None],
                place=nodes.in_parent[nodes.starts[group][:, None] + np.arange(width, size)],
                above=front_at[parent][:, None],
                above_size=nodes.size[parent][:, None],
                target=filled,
                front=int(front_at[group[0]]) if nodes.has_children[group[0]] else None,
            )
            own.batches.append(batch)
            begin[group] = filled + np.arange(len(group)) * size * width
            filled += len(group) * size * width
        children = nodes.portions(nodes.children(portion))
        waiting += [(groups, own.children) for groups in children]
    return roots, begin


def _cut(groups: list[_Indices], nodes: Supernodes) -> list[_Indices]:
    """Groups of nodes that are computed together."""
    sizes = [int(nodes.size[group[0]]) for group in groups]
    most = [1 if size >= LARGE else max(_TOGETHER // size**2, 1) for size in sizes]
    return [g[i : i + m] for g, m in zip(groups, most, strict=True) for i in range(0, len(g), m)]
