"""Which column of a table holds what."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from animalmm.errors import ArgumentError, listing, nearest

__all__ = ["Layout", "as_table", "find_columns"]

ROLES = ("id", "sire", "dam", "sex", "birth", "selfed", "founder_inbreeding", "clone_of")

ALIASES = {
    "id": {"id", "animal", "individual", "ind", "iid"},
    "sire": {"sire", "father", "dad", "pat"},
    "dam": {"dam", "mother", "mum", "mom", "mat"},
}
"""Usual names, in small letters, without an ending "id"."""


@dataclass(frozen=True)
class Layout:
    """How a pedigree table is to be read.

    Attributes
    ----------
    id, sire, dam : hashable
        Names of columns. Each of the defaults, where absent, also finds its only usual other name,
        whatever its case, with or without an ending "id" (Sire, father, dad_id).
    sex, birth, selfed, founder_inbreeding, clone_of : hashable, optional
        Names of columns that may be absent.
    unknown, groups : iterable of labels
        What stands in the place of an unknown parent.
    allow_selfing : bool
        Whether an animal may be a sire and a dam.
    text_may_be_numbers : bool
        Whether labels that are text, but all of them whole numbers, become integers.
    """

    id: Hashable = "id"
    sire: Hashable = "sire"
    dam: Hashable = "dam"
    sex: Hashable | None = None
    birth: Hashable | None = None
    selfed: Hashable | None = None
    founder_inbreeding: Hashable | None = None
    clone_of: Hashable | None = None
    unknown: Iterable[Hashable] = ()
    groups: Iterable[Hashable] = ()
    allow_selfing: bool = False
    text_may_be_numbers: bool = False

    def __post_init__(self) -> None:
        for name in ("unknown", "groups"):
            value = getattr(self, name)
            if isinstance(value, str) or not isinstance(value, Iterable):
                raise ArgumentError(f"{name} is a list of labels: write {name}=[{value!r}]")


def as_table(source: Any) -> pd.DataFrame:
    """A DataFrame of a DataFrame or of a mapping of columns.

    Raises
    ------
    ArgumentError
        When `source` is neither, or its columns have different lengths.
    """
    if isinstance(source, pd.DataFrame):
        return source
    if not isinstance(source, Mapping):
        raise ArgumentError(
            "a pedigree is read from a pandas.DataFrame or a mapping of columns, not from "
            f"{type(source).__name__}; write Pedigree({{'id': ..., 'sire': ..., 'dam': ...}}), "
            "Pedigree.from_arrays(id, sire, dam) or Pedigree.read_csv(path)"
        )
    try:
        columns = {name: pd.Series(v).reset_index(drop=True) for name, v in source.items()}
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"a column of the pedigree is no sequence of values: {error}") from None
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{name!r} {len(column)}" for name, column in columns.items())
        raise ArgumentError(
            f"the columns of a pedigree have different lengths: {lengths}. Give one value for "
            "every animal, None where a parent is unknown"
        )
    return pd.DataFrame(columns)


def find_columns(table: pd.DataFrame, layout: Layout) -> dict[str, pd.Series[Any]]:
    """The columns that the layout names, by what they hold.

    Raises
    ------
    ArgumentError
        When a column is not there, or several may be meant.
    """
    names = {role: getattr(layout, role) for role in ROLES}
    return {
        role: table[_find(table, role, name)] for role, name in names.items() if name is not None
    }


def _find(table: pd.DataFrame, role: str, asked: Hashable) -> Any:
    """The name of the one column that may be meant."""
    columns = list(table.columns)
    hits = [c for c in columns if c == asked]
    if not hits and asked == role and role in ALIASES:
        hits = [c for c in columns if _names(c) & ALIASES[role]]
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise ArgumentError(
            f"several columns may be the {role}: {listing(hits)}; say which, "
            f"as in Pedigree(table, {role}={hits[0]!r})"
        )
    raise ArgumentError(
        f"there is no column {asked!r} for the {role} of an animal; the columns are "
        f"{listing(columns, limit=20)}.{nearest(asked, columns)} "
        f"Name it, as in Pedigree(table, {role}=...); a file whose first line is an animal is read "
        "by Pedigree.read_csv(path, header=False)"
    )


def _names(column: Hashable) -> set[str]:
    """A column's name in small letters and digits, with and without an ending "id"."""
    simple = "".join(c for c in str(column).casefold() if c.isalnum())
    return {simple, simple.removesuffix("id")}
