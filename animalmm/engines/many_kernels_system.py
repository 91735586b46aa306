"""The equations of one evaluation of the engine for several dense relationships.

All is relative to the residual variance: ``N = I + sum_i sum_ab (Phi Phi')_ab Z_a K Z_b'`` is the
covariance of the weighted records, Phi = F / sigma of each term, and Pi is what P is of N:
``Pi = N^-1 - T T'`` with the p columns T of the fixed effects. A side is a child that says what H
with ``H'H = N^-1`` does to vectors, and gives the traces.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from animalmm.core import Matrix, Vector
from animalmm.engines.fixed import solve_information
from animalmm.engines.many_kernels_terms import WeightedModel

__all__ = ["KernelsSystem"]


class KernelsSystem(ABC):
    """What one psi asks for that does not depend on its scale.

    Parameters
    ----------
    model : WeightedModel
        The problem.
    factors : sequence of ndarray, each of shape (t, t)
        Phi of each term.
    """

    def __init__(self, model: WeightedModel, factors: Sequence[Matrix]) -> None:
        self.model = model
        self.factors = factors

    @abstractmethod
    def half(self, v: Matrix) -> Matrix:
        """``H v`` for v of shape (n, k): inner products of such are those by N^-1."""

    @abstractmethod
    def half_back(self, v: Matrix) -> Matrix:
        """``H' v``, shape (n, k)."""

    @abstractmethod
    def logdet(self) -> float:
        """log|N|."""

    @abstractmethod
    def expected_slope(self, term: int, *, given_beta: bool) -> Matrix:
        """``A Phi``, ``A_ab = tr(Pi Z_a K Z_b')``, N^-1 for Pi if given beta; shape (t, t)."""

    @abstractmethod
    def complete_covariance(self, *, given_beta: bool) -> Matrix:
        """``tr(D_k Var(b | y) D_l')``, D_k ``Z_a ⊗ e_b`` of all terms; see the contract, (m, m)."""

    @abstractmethod
    def errors(
        self, terms: Sequence[int], levels: NDArray[np.intp], *, given_beta: bool
    ) -> NDArray[np.float64]:
        """`Point.error_blocks` of a few levels."""

    @cached_property
    def fixed(self) -> Matrix:
        """``H B``."""
        return self.half(self.model.B)

    @cached_property
    def information(self) -> Matrix:
        """Lower Cholesky factor of ``B'N^-1B``."""
        return np.asarray(linalg.cholesky(self.fixed.T @ self.fixed, lower=True))

    @cached_property
    def T(self) -> Matrix:
        """T with ``Pi = N^-1 - T T'``, shape (n, p)."""
        solved = self.half_back(self.fixed)
        if not solved.size:
            return solved
        return np.asarray(linalg.solve_triangular(self.information, solved.T, lower=True).T)

    def coefficients(self, half: Matrix) -> Matrix:
        """Of the fixed effects in a ``H v``."""
        return solve_information(self.information, self.fixed.T @ half)

    def projected(self, half: Matrix) -> Matrix:
        """What is left of ``H v`` when the fixed effects are fitted."""
        return half - self.fixed @ self.coefficients(half)

    @cached_property
    def response(self) -> Matrix:
        """``H y``."""
        return self.half(self.model.y)

    @cached_property
    def residual(self) -> Matrix:
        """``H (y - X beta)``."""
        return self.projected(self.response)

    @cached_property
    def solved(self) -> Vector:
        """``Pi y``, shape (n,)."""
        return self.half_back(self.residual)[:, 0]

    @cached_property
    def loads(self) -> tuple[Matrix, ...]:
        """``Z'Pi y`` of each term, shape (q, t)."""
        return tuple(term.load(self.solved) for term in self.model.terms)

    @cached_property
    def spread(self) -> tuple[Matrix, ...]:
        """``K Z'Pi y`` of each term, shape (q, t)."""
        return tuple(
            term.spread(load) for term, load in zip(self.model.terms, self.loads, strict=True)
        )
