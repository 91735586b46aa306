"""Whether an optimum is one: judged in one place, said in words."""

from __future__ import annotations

from dataclasses import dataclass

from animalmm.core import Optimum, Problem, Vector
from animalmm.covariance import ParameterSpace

__all__ = ["SINGULAR", "Convergence", "judge"]

SINGULAR = 1e-4  # lme4's tolerance of isSingular
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
    evaluations : int
        Evaluations of the criterion.
    algorithm : str
        Which algorithm.
    gain : float
        What the last Newton step gained.
    gradient : ndarray
        Gradient of the criterion before that step.
    boundary : tuple of str
        Terms whose Sigma is singular: a zero variance, or a correlation of plus or minus one.
    """

    converged: bool
    message: str
    evaluations: int
    algorithm: str
    gain: float
    gradient: Vector
    boundary: tuple[str, ...]

    @property
    def boundary_message(self) -> str:
        """The singular terms in words."""
        names = ", ".join(f"'{n}'" for n in self.boundary)
        return (
            f"boundary (singular) fit: a variance of {names} is estimated as zero, or a "
            "correlation as plus or minus one. The optimum is legal; consider a simpler model"
        )


def judge(optimum: Optimum, space: ParameterSpace, problem: Problem, algorithm: str) -> Convergence:
    """Judge an optimum."""
    gain = 0.5 * abs(float(optimum.gradient @ optimum.step))
    if not len(optimum.theta):
        verdict = "all variance parameters were given; nothing was optimised"
    elif optimum.flat:
        verdict = (
            "the likelihood does not change in some direction: the variance components cannot be "
            "told apart with these data (one record per level and unrelated levels, or two terms "
            "that say the same); leave a term out"
        )
    elif gain > _GAIN:
        verdict = (
            f"not sure of the optimum: the last step still changed -2 log likelihood by "
            f"{gain:.2g}. Rescale covariates of random slopes, give start values, or simplify"
        )
    else:
        verdict = (
            f"converged after {optimum.evaluations} evaluations; the last step changed "
            f"-2 log likelihood by {gain:.1g}"
        )
    return Convergence(
        converged=not optimum.flat and gain <= _GAIN,
        message=verdict,
        evaluations=optimum.evaluations,
        algorithm=algorithm,
        gain=gain,
        gradient=optimum.gradient,
        boundary=tuple(
            problem.terms[i].name for i in space.singular_terms(optimum.theta, SINGULAR)
        ),
    )
