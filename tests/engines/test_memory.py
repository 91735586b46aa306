"""Memory of the mixed model equations: predicted, told, and refused where there is too little."""

import numpy as np
import pandas as pd
import pytest

import animalmm
from animalmm.engines import MME, Auto, system
from animalmm.engines.system import Memory
from animalmm.errors import ArgumentError
from animalmm.linalg import memory

from .models import random_case


def test_a_small_system_is_not_predicted():
    problem = random_case(3, forms=("precision",), big=True).problem
    found = MME().prepare(problem)._system.memory
    assert found == Memory(found.size)


@pytest.fixture
def problem(monkeypatch):
    monkeypatch.setattr(system, "LARGE", 50)
    return random_case(3, forms=("precision",), big=True).problem


@pytest.fixture
def needed(problem):
    return MME().prepare(problem)._system.memory


def machine(monkeypatch, n_bytes):
    monkeypatch.setattr(memory, "physical_memory", lambda: n_bytes / 0.79)


def test_is_that_of_the_factor_and_of_the_inverse(problem, needed):
    fill = MME().prepare(problem)._system._symbolic.fill
    assert needed.factors == 2 * fill.factor_bytes
    assert needed.inverse == 3 * fill.factor_bytes + fill.inverse_bytes


def test_is_told(problem, monkeypatch):
    monkeypatch.setattr(memory, "_NOTABLE", 1)
    assert MME().prepare(problem).description.endswith("; about 0.0 GiB")


def test_a_factor_that_does_not_fit_is_refused_before_it_is_made(problem, needed, monkeypatch):
    machine(monkeypatch, 0.9 * needed.factors)
    words = f"the Cholesky factor of {needed.size} mixed model equations needs .* random terms"
    with pytest.raises(ArgumentError, match=words):
        MME().prepare(problem)


def test_without_room_for_the_inverse_the_likelihood_is_left(problem, needed, monkeypatch):
    psi = random_case(3, forms=("precision",), big=True).psi
    roomy = MME().prepare(problem).at(psi)
    machine(monkeypatch, 0.9 * needed.inverse)
    point = MME().prepare(problem).at(psi)
    assert point.quad == roomy.quad
    with pytest.raises(ArgumentError, match=r"needs .* algorithm='df' needs the factor alone"):
        point.slope(0)


def test_a_fit_without_derivatives_takes_the_factor_alone(monkeypatch):
    monkeypatch.setattr(system, "LARGE", 100)
    rng = np.random.default_rng(1)
    g = rng.integers(0, 150, 600)
    data = pd.DataFrame({"g": g, "y": rng.normal(size=150)[g] + rng.normal(size=600)})
    usual = animalmm.fit("y ~ 1 + (1 | g)", data)
    problem = animalmm.build_problem("y ~ 1 + (1 | g)", data).problem
    machine(monkeypatch, 1.01 * Auto().prepare(problem)._system.memory.factors)
    with pytest.raises(ArgumentError, match="algorithm='df'"):
        animalmm.fit("y ~ 1 + (1 | g)", data)
    fit = animalmm.fit("y ~ 1 + (1 | g)", data, algorithm="df")
    np.testing.assert_allclose(fit.varcorr()["vcov"], usual.varcorr()["vcov"], rtol=1e-3)
    assert str(fit.summary())
