"""Inbreeding coefficients and variances of Mendelian sampling.

The inbreeding of an animal is half the relationship of its parents. Relationships of a sire with
its mates need the inbreeding of its own ancestors only, so sires are taken by generation, many
at once, each with all its progeny (after Colleau 2002, Genetics Selection Evolution 34, 409-421).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from animalmm.pedigree.gene_flow import Parents, parent_matrix, relationships

__all__ = ["inbreeding", "mendelian_variance"]

BATCH = 64
"""Sires taken at once: more of them share the walk through their mates' ancestors, and need
more memory (8 bytes times animals times sires)."""


def inbreeding(parents: Parents) -> npt.NDArray[np.float64]:
    """Inbreeding coefficients of all animals, exact.

    Parameters
    ----------
    parents : Parents
        n animals, parents before progeny.

    Returns
    -------
    ndarray, shape (n,)
    """
    F = np.zeros(len(parents.sire))
    first, second = _fewer_first(parents.sire, parents.dam)
    P = parent_matrix(parents)
    for batch in _families(parents, first, second):
        sires, sire_of = np.unique(first[batch], return_inverse=True)
        mates, mate_of = np.unique(second[batch], return_inverse=True)
        # Not yet known for late generations, where it is not read either.
        d = mendelian_variance(parents, F)
        related = relationships(parents, P, d, rows=mates, columns=sires)
        F[batch] = 0.5 * related[mate_of, sire_of]
    return F


def mendelian_variance(parents: Parents, F: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Variances of Mendelian sampling, in units of the additive variance of the founders.

    1 without known parents, 3/4 - F_p/4 with one, 1/2 - (F_s + F_d)/4 with two.

    Parameters
    ----------
    parents : Parents
        n animals.
    F : ndarray, shape (n,)
        Inbreeding coefficients.

    Returns
    -------
    ndarray, shape (n,)
    """
    # With F = -1 for the unknown parent, at position -1, the three cases are one.
    padded = np.concatenate([F, [-1.0]])
    d: npt.NDArray[np.float64] = 0.5 - 0.25 * (padded[parents.sire] + padded[parents.dam])
    return d


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
