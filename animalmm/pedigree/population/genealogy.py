"""Who descends from whom as to genotypes, and sums that pass up or down the generations.

A copy of an animal counts as a further progeny of the parents of its original, and its own progeny
as those of the original, so that no number of generations and no founder is counted twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animalmm.pedigree.animals import Animals
from animalmm.pedigree.records.clones import originals
from animalmm.pedigree.sorting import generations

__all__ = ["Genealogy", "genealogy_of"]

_Places = npt.NDArray[np.intp]
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Genealogy:
    """Parents of n genotypes, parents before progeny.

    Attributes
    ----------
    sire, dam : ndarray of intp, shape (n,)
        Positions of the parents, -1 where unknown; originals, never copies.
    generation : ndarray of intp, shape (n,)
        Length of the longest path from a founder.
    levels : sequence of ndarray of intp
        The animals of each generation.
    original : ndarray of intp, shape (n,)
        Position of the first original of a copy, its own for other animals.
    """

    sire: _Places
    dam: _Places
    generation: _Places
    levels: Sequence[_Places]
    original: _Places

    @property
    def unknown_parents(self) -> npt.NDArray[np.intp]:
        """How many parents are unknown, shape (n,)."""
        return (self.sire < 0).astype(np.intp) + (self.dam < 0)

    def at_originals(self, values: _Floats) -> _Floats:
        """Values of copies added to those of their originals, shape (n,)."""
        total = np.zeros(len(self.sire))
        np.add.at(total, self.original, values)
        return total

    def down(self, own: _Floats) -> _Floats:
        """X = own + the mean of the x of both parents, 0 for an unknown one.

        Parameters
        ----------
        own : ndarray, shape (n,) or (n, m)
        """
        x = np.concatenate([own, np.zeros_like(own[:1])])  # the last: the unknown parent
        for level in self.levels[1:]:
            x[level] += 0.5 * (x[self.sire[level]] + x[self.dam[level]])
        return x[:-1]

    def up(self, own: _Floats) -> _Floats:
        """Y = own + half the sum of the y of the progeny, shape (n,): T' own."""
        y = np.append(own, 0.0)  # the last takes what comes from unknown parents
        for level in self.levels[:0:-1]:
            half = 0.5 * y[level]
            np.add.at(y, self.sire[level], half)
            np.add.at(y, self.dam[level], half)
        return y[:-1]


def genealogy_of(animals: Animals) -> Genealogy:
    """The genealogy of sorted animals."""
    original = originals(animals.clone, animals.sire)
    of_original = np.append(original, -1)
    sire = of_original[animals.sire[original]]
    dam = of_original[animals.dam[original]]
    generation = generations(sire, dam)
    generation.flags.writeable = False
    order = np.argsort(generation, kind="stable")
    levels = np.split(order, np.flatnonzero(np.diff(generation[order])) + 1)
    return Genealogy(sire, dam, generation, levels, original)
