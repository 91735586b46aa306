"""Factors of a formula's terms: numeric ones, and categorical ones with their contrasts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import formulaic.transforms.contrasts as known  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
import pandas as pd
from formulaic.materializers.types import FactorValues  # type: ignore[import-untyped]
from scipy import sparse as sp

from animalmm.errors import ArgumentError, DataError, listing
from animalmm.formula.evaluate import Marked
from animalmm.formula.tokens import mask, unmask

__all__ = ["Categorical", "Factor", "Numeric", "describe", "is_categorical", "label"]

Floats: TypeAlias = npt.NDArray[np.float64]

_CONTRASTS: dict[str, known.Contrasts] = {
    "treatment": known.TreatmentContrasts(),
    "sum": known.SumContrasts(),
    "helmert": known.HelmertContrasts(),
    "poly": known.PolyContrasts(),
    "sdif": known.DiffContrasts(),
}


@dataclass(frozen=True)
class Numeric:
    """A factor that is a number, or several: ``poly(x, 2)``."""

    text: str
    width: int

    def names(self, reduced: bool) -> list[str]:
        """Names of the columns; `reduced` concerns categorical factors only."""
        several = range(1, self.width + 1) if self.width > 1 else ("",)
        return [f"{label(self.text)}{i}" for i in several]

    def read(self, values: Any, n: int) -> Floats:
        """Check values and return them as (n, width).

        Raises
        ------
        DataError
            Values that are not finite.
        """
        columns = _columns(self.text, values, n)
        if columns.shape[1] != self.width:
            raise DataError(f"{self.text} gives {columns.shape[1]} columns, not {self.width}")
        finite = np.isfinite(columns)
        if not finite.all():
            bad = np.count_nonzero(~finite.all(axis=1))
            raise DataError(f"{self.text} is not finite in {bad} of {n} rows")
        return columns

    def dense(self, values: Floats, reduced: bool) -> Floats:
        """Return the columns, (n, width)."""
        return values

    def sparse(self, values: Floats, reduced: bool) -> sp.csr_array:
        """Return the columns, (n, width)."""
        return sp.csr_array(values)


@dataclass(frozen=True)
class Categorical:
    """A factor of a term that is categorical: k levels, coded by contrasts or indicators."""

    text: str
    levels: tuple[Any, ...]  # (k,) values in the data
    contrasts: Floats | None  # (k, m); None is treatment, which needs no k x k matrix
    contrast_names: tuple[str, ...]  # (m,)

    def names(self, reduced: bool) -> list[str]:
        """Names of the m contrasts when `reduced`, of the k indicators otherwise."""
        ends = self.contrast_names if reduced else [_text(level) for level in self.levels]
        return [f"{label(self.text)}{end}" for end in ends]

    def read(self, values: Any, n: int) -> npt.NDArray[np.intp]:
        """Find the index of each row's level, (n,).

        Raises
        ------
        DataError
            Levels that the fit has not seen.
        """
        plain = values.values if isinstance(values, Marked) else values
        return self.place(*_distinct(pd.Series(plain)))

    def place(self, codes: npt.NDArray[np.intp], distinct: pd.Index) -> npt.NDArray[np.intp]:
        """Find the same for values in the form of codes and the distinct values they stand for."""
        places = pd.Index(self.levels, dtype=object).get_indexer(distinct)
        unseen = distinct[places < 0]
        if len(unseen):
            seen = {str(level) for level in self.levels}
            alike = " Some differ only in type (number or text)." * any(
                str(u) in seen for u in unseen
            )
            message = f"{self.text} has levels that were not in the fit: {listing(unseen)}.{alike}"
            raise DataError(f"{message} Known levels: {listing(self.levels)}")
        return np.asarray(places[codes], dtype=np.intp)

    def dense(self, values: npt.NDArray[np.intp], reduced: bool) -> Floats:
        """Return the contrasts, (n, m), when `reduced`, else the indicators, (n, k)."""
        k = len(self.levels)
        if not reduced:
            return np.eye(k)[values]
        return (np.eye(k)[:, 1:] if self.contrasts is None else self.contrasts)[values]

    def sparse(self, values: npt.NDArray[np.intp], reduced: bool) -> sp.csr_array:
        """Return the same without its zeros."""
        if reduced and self.contrasts is not None:
            return sp.csr_array(self.sparse(values, False) @ sp.csr_array(self.contrasts))
        columns = values - reduced  # treatment contrasts: the first level has no column
        present = columns >= 0
        starts = np.concatenate([[0], np.cumsum(present)])
        shape = len(values), len(self.levels) - reduced
        return sp.csr_array((np.ones(starts[-1]), columns[present], starts), shape=shape)


Factor: TypeAlias = Numeric | Categorical


def describe(
    text: str, values: Any, n: int, contrasts: object = None
) -> tuple[Factor, npt.NDArray[Any]]:
    """Find out what kind of factor some values are, and read them as such.

    Parameters
    ----------
    text : str
        The factor in the formula.
    values : Series, ndarray, Marked or dict
        From `evaluate`.
    n : int
        Number of rows.
    contrasts : object, optional
        What `code` was asked for; otherwise what the formula says, otherwise R's defaults.

    Returns
    -------
    Numeric or Categorical
    ndarray
        What its `read` makes of the values.

    Raises
    ------
    DataError
        A categorical factor with one level, values of another kind or not finite.
    ArgumentError
        Contrasts that are not known or do not fit the levels.
    """
    if not is_categorical(values):
        columns = _columns(text, values, n)
        number = Numeric(text, columns.shape[1])
        return number, number.read(columns, n)
    marked = values if isinstance(values, Marked) else Marked(values)
    plain = pd.Series(marked.values)
    codes, distinct = _distinct(plain)
    levels = marked.levels if marked.levels is not None else _levels(plain, distinct)
    if len(levels) < 2:
        only = f" ({levels[0]!r})" if levels else ""
        message = f"{text} has only one level{only} in the rows used"
        raise DataError(f"{message}, so it has no effect to estimate: leave it out")
    chosen = marked.contrasts if contrasts is None else contrasts
    if chosen is None and getattr(plain.dtype, "ordered", False):
        chosen = "poly"
    factor = Categorical(text, levels, *_contrasts(text, levels, chosen))
    return factor, factor.place(codes, distinct)


def _contrasts(
    text: str, levels: tuple[Any, ...], chosen: Any
) -> tuple[Floats | None, tuple[str, ...]]:
    """Find the coding matrix (k, m), None for treatment, and R's names of its columns."""
    k = len(levels)
    if isinstance(chosen, type) and issubclass(chosen, known.Contrasts):
        chosen = chosen()
    if isinstance(chosen, str):
        if chosen not in _CONTRASTS:
            message = f"contrasts {chosen!r} for {text} are not known: "
            raise ArgumentError(message + f"there are {listing(_CONTRASTS)}")
        chosen = _CONTRASTS[chosen]
    if chosen is None or (
        isinstance(chosen, known.Contrasts) and chosen == _CONTRASTS["treatment"]
    ):
        return None, tuple(_text(level) for level in levels[1:])
    if isinstance(chosen, known.Contrasts) and not isinstance(chosen, known.CustomContrasts):
        table = chosen.get_coding_matrix(list(levels), reduced_rank=True)
        ends = tuple(_text(end) for end in table.columns)
        if isinstance(chosen, (known.SumContrasts, known.HelmertContrasts)):
            ends = tuple(str(i) for i in range(1, k))
        elif isinstance(chosen, known.DiffContrasts):
            ends = tuple(f"{_text(b)}-{_text(a)}" for a, b in pairwise(levels))
        return np.asarray(table, dtype=float), ends
    return _own_contrasts(text, levels, chosen)


