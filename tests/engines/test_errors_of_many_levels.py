"""Errors read from the selected inverse and errors by solves are the same, and brute force."""

import numpy as np
import pytest

from animalmm.engines import MME, Auto, Whitened, equations, point

from .brute import assert_near
from .contract import assert_same_point
from .models import random_case

SPECS = [MME(join=True), MME(join=False), Whitened(join=True), Whitened(join=False), Auto()]
INVERTIBLE = ("identity", "sparse covariance", "pedigree", "precision")


@pytest.fixture(params=[0, 10**6], ids=["selected inverse", "solves"])
def way(request, monkeypatch):
    monkeypatch.setattr(point, "FEW", request.param)
    monkeypatch.setattr(equations, "FEW", request.param)


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_a_point_is_the_brute_force_one(way, spec, seed, big):
    case = random_case(seed, forms=INVERTIBLE, big=big)
    assert_same_point(spec.prepare(case.problem).at(case.psi), case.brute, case.problem)


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("seed", range(3))
def test_singular_sigmas(way, spec, seed):
    case = random_case(seed, forms=INVERTIBLE, big=True, singular_sigma=True)
    assert_same_point(spec.prepare(case.problem).at(case.psi), case.brute, case.problem)


@pytest.mark.parametrize("spec", SPECS)
def test_no_fixed_effects(way, spec):
    case = random_case(2, forms=INVERTIBLE, big=True, p=0)
    assert_same_point(spec.prepare(case.problem).at(case.psi), case.brute, case.problem)


@pytest.mark.parametrize("given_beta", [False, True])
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("seed", range(3))
def test_terms_side_by_side(way, spec, seed, given_beta):
    """Levels without records do not meet in the pattern: they take solves."""
    case = random_case(seed, forms=INVERTIBLE, big=True, shared=True)
    found = spec.prepare(case.problem).at(case.psi).error_blocks([1, 0], given_beta=given_beta)
    assert_near(found, case.brute.error_blocks([1, 0], given_beta=given_beta))
    assert np.isfinite(found).all()
