"""The sparse engine: mixed model equations by CHOLMOD.

F, not Sigma^-1, stands in the equations (see `animalmm.engines.prepared`), so a singular Sigma is
an ordinary point. The log determinants follow from ``|V| = |R| |K ⊗ I| |M|`` with
``M = F'Z'R^-1ZF + K^-1 ⊗ I``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from scipy import sparse

from animalmm.core import Matrix, Problem, Psi
from animalmm.engines.equations import ApartEquations, Equations, JoinedEquations
from animalmm.engines.pattern import Block
from animalmm.engines.point import SparsePoint
from animalmm.engines.prepared import prepare
from animalmm.engines.system import System
from animalmm.linalg import Factor
from animalmm.linalg.memory import memory_in_words

__all__ = ["SparseEngine"]


class SparseEngine:
    """Prepared mixed model equations of one problem.

    Parameters
    ----------
    problem : Problem
        The model.
    forms : sequence of {"precision", "factor"}
        The coordinates of each term.
    joined : bool
        Whether X joins the sparse system.
    description : str
        What was chosen and why, in words.
    """

    def __init__(
        self, problem: Problem, forms: Sequence[str], *, joined: bool, description: str
    ) -> None:
        self._joined = joined
        self._prepared = prepare(problem, forms, joined=joined)
        self._blocks = [term.block for term in self._prepared.terms]
        if joined:
            fixed = Block(sparse.csr_array(self._prepared.basis.B), 1, None)
            self._system = System([fixed, *self._blocks], problem.weights)
        else:
            self._system = self._random_system
        memory = memory_in_words(self._system.memory.inverse)
        self.description = "; ".join(filter(None, [description, memory]))

    @cached_property
    def _random_system(self) -> System:
        return System(self._blocks, self._prepared.problem.weights)

    def rank(self, term: int) -> int:
        """Rank of the relationship of a term."""
        return self._prepared.terms[term].rank

    def at(self, psi: Psi) -> SparsePoint:
        """Assemble, factor and solve the equations at psi.

        Raises
        ------
        EstimationError
            The equations are not positive definite in floating point.
        """
        root = float(np.sqrt(psi.sigma2))
        relative = [F / root for F in psi.factors]
        return SparsePoint(self._prepared, psi, relative, self._equations(relative))

    def _equations(self, factors: Sequence[Matrix]) -> Equations:
        if self._joined:
            whole = self._system.factor([np.eye(1), *factors])
            p = self._prepared.problem.p
            return JoinedEquations(self._system, whole, p, lambda: self._alone(factors))
        ZX = self._prepared.spread(factors, self._prepared.ZWX, transpose=True)
        return ApartEquations(*self._alone(factors), ZX)

    def _alone(self, factors: Sequence[Matrix]) -> tuple[System, Factor]:
        """The equations of the random effects, factorised."""
        return self._random_system, self._random_system.factor(factors)
