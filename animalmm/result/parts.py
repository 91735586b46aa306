"""The parts of a fitted model by the names that lme4 gives them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from animalmm.core import Problem
from animalmm.covariance import semidefinite_cholesky
from animalmm.errors import ArgumentError, listing, nearest
from animalmm.estimation import Estimate

__all__ = ["part_of_model"]


def part_of_model(problem: Problem, estimate: Estimate, name: str) -> Any:
    """A copy of one part. See `Fit.get_me`."""
    point = estimate.point
    parts: dict[str, Callable[[], Any]] = {
        "y": lambda: problem.y,
        "X": lambda: problem.X,
        "Z": lambda: sparse.hstack([t.Z for t in problem.terms], format="csr"),
        "beta": lambda: point.beta,
        "theta": lambda: estimate.space.unscaled(estimate.theta),
        "b": lambda: np.concatenate([U.ravel() for U in point.u]),
        "T": lambda: {
            t.name: semidefinite_cholesky(sigma)
            for t, sigma in zip(problem.terms, estimate.psi.sigmas, strict=True)
        },
        "weights": lambda: problem.weights,
        "offset": lambda: problem.offset,
        "n": lambda: problem.n,
        "p": lambda: problem.p,
    }
    if name not in parts:
        raise ArgumentError(
            f"there is no part {name!r}; there are {listing(parts, limit=len(parts))}."
            f"{nearest(name, parts)}"
        )
    return copy.deepcopy(parts[name]())
