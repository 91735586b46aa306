"""The profiled criterion at a given theta, against lme4's deviance function."""

import numpy as np
import pytest

from animalmm.core import Psi
from animalmm.design import build_problem
from animalmm.engines import engine_spec
from animalmm.estimation import Criterion
from animalmm.estimation.components import parameter_space

from .models import ENGINES, METHODS, SLEEPSTUDY
from .references import references

UNWEIGHTED = [model for model in SLEEPSTUDY if model.weights is None]


def psi_of_lme4(problem, theta):
    """Relative factors from lme4's theta: lower triangles, column by column, term by term."""
    pieces = iter(np.atleast_1d(theta))
    factors = []
    for term in problem.terms:
        T = np.zeros((term.t, term.t))
        for column in range(term.t):
            T[column:, column] = [next(pieces) for _ in range(term.t - column)]
        factors.append(T)
    return Psi(tuple(factors))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", UNWEIGHTED, ids=str)
def test_criterion_at_given_theta(model, method, engine):
    problem = build_problem(model.formula, model.data()).problem
    space = parameter_space(problem, None)
    criterion = Criterion(engine_spec(engine).prepare(problem), problem, space, method)
    (lme4,) = (r for r in references(model, method) if "objective_at_theta" in r)
    for point in lme4["objective_at_theta"]:
        psi = psi_of_lme4(problem, point["theta"])
        theta = space.theta(psi)
        np.testing.assert_allclose(space.unscaled(theta), np.atleast_1d(point["theta"]), rtol=1e-12)
        limit = 2 * lme4.tolerance.loglik
        assert criterion(theta) == pytest.approx(point["value"], rel=0, abs=limit)
