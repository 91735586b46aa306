"""One evaluation of the engine for several dense relationships, on the scale of the data."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from animalmm.core import Direction, Matrix, Psi, Vector
from animalmm.engines.dense_point import DensePoint
from animalmm.engines.many_kernels_system import KernelsSystem
from animalmm.engines.many_kernels_terms import WeightedModel
from animalmm.engines.working import average_information

__all__ = ["KernelsPoint"]

_TOGETHER = 512  # effects whose errors are computed together: enough for BLAS-3


class KernelsPoint(DensePoint):
    """The likelihood at one psi. See `animalmm.core.Point`."""

    def __init__(self, system: KernelsSystem, psi: Psi) -> None:
        self.psi = psi
        self._system = system

    def scaled(self, variance: float) -> KernelsPoint:
        """The point with all variances times `variance`; the equations are the same."""
        return KernelsPoint(self._system, self.psi.scaled(variance))

    @property
    def _model(self) -> WeightedModel:
        return self._system.model

    @property
    def _logdet_N(self) -> float:
        return self._system.logdet()

    @property
    def _information(self) -> Matrix:
        return self._system.information

    @property
    def _estimates(self) -> Matrix:
        return self._system.coefficients(self._system.response)

    @cached_property
    def quad(self) -> float:
        """``(y - X beta)' V^-1 (y - X beta)``, a sum of squares."""
        return float(np.square(self._system.residual).sum()) / self.psi.sigma2

    @cached_property
    def u(self) -> tuple[Matrix, ...]:
        """BLUP of all levels of each K, shape (q, t)."""
        return tuple(
            v @ (F @ F.T) for v, F in zip(self._system.spread, self._system.factors, strict=True)
        )

    def slope(self, term: int, *, given_beta: bool = False) -> Matrix:
        """``(A - Q) F``, half the slope of the criterion by the factor of a term, shape (t, t)."""
        system, variance = self._system, self.psi.sigma2
        fitted = system.loads[term].T @ system.spread[term] @ system.factors[term]
        expected = system.expected_slope(term, given_beta=given_beta)
        return np.asarray((expected - fitted / variance) / np.sqrt(variance))

    def complete_information(self, *, given_beta: bool = False) -> Matrix:
        """``E[D'R^-1D | y]``, the information that known effects would give, shape (m, m)."""
        system, variance = self._system, self.psi.sigma2
        derivatives = [
            Z @ effects
            for term, v, F in zip(self._model.terms, system.spread, system.factors, strict=True)
            for Z in term.Z
            for effects in (v[term.held] @ F).T
        ]
        D = np.column_stack(derivatives)
        covariance = system.complete_covariance(given_beta=given_beta)
        return np.asarray((D.T @ D / variance + covariance) / variance)

    def error_blocks(
        self,
        terms: Sequence[int],
        levels: NDArray[np.intp] | None = None,
        *,
        given_beta: bool = False,
    ) -> NDArray[np.float64]:
        """``Var(u_hat - u)`` of each level, shape (m, T, T); given beta, ``Var(u | y, beta)``."""
        at = np.arange(self._model.terms[terms[0]].term.q) if levels is None else levels
        width = sum(self._model.terms[i].t for i in terms)
        errors = np.empty((len(at), width, width))
        size = max(_TOGETHER // width, 1)
        for start in range(0, len(at), size):
            part = slice(start, start + size)
            errors[part] = self._system.errors(terms, at[part], given_beta=given_beta)
        return self.psi.sigma2 * errors

    @cached_property
    def Py(self) -> Vector:
        """``P y``, shape (n,)."""
        return self._model.root_weights * self._system.solved / self.psi.sigma2

    def average_information(self, directions: Sequence[Direction]) -> Matrix:
        """``y'P dV_a P dV_b P y``, shape (m, m)."""
        spread = [v / self.psi.sigma2 for v in self._system.spread]
        return average_information(self, self._model.problem, directions, spread.__getitem__)

    def apply_P(self, v: Matrix) -> Matrix:
        """``P v``, shape of v."""
        wide = v[:, None] if v.ndim == 1 else v
        root, system = self._model.root_weights[:, None], self._system
        solved = system.half_back(system.projected(system.half(root * wide)))
        out = root * solved / self.psi.sigma2
        return np.asarray(out[:, 0] if v.ndim == 1 else out)
