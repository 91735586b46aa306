"""Labels of levels: matched, never counted; and the labels of combined levels."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from animalmm.errors import ArgumentError, RelationshipError, listing, nearest

__all__ = ["as_text", "kind_of", "look_alike", "part_of_label", "places", "positions"]

_REMEDY = (
    "Give a matrix that has them, or leave their records out; levels of the matrix that have no "
    "records are welcome"
)


def positions(
    values: pd.Series | pd.Index,
    labels: pd.Index,
    column: str,
    source: str,
    remedy: str = _REMEDY,
) -> np.ndarray:
    """Where the values of a data column stand among the labels of K.

    Parameters
    ----------
    values : Series or Index, shape (n,)
        The column, or each of its levels once.
    labels : Index
        Labels of K.
    column, source : str
        Names of both, for messages.
    remedy : str
        What to do about values that are not among the labels, for the message.

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    RelationshipError
        Values that are not among the labels: the count, the first five, and, when they only differ
        in type (1 against "1"), how to make them alike. A column that holds both 1 and "1".
    """
    _refuse_twins(values, column)
    codes = labels.get_indexer(pd.Index(values))
    if (codes >= 0).all():
        return np.asarray(codes)
    missing = pd.Index(values[codes < 0].unique())
    message = (
        f"{len(missing)} level{'s' * (len(missing) > 1)} of column '{column}' "
        f"{'are' if len(missing) > 1 else 'is'} not in {source}: {listing(missing)}. "
    )
    if look_alike(missing, labels):
        message += (
            f"The labels of {source} look alike but are of another type "
            f"({kind_of(labels)} there, {kind_of(missing)} in the data): make them the same, "
            f"for example data['{column}'] = data['{column}'].astype("
            f"{'int' if kind_of(labels) == 'int' else 'str'})"
        )
    elif missing.map(_turned_round).isin(labels).any():
        message += (
            f"The labels of {source} name the parts in the other order: give the kernels of "
            "kronecker() in the order of the columns"
        )
    else:
        message += remedy
    raise RelationshipError(message)


def _turned_round(label: object) -> str:
    """Give "b:a" for "a:b"."""
    return ":".join(reversed(as_text(label).split(":")))


def _refuse_twins(values: pd.Series | pd.Index, column: str) -> None:
    """Refuse a column in which 1 and "1" stand for two levels."""
    if not pd.api.types.infer_dtype(values, skipna=True).startswith("mixed"):
        return
    levels = pd.Index(values.unique())
    twins = levels[levels.map(as_text).duplicated(keep=False)]
    if len(twins):
        raise RelationshipError(
            f"column '{column}' holds levels that look alike and are of different types: "
            f"{listing(twins)}. Make them the same: data['{column}'] = "
            f"data['{column}'].astype(str)"
        )


def places(ids: Iterable[object], labels: pd.Index, source: str) -> np.ndarray:
    """Where chosen ids, each once, stand among the labels.

    Raises
    ------
    ArgumentError
        Ids that are unknown or repeated.
    """
    if isinstance(ids, str):
        raise ArgumentError(f"ids are a list of labels: [{ids!r}]")
    wanted = pd.Index(list(ids), tupleize_cols=False)
    found = labels.get_indexer(wanted)
    absent = wanted[found < 0]
    if len(absent):
        remedy = (
            f" They look alike but are of another type ({kind_of(labels)} there, {kind_of(absent)} "
            "here): make them the same"
            if look_alike(absent, labels)
            else nearest(absent[0], labels)
        )
        raise ArgumentError(
            f"{len(absent)} of the ids are not in {source}: {listing(absent)}.{remedy}"
        )
    if wanted.has_duplicates:
        twice = wanted[wanted.duplicated()].unique()
        raise ArgumentError(f"ids are repeated: {listing(twice)}. Name each once")
    return np.asarray(found)


def look_alike(some: pd.Index, others: pd.Index) -> bool:
    """Whether any of some labels, of another type, reads the same as one of the others."""
    text = pd.Index(others.map(as_text))
    return bool(text.is_unique and (text.get_indexer(some.map(as_text)) >= 0).any())


def as_text(value: object) -> str:
    """A label as text; a whole float, which a missing value makes of integers, as an integer."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def part_of_label(value: object) -> str:
    """One side of ``"a:b"``; quoted if it has a ":" itself, so that no two levels merge."""
    text = as_text(value)
    return repr(text) if ":" in text else text


def kind_of(index: pd.Index) -> str:
    """The type of labels in a word: int, str, float."""
    kind = index.inferred_type
    return {"integer": "int", "string": "str", "floating": "float"}.get(kind, kind)
