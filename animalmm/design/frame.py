"""The rows and columns of the user's data that a model uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.design.coding import response
from animalmm.errors import (
    ArgumentError,
    DataError,
    DroppedRowsWarning,
    FormulaError,
    listing,
    nearest,
    warn,
)
from animalmm.formula.evaluate import FUNCTIONS, columns_in, evaluate
from animalmm.formula.factors import Numeric, is_categorical
from animalmm.formula.spec import FormulaSpec
from animalmm.formula.tokens import names_in

__all__ = ["Frame", "as_frame", "build_frame", "formula_offset", "row_values"]

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Frame:
    """The rows that a model uses.

    Parameters
    ----------
    data : DataFrame, n rows
        The columns needed, under the user's index.
    rows : ndarray of int, (n,)
        Positions of the rows in the user's data.
    n_given : int
        Number of rows in the user's data.
    dropped : dict of str to int
        For each cause (a column, ``"weights"``, ``"offset"``), the number of rows in which it is
        missing; a row with two causes counts for both.
    weights : ndarray, (n,)
        Ones by default.
    offset : ndarray, (n,)
        Sum of the `offset` terms of the formula and of the argument; zeros by default.
    y : ndarray, (n,)
        The response.
    """

    data: pd.DataFrame
    rows: npt.NDArray[np.intp]
    n_given: int
    dropped: dict[str, int]
    weights: Floats
    offset: Floats
    y: Floats


def build_frame(
    spec: FormulaSpec,
    data: pd.DataFrame | Mapping[str, Any],
    *,
    weights: object = None,
    offset: object = None,
    na_action: str = "drop",
) -> Frame:
    """Select the rows and columns that a formula needs.

    Parameters
    ----------
    spec : FormulaSpec
    data : DataFrame or mapping of columns
    weights, offset : str, array or Series, optional
        A column, or one value for each row of `data`. A Series is aligned by its index; one with
        a default index, and an array, are taken by position.
    na_action : {"drop", "fail"}
        What to do with rows in which something used is missing (NaN, None or NaT).

    Returns
    -------
    Frame

    Raises
    ------
    FormulaError
        A name of the formula that is neither a column nor a known function, with its place.
    DataError
        Columns, weights or offsets that cannot be used, or no row left.
    ArgumentError
        Another `na_action`.

    Warns
    -----
    DroppedRowsWarning
        With the number of rows for each cause.
    """
    if na_action not in {"drop", "fail"}:
        raise ArgumentError(f"na_action is 'drop' or 'fail', not {na_action!r}")
    data = as_frame(data)
    used = _columns(spec, data)
    extra = {
        name: row_values(name, given, data)
        for name, given in (("weights", weights), ("offset", offset))
        if given is not None
    }
    keep, dropped = _complete(used, extra, na_action)
    # an object column of numbers and None is numeric once the None are gone
    kept = used.loc[keep].infer_objects()
    _check_finite(kept)
    y = response(spec, kept)  # a response of no use is reported before any other work
    return Frame(
        data=kept,
        rows=np.flatnonzero(keep),
        n_given=len(data),
        dropped=dropped,
        weights=_weights(extra["weights"][keep]) if weights is not None else np.ones(len(kept)),
        offset=formula_offset(spec, kept) + (extra["offset"][keep] if offset is not None else 0.0),
        y=y,
    )


def as_frame(data: object) -> pd.DataFrame:
    """A DataFrame as it is, or one made of a mapping of columns; a DataError for all else."""
    if isinstance(data, pd.DataFrame):
        return data
    if not isinstance(data, Mapping):
        kind = type(data).__name__
        raise DataError(f"data must be a pandas DataFrame or a dict of columns, not a {kind}")
    try:
        return pd.DataFrame(dict(data))
    except ValueError as error:
        raise DataError(f"the dict of columns makes no table: {error}") from error


def _columns(spec: FormulaSpec, data: pd.DataFrame) -> pd.DataFrame:
    """Columns that the formula needs, each checked to be there once."""
    texts = [spec.response, spec.fixed, *spec.offsets, *(bar.lhs for bar in spec.bars)]
    names = dict.fromkeys(spec.groups)
    for text in texts:
        for name, _, role in names_in(text):
            if role == "column":
                names[name] = None
            elif name not in FUNCTIONS:
                message = f"there is no function {name!r} in formulas.{nearest(name, FUNCTIONS)}"
                raise FormulaError(message, spec.text, _place(spec.text, name))
    places: dict[Any, list[int]] = {}
    for place, name in enumerate(data.columns):
        places.setdefault(name, []).append(place)
    for name in names:
        if name not in places:
            hint = nearest(name, data.columns) or f" The columns are {listing(data.columns)}."
            message = f"there is no column {name!r} in the data.{hint if len(data.columns) else ''}"
            raise FormulaError(message, spec.text, _place(spec.text, name))
        if (count := len(places[name])) > 1:
            raise DataError(f"{count} columns of the data are called {name!r}: rename them")
    return data.take([places[name][0] for name in names], axis=1)


def _place(text: str, name: str) -> int | None:
    return next((start for found, start, _ in names_in(text) if found == name), None)


def row_values(what: str, given: object, data: pd.DataFrame) -> Floats:
    """One number for each row of the data, NaN where it is missing."""
    if isinstance(given, str):
        if given not in data:
            raise DataError(f"there is no column {given!r} for {what}.{nearest(given, data)}")
        given = data[given]
    elif isinstance(given, pd.Series) and not given.index.equals(data.index):
        given = _by_label(what, given, data)
    values = pd.Series(np.asarray(given) if not isinstance(given, pd.Series) else given)
    if len(values) != len(data):
        raise DataError(f"{what} has {len(values)} values and the data have {len(data)} rows")
    kind = pd.api.types.infer_dtype(values)  # of the values: numbers may be stored as objects
    if kind == "string" or (is_categorical(values) and values.dtype != object):
        raise DataError(f"{what} must be numbers, not {kind}")
    try:
        numbers = pd.to_numeric(values).to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} must be numbers: {error}") from error
    if np.isinf(numbers).any():
        raise DataError(f"{what} has {np.isinf(numbers).sum()} infinite values")
    return numbers


def _by_label(what: str, given: pd.Series, data: pd.DataFrame) -> pd.Series:
    """A Series in the order of the data: by label, or by position if it has none of its own."""
    if given.index.is_unique and data.index.is_unique and data.index.isin(given.index).all():
        return given.reindex(data.index)
    if isinstance(given.index, pd.RangeIndex) and given.index.equals(pd.RangeIndex(len(given))):
        return given
    raise DataError(
        f"the index of {what} and that of the data hold different labels: give {what} the index "
        f"of the data, or as an array, {what}.to_numpy(), to take it by position"
    )


def _complete(
    used: pd.DataFrame, extra: Mapping[str, Floats], na_action: str
) -> tuple[npt.NDArray[np.bool_], dict[str, int]]:
    """Which rows have all that is needed, and the causes why others do not."""
    n = len(used)
    keep = np.ones(n, dtype=bool)
    dropped: dict[str, int] = {}
    missing = dict(zip(used.columns, used.isna().to_numpy().T, strict=True))
    for cause, gaps in {**missing, **{k: np.isnan(v) for k, v in extra.items()}}.items():
        count = int(np.count_nonzero(gaps))
        if count and count == n:
            raise DataError(f"{cause} is missing in all {n} rows: leave it out of the model")
        if count:
            dropped[cause] = count
            keep &= ~gaps
    causes = ", ".join(f"{cause} missing in {count}" for cause, count in dropped.items())
    if not keep.any():
        raise DataError(f"no row is left: {causes}" if causes else "the data have no rows")
    if dropped:
        message = f"{n - int(keep.sum())} of {n} rows"
        if na_action == "fail":
            remedy = "na_action='drop' leaves them out"
            raise DataError(f"{message} have missing values: {causes}; {remedy}")
        warn(f"{message} dropped: {causes}", DroppedRowsWarning)
    return keep, dropped


def _check_finite(data: pd.DataFrame) -> None:
    for name, column in data.items():
        if column.dtype.kind == "c":
            raise DataError(f"{name} is complex: take its real part, or its size, first")
        if column.dtype.kind == "f":
            infinite = int(np.isinf(column.to_numpy(dtype=float)).sum())
            if infinite:
                message = f"{name} is infinite in {infinite} of {len(data)} rows"
                raise DataError(f"{message}: make those values missing, or transform otherwise")


def _weights(weights: Floats) -> Floats:
    if (weights < 0).any():
        message = f"weights has {(weights < 0).sum()} negative values"
        raise DataError(f"{message}; a weight is the inverse of a variance")
    if (weights == 0).any():
        message = f"weights has {(weights == 0).sum()} zeros: remove those rows instead"
        raise DataError(f"{message}, or make them missing")
    return weights


def formula_offset(spec: FormulaSpec, data: pd.DataFrame) -> Floats:
    """Sum of the `offset` terms of the formula for rows of data, shape (n,); NaN where missing."""
    total = np.zeros(len(data))
    for text in spec.offsets:
        for name in columns_in(text):
            if name not in data:
                raise DataError(f"the data lack the column {name!r} of offset({text})")
        complete = data[list(columns_in(text))].notna().all(axis=1).to_numpy(dtype=bool)
        values = evaluate(text, data.loc[complete], {})
        if is_categorical(values):
            raise DataError(f"offset({text}) must be numbers")
        total[~complete] = np.nan
        total[complete] += Numeric(f"offset({text})", 1).read(values, int(complete.sum()))[:, 0]
    return total
