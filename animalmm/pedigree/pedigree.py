"""The pedigree of a population."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from animalmm.errors import ArgumentError, PedigreeError, listing, nearest
from animalmm.linalg import require_memory
from animalmm.pedigree.additive import Parents, additive_flow
from animalmm.pedigree.gene_flow import GeneFlow
from animalmm.pedigree.reading import read_rows
from animalmm.pedigree.sorting import generations, sorted_order

__all__ = ["Pedigree"]

_T = TypeVar("_T", bound=np.generic)


class Pedigree:
    """Who descends from whom, sorted so that parents come before their progeny.

    Parameters
    ----------
    table : pandas.DataFrame
        One row per animal, in any order. Labels are text or integers (or any hashable) and stay
        as they are. A parent is unknown where it is missing (NaN, None), "", 0, "0", "NA" or ".";
        the same codes are refused as ids. Parents without a row are added as founders.
    id, sire, dam : str
        Names of the columns. Where a default is absent, the usual other names serve in any case:
        animal; father, dad; mother, mum, mom.
    allow_selfing : bool, default False
        Whether one individual may be a sire and a dam, as in most plants.

    Attributes
    ----------
    labels : pandas.Index, length n
        Labels in sorted order: as given where that is valid, added founders first.
    sire, dam : ndarray of intp, shape (n,)
        Positions of the parents in `labels`, -1 where unknown.
    n : int
        Number of animals.
    added : pandas.Index
        Labels of the parents that had no row.

    Raises
    ------
    ArgumentError
        When a column cannot be found.
    PedigreeError
        When an id is missing or listed twice, labels are of two kinds, an animal is its own
        parent or its own ancestor, or is a sire and a dam without `allow_selfing`.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["a", "b", "c"], "sire": [None, None, "a"],
    ...                       "dam": [None, None, "b"]})
    >>> Pedigree(table)
    <Pedigree: 3 animals, 2 founders, 1 generation after them, mean inbreeding 0>
    """

    labels: pd.Index[Any]
    sire: npt.NDArray[np.intp]
    dam: npt.NDArray[np.intp]
    added: pd.Index[Any]

    def __init__(
        self,
        table: pd.DataFrame,
        *,
        id: str = "id",
        sire: str = "sire",
        dam: str = "dam",
        allow_selfing: bool = False,
    ) -> None:
        rows = read_rows(table, id, sire, dam, allow_selfing)
        order = sorted_order(rows.labels, rows.sire, rows.dam)
        rank = np.full(len(order) + 1, -1, dtype=np.intp)  # the last: unknown stays unknown
        rank[order] = np.arange(len(order))
        self.labels = rows.labels[order]
        self.sire = _read_only(rank[rows.sire[order]])
        self.dam = _read_only(rank[rows.dam[order]])
        self.added = rows.labels[: rows.n_added]

    @property
    def n(self) -> int:
        """Number of animals."""
        return len(self.labels)

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        founders = int(np.sum((self.sire < 0) & (self.dam < 0)))
        depth = int(self.parents.generation.max(initial=0))
        mean = float(self._inbreeding.mean()) if self.n else 0.0
        added = f" ({len(self.added)} of them parents without a row)" if len(self.added) else ""
        return (
            f"<Pedigree: {self.n} animals, {founders} founders{added}, {depth} "
            f"generation{'s' * (depth != 1)} after them, mean inbreeding {mean:.4g}>"
        )

    def generations(self) -> npt.NDArray[np.intp]:
        """Length of the longest path from a founder, 0 for founders.

        Returns
        -------
        ndarray of intp, shape (n,)
        """
        return self.parents.generation

    def inbreeding(self) -> pd.Series[float]:
        """Inbreeding coefficients F, computed once.

        Returns
        -------
        pandas.Series, length n
            By label; probabilities, 0 for founders.
        """
        return pd.Series(self._inbreeding.copy(), index=self.labels, name="F")

    def mendelian_variance(self) -> npt.NDArray[np.float64]:
        """Variances of Mendelian sampling, in units of the additive variance of the founders.

        Returns
        -------
        ndarray, shape (n,)
            1 without known parents, 3/4 - F_p/4 with one, 1/2 - (F_s + F_d)/4 with two.
        """
        return self.flow.d.copy()

    def a_inverse(self) -> sparse.csc_array[np.float64]:
        """Inverse of the additive relationship matrix, with inbreeding.

        Returns
        -------
        csc_array, shape (n, n)
            In the order of `labels`, exactly symmetric; 7 entries per animal at most.

        Raises
        ------
        PedigreeError
            When A is singular: progeny of completely inbred parents.

        Notes
        -----
        Henderson (1976), Biometrics 32, 69-83; Quaas (1976), Biometrics 32, 949-953.
        """
        singular = self.flow.d <= 0.0
        if singular.any():
            clones = self.labels[singular]
            raise PedigreeError(
                f"A has no inverse: {len(clones)} animal(s) have completely inbred parents and "
                f"no Mendelian sampling of their own: {listing(clones)}. Give each line one label"
            )
        return self.flow.inverse()

    def a_matrix(self, ids: Iterable[Any] | None = None) -> pd.DataFrame:
        """Additive relationship matrix of all animals, or of those chosen.

        Parameters
        ----------
        ids : iterable of labels, optional
            Which animals, each once; all by default. Only their block is computed.

        Returns
        -------
        pandas.DataFrame, shape (m, m)
            Labelled on both sides; the diagonal is 1 + F.

        Raises
        ------
        ArgumentError
            When a label is unknown or repeated, or the matrix would not fit into memory.
        """
        places = np.arange(self.n, dtype=np.intp) if ids is None else self._positions(ids)
        m = len(places)
        require_memory(
            2 * 8.0 * m**2,
            f"a dense relationship matrix of {m} animals",
            "Use the sparse a_inverse(), which holds the same information, or fewer ids.",
        )
        A = self.flow.block(places, places)
        A = 0.5 * (A + A.T)  # the two triangles may differ in the last bit
        labels = self.labels[places]
        return pd.DataFrame(A, index=labels, columns=labels)

    def factor(self) -> sparse.csc_array[np.float64]:
        """Lower triangular L = T D^(1/2) with A = L L'.

        Returns
        -------
        csc_array, shape (n, n)
            In the order of `labels`. It has one entry for every animal and ancestor, many more
            than `a_inverse` where the pedigree is deep.
        """
        return self.flow.factor()

    def logdet(self) -> float:
        """Logarithm of the determinant of A; -inf where parents are completely inbred."""
        return self.flow.logdet()

    def to_frame(self) -> pd.DataFrame:
        """Return the sorted pedigree as a table of labels.

        Returns
        -------
        pandas.DataFrame, shape (n, 3)
            Columns id, sire, dam; unknown parents are missing. `Pedigree` reads it back.
        """
        return pd.DataFrame(
            {"id": self.labels, "sire": self._names(self.sire), "dam": self._names(self.dam)}
        )

    @cached_property
    def parents(self) -> Parents:
        """The pedigree as arrays, for functions that need no labels."""
        generation = _read_only(generations(self.sire, self.dam))
        return Parents(self.sire, self.dam, generation, _read_only(np.ones(self.n)))

    @cached_property
    def flow(self) -> GeneFlow:
        """A = T D T', for functions that need no labels."""
        return additive_flow(self.parents)

    @property
    def _inbreeding(self) -> npt.NDArray[np.float64]:
        return self.flow.diagonal - 1.0

    def _names(self, places: npt.NDArray[np.intp]) -> pd.Series[Any]:
        """Labels at the places, missing where these are -1; integers stay integers."""
        whole = pd.api.types.is_integer_dtype(self.labels.dtype)
        column = pd.Series(self.labels, dtype="Int64" if whole else self.labels.dtype)
        return column.reindex(places).reset_index(drop=True)

    def _positions(self, ids: Iterable[Any]) -> npt.NDArray[np.intp]:
        wanted = pd.Index(list(ids), tupleize_cols=False)
        places = self.labels.get_indexer(wanted)
        absent = wanted[places < 0]
        if len(absent):
            raise ArgumentError(
                f"{len(absent)} of the ids are not in the pedigree: {listing(absent)}."
                f"{nearest(absent[0], self.labels)}"
            )
        if wanted.has_duplicates:
            twice = wanted[wanted.duplicated()].unique()
            raise ArgumentError(f"ids are repeated: {listing(twice)}. Name each animal once")
        return places


def _read_only(array: npt.NDArray[_T]) -> npt.NDArray[_T]:
    array.flags.writeable = False
    return array
