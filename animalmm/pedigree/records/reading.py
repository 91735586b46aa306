"""From a table of labels to positions: the way of a pedigree from what a user has to arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import PedigreeError
from animalmm.pedigree.animals import UNKNOWN_SEX, Animals
from animalmm.pedigree.records import checks
from animalmm.pedigree.records.clones import with_clones
from animalmm.pedigree.records.columns import Layout, find_columns
from animalmm.pedigree.records.details import (
    read_birth,
    read_founder_inbreeding,
    read_selfed,
    read_sex,
)
from animalmm.pedigree.records.labels import Coded, code_labels
from animalmm.pedigree.records.sexes import with_sexes

__all__ = ["read_animals"]

LABELS = ("id", "sire", "dam", "clone_of")


def read_animals(table: pd.DataFrame, layout: Layout) -> Animals:
    """Read and check a pedigree table.

    Parameters
    ----------
    table : DataFrame
        One row per animal.
    layout : Layout
        What its columns and labels mean.

    Returns
    -------
    Animals
        In the order of the table; before them the parents that had no row.

    Raises
    ------
    ArgumentError
        When a column is not found, or a group is not used.
    PedigreeError
        When the pedigree contradicts itself; see `checks`.
    """
    if table.empty:
        raise PedigreeError("the pedigree has no animals: its table has no rows or no columns")
    found = find_columns(table, layout)
    groups = pd.Index(list(layout.groups), tupleize_cols=False)
    checks.require_ids(found["id"])
    coded = code_labels({r: c for r, c in found.items() if r in LABELS}, layout.unknown, groups)
    if layout.text_may_be_numbers:
        coded = coded.with_whole_numbers()
    checks.require_usable_ids(coded, groups)
    checks.require_unique(coded)
    checks.require_used_groups(coded, groups)
    placing = _Placing(coded)
    animals = _placed(placing, found, groups, layout.allow_selfing)
    checks.require_known_parents(animals)
    checks.require_sound_parents(animals)
    checks.require_inbreeding_of_founders(animals)
    if "clone_of" in found:
        animals = with_clones(animals, placing.places("clone_of"))
    checks.require_parents_born_before(animals)
    return with_sexes(animals)


class _Placing:
    """Where the animals of a table stand: added parents first, then the rows.

    Attributes
    ----------
    coded : Coded
        The columns of labels.
    added : ndarray of intp, shape (a,)
        Places among the distinct labels of the parents that have no row.
    """

    def __init__(self, coded: Coded) -> None:
        rows = coded.codes["id"]
        has_row = np.zeros(len(coded.distinct), dtype=bool)
        has_row[rows] = True
        self.coded = coded
        self.added = np.flatnonzero(coded.animal & ~has_row)
        self._order = np.concatenate([self.added, rows])
        self._position = np.full(len(coded.distinct) + 1, -1, dtype=np.intp)  # the last: missing
        self._position[self._order] = np.arange(len(self._order))

    @property
    def labels(self) -> pd.Index[Any]:
        return self.coded.distinct[self._order].infer_objects()

    def places(self, role: str) -> npt.NDArray[np.intp]:
        """Positions of the animals in a column; -1 for those without a row of their own."""
        return self.padded(self._position[self.coded.codes[role]], -1)

    def padded(self, of_rows: npt.NDArray[Any], missing: Any) -> npt.NDArray[Any]:
        """Values of all animals from those of the rows."""
        of_added = np.full(len(self.added), missing, dtype=of_rows.dtype)
        return np.concatenate([of_added, of_rows])


def _placed(
    placing: _Placing, found: dict[str, pd.Series[Any]], groups: pd.Index[Any], allow_selfing: bool
) -> Animals:
    """The animals as their rows have them, clones not yet known."""
    labels, padded = placing.labels, placing.padded
    n = len(labels)

    def detail(role: str, missing: Any, read: Callable[[pd.Series[Any]], npt.NDArray[Any]]) -> Any:
        return padded(read(found[role]), missing) if role in found else np.full(n, missing)

    return Animals(
        labels=labels,
        sire=placing.places("sire"),
        dam=placing.places("dam"),
        sire_group=padded(placing.coded.groups_in("sire"), -1),
        dam_group=padded(placing.coded.groups_in("dam"), -1),
        sex=detail("sex", np.int8(UNKNOWN_SEX), read_sex),
        birth=detail("birth", np.nan, read_birth),
        selfed=detail("selfed", 0.0, read_selfed),
        founder_inbreeding=detail("founder_inbreeding", 0.0, read_founder_inbreeding),
        clone=np.zeros(n, dtype=bool),
        listed=np.arange(n) >= len(placing.added),
        groups=groups,
        allow_selfing=allow_selfing,
    )
