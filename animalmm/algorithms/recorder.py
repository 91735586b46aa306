"""What the algorithms have in common: the memory of a search, and the look at the boundary."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from animalmm.core import Domain, Iteration, Objective, Vector
from animalmm.errors import EstimationError

__all__ = [
    "FAR",
    "Recorder",
    "boundless",
    "downhill_off_boundary",
    "larger",
    "off_boundary",
    "onto_boundary",
    "size_of",
]

_SETTLED = 1e-8  # a difference of the criterion that no longer counts
_NOISE = 64 * np.finfo(float).eps  # relative rounding error of the criterion
_LARGE, _LARGEST = 10.0, 1e4  # standard deviations that may be on their way to infinity
_MUCH = 100.0  # standard deviation beside which the residual variance may be zero
_STRETCH = 10.0
_FELT = 1e-3  # change of the criterion
FAR = 1e7  # standard deviation beside which rounding hides what the residual variance does


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


def onto_boundary(f: Callable[[Vector], float], theta: Vector, domain: Domain) -> Vector:
    """Put parameters where Sigma is singular, if they are near and that costs nothing."""
    for _ in range(len(theta)):
        costless = (c for c in domain.edges(theta) if f(c) <= f(theta) + _SETTLED)
        candidate = next(costless, None)
        if candidate is None:
            break
        theta = candidate
    return theta


def off_boundary(f: Recorder, theta: Vector, domain: Domain) -> Vector | None:
    """A better point off the boundary on which theta is, if there is one."""
    return _better(f, theta, domain.escapes(theta))


def downhill_off_boundary(f: Recorder, objective: Objective, theta: Vector) -> Vector | None:
    """The same by the gradient beside the boundary: one, and every direction is looked into."""
    domain = objective.domain
    if not domain.singular(theta).any():
        return None
    f(beside := domain.beside(theta))  # for the count
    return _better(f, theta, domain.ways_off(theta, objective.local(beside).gradient))


def _better(f: Recorder, theta: Vector, candidates: Iterator[Vector]) -> Vector | None:
    best = min(candidates, key=f.trial, default=None)
    return best if best is not None and f.trial(best) < f(theta) - _SETTLED else None


def size_of(theta: Vector, domain: Domain) -> float:
    """The largest standard deviation in theta; what has an upper bound is none."""
    return float(np.abs(theta[np.isinf(domain.upper)]).max(initial=0.0))


def larger(f: Recorder, theta: Vector, domain: Domain) -> Vector:
    """All Sigma made a hundred times as large, if they are large and that is no worse.

    A residual variance that goes to zero takes many steps, as none more than doubles a Sigma.
    """
    large = _LARGE < size_of(theta, domain) < _LARGEST
    candidate = _stretched(theta, domain)
    return candidate if large and f.trial(candidate) <= f(theta) else theta


def boundless(f: Recorder, theta: Vector, domain: Domain) -> bool:
    """Whether all Sigma a hundred times as large would not be felt, or could not be computed."""
    size = size_of(theta, domain)
    if not _MUCH < size < FAR:
        return size >= FAR
    further = f.trial(_stretched(theta, domain))
    return further < f(theta) + _FELT or np.isinf(further)


def _stretched(theta: Vector, domain: Domain) -> Vector:
    return np.where(np.isinf(domain.upper), _STRETCH * theta, theta)
