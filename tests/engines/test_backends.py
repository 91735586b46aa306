"""The engines give the same numbers whatever library factorises the equations."""

import importlib.util

import pytest

from animalmm.engines import MME, Whitened
from animalmm.linalg import cholmod

from .contract import assert_same_point
from .models import random_case

FORMS = ("pedigree", "precision", "sparse covariance", "identity")


@pytest.fixture(params=["dense", "superlu", "cholmod"])
def backend(request, monkeypatch):
    """All factorisations by one backend, whatever the size of the matrix."""
    if request.param == "cholmod" and importlib.util.find_spec("sksparse") is None:
        pytest.skip("scikit-sparse is not installed")
    monkeypatch.setattr(cholmod, "_fastest", lambda pattern: request.param)
    return request.param


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("spec", [MME(), MME(join=True), Whitened(), Whitened(join=True)])
@pytest.mark.parametrize("seed", range(4))
def test_a_point_is_the_brute_force_one(backend, spec, seed, big):
    case = random_case(seed, forms=FORMS, big=big)
    engine = spec.prepare(case.problem)
    assert_same_point(engine.at(case.psi), case.brute, case.problem)


def test_singular_sigmas_leave_the_pattern_alone(backend):
    definite = random_case(2, forms=FORMS)
    singular = random_case(2, forms=FORMS, singular_sigma=True)
    engine = MME().prepare(singular.problem)
    first = engine.at(singular.psi)
    engine.at(definite.other)
    assert_same_point(first, singular.brute, singular.problem)
