"""What a random term is made of: a relationship K and a covariance structure Sigma."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from animalmm.core.arrays import Matrix, Vector

__all__ = ["BESIDE", "NEAR", "STEPS_OFF", "CovStruct", "Domain", "Relationship", "changed", "grown"]


class Relationship(Protocol):
    """A known relationship matrix K (q x q) among labelled levels, in the forms that it has.

    It is what `relmat` and `precision` take and all that an engine asks for: a class of a user's
    own needs no more. The rank of K is not asked for apart: who takes the factor sees it in the
    columns of L, and who takes the inverse knows that it is q.
    """

    @property
    def labels(self) -> pd.Index:
        """Labels of the q levels, unique."""

    @property
    def size(self) -> int:
        """Number of levels q."""

    @property
    def prefers_precision(self) -> bool:
        """Whether K^-1 exists and is the sparser, cheaper form (a pedigree, a given precision)."""

    def factor(self) -> sparse.csc_array | Matrix:
        """L (q x r) with ``K = L L'``, r the rank of K: fewer than q when K is singular."""

    def precision(self) -> sparse.csc_array:
        """K^-1 (q x q, symmetric, both triangles); a RelationshipError when K is singular."""

    def logdet(self) -> float:
        """log|K|; a RelationshipError when K is singular."""

    def diagonal(self) -> Vector:
        """K_jj, shape (q,)."""


NEAR = 0.05  # a parameter this near to where Sigma is singular is tried there
_SMALLEST = 0.15  # share of a variance that a step leaves at least: less would overshoot
STEPS_OFF = (0.001, 0.01, 0.1, 0.5)  # how far from there it is tried
BESIDE = 0.001  # how far from there a gradient is taken


@dataclass(frozen=True, eq=False)
class Domain:
    """Where a vector of parameters may be, and what an optimiser has to know of its boundary.

    A covariance structure with a geometry of its own overrides `held`, `frame`, `moved`, `edges`,
    `beside`, `ways_off` and `escapes`.

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

    def held(self, theta: Vector) -> NDArray[np.bool_]:
        """Which parameters hold Sigma on its boundary, or do not matter there."""
        return self.singular(theta)

    def edges(self, theta: Vector) -> Iterator[Vector]:
        """Thetas like this one with a parameter, near to where Sigma is singular, put there."""
        zero = np.where(self.through_zero, 0.0, np.inf)
        for edge in (self.lower, self.upper, zero):
            for i in np.flatnonzero((np.abs(theta - edge) < NEAR) & (theta != edge)):
                yield changed(theta, i, edge[i])

    def frame(self, theta: Vector) -> Matrix:
        """Changes of theta of unit length as columns, (k, f), for its f parameters not held.

        The unit of a parameter is its size, or one.
        """
        return np.diag(np.maximum(np.abs(theta), 1.0))[:, ~self.held(theta)]

    def moved(self, theta: Vector, step: Vector) -> Vector:
        """Theta after a step; what may pass zero shrinks in proportion, and so does not."""
        moved = theta + step
        down = self.through_zero & (step * theta < 0)
        moved[down] = theta[down] * grown(step[down] / theta[down])
        return self.clip(moved)

    def beside(self, theta: Vector) -> Vector:
        """A theta off the boundary in all directions at once, by so little that each is alone."""
        return np.asarray(theta + BESIDE * self._inward(theta))

    def _inward(self, theta: Vector) -> Vector:
        """The sign of the way off the boundary; zero for a parameter that is not there."""
        return np.where(theta >= self.upper, -1.0, 1.0) * self.singular(theta)

    def ways_off(self, theta: Vector, gradient: Vector) -> Iterator[Vector]:
        """Thetas off the boundary in the directions in which a criterion falls.

        Parameters
        ----------
        theta : ndarray, shape (k,)
            On the boundary, and best among what is there.
        gradient : ndarray, shape (k,)
            Of the criterion, at `beside`.
        """
        inward = self._inward(theta)
        for i in np.flatnonzero(inward * gradient < 0.0):
            for step in STEPS_OFF:
                yield self.clip(changed(theta, i, theta[i] + inward[i] * step))

    def escapes(self, theta: Vector) -> Iterator[Vector]:
        """Thetas off the boundary in every direction that matters, where no gradient is known."""
        for i in np.flatnonzero(self.singular(theta)):
            for step in STEPS_OFF:
                for value in (theta[i] + step, theta[i] - step):
                    candidate = self.clip(changed(theta, i, value))
                    if candidate[i] != theta[i]:
                        yield candidate


def grown(x: Vector) -> Vector:
    """What a step by shares x of standard deviations makes of them, relative to what they were.

    Up it is the step itself, down that of the variances, ``1 + 2 x`` of what they were, and not to
    zero: along lines of variances a criterion is close to a parabola for all of them together,
    while in standard deviations it is flat near zero, and the plain step would pass to the other
    side.
    """
    down = np.sqrt(np.maximum(1.0 + 2.0 * x, _SMALLEST))
    return np.where(x > 0.0, 1.0 + x, down)


def changed(theta: Vector, i: int | np.intp, value: float) -> Vector:
    """A copy of theta with one element changed."""
    out = theta.copy()
    out[i] = value
    return out


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

    def jacobian(self, theta: Vector) -> NDArray[np.float64]:
        """``dT / dtheta_j`` for each j, shape (k, t, t).

        Zero for a correlation at its limit, where T has no derivative; `Domain.held` holds it.
        """

    def fitted(self, moment: Matrix, near: Vector) -> Vector:
        """The theta that minimises ``log|Sigma| + tr(Sigma^-1 M)``: the M-step of EM.

        Where Sigma has to be singular, the best among those of the column space of M.

        Parameters
        ----------
        moment : ndarray, shape (t, t)
            M, positive semi-definite: mean square of the effects.
        near : ndarray, shape (k,)
            Where a search may begin, and what a parameter that means nothing keeps.
        """

    @property
    def any_basis(self) -> bool:
        """Whether ``S Sigma S'`` has this form for every S, not only for a diagonal one."""

    def rescale(self, theta: Vector, scale: Matrix) -> Vector:
        """The theta of ``S Sigma S'``, S given as (t, t), or as the (t,) of a diagonal one.

        A form with one variance for all effects has one scale for them, the geometric mean.
        """

    def from_matrix(self, sigma: Matrix) -> Vector:
        """Theta of a given Sigma; an ArgumentError when it does not have this form."""

    def canonical(self, theta: Vector) -> Vector:
        """The one theta of the same Sigma that tables show: no negative standard deviations."""
