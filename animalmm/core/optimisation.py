"""What an algorithm asks of the criterion that it minimises, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from animalmm.core.arrays import Matrix, Vector
from animalmm.core.structure import Domain

__all__ = ["Algorithm", "Iteration", "Local", "Objective", "Optimum", "Update"]


@dataclass(frozen=True, eq=False)
class Local:
    """A criterion and its shape at one theta.

    Attributes
    ----------
    value : float
        The criterion.
    gradient : ndarray, shape (k,)
        Its derivatives.
    information : ndarray, shape (k, k)
        A positive semi-definite stand-in for its second derivatives: the average information.
    """

    value: float
    gradient: Vector
    information: Matrix


@dataclass(frozen=True, eq=False)
class Update:
    """What a step of EM gives.

    Attributes
    ----------
    theta : ndarray, shape (k,)
        The new parameters.
    sigma2 : float
        The new residual variance, which a criterion of the variance ratios does not keep.
    """

    theta: Vector
    sigma2: float


class Objective(Protocol):
    """A criterion to be minimised, with what its algorithms need of it."""

    @property
    def domain(self) -> Domain:
        """Where theta may be."""

    def __call__(self, theta: Vector) -> float:
        """The criterion."""

    def local(self, theta: Vector) -> Local:
        """The criterion, its gradient and its information."""

    def em(self, theta: Vector) -> Update:
        """One step of the EM algorithm."""

    def px_em(self, theta: Vector) -> Update:
        """One step of the parameter-expanded EM algorithm."""


@dataclass(frozen=True, eq=False)
class Iteration:
    """One line of the trace of an algorithm.

    Attributes
    ----------
    step : str
        What led here: ``"start"``, ``"AI"``, ``"EM"``.
    theta : ndarray, shape (k,)
        The parameters.
    value : float
        The criterion there.
    gradient : ndarray, shape (k,), optional
        Its derivatives there, where they were computed.
    sigma2 : float, optional
        The residual variance, where it is not the best one at theta.
    """

    step: str
    theta: Vector
    value: float
    gradient: Vector | None = None
    sigma2: float | None = None


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where an algorithm stopped.

    Attributes
    ----------
    theta : ndarray, shape (k,)
        The parameters.
    value : float
        The criterion there.
    evaluations : int
        How often the criterion was evaluated.
    gain : float
        What another step would gain by the algorithm's model of the criterion, or what the last
        one did; infinite when nothing is known.
    gradient : ndarray, shape (k,)
        Gradient of the criterion before the last step, zero for parameters held where Sigma is
        singular.
    flat : bool
        Whether the criterion does not change in some direction.
    messages : tuple of str
        What happened on the way, in words.
    """

    theta: Vector
    value: float
    evaluations: int
    gain: float
    gradient: Vector
    flat: bool = False
    messages: tuple[str, ...] = ()


class Algorithm(Protocol):
    """Minimises an objective over its domain."""

    @property
    def name(self) -> str:
        """Name in `fit(algorithm=...)`."""

    def minimise(
        self, objective: Objective, start: Vector, watch: Callable[[Iteration], None]
    ) -> Optimum:
        """Find a minimum from `start`; `watch` is told of each iteration."""
