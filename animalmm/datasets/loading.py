"""Reading the data sets of the package."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import numpy as np
import pandas as pd

from animalmm.datasets.catalogue import CATALOGUE, Entry
from animalmm.errors import ArgumentError, DataError, listing, nearest

__all__ = ["Dataset", "describe", "load", "names"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set and where it comes from.

    Attributes
    ----------
    name, title, formula, source, licence : str
        As in `describe`.
    data : pandas.DataFrame
        The records; labels and unordered factors are text.
    pedigree : pandas.DataFrame or None
        id, sire, dam; missing where unknown.
    markers : pandas.DataFrame or None
        Allele counts 0, 1, 2 (int8), animals by markers, labelled.
    """

    name: str
    title: str
    formula: str
    source: str
    licence: str
    data: pd.DataFrame
    pedigree: pd.DataFrame | None = None
    markers: pd.DataFrame | None = None

    def __repr__(self) -> str:
        parts = [f"{len(self.data)} records"]
        parts += [] if self.pedigree is None else [f"pedigree of {len(self.pedigree)}"]
        parts += [] if self.markers is None else [f"{self.markers.shape[1]} markers"]
        return f"<Dataset {self.name!r}: {', '.join(parts)}; {self.title}>"

    def relationship(self) -> pd.DataFrame:
        """K = M M' / p from the markers as they are, neither centred nor scaled.

        Returns
        -------
        pandas.DataFrame, shape (n, n)
            Labelled by animal on both sides.

        Raises
        ------
        DataError
            When there are no markers.
        """
        if self.markers is None:
            raise DataError(
                f"the data set {self.name!r} has no markers; "
                "for a pedigree use animalmm.Pedigree(dataset.pedigree)"
            )
        M = self.markers.to_numpy(dtype=np.float64)
        animals = self.markers.index
        return pd.DataFrame(M @ M.T / M.shape[1], index=animals, columns=animals)


def names() -> tuple[str, ...]:
    """Names of the data sets, for `load`."""
    return tuple(CATALOGUE)


def describe() -> pd.DataFrame:
    """List what each data set is and where it comes from.

    Returns
    -------
    pandas.DataFrame
        By name: title, formula, source and licence.
    """
    rows = {name: (e.title, e.formula, e.source, e.licence) for name, e in CATALOGUE.items()}
    columns = ["title", "formula", "source", "licence"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("name")


def load(name: str) -> Dataset:
    """Load a data set.

    Parameters
    ----------
    name : str
        One of `names`.

    Returns
    -------
    Dataset
        Fresh tables at every call.

    Raises
    ------
    ArgumentError
        When there is no such data set.
    """
    entry = CATALOGUE.get(name)
    if entry is None:
        raise ArgumentError(
            f"there is no data set {name!r}.{nearest(name, CATALOGUE)} "
            f"There are {listing(CATALOGUE, limit=len(CATALOGUE))}"
        )
    return Dataset(
        name=name,
        title=entry.title,
        formula=entry.formula,
        source=entry.source,
        licence=entry.licence,
        data=_records(name, entry),
        pedigree=_read(f"{name}_pedigree.csv", ("id", "sire", "dam")) if entry.pedigree else None,
        markers=_markers(f"{name}_markers.csv.gz") if entry.markers else None,
    )


def _records(name: str, entry: Entry) -> pd.DataFrame:
    if entry.ordered is None:
        return _read(f"{name}.csv", entry.text)
    data = _read(f"{name}.csv", (*entry.text, entry.ordered))
    levels = data[entry.ordered].unique()
    data[entry.ordered] = pd.Categorical(data[entry.ordered], categories=levels, ordered=True)
    return data


def _read(file: str, text: tuple[str, ...]) -> pd.DataFrame:
    """Read a table; only the empty cell is missing."""
    with resources.as_file(resources.files("animalmm.datasets") / "data" / file) as path:
        types = dict.fromkeys(text, str)
        return pd.read_csv(path, dtype=types, keep_default_na=False, na_values=[""])


def _markers(file: str) -> pd.DataFrame:
    """Read markers by animals, the shape of the file, and turn them."""
    by_marker = _read(file, ("snp",)).set_index("snp").astype(np.int8)
    return by_marker.T.rename_axis(index="animal")
