"""Genotypes in PLINK's binary format (.bed, .bim, .fam), read a block at a time."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import DataError, MissingDependencyError, listing
from animalmm.markers.genotypes import Columns, Genotypes
from animalmm.markers.tables import individual_ids, marker_table, require_file, text_table

__all__ = ["read_plink"]

ENDINGS = (".bed", ".bim", ".fam")
MAGIC = b"\x6c\x1b"  # then 1 where a marker is a row, 0 where an animal is


@dataclass(frozen=True, eq=False)
class BedSource:
    """The genotypes of a .bed file; nothing of them is kept in memory."""

    path: Path
    shape: tuple[int, int]

    def read(self, columns: Columns) -> npt.NDArray[Any]:
        """Copies of allele A1 as floats of four bytes, which hold 0, 1 and 2 exactly."""
        n, m = self.shape
        with _bed_reader().open_bed(self.path, iid_count=n, sid_count=m) as bed:
            block: npt.NDArray[Any] = bed.read(np.s_[:, columns], dtype="float32", order="C")
        return block


def read_plink(path: str | PathLike[str]) -> Genotypes:
    """Genotypes in PLINK's binary files.

    Parameters
    ----------
    path : str or path
        One of the .bed, .bim and .fam files, or what their names begin with.

    Returns
    -------
    Genotypes
        Reads blocks from the file when they are needed. The counted allele is A1, the fifth column
        of the .bim (PLINK 1's minor allele). Ids are the individual ids (IID) as text, or
        ``"FID:IID"`` where these repeat; markers without a name are ``"chromosome:position"``.

    Raises
    ------
    DataError
        A file is missing, is not what its name says, or does not fit the others.
    MissingDependencyError
        bed-reader is not installed.

    References
    ----------
    Purcell, S. et al. (2007). PLINK: a tool set for whole-genome association and population-based
    linkage analyses. Am. J. Hum. Genet. 81: 559-575.
    """
    given = Path(path)
    stem = str(given.with_suffix("") if given.suffix in ENDINGS else given)
    bed, bim, fam = (require_file(stem + ending) for ending in ENDINGS)
    _bed_reader()
    animals = _table(fam, 6)
    ids, history = individual_ids(animals[0], animals[1])
    snps = _table(bim, 6)
    markers = marker_table(
        snps[1], chromosome=snps[0], position=_positions(snps, bim), counted=snps[4], other=snps[5]
    )
    _check_bed(bed, len(ids), len(markers))
    source = BedSource(bed, (len(ids), len(markers)))
    return Genotypes(ids, markers, source, (f"read {bed.name}: copies of A1", *history))


def _bed_reader() -> Any:
    try:
        return import_module("bed_reader")
    except ImportError:
        raise MissingDependencyError(
            'PLINK files are read with bed-reader, which is not installed: pip install "animalmm['
            'markers]"'
        ) from None


def _table(path: Path, columns: int) -> pd.DataFrame:
    """A text file of white space and no header, all columns as text."""
    try:
        table = text_table(path)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError):
        table = pd.DataFrame()
    if table.shape[1] != columns:
        raise DataError(
            f"{path} has {table.shape[1] or 'no readable'} columns and a {path.suffix} file has "
            f"{columns}"
        )
    return table


def _positions(snps: pd.DataFrame, path: Path) -> pd.Series:
    """The fourth column of a .bim file as integers."""
    odd = ~snps[3].str.fullmatch(r"[+-]?\d+")
    if odd.any():
        raise DataError(
            f"{path} has positions that are not whole numbers: {listing(snps[3][odd])}, of the "
            f"markers {listing(snps[1][odd])}"
        )
    return snps[3].astype(int)


def _check_bed(path: Path, n: int, m: int) -> None:
    """Refuse a file that is no .bed of n animals and m markers."""
    with path.open("rb") as file:
        start = file.read(3)
    if start[:2] != MAGIC:
        raise DataError(f"{path} is not a PLINK .bed file: it does not begin with its two bytes")
    if start[2:] != b"\x01":
        raise DataError(
            f"{path} is in the old order, animal by animal; rewrite it with plink --make-bed"
        )
    expected, found = 3 + m * ((n + 3) // 4), path.stat().st_size
    if found != expected:
        raise DataError(
            f"{path} has {found:,} bytes; {n:,} animals (.fam) and {m:,} markers (.bim) make "
            f"{expected:,}. The three files do not belong together, or it is truncated"
        )
