"""On the boundary and off it: where Sigma is singular, standard deviations have no slope."""

from __future__ import annotations

from collections.abc import Iterator

from animalmm.algorithms.recorder import Recorder
from animalmm.core import Domain, Objective, Vector

__all__ = ["downhill_off_boundary", "off_boundary", "onto_boundary"]

_SETTLED = 1e-8  # a difference of the criterion that no longer counts


def onto_boundary(f: Recorder, theta: Vector, domain: Domain) -> Vector:
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
