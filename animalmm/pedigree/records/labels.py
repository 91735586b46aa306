"""Labels of animals: from columns of any kind to small integers, losslessly.

Text stays text ("01" is not "1") and integers stay integers, also where missing values have turned
a column of integers into floats. All columns are factorised together, once, so that every later
check works on integers or on the distinct labels.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import PedigreeError, listing

__all__ = ["UNKNOWN_CODES", "Coded", "code_labels", "whole_numbers"]

UNKNOWN_CODES: tuple[Hashable, ...] = ("", 0, "NA", ".")
"""What stands for an unknown parent, as a number or as text, beside the missing values."""

EXACT = 2**53
"""Floats tell whole numbers apart up to here."""

POWERS_OF_TEN = 10 ** np.arange(1, 19)

KINDS = {"integer": "integers", "string": "text", "mixed-integer": "integers beside other labels"}


@dataclass(frozen=True, eq=False)
class Coded:
    """Columns of labels as codes.

    Attributes
    ----------
    distinct : pandas.Index, length k
        The distinct labels of all columns, in order of appearance, codes for unknown and labels of
        groups among them.
    unknown : ndarray of bool, shape (k,)
        Which of them mean an unknown parent.
    group : ndarray of intp, shape (k,)
        Positions of the others that are groups in the list of groups; -1 for animals.
    codes : dict of str to ndarray of intp, shape (n,)
        For each column positions in `distinct`, -1 where a value is missing.
    """

    distinct: pd.Index[Any]
    unknown: npt.NDArray[np.bool_]
    group: npt.NDArray[np.intp]
    codes: dict[str, npt.NDArray[np.intp]]

    @property
    def animal(self) -> npt.NDArray[np.bool_]:
        """Which of the distinct labels are those of animals, shape (k,)."""
        return ~self.unknown & (self.group < 0)

    def groups_in(self, column: str) -> npt.NDArray[np.intp]:
        """Positions of the groups that stand in a column, -1 elsewhere, shape (n,)."""
        return np.append(self.group, -1)[self.codes[column]]

    def with_whole_numbers(self) -> Coded:
        """The same with labels as integers where all of them are; see `whole_numbers`."""
        numbers = whole_numbers(self.distinct[self.animal])
        if numbers.dtype != np.int64:
            return self
        distinct = np.asarray(self.distinct, dtype=object).copy()
        distinct[self.animal] = numbers
        return replace(self, distinct=pd.Index(distinct, dtype=object))


def code_labels(
    columns: Mapping[str, pd.Series[Any]], unknown: Iterable[Hashable], groups: pd.Index[Any]
) -> Coded:
    """Factorise columns of labels together.

    Parameters
    ----------
    columns : mapping of str to Series, length n
        Columns of labels by what they hold.
    unknown : iterable
        Codes for an unknown parent beside `UNKNOWN_CODES`.
    groups : pandas.Index
        Labels that mean an unknown parent of a group.

    Raises
    ------
    PedigreeError
        When labels are numbers that are not whole, that floats cannot tell apart or that are too
        large for integers, or are of different kinds.
    """
    plain = {role: _plain(column, role) for role, column in columns.items()}
    codes, labels = pd.factorize(_joined(list(plain.values())))
    if labels.dtype == "Int64":
        labels = labels.astype(np.int64)
    distinct: pd.Index[Any] = pd.Index(labels, tupleize_cols=False)
    means_unknown = _positions_as_written((*UNKNOWN_CODES, *unknown), distinct) >= 0
    group = np.where(means_unknown, -1, _positions_as_written(groups, distinct))
    parts = np.split(codes.astype(np.intp, copy=False), len(plain))
    coded = Coded(distinct, means_unknown, group, dict(zip(columns, parts, strict=True)))
    if pd.api.types.infer_dtype(distinct[coded.animal]) == "mixed-integer":
        raise _kinds_error(coded, columns)
    return coded


def whole_numbers(text: pd.Index[Any]) -> pd.Index[Any]:
    """Text as integers where every label is a whole number written in the usual way.

    That is without leading zeros, sign "+", point, exponent or blanks, and below 2^63 in size;
    where a single label is not ("01", "1e5"), all stay text.
    """
    try:
        numbers = pd.to_numeric(pd.Series(text))
    except ValueError:
        return text
    if numbers.dtype != np.int64:
        return text
    # Whatever else stands beside the digits of a number makes its text longer.
    digits = np.searchsorted(POWERS_OF_TEN, np.abs(numbers), side="right") + 1
    usual = text.str.len() == digits + (numbers < 0).to_numpy()
    return pd.Index(numbers) if usual.all() else text


def _plain(column: pd.Series[Any], role: str) -> pd.Series[Any]:
    """A column of Int64 where its values are whole numbers, else of Python objects."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in ("floating", "mixed-integer-float"):
        _require_whole(column, role)
    if kind in ("integer", "floating", "mixed-integer-float", "empty"):
        return _integers(column, role)
    return column.astype(object)


