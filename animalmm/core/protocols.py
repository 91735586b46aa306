"""What the rooms ask of each other, as Protocols.

An engine is prepared once for a problem; after that `Engine.at` is a pure function of the variance
parameters. All that the algorithms and the inference need of it is in `Point`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from animalmm.core.arrays import Matrix, Vector
from animalmm.core.structure import Domain
from animalmm.core.types import Problem, Psi

__all__ = ["Algorithm", "Engine", "EngineSpec", "Optimum", "Point"]


class Point(Protocol):
    """The likelihood and what goes with it at one `Psi`.

    The parts of the deviance stand apart, so that the scale can be profiled out.
    """

    @property
    def psi(self) -> Psi:
        """Where this point is."""

    @property
    def logdet_V(self) -> float:
        """log|V|."""

    @property
    def logdet_XVX(self) -> float:
        """log|X' V^-1 X|."""

    @property
    def logdet_reml(self) -> float:
        """log|V| + log|X' V^-1 X|, which can be cheaper than the two apart."""

    @property
    def quad(self) -> float:
        """``(y - X beta)' V^-1 (y - X beta)``."""

    @property
    def beta(self) -> Vector:
        """BLUE (generalised least squares), shape (p,)."""

    @property
    def u(self) -> tuple[Matrix, ...]:
        """BLUP of each term on the scale of its original levels, shape (q, t)."""

    def beta_covariance(self) -> Matrix:
        """``(X' V^-1 X)^-1``, shape (p, p)."""

    def beta_variances(self) -> Vector:
        """Diagonal of `beta_covariance`, shape (p,), which can be much cheaper."""

    def error_blocks(
        self,
        terms: Sequence[int],
        levels: NDArray[np.intp] | None = None,
        *,
        given_beta: bool = False,
    ) -> NDArray[np.float64]:
        """``Var(u_hat - u)`` (PEV) of each level, shape (m, T, T), T the sum of the t of the terms.

        Several terms must have the same levels; their effects stand side by side. With
        `given_beta`, ``Var(u | y, beta)``: lme4's conditional variance, which leaves out the
        uncertainty of beta.
        """

    def S(self, term: int) -> Matrix:
        """``E[U' K^-1 U | y]`` with U (q, t): what EM and the gradient need, shape (t, t)."""

    def apply_P(self, v: Matrix) -> Matrix:
        """``P v = V^-1 v - V^-1 X (X' V^-1 X)^-1 X' V^-1 v``, shape as `v` (n,) or (n, k)."""


class Engine(Protocol):
    """Evaluates the likelihood of one problem; made by `EngineSpec.prepare`."""

    @property
    def description(self) -> str:
        """What it is and why, in words, for the provenance of a fit."""

    def at(self, psi: Psi) -> Point:
        """Evaluate; the same psi gives the same Point, and no evaluation changes another."""


class EngineSpec(Protocol):
    """A configured engine, not yet bound to a problem."""

    def prepare(self, problem: Problem) -> Engine:
        """Do all the work that does not depend on psi."""


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
    gradient : ndarray, shape (k,)
        Gradient of the criterion before the last step, zero for parameters held where Sigma is
        singular.
    step : ndarray, shape (k,)
        The last Newton step: how far, in theta, the optimum may still be.
    flat : bool
        Whether the criterion does not change in some direction.
    messages : tuple of str
        What happened on the way, in words.
    history : tuple of (theta, value)
        Every evaluation, in order.
    """

    theta: Vector
    value: float
    evaluations: int
    gradient: Vector
    step: Vector
    flat: bool = False
    messages: tuple[str, ...] = ()
    history: tuple[tuple[Vector, float], ...] = field(default=(), repr=False)


class Algorithm(Protocol):
    """Minimises a criterion over a box."""

    @property
    def name(self) -> str:
        """Name in `fit(algorithm=...)`."""

    def minimise(
        self, criterion: Callable[[Vector], float], start: Vector, domain: Domain
    ) -> Optimum:
        """Find a minimum from `start` within the domain."""
