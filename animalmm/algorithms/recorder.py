"""What the algorithms have in common: the memory of a search, and the look at the boundary."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from animalmm.core import Domain, Iteration, Objective, Vector

__all__ = ["Recorder", "off_boundary", "onto_boundary"]

_SETTLED = 1e-8  # a difference of the criterion that no longer counts
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


def onto_boundary(f: Callable[[Vector], float], theta: Vector, domain: Domain) -> Vector:
    """Put parameters where Sigma is singular, if they are near and that costs nothing."""
    for _ in range(len(theta)):
        costless = (c for c in domain.edges(theta) if f(c) <= f(theta) + _SETTLED)
        candidate = next(costless, None)
        if candidate is None:
            break
        theta = candidate
    return theta


def off_boundary(f: Callable[[Vector], float], theta: Vector, domain: Domain) -> Vector | None:
    """A better point off the boundary on which theta is, if there is one."""
    best = min(domain.escapes(theta), key=f, default=None)
    return best if best is not None and f(best) < f(theta) - _SETTLED else None
