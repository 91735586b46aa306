"""Walks along the lines of descent of chosen units: genes passed up to ancestors, or down.

Both are triangular solves, `T' x` and `T x` with `T = (I - P)^-1`, done level by level for many
columns at once. Levels, not powers of P: where generations overlap an ancestor is reached by paths
of many lengths, and a walk by powers would visit it once for each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["Lineage", "most_ancestors", "with_ancestors"]


@dataclass(frozen=True, eq=False)
class Lineage:
    """Some units and all their ancestors, f in all, sorted by level.

    Attributes
    ----------
    units : ndarray of intp, shape (f,)
        Positions among all n.
    place : ndarray of intp, shape (n,)
        Where a unit stands in `units`; f for those that are not of the lineage.
    P : csr_array, shape (f, f)
        Weights of the parents.
    cuts : ndarray of intp
        Where the levels begin, and f at the end.
    """

    units: npt.NDArray[np.intp]
    place: npt.NDArray[np.intp]
    P: sparse.csr_array[np.float64]
    cuts: npt.NDArray[np.intp]

    @classmethod
    def of(
        cls,
        units: npt.NDArray[np.intp],
        P: sparse.csr_array[np.float64],
        level: npt.NDArray[np.intp],
    ) -> Lineage:
        """Return the lineage of the units, n x n weights P and the n levels given."""
        family = with_ancestors(units, P)
        family = family[np.argsort(level[family], kind="stable")]
        f = len(family)
        place = np.full(P.shape[0], f, dtype=np.intp)
        place[family] = np.arange(f)
        rows = P[family]
        parents = place[rows.indices].astype(np.int32)
        within = sparse.csr_array((rows.data, parents, rows.indptr), shape=(f, f))
        starts = np.flatnonzero(np.diff(level[family], prepend=-1))
        return cls(family, place, within, np.append(starts, f))

    def __len__(self) -> int:
        return len(self.units)

    def pass_up(self, x: npt.NDArray[np.float64]) -> None:
        """Replace x, shape (f, m), by T' x in place: what descends from each unit."""
        for end, start in pairwise(self.cuts[-2::-1]):
            x[start:end] += np.asarray(self._progeny[start:end] @ x)

    def pass_down(self, x: npt.NDArray[np.float64]) -> None:
        """Replace x, shape (f, m), by T x in place: what each unit has from its ancestors."""
        for start, end in pairwise(self.cuts[1:]):
            x[start:end] += np.asarray(self.P[start:end] @ x)

    @cached_property
    def _progeny(self) -> sparse.csr_array[np.float64]:
        return sparse.csr_array(self.P.T)


def with_ancestors(
    units: npt.NDArray[np.intp], P: sparse.csr_array[np.float64]
) -> npt.NDArray[np.intp]:
    """Positions of the units and of all their ancestors, ascending."""
    inside = np.zeros(P.shape[0], dtype=bool)
    while units.size:
        inside[units] = True
        parents = np.zeros_like(inside)
        parents[_row_indices(P, units)] = True
        units = np.flatnonzero(parents & ~inside)
    return np.flatnonzero(inside)


def _row_indices(
    P: sparse.csr_array[np.float64], rows: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """P[rows].indices, several times faster for a few rows."""
    starts = P.indptr[rows]
    counts = P.indptr[rows + 1] - starts
    ends = np.cumsum(counts)
    entries = np.repeat(starts - ends + counts, counts) + np.arange(counts.sum())
    return np.asarray(P.indices[entries])


def most_ancestors(
    P: sparse.csr_array[np.float64], level: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """At most how many ancestors each unit has, itself among them, shape (n,).

    The number of paths of descent, and of parents at lower levels, whichever is smaller: near to
    the truth in shallow pedigrees by the one, in deep ones by the other.
    """
    n = len(level)
    line = Lineage.of(np.arange(n), P, level)
    steps = sparse.csr_array((np.ones(line.P.nnz), line.P.indices, line.P.indptr), shape=(n, n))
    paths = np.ones((n, 1))
    replace(line, P=steps).pass_down(paths)
    is_parent = np.zeros(n, dtype=bool)
    is_parent[P.indices] = True
    lower = np.searchsorted(np.sort(level[is_parent]), level)
    return np.asarray(np.minimum(paths[line.place, 0], 1.0 + lower))
