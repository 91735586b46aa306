"""The pedigree of a population."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from animalmm.errors import ArgumentError, PedigreeError, listing
from animalmm.linalg import require_memory
from animalmm.pedigree.records.columns import Layout, as_table
from animalmm.pedigree.records.files import read_text
from animalmm.pedigree.records.reading import read_animals
from animalmm.pedigree.records.tables import as_frame
from animalmm.pedigree.statistics import PedigreeStatistics

__all__ = ["Pedigree"]


class Pedigree(PedigreeStatistics):
    """Who descends from whom, sorted so that parents come before their progeny.

    Parameters
    ----------
    table : pandas.DataFrame or mapping of columns
        One row per animal, in any order. Labels are text or integers (or any hashable) and stay
        as they are. A parent is unknown where it is missing (NaN, None, NA) or "", 0, "0", "NA" or
        "."; the same codes are refused as ids. Parents without a row are added as founders, but
        for labels that look like a code for 'unknown' or like another label misspelt: these are
        errors until they are in `unknown` or have a row.
    id, sire, dam : str
        Names of the columns. Where a default is absent, the usual other names serve, in any case
        and with an ending "id" or without: animal, individual, ind; father, dad; mother, mum, mom.
    sex : str, optional
        Column of sexes: M, male or 1; F, female or 2; empty, 0, U or unknown. Sires are male and
        dams are female anyway, unless `allow_selfing`.
    birth : str, optional
        Column of dates or numbers (years, days). Parents must be born before their progeny.
    selfed : str, optional
        Column of the number of generations of selfing after the cross of sire and dam, by single
        seed descent; inf for a doubled haploid: ``1 - F = (1 - F_cross) / 2^k``.
    founder_inbreeding : str, optional
        Column of the inbreeding coefficients of founders, in [0, 1].
    clone_of : str, optional
        Column with the label of the original where an animal is a copy of another (a clone, an
        identical twin). Its parents are left empty or are those of the original.
    unknown : iterable
        Further codes for an unknown parent; 9 and "9" are one code.
    groups : iterable
        Labels that, where they stand as parents, mean an unknown parent of that genetic group
        (unknown-parent group, metafounder).
    allow_selfing : bool, default False
        Whether one individual may be a sire and a dam, as in most plants.

    Attributes
    ----------
    labels : pandas.Index, length n
        Labels in sorted order: as given where that is valid, added founders first.
    sire, dam : ndarray of intp, shape (n,)
        Positions of the parents in `labels`, -1 where unknown. Both are the original of a clone.
    sire_group, dam_group : ndarray of intp, shape (n,)
        Positions of the group of an unknown parent in `groups`, -1 where it is known or of none.
    groups : pandas.Index
        Labels of the genetic groups.
    sex : ndarray of int8, shape (n,)
        1 male, 2 female, 0 unknown.
    birth : ndarray of float64 or datetime64, shape (n,)
        NaN or NaT where unknown.
    clone_of : ndarray of intp, shape (n,)
        Position of the original, -1 for an animal that is no clone.
    n : int
        Number of animals.
    added : pandas.Index
        Labels of the parents that had no row.

    Raises
    ------
    ArgumentError
        When a column cannot be found or a group is not used.
    PedigreeError
        When an id is missing or listed twice, labels are of two kinds, an animal is its own
        parent or its own ancestor, or is a sire and a dam without `allow_selfing`; when births,
        sexes or clones contradict the parents.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["a", "b", "c"], "sire": [None, None, "a"],
    ...                       "dam": [None, None, "b"]})
    >>> Pedigree(table)
    <Pedigree: 3 animals, 2 founders, 1 generation after them, mean inbreeding 0>
    """

    def __init__(
        self,
        table: pd.DataFrame | Mapping[str, Any],
        *,
        id: Hashable = "id",
        sire: Hashable = "sire",
        dam: Hashable = "dam",
        sex: Hashable | None = None,
        birth: Hashable | None = None,
        selfed: Hashable | None = None,
        founder_inbreeding: Hashable | None = None,
        clone_of: Hashable | None = None,
        unknown: Iterable[Hashable] = (),
        groups: Iterable[Hashable] = (),
        allow_selfing: bool = False,
    ) -> None:
        layout = Layout(
            id=id,
            sire=sire,
            dam=dam,
            sex=sex,
            birth=birth,
            selfed=selfed,
            founder_inbreeding=founder_inbreeding,
            clone_of=clone_of,
            unknown=unknown,
            groups=groups,
            allow_selfing=allow_selfing,
        )
        self._animals = read_animals(as_table(table), layout).sorted()

    @classmethod
    def from_arrays(
        cls,
        id: Iterable[Hashable],
        sire: Iterable[Hashable],
        dam: Iterable[Hashable],
        *,
        unknown: Iterable[Hashable] = (),
        groups: Iterable[Hashable] = (),
        allow_selfing: bool = False,
        **details: Iterable[Any],
    ) -> Pedigree:
        """Pedigree of arrays, lists or columns, matched by position.

        Parameters
        ----------
        id, sire, dam : sequence, length n
            Labels.
        unknown, groups, allow_selfing
            As in `Pedigree`.
        **details : sequence, length n
            Any of sex, birth, selfed, founder_inbreeding and clone_of, as in `Pedigree`.

        Raises
        ------
        ArgumentError
            When the lengths differ.
        """
        table = {"id": id, "sire": sire, "dam": dam, **details}
        names = {name: name for name in details}
        return cls(table, **names, unknown=unknown, groups=groups, allow_selfing=allow_selfing)

    @classmethod
    def read_csv(
        cls,
        path: str | Path,
        *,
        sep: str = ",",
        header: bool = True,
        encoding: str = "utf-8",
        **arguments: Any,
    ) -> Pedigree:
        r"""Pedigree of a text file, compressed or not.

        Labels are the text that stands in the file: 01, 1e5 and TRUE stay as they are. Only where
        all of them are whole numbers written in the usual way (no leading zero, sign "+", point,
        exponent or blank) do they become integers, as those of a data file read by pandas.

        Parameters
        ----------
        path : str or Path
            The file.
        sep : str, default ","
            What separates the columns; ``r"\s+"`` for blanks.
        header : bool, default True
            Whether the first line has the names of the columns. Without it the columns are 0, 1,
            2, ... and the first three hold id, sire and dam, unless told otherwise.
        encoding : str, default "utf-8"
            How the letters are stored: "latin-1" or "cp1252" in many older files.
        **arguments
            The others of `Pedigree`.
        """
        usual = {} if header else {"id": 0, "sire": 1, "dam": 2}
        layout = Layout(**{**usual, **arguments}, text_may_be_numbers=True)
        return cls._of(read_animals(read_text(path, sep, header, encoding), layout).sorted())

    def __repr__(self) -> str:
        founders = int(np.sum((self.sire < 0) & (self.dam < 0)))
        depth = int(self.parents.generation.max(initial=0))
        mean = float(self._F.mean()) if self.n else 0.0
        added = f" ({len(self.added)} of them parents without a row)" if len(self.added) else ""
        return (
            f"<Pedigree: {self.n} animal{'s' * (self.n != 1)}, {founders} "
            f"founder{'s' * (founders != 1)}{added}, {depth} generation{'s' * (depth != 1)} after "
            f"them, mean inbreeding {mean:.4g}>"
        )

    def generations(self) -> npt.NDArray[np.intp]:
        """Length of the longest path from a founder, 0 for founders; a clone has its original's.

        Returns
        -------
        ndarray of intp, shape (n,)
        """
        return self._genealogy.generation

    def inbreeding(self) -> pd.Series[float]:
        """Inbreeding coefficients F, computed once.

        Returns
        -------
        pandas.Series, length n
            By label; probabilities, 0 for founders.
        """
        return pd.Series(self._F.copy(), index=self.labels, name="F")

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
            When A is singular: there are clones, or progeny of completely inbred parents.

        Notes
        -----
        Henderson (1976), Biometrics 32, 69-83; Quaas (1976), Biometrics 32, 949-953.
        """
        singular = self.flow.d <= 0.0
        if singular.any():
            raise PedigreeError(
                f"A has no inverse: {singular.sum()} animal(s) have no Mendelian sampling of their "
                "own, being clones or progeny of completely inbred parents: "
                f"{listing(self.labels[singular])}. Give each genotype or line one label, or use "
                "factor() (in a model: engine='whitened'), which needs no inverse"
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

    def a_sparse(self) -> sparse.csc_array[np.float64]:
        """Additive relationship matrix of all animals, without its zeros.

        For many families that are not related to each other, or few generations.

        Returns
        -------
        csc_array, shape (n, n)
            In the order of `labels`.

        Raises
        ------
        ArgumentError
            When its elements, estimated from a sample, would not fit into memory.
        """
        return self.flow.matrix()

    def coancestry(self, ids: Iterable[Any] | None = None) -> pd.DataFrame:
        """Coancestry (kinship) of all animals, or of those chosen: A / 2.

        Parameters and errors are those of `a_matrix`.

        Returns
        -------
        pandas.DataFrame, shape (m, m)
            Probabilities that a gene of one animal and a gene of the other are identical by
            descent; (1 + F) / 2 on the diagonal.
        """
        return self.a_matrix(ids) / 2.0

    def a_multiply(self, values: pd.Series[float]) -> pd.Series[float]:
        """A v for all animals, without forming A.

        Parameters
        ----------
        values : pandas.Series
            By label, in any order; 0 for animals that are not in it.

        Returns
        -------
        pandas.Series, length n
            By label.

        Raises
        ------
        ArgumentError
            When `values` has no labels or some that are unknown or repeated, or is missing.
        """
        if not isinstance(values, pd.Series):
            raise ArgumentError(
                f"a_multiply() takes a pandas.Series with labels of animals as its index, not a "
                f"{type(values).__name__}: write pandas.Series(values, index=ids)"
            )
        v = np.zeros(self.n)
        v[self._positions(values.index)] = values.to_numpy(dtype=np.float64)
        if np.isnan(v).any():
            raise ArgumentError(
                f"the values of {listing(self.labels[np.isnan(v)])} are missing: leave these "
                "animals out to count them as 0"
            )
        return pd.Series(self.flow.multiply(v), index=self.labels, name=values.name)

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
        pandas.DataFrame
            Columns id, sire, dam, with the labels of groups where a parent is unknown; then those
            of sex, birth, selfed, founder_inbreeding and clone_of that say something of any animal.
            `Pedigree` reads it back when told of these columns and of the groups.
        """
        return as_frame(self._animals)
