"""What every view of a pedigree needs: its arrays, computed once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import ArgumentError, listing, nearest
from animalmm.pedigree.animals import Animals
from animalmm.pedigree.descent.additive import additive_flow
from animalmm.pedigree.descent.gene_flow import GeneFlow
from animalmm.pedigree.descent.parents import Parents
from animalmm.pedigree.population.genealogy import Genealogy, genealogy_of
from animalmm.pedigree.pruning import pruned
from animalmm.pedigree.sorting import generations

__all__ = ["PedigreeArrays"]

_T = TypeVar("_T", bound=np.generic)


class PedigreeArrays:
    """Sorted animals, and what follows from their parents."""

    _animals: Animals

    @classmethod
    def _of(cls, animals: Animals) -> Self:
        """The pedigree of sorted animals."""
        made = cls.__new__(cls)
        made._animals = animals
        return made

    def __len__(self) -> int:
        return self.n

    @property
    def n(self) -> int:
        """Number of animals."""
        return len(self.labels)

    @property
    def labels(self) -> pd.Index[Any]:
        """Labels in sorted order, length n."""
        return self._animals.labels

    @property
    def added(self) -> pd.Index[Any]:
        """Labels of the parents that had no row."""
        return self.labels[~self._animals.listed]

    @property
    def sire(self) -> npt.NDArray[np.intp]:
        """Positions of the sires, -1 where unknown; of its original for a clone."""
        return self._animals.sire

    @property
    def dam(self) -> npt.NDArray[np.intp]:
        """Positions of the dams, -1 where unknown; of its original for a clone."""
        return self._animals.dam

    @property
    def clone_of(self) -> npt.NDArray[np.intp]:
        """Positions of the originals, -1 for an animal that is no clone."""
        return self._animals.clone_of

    @property
    def groups(self) -> pd.Index[Any]:
        """Labels of the genetic groups."""
        return self._animals.groups

    @property
    def sire_group(self) -> npt.NDArray[np.intp]:
        """Positions in `groups` of the groups of unknown sires; -1 where known or of none."""
        return self._animals.sire_group

    @property
    def dam_group(self) -> npt.NDArray[np.intp]:
        """Positions in `groups` of the groups of unknown dams; -1 where known or of none."""
        return self._animals.dam_group

    @property
    def sex(self) -> npt.NDArray[np.int8]:
        """1 male, 2 female, 0 unknown."""
        return self._animals.sex

    @property
    def birth(self) -> npt.NDArray[Any]:
        """Dates (datetime64) or numbers (float64) of birth, NaT or NaN where unknown."""
        return self._animals.birth

    def prune(self, ids: Iterable[Any], *, informative: bool = False) -> Self:
        """The pedigree of some animals and all their ancestors.

        All that is known of them is kept; groups of unknown parents that no longer occur are not.

        Parameters
        ----------
        ids : iterable of labels
            Which animals, for instance the column of a data table: may be repeated.
        informative : bool, default False
            Whether to leave out ancestors that change no relationship among `ids`: founders with a
            single progeny, again and again. The block of A of `ids` stays the same.

        Raises
        ------
        ArgumentError
            When a label is not in the pedigree, or there is none.
        """
        wanted = self._positions(_as_index(ids).unique())
        if not wanted.size:
            raise ArgumentError("ids is empty: name the animals to keep with their ancestors")
        return self._of(pruned(self._animals, wanted, informative))

    def without_groups(self) -> Self:
        """The same pedigree with plainly unknown parents in the place of genetic groups."""
        return self._of(self._animals.with_groups(np.zeros(len(self.groups), dtype=bool)))

    @cached_property
    def parents(self) -> Parents:
        """The pedigree as arrays, for functions that need no labels."""
        generation = _read_only(generations(self.sire, self.dam))
        return Parents(self.sire, self.dam, generation, _read_only(self._animals.retained))

    @cached_property
    def flow(self) -> GeneFlow:
        """A = T D T', for functions that need no labels."""
        return additive_flow(self.parents)

    @cached_property
    def _genealogy(self) -> Genealogy:
        return genealogy_of(self._animals)

    @property
    def _F(self) -> npt.NDArray[np.float64]:
        return self.flow.diagonal - 1.0

    def _positions(self, ids: Iterable[Any]) -> npt.NDArray[np.intp]:
        """Positions of labels, each named once.

        Raises
        ------
        ArgumentError
            When a label is not in the pedigree, or is repeated.
        """
        wanted = _as_index(ids)
        places = self.labels.get_indexer(wanted)
        absent = wanted[places < 0]
        if len(absent):
            raise ArgumentError(
                f"{len(absent)} of the ids are not in the pedigree: {listing(absent)}."
                f"{nearest(absent[0], self.labels)}{self._other_type(absent)}"
            )
        if wanted.has_duplicates:
            twice = wanted[wanted.duplicated()].unique()
            raise ArgumentError(f"ids are repeated: {listing(twice)}. Name each animal once")
        return places

    def _other_type(self, absent: pd.Index[Any]) -> str:
        """What to do about 12 where the pedigree has "12", or the other way round."""
        if not absent.map(str).isin(self.labels.map(str)).any():
            return ""
        return (
            f" The labels of the pedigree look alike but are {self.labels.inferred_type}, these "
            f"are {absent.inferred_type}: make them the same"
        )


def _as_index(ids: Iterable[Any]) -> pd.Index[Any]:
    if isinstance(ids, str) or not isinstance(ids, Iterable):
        raise ArgumentError(f"ids is a list of labels: write ids=[{ids!r}]")
    index: pd.Index[Any] = pd.Index(list(ids), tupleize_cols=False)
    return index


def _read_only(array: npt.NDArray[_T]) -> npt.NDArray[_T]:
    array.flags.writeable = False
    return array
