"""Log likelihoods and information criteria at an estimate."""

from __future__ import annotations

import numpy as np

from animalmm.core import Point, Problem
from animalmm.errors import ArgumentError
from animalmm.estimation import degrees_of_freedom

__all__ = ["loglik", "minus_two_loglik"]


def minus_two_loglik(problem: Problem, point: Point, method: str) -> float:
    """REML criterion or ML deviance of a point, lme4's constants."""
    logdet = point.logdet_reml if method == "REML" else point.logdet_V
    df = degrees_of_freedom(problem, method)
    return logdet + point.quad + df * float(np.log(2.0 * np.pi))


def loglik(problem: Problem, point: Point, method: str, constant: str) -> float:
    """Log likelihood of a point.

    Parameters
    ----------
    problem, point
        The model and where it was evaluated.
    method : {"REML", "ML"}
        Which likelihood.
    constant : {"lme4", "asreml"}
        lme4 keeps ``-df/2 log(2 pi)``; ASReml leaves it out, so that its REML log likelihood is
        ``-(log|V| + log|X'V^-1X| + y'Py) / 2``.
    """
    if constant not in ("lme4", "asreml"):
        raise ArgumentError(f"constant is 'lme4' or 'asreml', not {constant!r}")
    value = -0.5 * minus_two_loglik(problem, point, method)
    df = degrees_of_freedom(problem, method)
    return value if constant == "lme4" else value + 0.5 * df * float(np.log(2.0 * np.pi))
