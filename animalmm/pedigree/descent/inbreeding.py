"""Inbreeding coefficients: half the relationship of the parents of each animal.

Only animals that have progeny pass genes on, and full sibs have the same F: what is computed is the
relationship of the partners of each distinct mating, within the pedigree of the parents (as in
Sargolzaei, Iwaisaki & Colleau 2005, Journal of Animal Breeding and Genetics 122, 325-331), in one
of three ways:

- *In a table* of the parents that still matter (`tabular`). The work is that of parents times the
  size of the table.
- *By common ancestors*: ``a_sd = sum_k T_sk T_dk D_k``, with rows of T for both partners (the
  L D L' of Quaas 1976 and of Meuwissen & Luo 1992, Genetics Selection Evolution 24, 305-313). The
  work is that of matings times ancestors of an animal.
- *By columns*: ``A e_s``, walked down to the mates of s through their ancestors (Colleau 2002,
  Genetics Selection Evolution 34, 409-421). The work is that of sires times ancestors of all mates.

The last two need the Mendelian variances of ancestors of one partner only, so that matings are
taken by the level of this partner, all of a level at once. Deep, narrow pedigrees take the first
way; at each level of other ones the second is cheaper where many sires have few ancestors, the
third where few sires have many mates. What has less work is taken, counted before.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

from animalmm.pedigree.descent import tabular
from animalmm.pedigree.descent.gene_flow import COLUMNS_AT_ONCE, GeneFlow
from animalmm.pedigree.descent.lineage import most_ancestors
from animalmm.pedigree.descent.parents import Parents, parent_weights, variances

__all__ = ["zygote_inbreeding"]

SIRES_AT_ONCE = COLUMNS_AT_ONCE

ENTRIES_AT_ONCE = 2_000_000
"""Entries of T, at about 100 bytes with all that is made of them."""

COST_OF_ROWS = 8.0
COST_OF_TABLE = 4.0
COST_OF_LEVELS = 6000.0
"""An entry of T, an entry of the table, and a step from level to level on a walk for one level,
against an entry of a column, counted by their upper bounds; measured."""

LARGEST_TABLE = 5000  # parents: 0.2 GB

_Places = npt.NDArray[np.intp]
_Floats = npt.NDArray[np.float64]


def zygote_inbreeding(parents: Parents) -> _Floats:
    """Half the relationship of the parents of each animal, 0 where one is unknown.

    Parameters
    ----------
    parents : Parents
        n animals, parents before progeny.

    Returns
    -------
    ndarray, shape (n,)
        The inbreeding of the animal, unless it was selfed, or is an inbred founder or a clone; of
        metafounders the diagonal of Gamma less 1.
    """
    members = _with_progeny(parents)
    pedigree, place = _pedigree_of(parents, members)
    first, second, mating = _matings(place[parents.sire], place[parents.dam])
    relationship = _relationships(pedigree, first, second, mating[members])
    return _zygotes(parents.base, relationship, mating)


def _with_progeny(parents: Parents) -> _Places:
    """Positions of the animals that are parents, and of metafounders, sorted by level."""
    chosen = np.zeros(len(parents.sire) + 1, dtype=bool)  # the last: the unknown parent
    chosen[parents.sire] = chosen[parents.dam] = True
    chosen[: len(parents.base)] = True
    members = np.flatnonzero(chosen[:-1])
    return members[np.argsort(parents.level[members], kind="stable")]


def _pedigree_of(parents: Parents, members: _Places) -> tuple[Parents, _Places]:
    """The pedigree of all parents, and the place of each animal in it; -1 for the unknown one."""
    place = np.full(len(parents.sire) + 1, -1, dtype=np.intp)
    place[members] = np.arange(len(members))
    pedigree = replace(
        parents,
        sire=place[parents.sire[members]],
        dam=place[parents.dam[members]],
        generation=parents.generation[members],
        retained=parents.retained[members],
    )
    return pedigree, place


def _matings(sire: _Places, dam: _Places) -> tuple[_Places, _Places, _Places]:
    """The k distinct matings, by their first partner, and for each animal which one; k for none.

    First comes the sex with fewer parents: each of them may cost a column.
    """
    k_sires, k_dams = (np.count_nonzero(np.bincount(p[p >= 0])) for p in (sire, dam))
    first, second = (sire, dam) if k_sires <= k_dams else (dam, sire)
    known = np.flatnonzero((first >= 0) & (second >= 0))
    base = second.max(initial=0) + 1
    keys, which = np.unique(first[known] * base + second[known], return_inverse=True)
    mating = np.full(len(sire), len(keys), dtype=np.intp)
    mating[known] = which
    return keys // base, keys % base, mating


def _zygotes(base: _Floats, relationship: _Floats, mating: _Places) -> _Floats:
    """Inbreeding of zygotes, by the relationships of the partners of each mating."""
    zygote = 0.5 * relationship[mating]
    zygote[: len(base)] = np.diag(base) - 1.0
    return zygote


def _relationships(pedigree: Parents, first: _Places, second: _Places, mating: _Places) -> _Floats:
    """Relationships of the partners of k matings, shape (k + 1,); the last is 0, for no mating.

    `mating` says of which mating each member of `pedigree` is.
    """
    P = parent_weights(pedigree)
    ancestors = most_ancestors(P, pedigree.level)
    entries = ancestors[first] + ancestors[second]
    crossed = first != second
    rows, columns = _work(pedigree.level, first[crossed], entries[crossed])
    last = tabular.leaving(pedigree, first, second)
    size = tabular.largest_table(pedigree.level, last)
    by_levels = np.minimum(rows, columns).sum() + COST_OF_LEVELS * len(rows) ** 2
    if size <= LARGEST_TABLE and COST_OF_TABLE * size * len(last) <= by_levels:
        return np.append(tabular.relationships(pedigree, first, second, last, size), 0.0)

    found = np.zeros(len(first) + 1)
    # The first partners of a level have their places together: the pedigree is sorted by level.
    places = np.searchsorted(pedigree.level, np.arange(len(rows) + 1))
    for level, bounds in enumerate(pairwise(np.searchsorted(first, places))):
        these = slice(*bounds)
        # Wrong as yet for later levels, where they are not used.
        F, d = variances(pedigree, _zygotes(pedigree.base, found, mating))
        flow = GeneFlow(P, d, pedigree.level, 1.0 + F)
        by_rows = rows[level] < columns[level]
        found[these] = _of_level(flow, first[these], second[these], entries[these], by_rows)
    return found


def _work(level: _Places, first: _Places, entries: _Floats) -> tuple[_Floats, _Floats]:
    """The work at each level of first partners, by common ancestors and by columns.

    That of selfings is none.
    """
    levels = int(level.max(initial=-1)) + 1
    rows = np.bincount(level[first], COST_OF_ROWS * entries, levels).astype(np.float64)
    sires = np.bincount(level[np.unique(first)], minlength=levels)
    members = np.searchsorted(level, np.arange(1, levels + 1))
    return rows, (sires * members).astype(np.float64)


def _of_level(
    flow: GeneFlow, first: _Places, second: _Places, entries: _Floats, by_rows: np.bool_
) -> _Floats:
    """Relationships of partners, the first ones of one level, as many at once as memory allows."""
    found = flow.diagonal[first]  # as it is where the partners are one and the same
    crossed = np.flatnonzero(first != second)
    first, second = first[crossed], second[crossed]
    if by_rows:
        way, work = _by_common_ancestors, entries[crossed] / ENTRIES_AT_ONCE
    else:
        way, work = _by_columns, (np.diff(first, prepend=-1) != 0) / SIRES_AT_ONCE
    cuts = np.flatnonzero(np.diff(np.cumsum(work).astype(np.intp))) + 1
    for part in np.split(np.arange(len(crossed)), cuts):
        found[crossed[part]] = way(flow, first[part], second[part])
    return found


def _by_common_ancestors(flow: GeneFlow, first: _Places, second: _Places) -> _Floats:
    units, place = np.unique(np.concatenate([first, second]), return_inverse=True)
    T = _descent(flow.P, units)
    rows = place.reshape(2, -1)
    return np.asarray(T[rows[0]].multiply(T[rows[1]]) @ flow.d)


def _descent(P: sparse.csr_array[np.float64], units: _Places) -> sparse.csr_array[np.float64]:
    """Rows of T, shape (units, n): X T = X + X P + X P^2 + ..., which ends, P being nilpotent."""
    u = len(units)
    picked = (np.ones(u), units.astype(np.int32), np.arange(u + 1, dtype=np.int32))
    T = step = sparse.csr_array(picked, shape=(u, P.shape[0]))
    while (step := step @ P).nnz:
        step.sort_indices()  # sums and products of sorted rows are several times faster
        T = T + step
    return T


def _by_columns(flow: GeneFlow, first: _Places, second: _Places) -> _Floats:
    sires, column = np.unique(first, return_inverse=True)
    mates, row = np.unique(second, return_inverse=True)
    return flow.block(mates, sires)[row, column]
