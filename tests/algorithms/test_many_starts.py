"""From the default start a fit reaches what the best of many random starts reaches."""

import numpy as np
import pytest

from animalmm.algorithms import Auto, DerivativeFree
from animalmm.estimation import Criterion
from animalmm.estimation.moments import moment_start

from .objectives import criterion_of, ignore, random_problem


def default_start(criterion: Criterion) -> np.ndarray:
    """The start of a fit."""
    psi = moment_start(criterion.problem, criterion.space)
    return criterion.space.start() if psi is None else criterion.space.theta(psi)


def compare(seed, algorithm, starts):
    """Criterion from the default start, and the best one from random starts."""
    criterion = criterion_of(random_problem(seed), "REML" if seed % 3 else "ML")
    space, rng = criterion.space, np.random.default_rng(seed)
    default = algorithm.minimise(criterion, default_start(criterion), ignore)
    best = np.inf
    for _ in range(starts):
        start = space.domain.clip(rng.normal(size=space.size) * rng.choice([0.1, 1.0, 5.0]))
        best = min(best, DerivativeFree().minimise(criterion, start, ignore).value)
    return default.value, best


@pytest.mark.parametrize("algorithm", [Auto(), DerivativeFree()], ids=lambda a: a.name)
@pytest.mark.parametrize("seed", range(5))
def test_the_default_start_is_as_good_as_a_few_random_ones(seed, algorithm):
    default, best = compare(seed, algorithm, 2)
    assert default <= best + 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", [Auto(), DerivativeFree()], ids=lambda a: a.name)
@pytest.mark.parametrize("seed", range(5, 35))
def test_the_default_start_is_as_good_as_ten_random_ones(seed, algorithm):
    default, best = compare(seed, algorithm, 10)
    assert default <= best + 1e-6
