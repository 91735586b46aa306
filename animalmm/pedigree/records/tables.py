"""The animals of a pedigree as a table that can be read again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.pedigree.animals import Animals, sex_by_role

__all__ = ["as_frame"]


def as_frame(animals: Animals) -> pd.DataFrame:
    """One row an animal: id, sire, dam, and what else is known of some of them."""
    labels, clone = animals.labels, animals.clone
    parents = {
        "sire": _parents(animals, animals.sire, animals.sire_group),
        "dam": _parents(animals, animals.dam, animals.dam_group),
    }
    table = pd.DataFrame({"id": labels, **parents})
    if (animals.sex != sex_by_role(animals)).any():
        table["sex"] = pd.Series([None, "M", "F"], dtype=object).reindex(animals.sex).to_numpy()
    if not pd.isna(animals.birth).all():
        table["birth"] = animals.birth
    if animals.selfed.any():
        table["selfed"] = animals.selfed
    if animals.founder_inbreeding.any():
        table["founder_inbreeding"] = animals.founder_inbreeding
    if clone.any():
        table["clone_of"] = _labels_at(labels, animals.clone_of)
    return table


def _parents(
    animals: Animals, places: npt.NDArray[np.intp], groups: npt.NDArray[np.intp]
) -> pd.Series[Any]:
    """Labels of the parents, or of their groups; empty for a clone."""
    named = _labels_at(animals.labels, np.where(animals.clone, -1, places))
    if not (groups >= 0).any():
        return named
    return named.astype(object).where(groups < 0, _labels_at(animals.groups, groups))


def _labels_at(labels: pd.Index[Any], places: npt.NDArray[np.intp]) -> pd.Series[Any]:
    """Labels at the places, missing where these are -1; integers stay integers."""
    whole = pd.api.types.is_integer_dtype(labels.dtype)
    column = pd.Series(labels, dtype="Int64" if whole else labels.dtype)
    return column.reindex(places).reset_index(drop=True)
