"""What a table may say of its animals beside their parents: sex, birth, selfing, inbreeding."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import PedigreeError, listing
from animalmm.pedigree.animals import FEMALE, MALE, UNKNOWN_SEX

__all__ = ["read_birth", "read_founder_inbreeding", "read_selfed", "read_sex"]

SEXES = {
    **dict.fromkeys(("m", "male", "1", "1.0"), MALE),
    **dict.fromkeys(("f", "female", "2", "2.0"), FEMALE),
    **dict.fromkeys(("", "0", "0.0", "na", ".", "u", "unknown"), UNKNOWN_SEX),
}
"""How a sex is written, in small letters without blanks."""

MISSING = ("", "NA", ".")


def read_sex(column: pd.Series[Any]) -> npt.NDArray[np.int8]:
    """Codes of sex, shape (n,): 1 male, 2 female, 0 unknown.

    Raises
    ------
    PedigreeError
        When a value is not in `SEXES`, or the values are 0 and 1, which may be any sex.
    """
    codes, values = pd.factorize(column)
    written = [str(value).strip().casefold() for value in values]
    odd = [value for value, text in zip(values, written, strict=True) if text not in SEXES]
    if odd:
        raise PedigreeError(
            f"column {column.name!r} holds {listing(odd)}, which say no sex. Write M or F, male or "
            "female, 1 (male) or 2 (female), and leave it empty or 0 where it is not known"
        )
    found = {SEXES[text] for text in written}
    if {"0", "1"} <= {text.removesuffix(".0") for text in written} and FEMALE not in found:
        raise PedigreeError(
            f"column {column.name!r} holds 0 and 1 and says of no animal that it is female: here 0 "
            "means unknown, 1 male and 2 female. Write M and F, or 1 and 2"
        )
    return np.array([*(SEXES[text] for text in written), UNKNOWN_SEX], dtype=np.int8)[codes]


def read_birth(column: pd.Series[Any]) -> npt.NDArray[Any]:
    """Dates (datetime64) or numbers (float64) of birth, shape (n,), NaT or NaN where missing.

    Raises
    ------
    PedigreeError
        When text is neither a number nor a date as ISO 8601 writes it.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return np.asarray(column.dt.tz_localize(None), dtype="datetime64[us]")
    known = _without_missing(column)
    numbers = pd.to_numeric(known, errors="coerce")
    if not (numbers.isna() & known.notna()).any():
        return np.asarray(numbers.astype(np.float64))
    dates = pd.to_datetime(known, errors="coerce", format="ISO8601")
    odd = known[dates.isna() & known.notna()]
    if len(odd):
        raise PedigreeError(
            f"column {column.name!r} holds {listing(odd.unique())}, which are neither numbers nor "
            "dates as in 2024-05-31. Convert them first, with pandas.to_datetime(..., format=...)"
        )
    return np.asarray(dates, dtype="datetime64[us]")


def read_selfed(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Generations of selfing, shape (n,), 0 where missing.

    Raises
    ------
    PedigreeError
        When a value is not a whole number of at least 0, or inf (a doubled haploid).
    """
    numbers = _numbers(column)
    sound = (numbers >= 0) & ((numbers == np.floor(numbers)) | np.isinf(numbers))
    _require(sound, column, "a number of generations of selfing is 0, 1, 2, ... or inf")
    return numbers


def read_founder_inbreeding(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """Inbreeding coefficients of founders, shape (n,), 0 where missing.

    Raises
    ------
    PedigreeError
        When a value is not between 0 and 1.
    """
    numbers = _numbers(column)
    sound = (numbers >= 0) & (numbers <= 1)
    _require(sound, column, "an inbreeding coefficient is between 0 and 1")
    return numbers


def _without_missing(column: pd.Series[Any]) -> pd.Series[Any]:
    return column.astype(object).mask(column.isin(MISSING))


def _numbers(column: pd.Series[Any]) -> npt.NDArray[np.float64]:
    """A column of numbers, NaN where it is not one, 0 where it is missing."""
    known = _without_missing(column)
    numbers = pd.to_numeric(known, errors="coerce").astype(np.float64)
    return np.asarray(numbers.mask(known.isna(), 0.0))


def _require(sound: npt.NDArray[np.bool_], column: pd.Series[Any], rule: str) -> None:
    if not sound.all():
        odd = column[~sound].unique()
        raise PedigreeError(f"column {column.name!r} holds {listing(odd)}; {rule}. Correct it")
