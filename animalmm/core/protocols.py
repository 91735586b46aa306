"""What the rooms ask of each other, as Protocols.

An engine is prepared once for a problem; after that `Engine.at` is a pure function of the variance
parameters. All that the algorithms and the inference need of it is in `Point`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from animalmm.core.types import Matrix, Problem, Psi, Vector


class Relationship(Protocol):
    """A known relationship matrix K (q x q) among labelled levels, in the forms that it has."""

    @property
    def labels(self) -> pd.Index:
        """Labels of the q levels, unique."""

    @property
    def size(self) -> int:
        """Number of levels q."""

    @property
    def prefers_precision(self) -> bool:
        """Whether K^-1 is the sparser, cheaper form (a pedigree, a given precision)."""

    def factor(self) -> sparse.csc_array | Matrix:
        """L (q x r) with ``K = L L'``; r < q when K is singular."""

    def precision(self) -> sparse.csc_array:
        """K^-1 (q x q, symmetric, both triangles); a RelationshipError when K is singular."""

    def logdet(self) -> float:
        """log|K|; a RelationshipError when K is singular."""

    def diagonal(self) -> Vector:
        """K_jj, shape (q,)."""


@dataclass(frozen=True)
class Domain:
    """Where a vector of parameters may be, and where Sigma is singular.

    Attributes
    ----------
    lower, upper : ndarray, shape (k,)
        Bounds; a finite one is a correlation or a standard deviation at its limit.
    through_zero : ndarray of bool, shape (k,)
        Parameters that may pass zero, where a variance vanishes, and come out with the other sign:
        the diagonal of a Cholesky factor. A bound at zero would hide that the two signs meet there.
    """

    lower: Vector
    upper: Vector
    through_zero: NDArray[np.bool_]

    def clip(self, theta: Vector) -> Vector:
        """The nearest theta within the bounds."""
        return np.clip(theta, self.lower, self.upper)

    def singular(self, theta: Vector, tolerance: float = 0.0) -> NDArray[np.bool_]:
        """Which parameters are at a bound, or at a zero where a variance vanishes."""
        at_zero = self.through_zero & (np.abs(theta) <= tolerance)
        at_bound = (theta - self.lower <= tolerance) | (self.upper - theta <= tolerance)
        return np.asarray(at_zero | at_bound)


class CovStruct(Protocol):
    """The form of a covariance matrix Sigma (t x t) and its free parameters theta.

    theta holds standard-deviation-like numbers, so that a singular Sigma (a zero variance, a
    correlation of plus or minus one) is an ordinary point of the parameter space.
    """

    @property
    def name(self) -> str:
        """Name in formulas: ``"us"``."""

    @property
    def size(self) -> int:
        """Number of effects t."""

    @property
    def domain(self) -> Domain:
        """Where theta may be, k parameters."""

    def start(self) -> Vector:
        """The theta of Sigma = I, or what is nearest to it, shape (k,)."""

    def factor(self, theta: Vector) -> Matrix:
        """Lower triangular T with ``Sigma = T T'``."""

    def rescale(self, theta: Vector, scale: Vector) -> Vector:
        """The theta of ``diag(scale) Sigma diag(scale)``.

        A form with one variance for all effects has one scale for them, the mean.
        """

    def from_matrix(self, sigma: Matrix) -> Vector:
        """Theta of a given Sigma; an ArgumentError when it does not have this form."""

    def canonical(self, theta: Vector) -> Vector:
        """The one theta of the same Sigma that tables show: no negative standard deviations."""


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

    def error_blocks(
        self, term: int, levels: NDArray[np.intp] | None = None, *, given_beta: bool = False
    ) -> NDArray[np.float64]:
        """``Var(u_hat - u)`` (PEV) of each level, shape (m, t, t).

        With `given_beta`, ``Var(u | y, beta)``: lme4's conditional variance, which leaves out the
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


@dataclass(frozen=True)
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
