"""The sparse engine: mixed model equations by CHOLMOD.

T, not Sigma^-1, stands in the equations (see `animalmm.engines.prepared`), so a singular Sigma is
an ordinary point. The log determinants follow from ``|V| = |R| |K ⊗ I| |M|`` with
``M = T'Z'R^-1ZT + K^-1 ⊗ I``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from scipy import sparse

from animalmm.core import Matrix, Problem, Psi
from animalmm.engines.equations import ApartEquations, Equations, JoinedEquations
from animalmm.engines.pattern import Block, PatternedSystem
from animalmm.engines.point import SparsePoint
from animalmm.engines.prepared import prepare
from animalmm.errors import EstimationError
from animalmm.linalg import Factor, NotPositiveDefiniteError, Symbolic, analyze

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
        self.description = description
        self._joined = joined
        self._prepared = prepare(problem, forms, joined=joined)
        self._blocks = [term.block for term in self._prepared.terms]
        if joined:
            fixed = Block(sparse.csr_array(self._prepared.basis.B), 1, None)
            self._system = PatternedSystem([fixed, *self._blocks], problem.weights)
        else:
            self._system = self._random_system
        self._symbolic = _analyze(self._system)

    @cached_property
    def _random_system(self) -> PatternedSystem:
        return PatternedSystem(self._blocks, self._prepared.problem.weights)

    @cached_property
    def _random_symbolic(self) -> Symbolic:
        return _analyze(self._random_system)

    def at(self, psi: Psi) -> SparsePoint:
        """Assemble, factor and solve the equations at psi.

        Raises
        ------
        EstimationError
            The equations are not positive definite in floating point.
        """
        root = float(np.sqrt(psi.sigma2))
        relative = [T / root for T in psi.factors]
        return SparsePoint(self._prepared, psi, relative, self._equations(relative))

    def _equations(self, factors: Sequence[Matrix]) -> Equations:
        if self._joined:
            whole = _factor(self._system, self._symbolic, [np.eye(1), *factors])
            return JoinedEquations(
                whole,
                self._prepared.problem.p,
                lambda: _factor(self._random_system, self._random_symbolic, factors),
            )
        random = _factor(self._system, self._symbolic, factors)
        ZX = self._prepared.spread(factors, self._prepared.ZWX, transpose=True)
        return ApartEquations(random, ZX)


def _analyze(system: PatternedSystem) -> Symbolic:
    return analyze(system.assemble([np.eye(width) for width in system.widths]))


def _factor(system: PatternedSystem, symbolic: Symbolic, factors: Sequence[Matrix]) -> Factor:
    try:
        return symbolic.factorize(system.assemble(factors))
    except NotPositiveDefiniteError as error:
        sizes = ", ".join(f"{np.abs(T).max():.3g}" for T in factors)
        raise EstimationError(
            "the mixed model equations are not positive definite in floating point "
            f"({error}); the standard deviations relative to the residual are {sizes}. Check "
            "the scale of the relationship matrices and of the covariates of random slopes"
        ) from None