def _own_contrasts(
    text: str, levels: tuple[Any, ...], chosen: Any
) -> tuple[Floats, tuple[str, ...]]:
    ends: tuple[str, ...] | None = None
    if isinstance(chosen, known.CustomContrasts):
        chosen = chosen.contrasts
    if isinstance(chosen, pd.DataFrame):
        lost = [level for level in levels if level not in chosen.index]
        if lost:
            raise ArgumentError(f"the contrasts of {text} have no row for {listing(lost)}")
        ends = tuple(_text(end) for end in chosen.columns)
        chosen = chosen.loc[list(levels)]
    try:
        table = np.asarray(chosen, dtype=float)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"the contrasts of {text} are not a matrix of numbers") from error
    if table.ndim != 2 or table.shape[0] != len(levels) or not np.isfinite(table).all():
        message = f"the contrasts of {text} must be finite with {len(levels)} rows, one for each of"
        raise ArgumentError(f"{message} {listing(levels)}; their shape is {table.shape}")
    return table, ends or tuple(str(i) for i in range(1, table.shape[1] + 1))


def is_categorical(values: Any) -> bool:
    """Tell whether values are text, truth values, a Categorical or marked by `factor`."""
    if isinstance(values, Marked):
        return True
    dtype = getattr(values, "dtype", None)
    return isinstance(dtype, pd.CategoricalDtype) or (
        dtype is not None
        and (
            pd.api.types.is_bool_dtype(dtype)
            or pd.api.types.is_object_dtype(dtype)
            or pd.api.types.is_string_dtype(dtype)
        )
    )


def _distinct(values: pd.Series) -> tuple[npt.NDArray[np.intp], pd.Index]:
    """Code values, (n,), by those that differ, in order of appearance and as objects."""
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    return codes, distinct.astype(object)


def _levels(values: pd.Series, distinct: pd.Index) -> tuple[Any, ...]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return tuple(values.cat.remove_unused_categories().cat.categories)
    if pd.api.types.is_bool_dtype(values.dtype):
        return (False, True)
    found = distinct.tolist()
    try:
        return tuple(sorted(found))
    except TypeError:  # numbers and text in one column
        return tuple(sorted(found, key=str))


def _columns(text: str, values: Any, n: int) -> Floats:
    """Numeric values as (n, width)."""
    if isinstance(values, FactorValues):
        values = values.__wrapped__
    if isinstance(values, dict):
        values = np.column_stack(list(values.values()))
    dtype = getattr(values, "dtype", None)
    if dtype is not None and not pd.api.types.is_numeric_dtype(dtype):
        raise DataError(f"{text} holds {dtype}, neither numbers nor categories")
    try:
        columns = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{text} is not numeric") from error
    if columns.ndim not in {1, 2} or len(columns) != n:
        raise DataError(f"{text} does not give one value for each of the {n} rows")
    return columns[:, None] if columns.ndim == 1 else columns


def label(text: str) -> str:
    """Write the text of a factor as R prints it."""
    masked, columns = mask(text)  # a column's own name stays as it is
    return unmask(masked.replace(" ** ", "^").replace(" / ", "/"), columns)


def _text(level: Any) -> str:
    """Write a level as R prints it: TRUE, 5, 0.1, a."""
    if isinstance(level, (bool, np.bool_)):
        return str(bool(level)).upper()
    return format(level, ".15g") if isinstance(level, (float, np.floating)) else str(level)
