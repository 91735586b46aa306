"""What a pedigree says of a population."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import ArgumentError
from animalmm.linalg import require_memory
from animalmm.pedigree.base import PedigreeArrays
from animalmm.pedigree.population.completeness import (
    complete_generations,
    completeness_index,
    equivalent_generations,
)
from animalmm.pedigree.population.contributions import (
    Origins,
    ancestor_contributions,
    founder_contributions,
    group_shares,
)
from animalmm.pedigree.population.describing import (
    PedigreeDescription,
    described,
    genome_equivalents,
)
from animalmm.pedigree.population.effective import EffectiveSize, effective_size

__all__ = ["PedigreeStatistics"]


class PedigreeStatistics(PedigreeArrays):
    """Figures of the whole pedigree, or of a reference population in it.

    Where a method takes `ids`, these are the reference population, each animal once; by default it
    is the last generation: the animals with the longest path to a founder.
    """

    def describe(self, ids: Iterable[Any] | None = None) -> PedigreeDescription:
        """The pedigree in figures: size, families, depth, inbreeding, and a reference population.

        Parameters
        ----------
        ids : iterable of labels, optional
            The reference population.

        Returns
        -------
        PedigreeDescription
            Tables `counts`, `families`, `by_period` and `reference`, which print as text.
        """
        name = "the last generation" if ids is None else "the given ids"
        return described(self._animals, self._genealogy, self.flow, self._reference(ids), name)

    def completeness(self, depth: int = 5) -> pd.DataFrame:
        """How deep and how complete the pedigree of each animal is.

        Parameters
        ----------
        depth : int, default 5
            Generations that the index looks back.

        Returns
        -------
        pandas.DataFrame, shape (n, 4)
            `maximum` generations to the farthest founder, `complete` generations in which all
            ancestors are known, `equivalent` complete generations (the sum over ancestors of 1/2^n;
            Maignel et al. 1996), and the `index` of completeness in [0, 1] (MacCluer et al. 1983).

        Raises
        ------
        ArgumentError
            When `depth` is no whole number of at least 1.
        """
        _require_count(depth, "depth")
        line = self._genealogy
        columns = {
            "maximum": line.generation,
            "complete": complete_generations(line),
            "equivalent": equivalent_generations(line),
            "index": completeness_index(line, depth),
        }
        return pd.DataFrame(columns, index=self.labels)

    def effective_size(self, ids: Iterable[Any] | None = None) -> EffectiveSize:
        """Realised effective size from the individual increase in inbreeding.

        Parameters
        ----------
        ids : iterable of labels, optional
            The reference population.

        Returns
        -------
        EffectiveSize
            Ne with its standard error (Gutiérrez et al. 2008, 2009).
        """
        reference = self._reference(ids)
        return effective_size(
            self._F[reference], equivalent_generations(self._genealogy)[reference]
        )

    def contributions(self, ids: Iterable[Any] | None = None) -> pd.DataFrame:
        """Shares of the founders in the genes of a reference population.

        Parameters
        ----------
        ids : iterable of labels, optional
            The reference population.

        Returns
        -------
        pandas.DataFrame
            By founder `genes` ("own") and `contribution`; for an animal with one known parent the
            genes of its "unknown sire" or "unknown dam". Contributions sum to 1; 1 over the sum of
            their squares is the effective number of founders (Lacy 1989).
        """
        return self._origins(founder_contributions(self._genealogy, self._reference(ids)))

    def ancestors(
        self, ids: Iterable[Any] | None = None, at_most: int | None = None
    ) -> pd.DataFrame:
        """The ancestors, founders or not, that explain most of a reference population.

        Parameters
        ----------
        ids : iterable of labels, optional
            The reference population.
        at_most : int, optional
            How many ancestors to find, one after the other; all by default, which takes a walk
            through the pedigree for each of them.

        Returns
        -------
        pandas.DataFrame
            As `contributions`, of marginal contributions that fall. When they sum to 1, 1 over the
            sum of their squares is the effective number of ancestors (Boichard et al. 1997).
        """
        if at_most is not None:
            _require_count(at_most, "at_most")
        places = self._reference(ids)
        population = self.prune(self.labels[places])
        reference = population._positions(self.labels[places])
        found = ancestor_contributions(population._genealogy, reference, at_most)
        return population._origins(found)

    def effective_numbers(self, ids: Iterable[Any] | None = None) -> pd.Series[float]:
        """Effective numbers of founders, ancestors and founder genomes of a reference population.

        Parameters
        ----------
        ids : iterable of labels, optional
            The reference population.

        Returns
        -------
        pandas.Series
            `f_e`, founders (Lacy 1989); `f_a`, ancestors, fewer after bottlenecks (Boichard et al.
            1997; slow where there are many founders); `f_g`, founder genomes: 1 over twice the mean
            coancestry, fewer after drift (Caballero & Toro 2000).
        """
        reference = self._reference(ids)
        numbers = {
            "f_e": founder_contributions(self._genealogy, reference).effective_number,
            "f_a": 1.0 / np.sum(self.ancestors(self.labels[reference])["contribution"] ** 2),
            "f_g": genome_equivalents(self._genealogy, self.flow, reference),
        }
        return pd.Series(numbers)

    def group_shares(self) -> pd.DataFrame:
        """Q: the share of each animal's genes that comes from each genetic group.

        Returns
        -------
        pandas.DataFrame, shape (n, groups)
            Rows sum to 1 where every unknown parent has a group.
        """
        require_memory(
            3 * 8.0 * self.n * len(self.groups),
            f"the shares of {len(self.groups)} groups in {self.n} animals",
            "Prune the pedigree to the animals with records and their ancestors.",
        )
        shares = group_shares(self._animals, self._genealogy)
        return pd.DataFrame(shares, index=self.labels, columns=self.groups)

    def _reference(self, ids: Iterable[Any] | None) -> npt.NDArray[np.intp]:
        if ids is None:
            return self._genealogy.levels[-1]
        places = self._positions(ids)
        if not places.size:
            raise ArgumentError("ids is empty: name the animals of the reference population")
        return places

    def _origins(self, origins: Origins) -> pd.DataFrame:
        whose = np.array(["own", "unknown sire", "unknown dam"], dtype=object)
        columns = {"genes": whose[origins.whose], "contribution": origins.share}
        return pd.DataFrame(columns, index=self.labels[origins.animal])


def _require_count(value: object, name: str) -> None:
    if not (isinstance(value, Integral) and int(value) >= 1):
        raise ArgumentError(f"{name}={value!r}: give a whole number of 1 or more")
