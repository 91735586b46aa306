"""What the readers of files share, and genotypes in CSV files."""

from __future__ import annotations

import csv
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from animalmm.errors import ArgumentError, DataError, listing
from animalmm.markers.genotypes import Genotypes
from animalmm.markers.memory_sources import as_genotypes

__all__ = ["individual_ids", "marker_table", "read_genotypes_csv", "require_file", "text_table"]

UNNAMED = (".", "", "0")
TAKEN = {"header", "names", "index_col", "usecols", "nrows", "dtype"}  # options that are set here


def require_file(path: str | PathLike[str]) -> Path:
    """The path, if there is a file."""
    found = Path(path)
    if not found.is_file():
        raise DataError(f"there is no file {str(found)!r}")
    return found


def text_table(path: Path) -> pd.DataFrame:
    """A file of white space, no header and no quotes, all columns as text."""
    return pd.read_csv(
        path, sep=r"\s+", header=None, dtype=str, keep_default_na=False, quoting=csv.QUOTE_NONE
    )


def individual_ids(fid: pd.Series, iid: pd.Series) -> tuple[pd.Index, tuple[str, ...]]:
    """Individual ids, with the family before them where they repeat, which the history says."""
    if iid.is_unique:
        return pd.Index(iid.to_numpy(), dtype=object), ()
    twice = iid[iid.duplicated()].unique()
    both = pd.Index((fid + ":" + iid).to_numpy(), dtype=object)
    return both, (f"ids are FID:IID, because individual ids repeat: {listing(twice)}",)


def marker_table(name: pd.Series, **columns: pd.Series) -> pd.DataFrame:
    """What is known of markers, by name; chromosome:position where there is none."""
    table = pd.DataFrame(columns)
    place = table["chromosome"] + ":" + table["position"].astype(str)
    index = name.mask(name.isin(UNNAMED), place)
    return table.set_axis(pd.Index(index.to_numpy(), dtype=object))


def read_genotypes_csv(
    path: str | PathLike[str],
    *,
    sep: str = ",",
    missing_code: float | list[float] | None = None,
    **options: Any,
) -> Genotypes:
    r"""Genotypes in a text file: ids in the first column, names of markers in the first line.

    Parameters
    ----------
    path : str or path
        One row per animal; compressed files too. Empty cells and NA are missing.
    sep : str, default ","
        What separates columns; ``r"\s+"`` is white space.
    missing_code : number or several, optional
        Numbers that mean missing, such as -9.
    **options
        For `pandas.read_csv`: ``encoding``, ``comment``, ``na_values``.

    Returns
    -------
    Genotypes
        In memory. Ids are text, as written.

    Raises
    ------
    ArgumentError
        An option that is set here, such as ``index_col``.
    DataError
        There is no such file, or it is not such a table; values that are not numbers; labels that
        stand twice.

    Notes
    -----
    A file with one row per marker: ``as_genotypes(pandas.read_csv(path, index_col=0).T)``.
    """
    taken = TAKEN & set(options)
    if taken:
        raise ArgumentError(
            f"read_genotypes_csv() has no {listing(sorted(taken))}; read another table with pandas "
            "and give it to animalmm.as_genotypes"
        )
    file = require_file(path)
    try:
        frame = _labelled_frame(file, sep, options)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(f"{file} cannot be read as a table: {error}") from None
    read = as_genotypes(frame, missing_code=missing_code)
    return replace(read, history=(f"read {file.name}",))


def _labelled_frame(file: Path, sep: str, options: dict[str, Any]) -> pd.DataFrame:
    """The table with the names of markers as they stand; pandas renames those that repeat."""
    first = pd.read_csv(file, sep=sep, header=None, nrows=1, dtype=str, **options)
    names = first.iloc[0].tolist()
    if len(names) < 2:
        raise DataError(f"{file} has one column; say what separates its columns, sep='\\t' or ';'")
    frame: pd.DataFrame = pd.read_csv(file, sep=sep, dtype={names[0]: str}, index_col=0, **options)
    if frame.shape[1] != len(names) - 1:
        raise DataError(
            f"{file} has {len(names)} names in its first line and {frame.shape[1] + 1} values in "
            "others; the first line names the column of ids as well"
        )
    frame.columns = pd.Index(names[1:])
    return frame
