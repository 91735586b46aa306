"""Genotypes that are in memory: arrays and DataFrames, checked and named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from animalmm.errors import ArgumentError, DataError, listing
from animalmm.markers.genotypes import Columns, Genotypes, Source, check_lengths

__all__ = ["ArraySource", "as_genotypes"]


@dataclass(frozen=True, eq=False)
class ArraySource:
    """Genotypes in an array of any numeric type, animals x markers."""

    values: npt.NDArray[Any]

    @property
    def shape(self) -> tuple[int, int]:
        """Animals, markers."""
        n, m = self.values.shape
        return n, m

    def read(self, columns: Columns) -> npt.NDArray[Any]:
        """A view where the columns are a run."""
        return self.values[:, columns]


@dataclass(frozen=True, eq=False)
class FrameSource:
    """Genotypes in a DataFrame whose columns may be of several types, nullable ones too."""

    frame: pd.DataFrame

    @property
    def shape(self) -> tuple[int, int]:
        """Animals, markers."""
        return self.frame.shape

    def read(self, columns: Columns) -> npt.NDArray[Any]:
        """The columns as floats."""
        return self.frame.iloc[:, columns].to_numpy(dtype=float, na_value=np.nan)


@dataclass(frozen=True, eq=False)
class Recoded:
    """Genotypes of another source in which some numbers mean missing."""

    source: Source
    codes: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Animals, markers."""
        return self.source.shape

    def read(self, columns: Columns) -> npt.NDArray[Any]:
        """Floats, NaN in place of the codes."""
        block = self.source.read(columns)
        missing = np.logical_or.reduce([block == code for code in self.codes])
        block = block.astype(np.result_type(block.dtype, np.float32))
        block[missing] = np.nan
        return block


def as_genotypes(
    M: Any,
    ids: Sequence[Any] | npt.NDArray[Any] | pd.Index | None = None,
    *,
    markers: Sequence[str] | npt.NDArray[Any] | pd.Index | None = None,
    missing_code: float | Sequence[float] | None = None,
) -> Genotypes:
    """Genotypes from an array or a DataFrame, with their labels.

    Parameters
    ----------
    M : DataFrame, ndarray or Genotypes, shape (n, m)
        Copies of the counted allele, 0 to 2 (fractions are dosages), animals x markers; NaN where
        missing. Any numeric type; integers of one byte need an eighth of the memory of floats.
    ids : sequence, length n, optional
        The animals; needed for an array. A DataFrame has them in its index.
    markers : sequence, length m, optional
        Names of the markers of an array; default ``"marker1"``, ``"marker2"`` and so on.
    missing_code : number or several, optional
        Numbers that mean missing: -9, -1, 5.

    Raises
    ------
    ArgumentError
        No ids, ids of another number, a transposed matrix, a code that is a genotype.
    DataError
        Values that are not numbers; labels that are missing or stand twice.
    """
    if isinstance(M, Genotypes):
        if ids is not None or markers is not None:
            raise ArgumentError("Genotypes hold their ids and names of markers; leave out ids=")
        found = M
    elif isinstance(M, pd.DataFrame):
        found = _from_frame(M, ids, markers)
    else:
        found = _from_array(M, ids, markers)
    codes = _codes(missing_code)
    if not codes:
        return found
    return replace(found, source=Recoded(found.source, codes))


def _codes(missing_code: float | Sequence[float] | None) -> tuple[float, ...]:
    codes = () if missing_code is None else tuple(np.atleast_1d(missing_code).tolist())
    if not all(isinstance(code, Real) for code in codes):
        raise ArgumentError(
            f"missing_code is a number or several, not {missing_code!r}; give NaN for text"
        )
    genotypes = [code for code in codes if 0 <= code <= 2]
    if genotypes:
        raise ArgumentError(
            f"missing_code={genotypes[0]:g} is a genotype: numbers from 0 to 2 count alleles"
        )
    return codes


def _from_array(M: Any, ids: Any, markers: Any) -> Genotypes:
    if sparse.issparse(M):
        raise ArgumentError("M is sparse; give M.toarray(), one byte an element: M.astype('int8')")
    masked = np.ma.isMaskedArray(M)
    values = M.astype(float).filled(np.nan) if masked else np.asarray(M)
    if values.ndim != 2:
        raise ArgumentError(f"M has {values.ndim} dimension(s); animals x markers has two")
    if ids is None:
        raise ArgumentError(
            "M has no ids, and labels are matched, never positions. Give ids=, or a DataFrame "
            "with ids as index"
        )
    labels = _labels(ids)
    check_lengths(labels, values.shape)
    names = _names(values.shape[1], markers)
    if not np.issubdtype(values.dtype, np.number) and values.dtype != bool:
        return _from_frame(pd.DataFrame(values, labels, names), None, None)
    return Genotypes(labels, pd.DataFrame(index=names), ArraySource(values))


def _labels(ids: Any) -> pd.Index:
    try:
        found: pd.Index = pd.Index(ids)
    except TypeError:
        raise ArgumentError(f"ids are a list with a label for each animal, not {ids!r}") from None
    return found


def _names(m: int, markers: Any) -> pd.Index:
    if markers is None:
        return pd.Index([f"marker{j}" for j in range(1, m + 1)])
    if len(markers) != m:
        raise ArgumentError(f"M has {m} columns and there are {len(markers)} names of markers")
    names: pd.Index = pd.Index(markers)
    return names


def _from_frame(frame: pd.DataFrame, ids: Any, markers: Any) -> Genotypes:
    unlabelled = isinstance(frame.index, pd.RangeIndex)
    if markers is not None or (ids is not None and not unlabelled):
        raise ArgumentError(
            "M is a DataFrame, whose index holds the ids and whose columns name the markers; leave "
            "out ids= and markers=, or give M.to_numpy() with them"
        )
    frame = frame.infer_objects()
    text = [
        name for name, dtype in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(dtype)
    ]
    if text and len(frame):
        raise DataError(_not_numbers(frame, text, unlabelled and ids is None))
    if unlabelled and ids is None:
        raise ArgumentError(
            "the index of M is 0, 1, 2, ..., which names no animals. Give ids=, or M.set_index of "
            "the column that holds them (ids=M.index, if they are numbered so)"
        )
    labels = frame.index if ids is None else _labels(ids)
    check_lengths(labels, frame.shape)
    dtypes = set(frame.dtypes)
    alike = len(dtypes) == 1 and isinstance(next(iter(dtypes)), np.dtype)
    source = ArraySource(frame.to_numpy()) if alike else FrameSource(frame)
    return Genotypes(labels, pd.DataFrame(index=frame.columns), source)


def _not_numbers(frame: pd.DataFrame, text: list[Any], unlabelled: bool) -> str:
    if unlabelled and text == [frame.columns[0]]:
        return (
            f"the first column of M, {text[0]!r}, holds text: if these are the ids, give "
            f"M.set_index({text[0]!r})"
        )
    column = frame[text[0]].astype(object)
    odd = column[pd.to_numeric(column, errors="coerce").isna() & column.notna()]
    if odd.empty:
        kind = frame[text[0]].dtype
        return f"markers with numbers stored as {kind}: {listing(text)}. Give M.astype(float)"
    return (
        f"markers with values that are not numbers: {listing(text)}, for example {odd.iloc[0]!r} "
        f"of animal {odd.index[0]!r}. Genotypes are 0, 1 or 2 copies of the counted allele, NaN "
        "where missing"
    )
