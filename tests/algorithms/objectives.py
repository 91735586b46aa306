"""Objectives for the tests: plain functions, and criteria of mixed models."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from animalmm import build_problem
from animalmm.core import Domain
from animalmm.engines import engine_spec
from animalmm.estimation import Criterion
from animalmm.estimation.components import parameter_space

FORMULAS = (
    "y ~ x + (x | g) + (1 | h)",
    "y ~ x + (x || g) + (1 | h)",
    "y ~ x + cs(x | g) + (1 | h)",
    "y ~ x + (x + z | g)",
    "y ~ x + ar1(0 + f | g) + (1 | h)",
)


@dataclass(frozen=True)
class Plain:
    """A function within a domain: all that a derivative-free search asks for."""

    function: Any
    domain: Domain

    def __call__(self, theta):
        return self.function(theta)


def ignore(iteration):
    """Watch nothing."""


def criterion_of(problem, method="REML", *, engine="auto", fixed=None):
    """The criterion of a problem."""
    space = parameter_space(problem, fixed)
    return Criterion(engine_spec(engine).prepare(problem), problem, space, method)


def random_data(seed):
    """True variances are large, small or zero, so that some optima lie on the boundary."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(50, 120))
    data = pd.DataFrame(
        {
            "g": rng.integers(0, rng.integers(5, 12), n),
            "h": rng.integers(0, rng.integers(4, 8), n),
            "x": rng.normal(size=n),
            "z": rng.normal(size=n),
            "f": rng.choice(["a", "b", "c"], n),
        }
    )
    sd = rng.choice([0.0, 0.2, 1.0, 3.0], size=4)
    effects = rng.normal(size=(12, 4)) * sd
    data["y"] = (
        effects[data.g, 0]
        + effects[data.g, 1] * data.x
        + effects[data.g, 2] * data.z
        + effects[data.h, 3]
        + rng.normal(size=n)
    )
    return data


def random_problem(seed):
    """One of a few models of random data."""
    return build_problem(FORMULAS[seed % len(FORMULAS)], random_data(seed)).problem
