"""The quadratic model of a criterion that its gradient and its information make."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from animalmm.core import Domain, Local, Matrix, Vector

__all__ = ["Model", "model_of", "with_secant"]

_FLAT = 1e-3  # curvature per unit: doubling a parameter would not be felt
_ZERO = 1e-12  # of the largest curvature: a direction that has none
_NEARBY = 0.05  # a step so short tells the curvature at its end
_ALIKE = 3.0  # how far that may be from what the information says


@dataclass(frozen=True, eq=False)
class Model:
    """What gradient and information say about the way to the optimum.

    Parameters held where Sigma is singular stand still. The others are judged per unit: of their
    size, or of one.

    Attributes
    ----------
    gradient : ndarray, shape (k,)
        Zero for parameters that are held.
    free : ndarray of int, shape (f,)
        The others.
    unit : ndarray, shape (f,)
        Of these.
    values, vectors : ndarray, shapes (f,) and (f, f)
        Curvatures per unit, ascending, and their directions.
    """

    gradient: Vector
    free: NDArray[np.intp]
    unit: Vector
    values: Vector
    vectors: Matrix

    @cached_property
    def _along(self) -> Vector:
        """The slope in each direction; none where there is no curvature."""
        along = self.vectors.T @ (self.gradient[self.free] * self.unit)
        return np.where(self.values > _ZERO * self.sharpest, along, 0.0)

    @property
    def sharpest(self) -> float:
        """Largest curvature."""
        return float(self.values.max(initial=0.0))

    @property
    def flat(self) -> bool:
        """Whether the criterion does not change in some direction."""
        return bool((self.values < _FLAT).any())

    def step(self, damping: float = 0.0) -> Vector:
        """To the minimum of the model, `damping` added to all curvatures, shape (k,)."""
        curvature = np.maximum(self.values, 0.0) + damping
        moved = np.where(curvature > 0, self._along / np.where(curvature > 0, curvature, 1), 0)
        step = np.zeros(len(self.gradient))
        step[self.free] = -self.unit * (self.vectors @ moved)
        return step

    def gain(self, damping: float = 0.0) -> float:
        """What that step gains by the model."""
        curvature = np.maximum(self.values, 0.0)
        moved = self._along / np.maximum(curvature + damping, np.finfo(float).tiny)
        return float(moved @ (self._along - 0.5 * curvature * moved))


def model_of(local: Local, theta: Vector, domain: Domain) -> Model:
    """The model over the parameters that are not held on the boundary."""
    free = np.flatnonzero(~domain.held(theta))
    gradient = np.zeros(len(theta))
    gradient[free] = local.gradient[free]
    unit = np.maximum(np.abs(theta[free]), 1.0)
    values, vectors = np.linalg.eigh(local.information[np.ix_(free, free)] * np.outer(unit, unit))
    return Model(gradient, free, unit, values, vectors)


def with_secant(information: Matrix, change: Vector, difference: Vector) -> Matrix:
    """The information, corrected along the last step by the difference of the gradients there.

    The average information is not the second derivative; along a short step that is known, and one
    BFGS update puts it in (Nocedal & Wright 2006, eq. 6.19). It makes the last steps converge
    superlinearly.
    """
    turned = information @ change
    old, new = float(change @ turned), float(change @ difference)
    if np.abs(change).max() > _NEARBY or not old / _ALIKE < new < old * _ALIKE:
        return information
    return np.asarray(
        information - np.outer(turned, turned) / old + np.outer(difference, difference) / new
    )
