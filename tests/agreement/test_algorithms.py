"""Every algorithm ends at one criterion, on every model and by both likelihoods."""

import warnings
from functools import cache

import pytest

import animalmm
from animalmm.errors import BoundaryWarning

from .models import METHODS, MODELS, relationship

# models of several components, for which EM takes hundreds of steps
LONG = ("s8b_repeatability", "s8e_random_regression")
BY_NAME = {str(model): model for model in MODELS}
RUNS = [
    pytest.param(
        model,
        method,
        algorithm,
        id=f"{model}-{method}-{algorithm}",
        marks=[pytest.mark.slow] if "em" in algorithm and model.case in LONG else [],
    )
    for model in MODELS
    for method in METHODS
    for algorithm in ("ai", "em", "px-em", "df")
]


def criterion(model, method, algorithm):
    """Of a converged fit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BoundaryWarning)
        fit = animalmm.fit(
            model.formula,
            model.data(),
            relationship(model.case),
            weights=model.weights,
            method=method,
            algorithm=algorithm,
        )
    assert fit.convergence.converged
    return fit.estimate.criterion


@cache
def best(name, method):
    """What a user gets."""
    return criterion(BY_NAME[name], method, "auto")


@pytest.mark.parametrize(("model", "method", "algorithm"), RUNS)
def test_all_algorithms_reach_the_same_optimum(model, method, algorithm):
    found = criterion(model, method, algorithm)
    assert found == pytest.approx(best(str(model), method), rel=0, abs=1e-6)
