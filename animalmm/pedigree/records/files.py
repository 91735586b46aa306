"""Pedigrees in text files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from animalmm.errors import ArgumentError, listing

__all__ = ["read_text"]


def read_text(path: str | Path, sep: str, header: bool, encoding: str) -> pd.DataFrame:
    r"""A delimited file with every value as the text that stands there.

    Parameters
    ----------
    path : str or Path
        The file; may be compressed, with an ending that says how (.gz, .zip, .xz, .zst).
    sep : str
        What separates the columns; a regular expression such as ``r"\s+"`` where it is longer.
    header : bool
        Whether the first line has the names of the columns. Without it they are 0, 1, 2, ...
    encoding : str
        How the letters are stored.

    Raises
    ------
    ArgumentError
        When the file cannot be read, has one column only, or has a column without a name.
    """
    what = f"the pedigree file {str(path)!r}"
    try:
        table = pd.read_csv(
            path,
            sep=sep,
            header=0 if header else None,
            dtype=object,
            keep_default_na=False,
            encoding=encoding,
        )
    except UnicodeError as error:
        raise ArgumentError(
            f"{what} is not {encoding} text: {error}. Say how it is stored, as in "
            "encoding='latin-1'"
        ) from error
    except (OSError, LookupError, pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise ArgumentError(f"{what} cannot be read: {str(error).strip()}") from error
    if table.shape[1] == 1:
        name = table.columns[0]
        raise ArgumentError(
            f"{what} has one column, {name!r}, when cut at {sep!r}: say what separates its "
            f"columns{_proposal(name)}"
        )
    if not isinstance(table.index, pd.RangeIndex):
        # A library that reads tables takes the first column for names of the rows then.
        raise ArgumentError(
            f"{what} has more values in its rows than names in its first line: "
            f"{listing(table.columns)}. Name every column, write the file without names of rows "
            f"(row.names=FALSE in R), and end no line with {sep!r}"
        )
    return table


def _proposal(line: Any) -> str:
    """The separator that the first line seems to have."""
    shown = {";": "';'", "\t": r"'\t'", ",": "','", " ": r"r'\s+'"}
    found = next((shown[sep] for sep in shown if sep in str(line)), None)
    return f", sep={found}" if found else ", as in sep=';'"
