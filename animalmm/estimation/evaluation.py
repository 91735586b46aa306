"""The criterion at one theta, with what its derivatives and the steps of EM have in common."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from animalmm.core import Matrix, Point, Problem, Vector

__all__ = ["Evaluation"]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One evaluation.

    Attributes
    ----------
    theta : ndarray, shape (k,)
        Where.
    point : Point
        The equations, on the scale of the data.
    value : float
        The criterion.
    problem : Problem
        The model.
    restricted : bool
        Whether the criterion is that of REML.
    """

    theta: Vector
    point: Point
    value: float
    problem: Problem
    restricted: bool

    @cached_property
    def slopes(self) -> tuple[Matrix, ...]:
        """`Point.slope` of every term."""
        terms = range(len(self.problem.terms))
        return tuple(self.point.slope(i, given_beta=not self.restricted) for i in terms)

    @cached_property
    def homogeneous(self) -> float:
        """``sum <slope_i, F_i>``: the slope by the logarithm of all Sigma together."""
        pairs = zip(self.slopes, self.point.psi.factors, strict=True)
        return float(sum((H * F).sum() for H, F in pairs))

    @cached_property
    def log_residual_slope(self) -> float:
        """The slope of the criterion by the logarithm of the residual variance.

        V is linear in all variances, and ``tr PV = n - p``: what all Sigma leave is its part.
        """
        df = self.problem.n - self.problem.p * self.restricted
        return df - self.point.quad - self.homogeneous
