"""The animals of a pedigree as arrays, one element an animal."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.pedigree.descent.parents import CLONE
from animalmm.pedigree.sorting import sorted_order

__all__ = ["FEMALE", "MALE", "UNKNOWN_SEX", "Animals", "sex_by_role"]

UNKNOWN_SEX, MALE, FEMALE = 0, 1, 2

_Places = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Animals:
    """All that is known of n animals, in any order.

    Attributes
    ----------
    labels : pandas.Index, length n
        Unique.
    sire, dam : ndarray of intp, shape (n,)
        Positions of the parents, -1 where unknown. Both are the original where `clone`.
    sire_group, dam_group : ndarray of intp, shape (n,)
        Positions in `groups`; -1 where the parent is known, or unknown and of no group.
    sex : ndarray of int8, shape (n,)
        1 male, 2 female, 0 unknown.
    birth : ndarray of float64 or datetime64, shape (n,)
        NaN or NaT where unknown.
    selfed : ndarray, shape (n,)
        Generations of selfing after the cross.
    founder_inbreeding : ndarray, shape (n,)
        F of a founder; 0 for other animals.
    clone : ndarray of bool, shape (n,)
        Whether the animal is a copy of its "parent".
    listed : ndarray of bool, shape (n,)
        Whether the animal had a row of its own.
    groups : pandas.Index
        Labels of the genetic groups, unique.
    allow_selfing : bool
        Whether an animal may be a sire and a dam, so that a role implies no sex.
    """

    labels: pd.Index[Any]
    sire: _Places
    dam: _Places
    sire_group: _Places
    dam_group: _Places
    sex: npt.NDArray[np.int8]
    birth: npt.NDArray[Any]
    selfed: npt.NDArray[np.float64]
    founder_inbreeding: npt.NDArray[np.float64]
    clone: npt.NDArray[np.bool_]
    listed: npt.NDArray[np.bool_]
    groups: pd.Index[Any]
    allow_selfing: bool

    def __post_init__(self) -> None:
        for array in vars(self).values():
            if isinstance(array, np.ndarray):
                array.flags.writeable = False

    @property
    def clone_of(self) -> _Places:
        """Positions of the originals, -1 for an animal that is no clone."""
        return np.where(self.clone, self.sire, -1)

    @property
    def retained(self) -> npt.NDArray[np.float64]:
        """Share of the zygote's heterozygosity that each animal has, as in `Parents`."""
        share = (1.0 - self.founder_inbreeding) * 0.5**self.selfed
        return np.where(self.clone, CLONE, share)

    def take(self, places: _Places) -> Animals:
        """The animals at the places, in that order; a parent that is not among them is unknown."""
        rank = np.full(len(self.labels) + 1, -1, dtype=np.intp)  # the last: unknown stays unknown
        rank[places] = np.arange(len(places))
        per_animal = {f.name for f in fields(self)} - {"groups", "allow_selfing"}
        taken = {name: getattr(self, name)[places] for name in per_animal}
        taken["sire"], taken["dam"] = rank[taken["sire"]], rank[taken["dam"]]
        return replace(self, **taken)

    def sorted(self) -> Animals:
        """The animals with parents before progeny; a PedigreeError where there is a loop."""
        return self.take(sorted_order(self.labels, self.sire, self.dam))

    def with_groups(self, wanted: npt.NDArray[np.bool_]) -> Animals:
        """The same animals with some of the groups; parents of the others are plainly unknown."""
        rank = np.append(np.where(wanted, np.cumsum(wanted) - 1, -1), -1).astype(np.intp)
        return replace(
            self,
            groups=self.groups[wanted],
            sire_group=rank[self.sire_group],
            dam_group=rank[self.dam_group],
        )


def sex_by_role(animals: Animals) -> npt.NDArray[np.int8]:
    """Males are sires and females are dams, unless selfing is allowed; an original has no role."""
    sex = np.full(len(animals.labels) + 1, UNKNOWN_SEX, dtype=np.int8)  # the last: unknown parents
    if not animals.allow_selfing:
        sex[animals.sire[~animals.clone]] = MALE
        sex[animals.dam[~animals.clone]] = FEMALE
    return sex[:-1]
