"""The deviance as a function of theta, with the scale profiled out or given.

REML: ``log|V| + log|X'V^-1X| + y'Py + (n - p) log 2 pi`` (Patterson & Thompson 1971, with lme4's
constant); ML: ``log|V| + r'V^-1 r + n log 2 pi``. When V = sigma2 H(theta), the best sigma2 is
``quad / df`` and drops out (Bates et al. 2015, eq. 34 and 41).
"""

from __future__ import annotations

import numpy as np

from animalmm.core import Domain, Engine, Local, Point, Problem, Psi, Update, Vector
from animalmm.covariance import ParameterSpace
from animalmm.estimation.derivatives import curvature, gradient, information
from animalmm.estimation.evaluation import Evaluation
from animalmm.estimation.expectation import em, px_em

__all__ = ["Criterion", "degrees_of_freedom"]


def degrees_of_freedom(problem: Problem, method: str) -> int:
    """Divisor of the profiled residual variance: n - p for REML, n for ML."""
    return problem.n - problem.p if method == "REML" else problem.n


class Criterion:
    """-2 log likelihood (REML or ML) as a function of theta. See `animalmm.core.Objective`.

    The last evaluation is kept, so that what an algorithm asks for at one theta is computed once.

    Parameters
    ----------
    engine : Engine
        Prepared for the problem.
    problem : Problem
        The model.
    space : ParameterSpace
        What theta means.
    method : {"REML", "ML"}
        Which likelihood.
    """

    def __init__(
        self, engine: Engine, problem: Problem, space: ParameterSpace, method: str
    ) -> None:
        self.engine = engine
        self.problem = problem
        self.space = space
        self.restricted = method == "REML"
        self.df = degrees_of_freedom(problem, method)
        self._last: Evaluation | None = None
        self._scales: dict[bytes, float] = {}

    @property
    def domain(self) -> Domain:
        """Where theta may be."""
        return self.space.domain

    def __call__(self, theta: Vector) -> float:
        """The criterion at theta."""
        return self.at(theta).value

    def at(self, theta: Vector) -> Evaluation:
        """The criterion with all that it was computed from, the residual variance the best one."""
        if self._last is None or not np.array_equal(self._last.theta, theta):
            self._last = None  # its factorisation may be most of the memory
            point = self.engine.at(self.space.psi(theta))
            if self.space.profiled:
                point = point.scaled(point.quad / self.df)
            self._scales[theta.tobytes()] = point.psi.sigma2
            self._last = Evaluation(
                theta.copy(), point, self._value(point), self.problem, self.restricted
            )
        return self._last

    def _value(self, point: Point) -> float:
        logdet = point.logdet_reml if self.restricted else point.logdet_V
        return logdet + point.quad + self.df * float(np.log(2.0 * np.pi))

    def psi(self, theta: Vector, sigma2: float | None = None) -> Psi:
        """The psi of theta on the scale of the data, with the best residual variance or another."""
        psi = self.space.psi(theta)
        if not self.space.profiled:
            return psi
        if sigma2 is None:
            known = self._scales.get(theta.tobytes())
            sigma2 = self.at(theta).point.psi.sigma2 if known is None else known
        return psi.scaled(sigma2)

    def local(self, theta: Vector) -> Local:
        """The criterion, its gradient, and the average information with the curvature of F."""
        here, space = self.at(theta), self.space
        return Local(
            here.value, gradient(here, space), information(here, space) + curvature(here, space)
        )

    def em(self, theta: Vector) -> Update:
        """One step of the EM algorithm."""
        return em(self.at(theta), self.space, self.engine)

    def px_em(self, theta: Vector) -> Update:
        """One step of the parameter-expanded EM algorithm."""
        return px_em(self.at(theta), self.space, self.engine)
