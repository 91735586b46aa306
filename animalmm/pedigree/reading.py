"""From a table of labels to positions, with everything that can be wrong in it.

Labels are kept as they are: text stays text ("01" is not "1") and integers stay integers, also
where missing values have turned a column of integers into floats.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import ArgumentError, PedigreeError, listing, nearest

__all__ = ["Rows", "read_rows"]

UNKNOWN_CODES: tuple[Hashable, ...] = ("", 0, "0", "NA", ".")
"""What stands for an unknown parent, beside the missing values of pandas."""

ALIASES = {
    "id": ("id", "animal"),
    "sire": ("sire", "father", "dad"),
    "dam": ("dam", "mother", "mum", "mom"),
}
KINDS = {"integer": "integers", "string": "text", "mixed-integer": "integers beside other labels"}


@dataclass(frozen=True)
class Rows:
    """A pedigree as read, in the order of its table.

    Attributes
    ----------
    labels : pandas.Index, length n
        One label per animal; the first `n_added` are parents that had no row of their own.
    sire, dam : ndarray of intp, shape (n,)
        Positions of the parents in `labels`, -1 where unknown.
    n_added : int
        How many animals were added.
    """

    labels: pd.Index[Any]
    sire: npt.NDArray[np.intp]
    dam: npt.NDArray[np.intp]
    n_added: int


def read_rows(table: pd.DataFrame, id: str, sire: str, dam: str, allow_selfing: bool) -> Rows:
    """Read and check the three columns of a pedigree table.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per animal.
    id, sire, dam : str
        Names of the columns. Each of the defaults ("id", "sire", "dam") also finds the usual
        other names, whatever their case.
    allow_selfing : bool
        Whether one individual may be both a sire and a dam.

    Returns
    -------
    Rows
        Labels and positions in the order of the table, founders without a row before it.

    Raises
    ------
    ArgumentError
        When `table` is not a DataFrame or lacks a column.
    PedigreeError
        When there are no animals, an id is missing or listed twice, labels are of two kinds, an
        animal is its own parent, or is both a sire and a dam and selfing is not allowed.
    """
    if not isinstance(table, pd.DataFrame):
        raise ArgumentError(
            f"a pedigree is read from a pandas.DataFrame, not from {type(table).__name__}; "
            "write Pedigree(pandas.DataFrame({'id': ..., 'sire': ..., 'dam': ...}))"
        )
    if table.empty:
        raise PedigreeError("the pedigree has no animals: its table has no rows or no columns")
    names = [_find_column(table, n, d) for n, d in ((id, "id"), (sire, "sire"), (dam, "dam"))]
    _require_ids(table[names[0]])
    ids, sires, dams = (_plain_labels(table[name]) for name in names)
    _require_one_kind(dict(zip(names, (ids, sires, dams), strict=True)))
    _require_unique(ids, sires, dams)

    parents = np.concatenate([sires, dams])
    known = pd.Index(parents[_is_known(parents)], dtype=object, tupleize_cols=False).unique()
    added = known[~known.isin(ids)]
    labels = pd.Index(np.concatenate([added.to_numpy(), ids]), dtype=object, tupleize_cols=False)
    unlisted = np.full(len(added), -1, dtype=np.intp)
    rows = Rows(
        labels=labels.infer_objects(),
        sire=np.concatenate([unlisted, _positions(labels, sires)]),
        dam=np.concatenate([unlisted, _positions(labels, dams)]),
        n_added=len(added),
    )
    _require_sound_parents(rows, allow_selfing)
    return rows


def _find_column(table: pd.DataFrame, asked: str, default: str) -> str:
    """Find the column asked for or, for a default name that is absent, its only usual alias."""
    columns = list(table.columns)
    hits = [c for c in columns if c == asked]
    if not hits and asked == default:
        hits = [c for c in columns if str(c).lower() in ALIASES[default]]
    if len(hits) == 1:
        return str(hits[0])
    if hits:
        raise ArgumentError(
            f"several columns may be the {default}: {listing(hits)}; say which, "
            f"as in Pedigree(table, {default}={str(hits[0])!r})"
        )
    raise ArgumentError(
        f"there is no column {asked!r} for the {default} of an animal; the columns are "
        f"{listing(columns, limit=20)}.{nearest(asked, columns)} "
        f"Name it, as in Pedigree(table, {default}=...)"
    )


def _unknown(column: pd.Series[Any]) -> npt.NDArray[np.bool_]:
    """Where a column holds a missing value or one of the codes for an unknown parent."""
    return (column.isna() | column.isin(UNKNOWN_CODES)).to_numpy(dtype=bool)


def _plain_labels(column: pd.Series[Any]) -> npt.NDArray[np.object_]:
    """Labels as Python objects: None for unknown, whole floats back to integers."""
    labels = column.astype(object).to_numpy(dtype=object, copy=True)
    labels[_unknown(column)] = None
    if pd.api.types.infer_dtype(labels, skipna=True) in ("floating", "mixed-integer-float"):
        whole = [int(v) if isinstance(v, float) and v.is_integer() else v for v in labels]
        labels[:] = whole
    return labels


def _is_known(labels: npt.NDArray[np.object_]) -> npt.NDArray[np.bool_]:
    return pd.notna(labels)


def _positions(labels: pd.Index[Any], parents: npt.NDArray[np.object_]) -> npt.NDArray[np.intp]:
    """Positions of the parents in `labels`; None is no label, hence -1."""
    return labels.get_indexer(pd.Index(parents, dtype=object, tupleize_cols=False))


def _require_ids(ids: pd.Series[Any]) -> None:
    """Refuse an animal without a label, or with one that would mean an unknown parent."""
    missing = np.flatnonzero(ids.isna())
    if missing.size:
        raise PedigreeError(
            f"{missing.size} row(s) have no id; counted from 0, rows {listing(missing)}. "
            "Give these animals a label or leave the rows out"
        )
    coded = ids[_unknown(ids)]
    if len(coded):
        raise PedigreeError(
            f"{len(coded)} animal(s) have an id that means 'unknown' where it stands as a parent: "
            f"{listing(coded.unique())}. Give them another label"
        )


def _require_one_kind(columns: dict[str, npt.NDArray[np.object_]]) -> None:
    """Refuse 12 beside "12": they look alike and would be two animals."""
    kinds = {name: pd.api.types.infer_dtype(v, skipna=True) for name, v in columns.items()}
    found = {name: KINDS[kind] for name, kind in kinds.items() if kind in KINDS}
    if len(set(found.values())) > 1 or "mixed-integer" in kinds.values():
        said = ", ".join(f"{name!r} holds {kind}" for name, kind in found.items())
        raise PedigreeError(
            f"the labels are of different kinds: {said}; 12 and '12' are different labels. Make "
            "all three columns text or all three integers, for instance with dtype=str or "
            "dtype='Int64' in pandas.read_csv"
        )


def _require_unique(
    ids: npt.NDArray[np.object_], sires: npt.NDArray[np.object_], dams: npt.NDArray[np.object_]
) -> None:
    """Refuse an animal with two rows; say whether the rows agree."""
    index = pd.Index(ids, dtype=object, tupleize_cols=False)
    repeated = index.duplicated(keep=False)
    if not repeated.any():
        return
    rows = pd.DataFrame({"id": ids[repeated], "sire": sires[repeated], "dam": dams[repeated]})
    distinct = rows.drop_duplicates()
    contradictory = distinct["id"][distinct["id"].duplicated()].unique()
    if len(contradictory):
        raise PedigreeError(
            f"{len(contradictory)} animal(s) have several rows with different parents: "
            f"{listing(contradictory)}. Find out which row is right and remove the others"
        )
    twice = distinct["id"].to_numpy()
    raise PedigreeError(
        f"{len(twice)} animal(s) are listed more than once, each time with the same parents: "
        f"{listing(twice)}. Remove the copies, as in table.drop_duplicates()"
    )


def _require_sound_parents(rows: Rows, allow_selfing: bool) -> None:
    """Refuse animals that are their own parent, or both a father and a mother."""
    here = np.arange(len(rows.labels))
    own = rows.labels[(rows.sire == here) | (rows.dam == here)]
    if len(own):
        raise PedigreeError(
            f"{len(own)} animal(s) are their own parent: {listing(own)}. "
            "Correct these rows or leave the parent unknown"
        )
    if allow_selfing:
        return
    both = np.intersect1d(rows.sire[rows.sire >= 0], rows.dam[rows.dam >= 0])
    if both.size:
        raise PedigreeError(
            f"{both.size} animal(s) are a sire in one place and a dam in another: "
            f"{listing(rows.labels[both])}. Correct the rows or, where an individual can be both "
            "(as in most plants), pass allow_selfing=True"
        )
