"""All algorithms reach one optimum, on random models and by both likelihoods."""

import numpy as np
import pytest

from animalmm.algorithms import EM, PXEM, Auto, AverageInformation, DerivativeFree

from .objectives import criterion_of, ignore, random_problem

FAST = (Auto(), AverageInformation(), DerivativeFree())
SURE = (EM(max_iterations=100), PXEM(max_iterations=100))


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("seed", range(20))
def test_fast_algorithms_end_at_one_criterion(seed, method):
    assert spread(FAST, seed, method) < 1e-6


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("seed", range(5))
def test_sure_algorithms_end_there_too(seed, method):
    assert spread((Auto(), *SURE), seed, method) < 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("seed", range(5, 40))
def test_all_algorithms_end_at_one_criterion(seed, method):
    assert spread((*FAST, *SURE), seed, method) < 1e-6


def spread(algorithms, seed, method):
    """Largest less smallest criterion."""
    criterion = criterion_of(random_problem(seed), method)
    start = criterion.space.start()
    values = [a.minimise(criterion, start, ignore).value for a in algorithms]
    return max(values) - min(values)


@pytest.mark.parametrize("algorithm", SURE, ids=lambda a: a.name)
@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("seed", range(5))
def test_no_step_of_em_goes_up(seed, method, algorithm):
    criterion, watched = criterion_of(random_problem(seed), method), []
    algorithm.minimise(criterion, criterion.space.start(), watched.append)
    values = np.array([iteration.value for iteration in watched])
    assert np.diff(values).max() <= 1e-9 * abs(values[0])


@pytest.mark.parametrize("seed", range(5))
def test_parameter_expansion_takes_fewer_steps(seed):
    counts = []
    for algorithm in SURE:
        criterion, watched = criterion_of(random_problem(seed)), []
        algorithm.minimise(criterion, criterion.space.start(), watched.append)
        counts.append(len(watched))
    em, px_em = counts
    assert px_em <= em


@pytest.mark.parametrize("seed", range(10))
def test_with_one_component_known_and_the_scale_given(seed):
    """The residual variance is then a parameter, not profiled out."""
    problem = random_problem(seed)
    fixed = {problem.terms[-1].name: np.eye(problem.terms[-1].t)}
    criterion = criterion_of(problem, fixed=fixed)
    values = [a.minimise(criterion, criterion.space.start(), ignore).value for a in (*FAST, *SURE)]
    assert max(values) - min(values) < 1e-6
