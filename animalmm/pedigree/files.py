"""Pedigrees in text files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from animalmm.errors import ArgumentError

__all__ = ["read_text"]


def read_text(path: str | Path, sep: str, header: bool) -> pd.DataFrame:
    r"""A delimited file with every value as the text that stands there.

    Parameters
    ----------
    path : str or Path
        The file; may be compressed, with an ending that says how (.gz, .zip, .xz, .zst).
    sep : str
        What separates the columns; a regular expression such as ``r"\s+"`` where it is longer.
    header : bool
        Whether the first line has the names of the columns. Without it they are 0, 1, 2, ...

    Raises
    ------
    ArgumentError
        When the file cannot be read, or has one column only.
    """
    try:
        table = pd.read_csv(
            path, sep=sep, header=0 if header else None, dtype=object, keep_default_na=False
        )
    except (OSError, UnicodeDecodeError, pd.errors.EmptyDataError, pd.errors.ParserError) as error:
        raise ArgumentError(f"the pedigree file {str(path)!r} cannot be read: {error}") from error
    if table.shape[1] == 1:
        name = table.columns[0]
        raise ArgumentError(
            f"the pedigree file {str(path)!r} has one column, {name!r}, when cut at {sep!r}: "
            f"say what separates its columns{_proposal(name)}"
        )
    return table


def _proposal(line: Any) -> str:
    """The separator that the first line seems to have."""
    shown = {";": "';'", "\t": r"'\t'", ",": "','", " ": r"r'\s+'"}
    found = next((shown[sep] for sep in shown if sep in str(line)), None)
    return f", sep={found}" if found else ", as in sep=';'"
