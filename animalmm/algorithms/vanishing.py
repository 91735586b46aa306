"""A residual variance that goes to zero: all Sigma relative to it grow without bound."""

from __future__ import annotations

import numpy as np

from animalmm.algorithms.recorder import Recorder
from animalmm.core import Domain, Vector

__all__ = ["FAR", "boundless", "larger", "size_of"]

_LARGE, _LARGEST = 10.0, 1e4  # standard deviations that may be on their way to infinity
_MUCH = 100.0  # standard deviation beside which the residual variance may be zero
_STRETCH = 10.0
_FELT = 1e-3  # change of the criterion
FAR = 1e7  # standard deviation beside which rounding hides what the residual variance does


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
