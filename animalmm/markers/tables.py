"""What the readers of files share, and genotypes in CSV files."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from animalmm.errors import DataError, listing
from animalmm.markers.genotypes import Genotypes
from animalmm.markers.memory_sources import as_genotypes

__all__ = ["individual_ids", "marker_table", "read_genotypes_csv", "require_file"]

UNNAMED = (".", "", "0")


def require_file(path: str | PathLike[str]) -> Path:
    """The path, if there is a file."""
    found = Path(path)
    if not found.is_file():
        raise DataError(f"there is no file {str(found)!r}")
    return found


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
        For `pandas.read_csv`.

    Returns
    -------
    Genotypes
        In memory. Ids are text, as written.

    Raises
    ------
    DataError
        There is no such file; values that are not numbers; labels that stand twice.
    """
    file = require_file(path)
    first = pd.read_csv(file, sep=sep, header=None, nrows=1, dtype=str, **options)
    names = first.iloc[0].tolist()
    if len(names) < 2:
        raise DataError(f"{file} has one column; say what separates its columns, sep='\\t' or ';'")
    frame = pd.read_csv(file, sep=sep, dtype={names[0]: str}, index_col=0, **options)
    frame.columns = pd.Index(names[1:])  # pandas renames those that stand twice
    read = as_genotypes(frame, missing_code=missing_code)
    return replace(read, history=(f"read {file.name}",))
