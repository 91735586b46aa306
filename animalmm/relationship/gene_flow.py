"""Relationships of values that pass from parents to progeny: A of a pedigree, and its kin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Matrix, Vector
from animalmm.errors import ArgumentError, RelationshipError, listing
from animalmm.linalg import require_memory
from animalmm.pedigree import Pedigree
from animalmm.pedigree.descent.gene_flow import GeneFlow
from animalmm.relationship.base import WITHOUT_INVERSE, LabelledRelationship

__all__ = ["GeneFlowRelationship", "PedigreeRelationship", "require_pedigree"]


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
        return self.flow.multiply(np.asarray(v, dtype=float))

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


def require_pedigree(value: object) -> None:
    """Refuse a table where a Pedigree is needed."""
    if not isinstance(value, Pedigree):
        raise ArgumentError(
            f"a Pedigree is needed, not a {type(value).__name__}: write animalmm.Pedigree(table)"
        )
