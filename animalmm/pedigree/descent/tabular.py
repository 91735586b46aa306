"""Relationships of partners by the tabular method, in a table of the animals that still matter.

The row of an animal is the mean of its parents' rows (Emik & Terrill 1949, Journal of Heredity 40,
51-55). An animal stands in the table from its own level until its last mating and its last progeny
that breeds; its place then goes to a later one. In a deep pedigree few animals matter at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animalmm.pedigree.descent.parents import Parents

__all__ = ["Table", "largest_table", "leaving", "relationships"]

_Places = npt.NDArray[np.intp]
_Floats = npt.NDArray[np.float64]


def leaving(pedigree: Parents, first: _Places, second: _Places) -> _Places:
    """The level at which each animal is needed for the last time, shape (n,).

    Parameters
    ----------
    pedigree : Parents
        n animals, sorted by level.
    first, second : ndarray of intp, shape (k,)
        Partners whose relationship is wanted.
    """
    last = pedigree.level.copy()
    for parent in (pedigree.sire, pedigree.dam):
        known = parent >= 0
        np.maximum.at(last, parent[known], pedigree.level[known])
    wanted = np.maximum(pedigree.level[first], pedigree.level[second])
    np.maximum.at(last, first, wanted)
    np.maximum.at(last, second, wanted)
    return last


def largest_table(level: _Places, last: _Places) -> int:
    """How many animals stand in the table at most."""
    if not len(level):
        return 0
    # All those of the base, the first levels of which have one member each, are there at once.
    changes = np.bincount(level, minlength=last.max() + 2)
    changes[1:] -= np.bincount(last, minlength=last.max() + 2)[:-1]
    return int(np.cumsum(changes).max())


@dataclass(eq=False)
class Table:
    """Relationships of the animals that matter now, with a row of zeros for the unknown parent.

    Attributes
    ----------
    A : ndarray, shape (size + 1, size + 1)
        Relationships; rows of places that are free mean nothing.
    place : ndarray of intp, shape (n + 1,)
        Where each animal stands; the last is the unknown parent, always in the last row.
    free : ndarray of intp
        Places not taken.
    """

    A: _Floats
    place: _Places
    free: _Places

    @classmethod
    def of(cls, animals: int, size: int) -> Table:
        """An empty one with room for `size` of the animals at a time."""
        A = np.zeros((size + 1, size + 1))
        return cls(A, np.full(animals + 1, size, dtype=np.intp), np.arange(size))

    def add(self, pedigree: Parents, members: _Places) -> None:
        """Enter animals whose parents stand in the table, none of them a parent of another."""
        s = self.place[pedigree.sire[members]]
        d = self.place[pedigree.dam[members]]
        at, self.free = self.free[: len(s)], self.free[len(s) :]
        zygote = 0.5 * self.A[s, d]
        rows = 0.5 * (self.A[s] + self.A[d])
        among = 0.5 * (rows[:, s] + rows[:, d])
        np.fill_diagonal(among, 2.0 - (1.0 - zygote) * pedigree.retained[members])
        self.A[at] = rows
        self.A[:, at] = rows.T
        self.A[np.ix_(at, at)] = among
        self.place[members] = at

    def remove(self, animals: _Places) -> None:
        """Make room."""
        self.free = np.concatenate([self.free, self.place[animals]])


def relationships(
    pedigree: Parents, first: _Places, second: _Places, last: _Places, size: int
) -> _Floats:
    """Relationships of partners.

    Parameters
    ----------
    pedigree : Parents
        n animals, sorted by level.
    first, second : ndarray of intp, shape (k,)
        Partners.
    last, size
        From `leaving` and `largest_table`.

    Returns
    -------
    ndarray, shape (k,)
    """
    base, level = len(pedigree.base), pedigree.level
    table = Table.of(len(level), size)
    found = np.empty(len(first))
    when = np.maximum(level[first], level[second])
    levels = int(level.max(initial=-1)) + 1
    for now, (members, matings, leavers) in enumerate(
        zip(_groups(level, levels), _groups(when, levels), _groups(last, levels), strict=True)
    ):
        if now < base:
            _add_metafounder(table, pedigree, now)
        else:
            table.add(pedigree, members)
        found[matings] = table.A[table.place[first[matings]], table.place[second[matings]]]
        table.remove(leavers)
    return found


def _add_metafounder(table: Table, pedigree: Parents, here: int) -> None:
    at, table.free = table.free[0], table.free[1:]
    table.place[here] = at
    table.A[at] = 0.0
    known = table.place[: here + 1]
    table.A[at, known] = table.A[known, at] = pedigree.base[here, : here + 1]


def _groups(value: _Places, count: int) -> list[_Places]:
    """Where each value from 0 to count - 1 stands."""
    order = np.argsort(value, kind="stable")
    return np.split(order, np.searchsorted(value[order], np.arange(1, count)))[:count]
