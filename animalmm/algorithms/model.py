"""The quadratic model of a criterion that its gradient and its information make."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from animalmm.core import Domain, Local, Matrix, Vector

__all__ = ["Model", "model_of", "with_secant"]

_LONGEST = 1.0  # step, in units, root mean square
_FLAT = 1e-3  # curvature per unit: doubling a parameter would not be felt
_ZERO = 1e-12  # of the largest curvature: a direction that has none
_NEARBY = 0.05  # a step so short tells the curvature at its end
_ALIKE = 3.0  # how far that may be from what the information says


@dataclass(frozen=True, eq=False)
class Model:
    """What gradient and information say about the way to the optimum.

    Parameters held where Sigma is singular stand still.

    Attributes
    ----------
    gradient : ndarray, shape (k,)
        Of the criterion.
    frame : ndarray, shape (k, f)
        Changes of theta by one unit: `animalmm.core.Domain.frame`.
    values, vectors : ndarray, shapes (f,) and (f, f)
        Curvatures per unit, ascending, and their directions.
    """

    gradient: Vector
    frame: Matrix
    values: Vector
    vectors: Matrix

    @cached_property
    def _along(self) -> Vector:
        """The slope in each direction; none where there is no curvature."""
        along = self.vectors.T @ (self.frame.T @ self.gradient)
        return np.where(np.abs(self.values) > _ZERO * self.sharpest, along, 0.0)

    @property
    def sharpest(self) -> float:
        """Largest curvature."""
        return float(np.abs(self.values).max(initial=0.0))

    @property
    def flat(self) -> bool:
        """Whether the criterion does not change in some direction."""
        return bool((np.abs(self.values) < _FLAT).any())

    @property
    def natural(self) -> Matrix:
        """Directions in which the curvature is one, none longer than a unit, (k, f)."""
        return self.frame @ (self.vectors / np.sqrt(np.maximum(self.values, 1.0)))

    def refined(self, changes: Matrix) -> Model:
        """The model whose gradient changes like this along the natural directions, (k, f)."""
        H = self.natural.T @ changes
        back = self.vectors * np.sqrt(np.maximum(self.values, 1.0))
        return _model(self.gradient, self.frame, back @ ((H + H.T) / 2.0) @ back.T)

    def _wanted(self, damping: float) -> Vector:
        """To the minimum of the model, `damping` added to all curvatures; down a maximum too."""
        curvature = np.abs(self.values) + damping
        return -self._along / np.maximum(curvature, np.finfo(float).tiny)

    @property
    def shortened(self) -> bool:
        """Whether the step to the minimum is longer than what is dared."""
        return _length(self._wanted(0.0)) > _LONGEST

    def step(self, damping: float = 0.0) -> Vector:
        """A change of theta as far as the minimum of the model, but not too long, shape (k,)."""
        wanted = self._wanted(damping)
        wanted = wanted / max(_length(wanted) / _LONGEST, 1.0)
        return np.asarray(self.frame @ (self.vectors @ wanted))

    def gain(self, damping: float = 0.0) -> float:
        """What the whole step gains by the model."""
        wanted = self._wanted(damping)
        return -float(wanted @ (self._along + 0.5 * np.abs(self.values) * wanted))


def model_of(local: Local, theta: Vector, domain: Domain) -> Model:
    """The model over the parameters that are not held on the boundary."""
    gradient = np.where(domain.held(theta), 0.0, local.gradient)
    return _model(gradient, frame := domain.frame(theta), frame.T @ local.information @ frame)


def _model(gradient: Vector, frame: Matrix, curvature: Matrix) -> Model:
    return Model(gradient, frame, *np.linalg.eigh(curvature))


def _length(wanted: Vector) -> float:
    return float(np.linalg.norm(wanted) / np.sqrt(max(len(wanted), 1)))


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
