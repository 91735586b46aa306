"""method, algorithm and engine: names, objects, and what they change."""

import numpy as np
import pytest

from animalmm import MME, Whitened, build_problem, estimate, fit
from animalmm.algorithms import DerivativeFree
from animalmm.core import Iteration, Optimum
from animalmm.errors import ArgumentError

from .data import random_slopes, variances

FORMULA = "y ~ x + (x | g)"


@pytest.fixture(scope="module")
def data():
    return random_slopes()


@pytest.fixture(scope="module")
def free(data):
    return fit(FORMULA, data)


@pytest.mark.parametrize(
    ("argument", "value", "message"),
    [
        ("method", "remle", "method is 'REML' or 'ML', not 'remle'"),
        ("algorithm", "aai", "no algorithm 'aai'"),
        ("algorithm", 1, "algorithm takes a name"),
        ("engine", "mmes", "no engine 'mmes'.*Did you mean 'mme'"),
        ("engine", 1, "engine takes a name"),
    ],
)
def test_unknown_choices_are_refused(data, argument, value, message):
    with pytest.raises(ArgumentError, match=message):
        fit(FORMULA, data, **{argument: value})


@pytest.mark.parametrize("engine", [MME(), MME(join=True), Whitened(), Whitened(join=True)])
def test_engine_objects_give_the_same_estimates(data, free, engine):
    found = fit(FORMULA, data, engine=engine)
    np.testing.assert_allclose(variances(found), variances(free), rtol=1e-7)
    assert found.estimate.spec is engine
    assert found.estimate.engine.startswith(type(engine).__name__.lower())


def test_an_engine_of_ones_own_is_asked_for_points(data, free):
    class Counting:
        calls = 0

        def prepare(self, problem):
            self.engine = MME().prepare(problem)
            self.description = "counting"
            return self

        def at(self, psi):
            self.calls += 1
            return self.engine.at(psi)

        def rank(self, term):
            return self.engine.rank(term)

    engine = Counting()
    found = fit(FORMULA, data, engine=engine)
    assert found.estimate.engine == "counting"
    assert engine.calls >= found.convergence.evaluations
    assert found.estimate.criterion == free.estimate.criterion


def test_an_algorithm_of_ones_own_gets_criterion_start_and_domain(data):
    class Fixed:
        name = "mine"

        def minimise(self, objective, start, watch):
            assert objective.domain.lower.shape == start.shape == (3,)
            watch(Iteration("guess", start, objective(start)))
            return Optimum(start, objective(start), 1, 0.0, np.zeros(3))

    found = fit(FORMULA, data, algorithm=Fixed())
    assert found.convergence.algorithm == "mine"
    assert found.convergence.evaluations == 1
    assert found.history["step"].tolist() == ["guess"]
    assert found.remlcrit == pytest.approx(found.estimate.criterion, rel=1e-12)


def test_a_configured_algorithm_is_used(data, free):
    found = fit(FORMULA, data, algorithm=DerivativeFree(max_newton=20))
    assert found.estimate.criterion == pytest.approx(free.estimate.criterion, abs=1e-8)


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_the_criterion_is_that_of_the_method_at_the_estimate(data, method):
    found = fit(FORMULA, data, method=method)
    criterion = found.remlcrit if method == "REML" else found.deviance
    assert found.estimate.criterion == pytest.approx(criterion, rel=1e-12)
    assert found.loglik() == pytest.approx(-criterion / 2, rel=1e-12)
    assert found.method == method


def test_each_method_is_best_by_its_own_criterion(data, free):
    ml = fit(FORMULA, data, method="ML")
    assert free.remlcrit < ml.remlcrit
    assert ml.deviance < free.deviance
    assert variances(ml).sum() < variances(free).sum()


def test_reml_of_a_balanced_layout_is_the_analysis_of_variance(data):
    ms_between = 6 * data.groupby("g").y.mean().var()
    ms_within = data.groupby("g").y.var().mean()
    found = variances(fit("y ~ 1 + (1 | g)", data))
    np.testing.assert_allclose(found, [(ms_between - ms_within) / 6, ms_within], rtol=1e-6)


def test_ml_of_a_balanced_layout_has_its_closed_form(data):
    ms_between = 6 * data.groupby("g").y.mean().var() * 19 / 20
    ms_within = data.groupby("g").y.var().mean()
    found = variances(fit("y ~ 1 + (1 | g)", data, method="ML"))
    np.testing.assert_allclose(found, [(ms_between - ms_within) / 6, ms_within], rtol=1e-6)


def test_estimate_is_a_public_step(data, free):
    found = estimate(build_problem(FORMULA, data).problem)
    assert found.criterion == free.estimate.criterion
    assert found.seconds > 0


def test_there_may_be_no_fixed_effects(data):
    found = fit("y ~ 0 + (x | g)", data)
    assert found.convergence.converged
    assert found.fixef().empty
    assert found.remlcrit == pytest.approx(found.deviance, rel=1e-12)
