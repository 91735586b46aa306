"""The deviance at a point, with the scale profiled out or given.

REML: ``log|V| + log|X'V^-1X| + y'Py + (n - p) log 2 pi`` (Patterson & Thompson 1971, with lme4's
constant); ML: ``log|V| + r'V^-1 r + n log 2 pi``. When V = sigma2 H(theta), the best sigma2 is
``quad / df`` and drops out (Bates et al. 2015, eq. 34 and 41).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from animalmm.core import Engine, Point, Problem, Psi, Vector
from animalmm.covariance import ParameterSpace

__all__ = ["Criterion", "degrees_of_freedom"]


def degrees_of_freedom(problem: Problem, method: str) -> int:
    """Divisor of the profiled residual variance: n - p for REML, n for ML."""
    return problem.n - problem.p if method == "REML" else problem.n


@dataclass(frozen=True)
class Criterion:
    """-2 log likelihood (REML or ML) as a function of theta.

    Attributes
    ----------
    engine : Engine
        Prepared for the problem.
    space : ParameterSpace
        What theta means.
    method : {"REML", "ML"}
        Which likelihood.
    df : int
        From `degrees_of_freedom`.
    """

    engine: Engine
    space: ParameterSpace
    method: str
    df: int

    def __call__(self, theta: Vector) -> float:
        """The criterion at theta."""
        return self.of(self.engine.at(self.space.psi(theta)))

    def of(self, point: Point) -> float:
        """The criterion of a point."""
        logdet = point.logdet_reml if self.method == "REML" else point.logdet_V
        if self.space.profiled:
            return logdet + self.df * (1.0 + float(np.log(2.0 * np.pi * point.quad / self.df)))
        return logdet + point.quad + self.df * float(np.log(2.0 * np.pi))

    def psi(self, theta: Vector) -> Psi:
        """The psi of theta on the scale of the data, the profiled residual variance put in."""
        psi = self.space.psi(theta)
        if not self.space.profiled:
            return psi
        return psi.scaled(self.engine.at(psi).quad / self.df)
