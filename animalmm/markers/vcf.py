"""Genotypes in VCF files."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import (
    AnimalmmWarning,
    ArgumentError,
    DataError,
    MissingDependencyError,
    listing,
    nearest,
    warn,
)
from animalmm.markers.genotypes import Genotypes
from animalmm.markers.memory_sources import ArraySource
from animalmm.markers.tables import marker_table, require_file

__all__ = ["read_vcf"]

FIELDS = ("GT", "DS")
UNKNOWN = 3  # cyvcf2's number for a genotype that is not called, or only in part


def read_vcf(path: str | PathLike[str], field: str = "GT") -> Genotypes:
    """Genotypes in a VCF or BCF file, plain or compressed.

    Parameters
    ----------
    path : str or path
        The file.
    field : {"GT", "DS"}
        Called genotypes, or dosages.

    Returns
    -------
    Genotypes
        In memory, as floats of four bytes. The counted allele is the alternative one. Calls that
        are missing in part (``./1``) are missing; haploid calls count as two copies. Markers
        without a name are ``"chromosome:position"``.

    Raises
    ------
    ArgumentError
        A field that there is not.
    DataError
        There is no such file, it is not a VCF, it has no record of two alleles, or a record lacks
        the field.
    MissingDependencyError
        cyvcf2 is not installed.

    Warns
    -----
    AnimalmmWarning
        Records without exactly one alternative allele were left out.
    """
    if field not in FIELDS:
        raise ArgumentError(
            f"there is no field={field!r}; there are 'GT' and 'DS'.{nearest(field, FIELDS)}"
        )
    file = require_file(path)
    records = _opened(file)
    rows: list[tuple[str, str, int, str, str]] = []
    columns: list[npt.NDArray[Any]] = []
    skipped: list[str] = []
    for record in _sound(records, file):
        if len(record.ALT) != 1:
            skipped.append(f"{record.CHROM}:{record.POS}")
            continue
        rows.append((record.ID or ".", record.CHROM, record.POS, record.ALT[0], record.REF))
        columns.append(_alternative(record, field))
    if not columns:
        raise DataError(f"{file} has no record of two alleles")
    history = [f"read {field} of {file.name}: copies of the alternative allele"]
    if skipped:
        left = f"{len(skipped)} records without exactly one alternative allele were left out"
        warn(f"{left}, at {listing(skipped)}", AnimalmmWarning)
        history.append(left)
    table = pd.DataFrame(rows, columns=["name", "chromosome", "position", "counted", "other"])
    markers = marker_table(**{str(name): column for name, column in table.items()})
    values = np.column_stack(columns)
    return Genotypes(
        pd.Index(records.samples, dtype=object), markers, ArraySource(values), tuple(history)
    )


def _cyvcf2() -> Any:
    try:
        return import_module("cyvcf2")
    except ImportError:
        raise MissingDependencyError(
            'VCF files are read with cyvcf2, which is not installed: pip install "animalmm['
            'markers]"'
        ) from None


def _opened(file: Path) -> Any:
    """The records of a file; cyvcf2 has no exceptions of its own."""
    library = _cyvcf2()
    try:
        return library.VCF(str(file), gts012=True, strict_gt=True)
    except Exception as error:
        raise DataError(f"{file} is not a VCF or BCF file that can be read: {error}") from None


def _sound(records: Any, file: Path) -> Iterator[Any]:
    """The records one by one, until one that cannot be read."""
    try:
        yield from records
    except Exception as error:
        raise DataError(f"{file} is truncated or has a malformed record: {error}") from None


def _alternative(record: Any, field: str) -> npt.NDArray[np.float32]:
    """Copies of the alternative allele in each animal, NaN where missing."""
    place = f"the record at {record.CHROM}:{record.POS}"
    if field not in record.FORMAT:
        other = FIELDS[field == "GT"]
        raise DataError(f"{place} has no field {field}; try field={other!r}")
    if field == "GT" and record.ploidy > 2:
        raise DataError(
            f"{place} has calls of {record.ploidy} alleles; genotypes of diploids have two"
        )
    if field == "GT":
        called = record.gt_types
        return np.where(called == UNKNOWN, np.nan, called).astype(np.float32)
    found = np.asarray(record.format("DS")[:, 0], dtype=np.float32)
    return np.where(np.abs(found) > 1e30, np.float32(np.nan), found)
