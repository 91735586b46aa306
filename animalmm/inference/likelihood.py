"""Log likelihoods and information criteria at an estimate."""

from __future__ import annotations

import numpy as np

from animalmm.core import Point, Problem
from animalmm.errors import ArgumentError
from animalmm.estimation import degrees_of_freedom

__all__ = ["loglik", "minus_two_loglik"]


def minus_two_loglik(problem: Problem, point: Point, method: str, *, profiled: bool) -> float:
    """REML criterion or ML deviance of a point, lme4's constants.

    When `profiled`, the residual variance is the best one for this likelihood at the point's
    variance ratios, as lme4's ``REMLcrit`` and ``deviance`` have it also for a fit by the other
    likelihood.
    """
    logdet = point.logdet_reml if method == "REML" else point.logdet_V
    df = degrees_of_freedom(problem, method)
    scale = df * (1.0 + float(np.log(point.quad / df))) if profiled else point.quad
    return logdet + scale + df * float(np.log(2.0 * np.pi))


def loglik(problem: Problem, point: Point, method: str, constant: str, *, profiled: bool) -> float:
    """Log likelihood of a point.

    Parameters
    ----------
    problem, point
        The model and where it was evaluated.
    method : {"REML", "ML"}
        Which likelihood.
    profiled : bool
        Whether the residual variance was profiled out, so that it is the best one.
    constant : {"lme4", "asreml"}
        lme4 keeps ``-df/2 log(2 pi)``; ASReml leaves it out, so that its REML log likelihood is
        ``-(log|V| + log|X'V^-1X| + y'Py) / 2``.
    """
    if constant not in ("lme4", "asreml"):
        raise ArgumentError(f"constant is 'lme4' or 'asreml', not {constant!r}")
    value = -0.5 * minus_two_loglik(problem, point, method, profiled=profiled)
    df = degrees_of_freedom(problem, method)
    return value if constant == "lme4" else value + 0.5 * df * float(np.log(2.0 * np.pi))
