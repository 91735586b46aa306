"""AI takes few steps, also where Sigma is nearly singular, and from bad starts."""

import numpy as np
import pandas as pd
import pytest

from animalmm import build_problem
from animalmm.algorithms import Auto, AverageInformation, DerivativeFree, auto
from animalmm.algorithms.recorder import Recorder
from animalmm.algorithms.vanishing import FAR, larger, size_of
from animalmm.core import Domain, Optimum
from animalmm.errors import EstimationError

from .objectives import criterion_of, ignore, random_problem


def steps_of(criterion, start):
    """The optimum and how many steps it took."""
    watched = []
    found = AverageInformation().minimise(criterion, start, watched.append)
    return found, len(watched) - 1


def slopes_of_rank_two(seed):
    """Three random effects, one of them a combination of the others, and few levels."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(rng.normal(size=(90, 2)), columns=["x", "z"])
    data["g"] = rng.integers(0, 12, 90)
    effects = rng.normal(size=(12, 2)) @ rng.normal(size=(2, 3))
    columns = np.column_stack([np.ones(90), data.x, data.z])
    data["y"] = (effects[data.g] * columns).sum(axis=1) + rng.normal(size=90)
    return build_problem("y ~ x + (x + z | g)", data).problem


@pytest.mark.parametrize("seed", range(20))
def test_a_nearly_singular_sigma_takes_few_steps(seed):
    criterion = criterion_of(slopes_of_rank_two(seed))
    found, steps = steps_of(criterion, criterion.space.start())
    assert found.gain < 1e-9
    assert not found.flat
    assert steps <= 30


@pytest.mark.parametrize("seed", range(10))
def test_from_all_variances_zero_every_one_is_tried(seed):
    criterion = criterion_of(random_problem(seed))
    best = Auto().minimise(criterion, criterion.space.start(), ignore).value
    found, _ = steps_of(criterion, np.zeros(criterion.space.size))
    assert found.value < best + 1e-6


def test_a_residual_variance_at_its_limit_is_left():
    """The other component is known, so that it is a parameter; it starts at a millionth."""
    problem = random_problem(3)
    fixed = {term.name: np.eye(term.t) for term in problem.terms}
    criterion = criterion_of(problem, fixed=fixed)
    best = Auto().minimise(criterion, criterion.space.start(), ignore).value
    found, _ = steps_of(criterion, criterion.domain.lower)
    assert found.value == pytest.approx(best, abs=1e-6)


def saturated(seed, rank):
    """A kernel of some rank, one record of each level, and nearly as many fixed effects."""
    rng = np.random.default_rng(seed)
    names, markers = [f"a{i}" for i in range(40)], rng.normal(size=(40, rank))
    kernel = pd.DataFrame(markers @ markers.T / rank, index=names, columns=names)
    data = pd.DataFrame({"id": names, "group": rng.integers(0, 14, 40).astype(str)})
    data["y"] = markers @ rng.normal(size=rank) / np.sqrt(rank) + 0.1 * rng.normal(size=40)
    return build_problem("y ~ group + (1 | id)", data, {"id": kernel}).problem


@pytest.mark.parametrize("seed", range(5))
def test_a_residual_variance_that_goes_to_zero_does_so_in_few_steps(seed):
    criterion = criterion_of(saturated(seed, 60), "ML")
    found, steps = steps_of(criterion, criterion.space.start())
    assert found.flat
    assert found.value < criterion(1e3 * criterion.space.start())
    assert steps <= 20


@pytest.mark.parametrize("seed", range(3))
def test_a_likelihood_without_bound_is_no_optimum(seed):
    criterion = criterion_of(saturated(seed, 30), "ML")
    found, steps = steps_of(criterion, criterion.space.start())
    assert size_of(found.theta, criterion.domain) > FAR
    assert found.flat
    assert steps <= 30
    again = Auto().minimise(criterion, criterion.space.start(), ignore)
    assert again.evaluations == found.evaluations  # no search without derivatives


@pytest.mark.parametrize("algorithm", [AverageInformation(), DerivativeFree()], ids=["ai", "df"])
@pytest.mark.parametrize("size", [1e-4, 1e3, 1e5])
@pytest.mark.parametrize("seed", [0, 1, 3])
def test_far_starts_are_no_optima(seed, size, algorithm):
    criterion = criterion_of(random_problem(seed))
    best = Auto().minimise(criterion, criterion.space.start(), ignore).value
    found = algorithm.minimise(criterion, size * criterion.space.start(), ignore)
    assert found.value < best + 1e-6 or found.gain > 1e-6


def test_auto_keeps_what_ai_found_where_the_search_fails(monkeypatch):
    class Stuck:
        def minimise(self, objective, start, watch):
            return Optimum(start, 1.0, 1, 0.5, start)

    class Failing:
        def minimise(self, objective, start, watch):
            raise EstimationError("no variance is left")

    monkeypatch.setattr(auto, "AverageInformation", Stuck)
    monkeypatch.setattr(auto, "DerivativeFree", Failing)
    found = Auto().minimise(None, np.ones(1), ignore)
    assert found.gain == 0.5
    assert found.messages == ("the search without derivatives failed: no variance is left",)


class Plain:
    """A criterion that is a plain function, in a domain."""

    def __init__(self, function, domain):
        self.function, self.domain = function, domain

    def __call__(self, theta):
        return self.function(theta)


def test_all_sigma_grow_together_only_where_large_and_no_worse():
    lower, upper = np.array([0.0, 0.0, -1.0]), np.array([np.inf, np.inf, 1.0])
    domain = Domain(lower, upper, np.array([True, True, False]))
    level, rising = (Recorder(Plain(f, domain), ignore) for f in (lambda at: 0.0, lambda at: at[0]))
    theta, small = np.array([20.0, 3.0, 0.5]), np.array([5.0, 3.0, 0.5])
    assert larger(level, theta, domain).tolist() == [200.0, 30.0, 0.5]
    assert larger(rising, theta, domain) is theta
    assert larger(level, small, domain) is small


def test_a_trial_that_cannot_be_computed_is_refused():
    def failing(theta):
        raise EstimationError("no variance is left")

    recorder = Recorder(Plain(failing, Domain(*np.zeros((2, 1)), np.ones(1, bool))), ignore)
    assert recorder.trial(np.ones(1)) == np.inf
    with pytest.raises(EstimationError):
        recorder(np.ones(1))
