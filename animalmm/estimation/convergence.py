"""Whether an optimum is one: judged in one place, said in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from animalmm.core import Optimum, Problem, Vector
from animalmm.covariance import ParameterSpace

__all__ = ["SINGULAR", "Convergence", "judge"]

SINGULAR = 1e-4  # lme4's tolerance of isSingular
_MUCH = 100.0  # standard deviation of effects, beside which the residual one is next to nothing
_GAIN = 1e-6  # of the criterion: after a step that gained more, the optimum is not sure


@dataclass(frozen=True, eq=False)
class Convergence:
    """What the optimiser found and how sure it is.

    Attributes
    ----------
    converged : bool
        Whether the remaining gain is negligible and every parameter is determined.
    message : str
        The verdict in words.
    iterations : int
        Lines of the trace after the first.
    evaluations : int
        Evaluations of the criterion.
    algorithm : str
        Which algorithm.
    gain : float
        What the last step gained, by the algorithm's model of the criterion.
    gradient : ndarray
        Gradient of the criterion before that step.
    messages : tuple of str
        What happened on the way.
    boundary : tuple of str
        Terms whose Sigma is singular: a zero variance, or a correlation of plus or minus one.
    """

    converged: bool
    message: str
    iterations: int
    evaluations: int
    algorithm: str
    gain: float
    gradient: Vector
    messages: tuple[str, ...]
    boundary: tuple[str, ...]

    @property
    def boundary_message(self) -> str:
        """The singular terms in words."""
        names = ", ".join(f"'{n}'" for n in self.boundary)
        return (
            f"boundary (singular) fit: a variance of {names} is estimated as zero, or a "
            "correlation as plus or minus one. The optimum is legal; consider a simpler model"
        )


def judge(
    optimum: Optimum, space: ParameterSpace, problem: Problem, algorithm: str, iterations: int
) -> Convergence:
    """Judge an optimum."""
    return Convergence(
        converged=(
            not optimum.flat
            and optimum.gain <= _GAIN
            and not space.residual_at_limit(optimum.theta)
        ),
        message=_verdict(optimum, space, iterations),
        iterations=iterations,
        evaluations=optimum.evaluations,
        algorithm=algorithm,
        gain=optimum.gain,
        gradient=optimum.gradient,
        messages=optimum.messages,
        boundary=tuple(
            problem.terms[i].name for i in space.singular_terms(optimum.theta, SINGULAR)
        ),
    )


def _verdict(optimum: Optimum, space: ParameterSpace, iterations: int) -> str:
    if not len(optimum.theta):
        return "all variance parameters were given; nothing was optimised"
    if optimum.flat and space.profiled and np.abs(optimum.theta).max() > _MUCH:
        return (
            "the random effects leave next to nothing to the residual: its variance, or that of a "
            "term, cannot be told from zero with these data; leave a term out"
        )
    if space.residual_at_limit(optimum.theta):
        return (
            "the residual variance went as far from the variance of the response as it is "
            "searched; check the values in fixed=, and leave out terms that take all variance"
        )
    if optimum.flat:
        return (
            "the likelihood does not change in some direction: the variance components cannot be "
            "told apart with these data (one record per level and unrelated levels, or two terms "
            "that say the same); leave a term out"
        )
    if np.isinf(optimum.gain):
        return (
            f"interrupted after {iterations} iterations: the estimates are the best ones until "
            "then, not the optimum"
        )
    if optimum.gain > _GAIN:
        return (
            f"not sure of the optimum: another step would still change -2 log likelihood by "
            f"{optimum.gain:.2g}. Take algorithm='auto', rescale covariates of random slopes, give "
            "start values, or simplify"
        )
    return (
        f"converged after {iterations} iterations ({optimum.evaluations} evaluations); the last "
        f"step changed -2 log likelihood by {optimum.gain:.1g}"
    )
