"""From the default start a fit reaches what the best of many random starts reaches."""

import numpy as np
import pandas as pd
import pytest

from animalmm import build_problem
from animalmm.algorithms import DerivativeFree
from animalmm.engines import Auto
from animalmm.estimation import Criterion, degrees_of_freedom
from animalmm.estimation.components import parameter_space

FORMULAS = (
    "y ~ x + (x | g) + (1 | h)",
    "y ~ x + (x || g) + (1 | h)",
    "y ~ x + cs(x | g) + (1 | h)",
    "y ~ x + (x + z | g)",
    "y ~ x + ar1(0 + f | g) + (1 | h)",
)


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


def criterion_of(seed, method):
    problem = build_problem(FORMULAS[seed % len(FORMULAS)], random_data(seed)).problem
    space = parameter_space(problem, None)
    engine = Auto().prepare(problem)
    return Criterion(engine, space, method, degrees_of_freedom(problem, method)), space


def compare(seed, starts):
    """Criterion from the default start, and the best one from random starts."""
    criterion, space = criterion_of(seed, "REML" if seed % 3 else "ML")
    algorithm, rng = DerivativeFree(), np.random.default_rng(seed)
    default = algorithm.minimise(criterion, space.start(), space.domain)
    best = np.inf
    for _ in range(starts):
        start = space.domain.clip(rng.normal(size=space.size) * rng.choice([0.1, 1.0, 5.0]))
        best = min(best, algorithm.minimise(criterion, start, space.domain).value)
    return default.value, best


@pytest.mark.parametrize("seed", range(5))
def test_the_default_start_is_as_good_as_a_few_random_ones(seed):
    default, best = compare(seed, 2)
    assert default <= best + 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5, 35))
def test_the_default_start_is_as_good_as_ten_random_ones(seed):
    default, best = compare(seed, 10)
    assert default <= best + 1e-6
