"""Derivative-free minimisation of a smooth criterion within bounds, to full precision.

A search finds the neighbourhood of the optimum; Newton steps on central differences then finish it, and
tell how far it may still be. The boundary gets its own look, because a criterion in standard deviations
has a zero slope at zero whether or not zero is the optimum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from animalmm.core import Matrix, Optimum, Vector

__all__ = ["DerivativeFree"]

_STEP = 3e-4  # of central differences: truncation ~ step^2, rounding ~ 1e-12 |f| / step
_SETTLED = 1e-8  # a gain of the criterion that no longer counts
_NEAR = 0.05  # a parameter this near its bound is tried on it
_INWARD = (0.02, 0.1, 0.5)  # how far into the box a parameter on its bound is tried
_RESTARTS = 4
_FLAT = 1e-9  # relative curvature below which a direction is not determined


class _Recorder:
    """The criterion with its memory: no theta is evaluated twice, and all are kept."""

    def __init__(self, criterion: Callable[[Vector], float]) -> None:
        self._criterion = criterion
        self._known: dict[bytes, float] = {}
        self.history: list[tuple[Vector, float]] = []

    def __call__(self, theta: Vector) -> float:
        key = (theta + 0.0).tobytes()
        if key not in self._known:
            self._known[key] = self._criterion(theta)
            self.history.append((theta.copy(), self._known[key]))
        return self._known[key]


@dataclass(frozen=True)
class _Box:
    """Bounds, and which parameters are on them."""

    lower: Vector
    upper: Vector

    def clip(self, theta: Vector) -> Vector:
        return np.clip(theta, self.lower, self.upper)

    def free(self, theta: Vector) -> NDArray[np.bool_]:
        return np.asarray((theta > self.lower) & (theta < self.upper))


@dataclass(frozen=True)
class _Local:
    """Gradient and Newton step at theta, from central differences."""

    gradient: Vector
    step: Vector
    flat: bool


@dataclass(frozen=True)
class DerivativeFree:
    """Quasi-Newton search on differences, Newton finish, boundary check, restarts.

    Attributes
    ----------
    max_newton : int, default 10
        Newton steps after each search.
    """

    max_newton: int = 10
    name = "df"

    def minimise(
        self,
        criterion: Callable[[Vector], float],
        start: Vector,
        lower: Vector,
        upper: Vector,
    ) -> Optimum:
        """Find a minimum from `start` within the bounds. See `animalmm.core.Algorithm`."""
        f, box = _Recorder(criterion), _Box(lower, upper)
        theta = box.clip(start)
        messages: list[str] = []
        if not len(theta):
            none = np.zeros(0)
            return Optimum(theta, f(theta), 1, none, none, (), tuple(f.history))
        for _ in range(_RESTARTS):
            theta = _search(f, theta, box)
            theta, local = self._finish(f, theta, box)
            moved = _across_boundary(f, theta, box)
            if moved is None:
                break
            messages.append(f"restarted from another side of a bound at {f(moved):.6f}")
            theta = moved
        if local.flat:
            messages.append("the criterion is flat in at least one direction")
        return Optimum(
            theta, f(theta), len(f.history), local.gradient, local.step, tuple(messages),
            tuple(f.history),
        )

    def _finish(self, f: _Recorder, theta: Vector, box: _Box) -> tuple[Vector, _Local]:
        """Newton steps until the next one would gain nothing."""
        theta = _onto_boundary(f, theta, box)
        for _ in range(self.max_newton):
            local = _local(f, theta, box)
            if abs(local.gradient @ local.step) < _SETTLED * 1e-3:
                break
            better = _line(f, theta, local.step, box)
            if better is None:
                break
            theta = _onto_boundary(f, better, box)
        return theta, _local(f, theta, box)


def _search(f: _Recorder, theta: Vector, box: _Box) -> Vector:
    """L-BFGS-B on central differences."""
    found = minimize(
        f, theta, method="L-BFGS-B", jac="3-point", bounds=list(zip(box.lower, box.upper, strict=True)),
        options={"ftol": 1e-12, "gtol": 1e-4},
    )
    best: Vector = min((f.history), key=lambda item: item[1])[0]
    return best if f(best) < found.fun else box.clip(found.x)


def _local(f: _Recorder, theta: Vector, box: _Box) -> _Local:
    """Central differences over the parameters that are not on a bound."""
    index = np.flatnonzero(box.free(theta))
    gradient, step = np.zeros(len(theta)), np.zeros(len(theta))
    if not len(index):
        return _Local(gradient, step, False)
    g, H = _differences(f, theta, index, box)
    values, vectors = np.linalg.eigh(H)
    determined = np.abs(values) > _FLAT * max(np.abs(values).max(), 1.0)
    curvature = np.where(determined, np.abs(values), np.inf)
    gradient[index] = g
    step[index] = -vectors @ ((vectors.T @ g) / curvature)
    return _Local(gradient, step, not determined.all())


def _differences(
    f: _Recorder, theta: Vector, index: NDArray[np.intp], box: _Box
) -> tuple[Vector, Matrix]:
    """Gradient and Hessian by central differences."""
    room = np.minimum(theta - box.lower, box.upper - theta)[index]
    h = np.minimum(_STEP * np.maximum(np.abs(theta[index]), 0.1), room)
    E = np.zeros((len(index), len(theta)))
    E[np.arange(len(index)), index] = h
    centre = f(theta)
    plus = np.array([f(theta + e) for e in E])
    minus = np.array([f(theta - e) for e in E])
    H = np.diag((plus - 2.0 * centre + minus) / h**2)
    for a in range(len(index)):
        for b in range(a):
            both = f(theta + E[a] + E[b]) + f(theta - E[a] - E[b])
            mixed = both - plus[a] - plus[b] - minus[a] - minus[b] + 2.0 * centre
            H[a, b] = H[b, a] = mixed / (2.0 * h[a] * h[b])
    return (plus - minus) / (2.0 * h), H


def _line(f: _Recorder, theta: Vector, step: Vector, box: _Box) -> Vector | None:
    """The first of a few halvings of a step that does not make things worse."""
    for fraction in (1.0, 0.5, 0.25, 0.1, 0.01):
        candidate = box.clip(theta + fraction * step)
        if f(candidate) <= f(theta):
            return candidate
    return None


def _onto_boundary(f: _Recorder, theta: Vector, box: _Box) -> Vector:
    """Put parameters that are near a bound on it where that costs nothing."""
    for bound in (box.lower, box.upper):
        for i in np.flatnonzero(np.isfinite(bound) & (theta != bound)):
            if abs(theta[i] - bound[i]) < _NEAR:
                candidate = theta.copy()
                candidate[i] = bound[i]
                if f(candidate) <= f(theta) + _SETTLED:
                    theta = candidate
    return theta


def _across_boundary(f: _Recorder, theta: Vector, box: _Box) -> Vector | None:
    """A better point off the bounds, if there is one."""
    best, value = None, f(theta) - _SETTLED
    for i in np.flatnonzero(~box.free(theta)):
        inward = 1.0 if theta[i] == box.lower[i] else -1.0
        for distance in _INWARD:
            candidate = theta.copy()
            candidate[i] += inward * distance
            candidate = box.clip(candidate)
            if f(candidate) < value:
                best, value = candidate, f(candidate)
    return best
