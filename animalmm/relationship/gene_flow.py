"""Relationships of values that pass from parents to progeny: A of a pedigree, and its kin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Matrix, Vector
from animalmm.errors import RelationshipError, listing
from animalmm.linalg import require_memory
from animalmm.pedigree import Pedigree
from animalmm.pedigree.gene_flow import GeneFlow
from animalmm.relationship.base import USE_INVERSE, WITHOUT_INVERSE, LabelledRelationship

__all__ = ["GeneFlowRelationship", "PedigreeRelationship"]

_SAMPLE = 256  # units whose ancestors are counted


@dataclass(frozen=True, eq=False, repr=False)
class GeneFlowRelationship(LabelledRelationship):
    """K = T D T' of values that pass from parents to progeny: a pedigree's A and its kin.

    Attributes
    ----------
    labels : Index
        Labels of the units, parents first.
    flow : GeneFlow
        Weights of the parents and variances of the units' own terms.
    source : str
        What it is, for messages.
    history : tuple of str
        What was done to get it.
    """

    labels: pd.Index
    flow: GeneFlow
    source: str = "the pedigree"
    history: tuple[str, ...] = ()

    @property
    def prefers_precision(self) -> bool:
        """K^-1 has about seven elements a unit; it exists if every unit has a term of its own."""
        return self.rank == self.size

    @property
    def rank(self) -> int:
        """Units that have a term of their own."""
        return int((self.flow.d > 0).sum())

    @property
    def form(self) -> tuple[str, float]:
        """Parents and variances."""
        return "parents, sparse", self.flow.P.nnz + self.size

    def covariance(self) -> Matrix:
        """K, dense."""
        return self.elements(np.arange(self.size))

    def elements(self, at: np.ndarray) -> Matrix:
        """K among some units, without forming the rest."""
        require_memory(
            2 * 8.0 * len(at) ** 2,
            f"the dense matrix of {len(at)} levels of {self.source}",
            "Use the inverse, which is sparse, or a block of fewer ids.",
        )
        K = self.flow.block(at, at)
        return np.asarray(0.5 * (K + K.T))  # the two triangles may differ in the last bit

    def matvec(self, v: Matrix) -> Matrix:
        """``T (D (T' v))``: up to the ancestors, then down."""
        up = _passed_on(sparse.csr_array(self.flow.P.T), np.asarray(v, dtype=float))
        return _passed_on(self.flow.P, (up.T * self.flow.d).T)

    @cached_property
    def _precision(self) -> sparse.csc_array:
        self._require_inverse()
        return self.flow.inverse()

    def _require_inverse(self) -> None:
        if self.rank < self.size:
            without = self.labels[self.flow.d <= 0]
            raise RelationshipError(
                f"{self.source} is singular (rank {self.rank} of {self.size}): {listing(without)} "
                "have no variance of their own beside their parents' (clones, progeny of "
                f"completely inbred parents), {WITHOUT_INVERSE}"
            )

    def precision(self) -> sparse.csc_array:
        """K^-1 by Henderson's rules, with inbreeding."""
        return self._precision

    def factor(self) -> sparse.csc_array:
        """``T D^1/2``, the columns of units without a term of their own left out."""
        require_memory(
            2 * 12.0 * self.size * _mean_ancestors(self.flow),
            f"the factor of {self.source}, an element for every level and ancestor,",
            USE_INVERSE,
        )
        L = self.flow.factor()
        return L if self.rank == self.size else sparse.csc_array(L[:, self.flow.d > 0])

    def logdet(self) -> float:
        """log|K|: the sum of the logarithms of the units' own variances."""
        self._require_inverse()
        return self.flow.logdet()

    def diagonal(self) -> Vector:
        """K_jj; 1 + F in a pedigree."""
        return np.array(self.flow.diagonal, dtype=float)


class PedigreeRelationship(GeneFlowRelationship):
    """The numerator relationship matrix A of a pedigree.

    Attributes
    ----------
    pedigree : Pedigree
        Its animals, parents first, are the levels.
    """

    pedigree: Pedigree

    def __init__(self, pedigree: Pedigree) -> None:
        super().__init__(pedigree.labels, pedigree.flow)
        object.__setattr__(self, "pedigree", pedigree)


def _mean_ancestors(flow: GeneFlow) -> float:
    """Ancestors of a unit, itself among them: the mean of a sample spread over the units."""
    n = len(flow.d)
    some = np.unique(np.linspace(0, n - 1, min(n, _SAMPLE)).astype(np.int32))
    ones = (np.ones(len(some)), (np.arange(len(some)), some))
    total = step = sparse.csr_array(ones, shape=(len(some), n))
    while (step := step @ flow.P).nnz:
        total = total + step
    return total.nnz / len(some)


def _passed_on(P: sparse.csr_array, v: Matrix) -> Matrix:
    """``(I - P)^-1 v = v + P v + P^2 v + ...``, which ends since P is nilpotent."""
    total = step = v
    while (step := P @ step).any():
        total = total + step
    return total
