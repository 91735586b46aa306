"""The memory of a search."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from animalmm.core import Iteration, Objective, Vector
from animalmm.errors import EstimationError

__all__ = ["Recorder"]

_NOISE = 64 * np.finfo(float).eps  # relative rounding error of the criterion


class Recorder:
    """The criterion with its memory: no theta is evaluated twice, and the best one is known.

    Parameters
    ----------
    objective : Objective
        The criterion.
    watch : callable
        Told of each iteration.
    """

    def __init__(self, objective: Objective, watch: Callable[[Iteration], None]) -> None:
        self._objective = objective
        self._watch = watch
        self._known: dict[bytes, float] = {}
        self._best: tuple[Vector, float] | None = None

    def __call__(self, theta: Vector) -> float:
        """The criterion at theta."""
        key = (theta + 0.0).tobytes()
        if key not in self._known:
            value = self._known[key] = self._objective(theta)
            better = self._best is None or value < self._best[1]
            if better and np.array_equal(theta, self._objective.domain.clip(theta)):
                self._best = theta.copy(), value
        return self._known[key]

    def trial(self, theta: Vector) -> float:
        """The same for a step that may be refused: infinite where it cannot be computed."""
        try:
            return self(theta)
        except EstimationError:
            return np.inf

    @property
    def evaluations(self) -> int:
        """How many thetas were evaluated."""
        return len(self._known)

    @property
    def best(self) -> Vector:
        """The best theta within the domain so far."""
        assert self._best is not None
        return self._best[0]

    def noise(self, theta: Vector) -> float:
        """The rounding error of the criterion at theta."""
        return float(_NOISE * abs(self(theta)))

    def tell(
        self,
        step: str,
        theta: Vector,
        gradient: Vector | None = None,
        sigma2: float | None = None,
    ) -> None:
        """Report an iteration that led to theta."""
        self._watch(Iteration(step, theta.copy(), self(theta), gradient, sigma2))
