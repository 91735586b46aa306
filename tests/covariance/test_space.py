"""All parameters in one vector: there and back, with and without known components."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animalmm.core import Psi
from animalmm.covariance import ParameterSpace, semidefinite_cholesky, structure

from .strategies import NAMES, at_scale, scales, sigma_of

FORMS = (structure("us", 2), structure("diag", 3), structure("cs", 2), structure("ar1", 3))
SIGMAS = (
    np.array([[4.0, 1.0], [1.0, 2.0]]),
    np.diag([1.0, 0.0, 3.0]),
    np.array([[1.0, -0.6], [-0.6, 4.0]]),
    2.0 * 0.5 ** np.abs(np.subtract.outer(np.arange(3), np.arange(3))),
)
SCALES = (np.array([1.0, 0.01]), np.array([3.0, 1.0, 0.2]), np.array([1.0, 50.0]), np.full(3, 2.0))


def space(**fixed):
    return ParameterSpace(FORMS, SCALES, **fixed)


def psi_of(sigmas, sigma2):
    return Psi(tuple(semidefinite_cholesky(s) for s in sigmas), sigma2)


def assert_same_psi(found, expected):
    for a, b in zip(found.sigmas, expected.sigmas, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12 * at_scale(b), rtol=1e-9)
    assert found.sigma2 == pytest.approx(expected.sigma2, rel=1e-12)


def test_profiled_parameters_are_relative_to_the_residual():
    profiled = space()
    assert profiled.profiled
    psi = psi_of(SIGMAS, 2.5)
    found = profiled.psi(profiled.theta(psi))
    assert found.sigma2 == 1.0
    assert_same_psi(found.scaled(2.5), psi)


@pytest.mark.parametrize(
    ("fixed", "size"),
    [
        ({"fixed": {0: SIGMAS[0]}}, 9),
        ({"fixed": {1: SIGMAS[1], 3: SIGMAS[3]}}, 7),
        ({"fixed": dict(enumerate(SIGMAS))}, 1),
        ({"fixed_sigma2": 2.5}, 11),
        ({"fixed": {2: SIGMAS[2]}, "fixed_sigma2": 2.5}, 8),
        ({"fixed": dict(enumerate(SIGMAS)), "fixed_sigma2": 2.5}, 0),
    ],
)
def test_with_known_components_parameters_are_on_the_scale_of_the_data(fixed, size):
    partly = space(**fixed)
    assert not partly.profiled
    assert partly.size == partly.n_variance_parameters == size
    psi = psi_of(SIGMAS, 2.5)
    theta = partly.theta(psi)
    assert len(theta) == size
    assert_same_psi(partly.psi(theta), psi)


def test_the_profiled_residual_counts_as_a_parameter():
    assert space().size == 11
    assert space().n_variance_parameters == 12


def test_known_components_stay_whatever_theta_is():
    partly = space(fixed={0: SIGMAS[0]}, fixed_sigma2=2.5)
    psi = partly.psi(np.full(partly.size, 0.3))
    np.testing.assert_allclose(psi.sigmas[0], SIGMAS[0], rtol=1e-12)
    assert psi.sigma2 == 2.5


@given(st.data())
def test_there_and_back_for_any_scales(data):
    """Ill-matched scales of the effects of a term are units only."""
    drawn = tuple(
        np.full(form.size, data.draw(scales(1)))
        if form.name == "ar1"
        else data.draw(scales(form.size))
        for form in FORMS
    )
    for fixed in ({}, {"fixed": {1: SIGMAS[1]}}):
        any_scales = ParameterSpace(FORMS, drawn, **fixed)
        psi = psi_of(SIGMAS, 1.0)
        assert_same_psi(any_scales.psi(any_scales.theta(psi)), psi)


def test_unscaled_theta_is_that_of_lme4():
    both = ParameterSpace(FORMS[:2], SCALES[:2])
    psi = psi_of(SIGMAS[:2], 4.0)
    found = both.unscaled(both.theta(psi))
    T = np.linalg.cholesky(SIGMAS[0]) / 2
    np.testing.assert_allclose(found, [*T[:, 0], T[1, 1], 0.5, 0.0, np.sqrt(3) / 2], atol=1e-12)


def test_unscaled_keeps_a_free_residual_and_leaves_out_a_known_one():
    psi = psi_of(SIGMAS, 4.0)
    free = space(fixed={0: SIGMAS[0]})
    assert free.unscaled(free.theta(psi))[-1] == 2.0
    known = space(fixed=dict(enumerate(SIGMAS)), fixed_sigma2=4.0)
    assert known.unscaled(known.theta(psi)).shape == (0,)


@pytest.mark.parametrize("fixed", [{}, {"fixed": {1: SIGMAS[1]}}, {"fixed_sigma2": 2.0}])
def test_the_start_gives_every_effect_the_residual_variance_in_its_own_units(fixed):
    start = space(**fixed, unit=3.0 if fixed else 1.0)
    psi = start.psi(start.start())
    expected = 9.0 if fixed else 1.0
    for i in (0, 2, 3):
        np.testing.assert_allclose(np.diag(psi.sigmas[i]), expected * SCALES[i] ** 2, rtol=1e-12)


def test_canonical_theta_has_the_same_sigmas_and_no_negative_deviations():
    both = ParameterSpace(FORMS, SCALES, {1: SIGMAS[1]})
    theta = both.theta(psi_of(SIGMAS, 4.0))
    flipped = theta.copy()
    flipped[0:2] *= -1  # the first column of the unstructured one
    assert_same_psi(both.psi(both.canonical(flipped)), both.psi(theta))
    np.testing.assert_allclose(both.canonical(flipped), theta, rtol=1e-12)


def test_singular_terms_are_counted_among_all_terms():
    partly = space(fixed={0: SIGMAS[0]})
    assert partly.singular_terms(partly.theta(psi_of(SIGMAS, 4.0)), 1e-4) == [1]
    one = (SIGMAS[0], np.eye(3), np.ones((2, 2)), SIGMAS[3])
    assert partly.singular_terms(partly.theta(psi_of(one, 4.0)), 1e-4) == [2]


def test_the_domain_stacks_those_of_the_free_terms():
    partly = space(fixed={1: SIGMAS[1]})
    expected = [FORMS[i].domain for i in (0, 2, 3)]
    np.testing.assert_array_equal(
        partly.domain.lower, np.concatenate([*(d.lower for d in expected), [-9.0]])
    )
    np.testing.assert_array_equal(
        partly.domain.upper, np.concatenate([*(d.upper for d in expected), [9.0]])
    )
    assert not partly.domain.through_zero[-1]


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_scaling_psi_scales_every_variance(variance, sigma2):
    psi = psi_of(SIGMAS, sigma2)
    assert_same_psi(psi.scaled(variance), psi_of([variance * s for s in SIGMAS], variance * sigma2))


@st.composite
def spaces(draw):
    """All forms, scaled by deviations or, where the form takes any basis, by a matrix."""
    form = structure(draw(st.sampled_from(NAMES)), draw(st.integers(1, 3)))
    forms = (*FORMS, form)
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    drawn = []
    for form in forms:
        scale = np.exp(rng.normal(size=form.size))
        if form.name == "ar1":
            scale[:] = scale[0]
        if form.any_basis and rng.random() < 0.7:
            scale = rng.normal(size=(form.size, form.size)) + 2 * np.eye(form.size)
        drawn.append(scale)
    fixed = draw(st.sampled_from([{}, {"fixed": {1: SIGMAS[1]}}, {"fixed_sigma2": 2.5}]))
    drawn_space = ParameterSpace(forms, tuple(drawn), **fixed, unit=3.0 if fixed else 1.0)
    domain = drawn_space.domain
    theta = drawn_space.start() + rng.uniform(-0.3, 0.3, drawn_space.size)
    return drawn_space, np.clip(theta, domain.lower + 0.1, domain.upper - 0.1), rng


@given(spaces())
def test_the_derivatives_of_the_factors_are_those_of_differences(drawn):
    some, theta, _ = drawn
    found = some.derivatives(theta)
    assert len(found) == some.size - some.free_residual
    assert sorted({i for i, _ in found}) == some.free_terms
    for (i, dF), e in zip(found, 1e-5 * np.eye(some.size), strict=False):
        after, before = some.psi(theta + e).factors, some.psi(theta - e).factors
        for k, change in enumerate((a - b) / 2e-5 for a, b in zip(after, before, strict=True)):
            np.testing.assert_allclose(dF if k == i else 0.0, change, atol=1e-7)


@given(spaces())
def test_there_and_back_for_any_basis(drawn):
    some, theta, _ = drawn
    unit = 2.0 if some.profiled else 1.0
    psi = some.psi(theta).scaled(unit)
    assert_same_psi(some.psi(some.theta(psi)).scaled(unit), psi)
    assert_same_psi(some.psi(some.canonical(theta)), some.psi(theta))


@given(spaces())
def test_what_is_fitted_to_its_own_moments_stays(drawn):
    some, theta, _ = drawn
    psi = some.psi(theta).scaled(4.0 if some.profiled else 1.0)
    found = some.maximised(dict(enumerate(psi.sigmas)), psi.sigma2, theta)
    for a, b in zip(some.psi(found).sigmas, some.psi(theta).sigmas, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6 * at_scale(b))


@given(spaces())
def test_no_theta_fits_the_moments_better(drawn):
    """On the scale of the data, whatever the units of theta."""
    some, theta, rng = drawn
    sigma2 = some.fixed_sigma2 or 4.0
    moments = {}
    for i in some.free_terms:
        half = rng.normal(size=some.structures[i].size * np.array([1, 2]))
        moments[i] = half @ half.T

    def deviance(theta):
        psi = some.psi(theta).scaled(sigma2 if some.profiled else 1.0)
        fits = [
            np.linalg.slogdet(psi.sigmas[i])[1] + np.linalg.solve(psi.sigmas[i], M).trace()
            for i, M in moments.items()
        ]
        return sum(fits) + np.log(psi.sigma2) + sigma2 / psi.sigma2

    found = some.maximised(moments, sigma2, theta)
    least = deviance(found)
    assert least <= deviance(theta) + 1e-9
    for _ in range(20):
        near = found + rng.normal(0, 0.05, some.size)
        if not some.domain.singular(some.domain.clip(near), 1e-3).any():
            assert least <= deviance(near) + 1e-8


def test_the_helper_of_these_tests_is_right():
    np.testing.assert_allclose(sigma_of(FORMS[0], FORMS[0].from_matrix(SIGMAS[0])), SIGMAS[0])
