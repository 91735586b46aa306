"""Derivative-free minimisation of a smooth criterion within bounds, to full precision.

A search finds the neighbourhood of the optimum; Newton steps on central differences then finish it,
and tell how far it may still be. The boundary gets its own look, because a criterion in standard
deviations has a zero slope at zero whether or not zero is the optimum.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from animalmm.algorithms.boundary import off_boundary, onto_boundary
from animalmm.algorithms.recorder import Recorder
from animalmm.core import Domain, Iteration, Matrix, Objective, Optimum, Vector

__all__ = ["DerivativeFree"]

_STEP = 3e-4  # of differences: truncation ~ step^2, rounding ~ 1e-12 |f| / step
_ROUNDS = 4
_ENOUGH = 1e-8  # gain of a Newton step after which no other is needed
_COARSE = 1e-4  # gain below which the search leaves the rest to Newton
_DOUBTFUL = 1e-6  # gain of the last Newton step above which another search is made
_FIRST = 0.5  # length of the first step of the search, in standard deviations
_FLAT = 1e-3  # curvature per unit: doubling a parameter would not be felt
_SURE = 0.05  # smallest over largest curvature that mixed derivatives of nearby can be trusted for
_LONGEST = 1.0  # step of a parameter, or its share, where a weak curvature asks for more


@dataclass(frozen=True, eq=False)
class _Local:
    """Gradient, curvature, Newton step and its gain at theta, from central differences."""

    gradient: Vector
    hessian: Matrix
    step: Vector
    gain: float  # of the whole step, which may be shortened
    flat: bool


@dataclass(frozen=True)
class DerivativeFree:
    """Search on differences, Newton finish, look at the bounds, restart where needed.

    Attributes
    ----------
    max_newton : int, default 10
        Newton steps after each search.
    """

    max_newton: int = 10
    name = "df"

    def minimise(
        self, objective: Objective, start: Vector, watch: Callable[[Iteration], None]
    ) -> Optimum:
        """Find a minimum from `start` within the domain. See `animalmm.core.Algorithm`."""
        domain = objective.domain
        f = Recorder(objective, watch)
        theta = domain.clip(start)
        f.tell("start", theta)
        messages: list[str] = []
        search = _quasi_newton
        for _ in range(_ROUNDS):
            theta, local = self._finish(f, search(f, theta, domain), domain)
            moved = off_boundary(f, theta, domain)
            if moved is not None:
                messages.append(f"restarted beside a singular Sigma at {f(moved):.6f}")
                theta, search = moved, _quasi_newton
            elif local.gain < _DOUBTFUL:
                break
            else:
                messages.append(f"searched again: the last step still gained {local.gain:.2g}")
                search = _simplex
        return Optimum(
            theta,
            f(theta),
            f.evaluations,
            local.gain,
            local.gradient,
            local.flat,
            tuple(messages),
        )

    def _finish(self, f: Recorder, theta: Vector, domain: Domain) -> tuple[Vector, _Local]:
        """Newton steps, up to and including the first that gains next to nothing."""
        theta = onto_boundary(f, theta, domain)
        hessian = None
        for _ in range(self.max_newton):
            local = _local(f, theta, domain, hessian)
            better = _line(f, theta, local.step, domain)
            if better is None:
                break
            better = onto_boundary(f, better, domain)
            # after a short step the mixed derivatives are as they were
            near = bool((np.abs(better - theta) < 0.01).all())
            near &= np.array_equal(domain.held(better), domain.held(theta))
            theta, hessian = better, local.hessian if near else None
            f.tell("Newton", theta)
            if local.gain < _ENOUGH:
                break
        return theta, local


def _bounds(domain: Domain) -> list[tuple[float, float]]:
    return list(zip(domain.lower.tolist(), domain.upper.tolist(), strict=True))


def _quasi_newton(f: Recorder, theta: Vector, domain: Domain) -> Vector:
    """SLSQP on forward differences, steps of which are large against rounding."""

    def slope(x: Vector) -> Vector:
        h = _STEP * np.maximum(np.abs(x), 0.1)
        h = np.where(x + h > domain.upper, -h, h)
        return np.array([(f(x + e) - f(x)) / e[i] for i, e in enumerate(np.diag(h))])

    # SLSQP starts as if the curvature were one: in this unit its first step has length _FIRST
    unit = max(float(np.linalg.norm(slope(theta))) / _FIRST, 1.0)

    def scaled(x: Vector) -> float:
        return f(x) / unit

    def scaled_slope(x: Vector) -> Vector:
        return np.asarray(slope(x) / unit)

    minimize(
        scaled,
        theta,
        jac=scaled_slope,
        method="SLSQP",
        bounds=_bounds(domain),
        tol=_COARSE / unit,
        callback=lambda x: f.tell("SLSQP", x.copy()),
    )
    return f.best


def _simplex(f: Recorder, theta: Vector, domain: Domain) -> Vector:
    """Nelder-Mead, slow but hard to mislead, for the second attempt."""
    limit = 500 * len(theta)
    minimize(
        f,
        theta,
        method="Nelder-Mead",
        bounds=_bounds(domain),
        callback=lambda x: f.tell("Nelder-Mead", x.copy()),
        options={"xatol": 1e-4, "fatol": 1e-6, "maxfev": limit},
    )
    return f.best


def _local(f: Recorder, theta: Vector, domain: Domain, hessian: Matrix | None) -> _Local:
    """Central differences over the parameters that are not on a bound."""
    index = np.flatnonzero(~domain.held(theta))
    k = len(theta)
    gradient, step, H = np.zeros(k), np.zeros(k), np.zeros((k, k))
    if not len(index):
        return _Local(gradient, H, step, gain=0.0, flat=False)
    g, inner, h = _differences(f, theta, index, domain, hessian)
    # in units of the differences the curvature is a difference of values, with their rounding error
    values, vectors = np.linalg.eigh(inner * np.outer(h, h))
    if hessian is not None and values.min() < _SURE * values.max():
        return _local(f, theta, domain, None)
    # a direction counts as flat by what it does to a parameter of its size, or of size one
    size = np.maximum(np.abs(theta[index]), 1.0)
    lengths = np.square((h / size)[:, None] * vectors).sum(axis=0)
    rounding = f.noise(theta)
    curvature = np.where(np.abs(values) > rounding, np.abs(values), np.inf)
    gradient[index] = g
    H[np.ix_(index, index)] = inner
    newton = -h * (vectors @ ((vectors.T @ (g * h)) / curvature))
    step[index] = newton / max((np.abs(newton) / size).max() / _LONGEST, 1.0)
    flat = bool((np.abs(values) <= np.maximum(rounding, _FLAT * lengths)).any())
    return _Local(gradient, H, step, 0.5 * abs(float(g @ newton)), flat)


def _differences(
    f: Recorder, theta: Vector, index: NDArray[np.intp], domain: Domain, hessian: Matrix | None
) -> tuple[Vector, Matrix, Vector]:
    """Gradient, Hessian (its mixed part as given, if it is) and steps of central differences."""
    room = np.minimum(theta - domain.lower, domain.upper - theta)[index]
    h = np.minimum(_STEP * np.maximum(np.abs(theta[index]), 0.1), room)
    E = np.zeros((len(index), len(theta)))
    E[np.arange(len(index)), index] = h
    centre = f(theta)
    plus = np.array([f(theta + e) for e in E])
    minus = np.array([f(theta - e) for e in E])
    gradient = (plus - minus) / (2.0 * h)
    own = (plus - 2.0 * centre + minus) / h**2
    if hessian is not None:
        H = hessian[np.ix_(index, index)].copy()
        np.fill_diagonal(H, own)
        return gradient, H, h
    H = np.diag(own)
    for a in range(len(index)):
        for b in range(a):
            both = f(theta + E[a] + E[b]) + f(theta - E[a] - E[b])
            mixed = both - plus[a] - plus[b] - minus[a] - minus[b] + 2.0 * centre
            H[a, b] = H[b, a] = mixed / (2.0 * h[a] * h[b])
    return gradient, H, h


def _line(f: Recorder, theta: Vector, step: Vector, domain: Domain) -> Vector | None:
    """The first of a few fractions of a step that does not make things worse."""
    worst = f(theta) + f.noise(theta)
    for fraction in (1.0, 0.5, 0.25, 0.1, 0.01):
        candidate = domain.clip(theta + fraction * step)
        if f(candidate) <= worst:
            return candidate
    return None