def _integers(column: pd.Series[Any], role: str) -> pd.Series[Any]:
    try:
        return column.astype("Int64")
    except (TypeError, OverflowError):
        large = max(column.dropna())
        raise PedigreeError(
            f"the labels in column {column.name!r} ({role}) are too large for integers: {large}. "
            "Make all labels text, for instance with dtype=str in pandas.read_csv"
        ) from None


def _require_whole(column: pd.Series[Any], role: str) -> None:
    """Refuse numbers that are not whole, or too large for floats to tell apart."""
    values = column.dropna()
    broken = values[(values % 1 != 0).to_numpy(dtype=bool)]
    if len(broken):
        raise PedigreeError(
            f"the labels in column {column.name!r} ({role}) are numbers that are not whole: "
            f"{listing(broken.unique())}. Make all labels text (dtype=str) or whole numbers"
        )
    large = values[(abs(values) > EXACT).to_numpy(dtype=bool)]
    if len(large):
        raise PedigreeError(
            f"the labels in column {column.name!r} ({role}) are floating-point numbers that are "
            f"too large to be told apart: {listing(large.unique())}. Read them as text or "
            "integers: dtype=str or dtype='Int64' in pandas.read_csv, or Pedigree.read_csv"
        )


def _joined(columns: list[pd.Series[Any]]) -> Any:
    """One array of all columns: of Int64, or of objects where one of them holds objects."""
    if all(column.dtype == "Int64" for column in columns):
        return pd.concat(columns, ignore_index=True).array
    return np.concatenate([column.astype(object).to_numpy(dtype=object) for column in columns])


def _positions_as_written(codes: Iterable[Hashable], labels: pd.Index[Any]) -> npt.NDArray[np.intp]:
    """Where each label stands among the codes, -1 for none; 0 and "0" are one code."""
    place: dict[Hashable, int] = {}
    for i, code in enumerate(codes):
        written = str(code)
        forms: list[Hashable] = [code, written]
        if whole_numbers(pd.Index([written])).dtype == np.int64:
            forms.append(int(written))
        place.update(dict.fromkeys(forms, i))
    known: pd.Index[Any] = pd.Index(list(place), dtype=object, tupleize_cols=False)
    return np.append(list(place.values()), -1).astype(np.intp)[known.get_indexer(labels)]


def _kinds_error(coded: Coded, columns: Mapping[str, pd.Series[Any]]) -> PedigreeError:
    """12 and "12" look alike and would be two animals."""
    said: list[str] = []
    texts: list[str] = []
    for role, column in columns.items():
        held = np.unique(coded.codes[role])
        held = held[np.append(coded.animal, False)[held]]  # the last: missing
        labels = coded.distinct[held]
        kind = pd.api.types.infer_dtype(labels)
        if kind in KINDS:
            said.append(f"{column.name!r} holds {KINDS[kind]}")
        if kind in ("string", "mixed-integer"):
            texts += [label for label in labels if isinstance(label, str)]
    odd = [text for text in dict.fromkeys(texts) if not text.strip().isdecimal()]
    hint = f" If {listing(odd)} mean unknown parents, say so: unknown=[...]." if odd else ""
    return PedigreeError(
        f"the labels are of different kinds: {', '.join(said)}; 12 and '12' are different labels. "
        "Make all three columns text or all three integers, for instance with dtype=str or "
        f"dtype='Int64' in pandas.read_csv.{hint}"
    )
