"""Genotypes of labelled animals at named markers, read in blocks of markers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.core import Matrix
from animalmm.errors import ArgumentError, DataError, listing
from animalmm.linalg import require_memory

__all__ = ["Columns", "Genotypes", "Source", "check_ids"]

Columns = slice | npt.NDArray[np.intp]

BLOCK = 4_000_000  # genotypes in a block: 32 MB as floats, wide enough for BLAS at full speed


class Source(Protocol):
    """Where genotypes come from: memory or a file."""

    @property
    def shape(self) -> tuple[int, int]:
        """Number of animals, number of markers."""

    def read(self, columns: Columns) -> npt.NDArray[Any]:
        """Genotypes (animals x chosen markers), NaN where missing; a new array or a view."""


@dataclass(frozen=True, eq=False)
class Genotypes:
    """Copies of the counted allele that n animals carry at m markers.

    Made by `as_genotypes`, `read_plink`, `read_vcf` and `read_genotypes_csv`; taken by `grm`,
    `gaussian_kernel` and `exponential_kernel`.

    Attributes
    ----------
    ids : Index, length n
        The animals, unique.
    markers : DataFrame, m rows
        Index: the names of the markers, unique. Columns, where the source tells them:
        ``chromosome``, ``position``, ``counted`` (the allele counted) and ``other``.
    source : Source
        Reads the genotypes of some markers: numbers from 0 to 2, NaN where missing.
    history : tuple of str
        What was read and what was left out, in order.

    Raises
    ------
    DataError
        Ids or names of markers that are missing or stand twice; no animals or no markers.
    """

    ids: pd.Index
    markers: pd.DataFrame
    source: Source
    history: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if 0 in self.shape:
            raise DataError(
                f"there are no genotypes: {self.shape[0]} animals, {self.shape[1]} markers"
            )
        check_ids(self.ids, "animal")
        check_ids(self.markers.index, "marker")

    @property
    def shape(self) -> tuple[int, int]:
        """Number of animals n, number of markers m."""
        return self.source.shape

    def __repr__(self) -> str:
        n, m = self.shape
        return f"Genotypes({n:,} animals, {m:,} markers)"

    def blocks(
        self, columns: npt.NDArray[np.intp] | None = None, width: int | None = None
    ) -> Iterator[tuple[npt.NDArray[np.intp], npt.NDArray[Any]]]:
        """Read some markers, a block at a time.

        Parameters
        ----------
        columns : ndarray of intp, optional
            Positions of the markers, increasing; default all.
        width : int, optional
            Markers in a block; default as many as make 4 million genotypes.

        Yields
        ------
        ndarray of intp, shape (k,)
            Positions of the markers of the block.
        ndarray, shape (n, k)
            Their genotypes; floats with NaN where missing, or integers where none is.
        """
        n, m = self.shape
        chosen = np.arange(m) if columns is None else columns
        step = width or max(1, BLOCK // n)
        for start in range(0, len(chosen), step):
            at = chosen[start : start + step]
            run = at[-1] - at[0] + 1 == len(at)
            yield at, self.source.read(slice(at[0], at[-1] + 1) if run else at)

    def to_frame(self) -> pd.DataFrame:
        """All genotypes in memory, shape (n, m): ids as index, names of markers as columns."""
        n, m = self.shape
        require_memory(8.0 * n * m, f"a table of {n:,} x {m:,} genotypes", "Use blocks().")
        values: Matrix = np.empty((n, m))
        for at, block in self.blocks():
            values[:, at] = block
        return pd.DataFrame(values, index=self.ids, columns=self.markers.index)


def check_ids(labels: pd.Index, what: str) -> None:
    """Refuse labels that are missing, that stand twice, or that have several levels."""
    if labels.nlevels > 1:
        raise DataError(
            f"{what} names have {labels.nlevels} levels (a MultiIndex), such as "
            f"{listing(labels[:1])}; join them: index.map(':'.join)"
        )
    if labels.hasnans:
        raise DataError(
            f"{np.count_nonzero(labels.isna())} {what}(s) have no name; every {what} needs its own"
        )
    if labels.has_duplicates:
        twice = labels[labels.duplicated()].unique()
        raise DataError(
            f"duplicated {what} names: {listing(twice)}. Every {what} may stand once: rename or "
            "leave out the copies"
        )


def check_lengths(ids: pd.Index, shape: tuple[int, int]) -> None:
    """Refuse ids that cannot be those of the rows."""
    n, m = shape
    if len(ids) == n:
        return
    if len(ids) == m:
        raise ArgumentError(
            f"M is {n} x {m} and there are {m} ids: M looks transposed (markers x animals). "
            "Give M.T"
        )
    raise ArgumentError(f"M has {n} rows (animals) and there are {len(ids)} ids")
