"""The additive relationships of a pedigree: inbreeding, and A as a flow of genes.

The inbreeding of an animal is half the relationship of its parents. Relationships of a sire with
its mates need the inbreeding of its own ancestors only, so sires are taken by generation, many
at once, each with all its progeny (after Colleau 2002, Genetics Selection Evolution 34, 409-421).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from animalmm.pedigree.gene_flow import GeneFlow, block

__all__ = ["Parents", "additive_flow"]

BATCH = 64
"""Sires taken at once: more of them share the walk through their mates' ancestors, and need
more memory (8 bytes times animals times sires)."""

CLONE = 2.0


@dataclass(frozen=True, eq=False)
class Parents:
    """A sorted pedigree as arrays.

    Attributes
    ----------
    sire, dam : ndarray of intp, shape (n,)
        Positions of the parents, each before its progeny; -1 where unknown.
    generation : ndarray of intp, shape (n,)
        Length of the longest path from a founder.
    retained : ndarray, shape (n,)
        Share of the heterozygosity of the zygote that the animal has kept, so that
        ``1 - F = (1 - F_zygote) retained``: 1 as a rule, 2^-k after k selfings, 1 - F for a founder
        that is inbred, and 2 for a clone, both of whose parents are the original: the copy is twice
        as heterozygous as a selfed progeny.
    """

    sire: npt.NDArray[np.intp]
    dam: npt.NDArray[np.intp]
    generation: npt.NDArray[np.intp]
    retained: npt.NDArray[np.float64]


def additive_flow(parents: Parents) -> GeneFlow:
    """Inbreeding and variances of Mendelian sampling: A = T D T', exact.

    Parameters
    ----------
    parents : Parents
        n animals, parents before progeny.

    Returns
    -------
    GeneFlow
        `diagonal` is 1 + F. `d` is in units of the additive variance of the founders: 1 without
        known parents, 3/4 - F_p/4 with one, 1/2 - (F_s + F_d)/4 with two, and for an animal that
        was selfed, or an inbred founder, as much more as it is more inbred than its zygote was.
    """
    zygote = np.zeros(len(parents.sire))
    first, second = _fewer_first(parents.sire, parents.dam)
    P = _parent_matrix(parents)
    for batch in _families(parents, first, second):
        sires, sire_of = np.unique(first[batch], return_inverse=True)
        mates, mate_of = np.unique(second[batch], return_inverse=True)
        # Not yet known for late generations, where it is not read either.
        d = _variances(parents, zygote)[1]
        related = block(P, parents.generation, d, rows=mates, columns=sires)
        zygote[batch] = 0.5 * related[mate_of, sire_of]
    F, d = _variances(parents, zygote)
    return GeneFlow(P, d, parents.generation, 1.0 + F)


def _parent_matrix(parents: Parents) -> sparse.csr_array[np.float64]:
    """P: 1/2 at each known parent, 1 at that of a self."""
    n = len(parents.sire)
    # 32-bit indices halve the memory, and sparse solvers ask for them.
    progeny = np.tile(np.arange(n, dtype=np.int32), 2)
    parent = np.concatenate([parents.sire, parents.dam]).astype(np.int32)
    known = parent >= 0
    halves = np.full(int(known.sum()), 0.5)
    # Entries at the same place, the two of a selfed animal, are added up.
    return sparse.csr_array((halves, (progeny[known], parent[known])), shape=(n, n))


def _variances(
    parents: Parents, zygote: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """F and d of the animals, from the inbreeding of their zygotes."""
    F = 1.0 - (1.0 - zygote) * parents.retained
    # With F = -1 for the unknown parent, at position -1, the three cases are one.
    padded = np.concatenate([F, [-1.0]])
    d = 0.5 - 0.25 * (padded[parents.sire] + padded[parents.dam]) + (F - zygote)
    d[parents.retained == CLONE] = 0.0  # nothing of its own, not even rounding
    return F, d


def _fewer_first(
    sire: npt.NDArray[np.intp], dam: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Put the sex with fewer parents first: its members cost one column each."""
    return (sire, dam) if np.unique(sire).size <= np.unique(dam).size else (dam, sire)


def _families(
    parents: Parents, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]
) -> Iterator[npt.NDArray[np.intp]]:
    """Animals with two known parents, in batches of whole families by generation of `first`."""
    known = np.flatnonzero((first >= 0) & (second >= 0))
    generation = parents.generation[first[known]]
    order = np.lexsort((first[known], generation))
    known, generation = known[order], generation[order]
    new_parent = np.diff(first[known], prepend=-1) != 0
    for g in np.unique(generation):
        start, end = np.searchsorted(generation, [g, g + 1])
        cuts = np.flatnonzero(new_parent[start:end])[BATCH::BATCH]
        yield from np.split(known[start:end], cuts)
