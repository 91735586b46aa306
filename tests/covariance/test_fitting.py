"""What each form of Sigma makes of a moment matrix, and how its factor changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from animalmm.covariance import structure

from .strategies import NAMES, at_scale, deviance, inside, parameters, sigma_of


def random_moment(form, rng, rank=None):
    half = rng.normal(size=(form.size, rank or form.size + 2))
    return half @ half.T


@given(inside())
def test_the_jacobian_is_that_of_differences(drawn):
    form, theta, _ = drawn
    J = form.jacobian(theta)
    assert J.shape == (len(theta), form.size, form.size)
    for dT, e in zip(J, 1e-5 * np.eye(len(theta)), strict=True):
        change = (form.factor(theta + e) - form.factor(theta - e)) / 2e-5
        np.testing.assert_allclose(dT, change, atol=1e-7)


@given(parameters())
def test_the_jacobian_is_finite_also_where_sigma_is_singular(drawn):
    form, theta = drawn
    assert np.isfinite(form.jacobian(theta)).all()


@pytest.mark.parametrize(("name", "rho"), [("cs", 1.0), ("cs", -0.5), ("ar1", 1.0), ("ar1", -1.0)])
def test_a_correlation_at_its_limit_has_no_derivative_and_is_held(name, rho):
    form = structure(name, 3)
    theta = np.append(form.start()[:-1], rho)
    assert form.domain.held(theta)[-1]
    assert not form.jacobian(theta)[-1].any()


@given(inside())
def test_a_sigma_of_the_form_is_fitted_exactly(drawn):
    form, theta, rng = drawn
    near = form.domain.clip(theta + rng.normal(0, 0.3, len(theta)))
    sigma = sigma_of(form, theta)
    np.testing.assert_allclose(
        sigma_of(form, form.fitted(sigma, near)), sigma, rtol=1e-5, atol=1e-5 * at_scale(sigma)
    )


@given(inside())
def test_the_fitted_theta_is_stationary_and_no_worse_than_where_it_began(drawn):
    form, theta, rng = drawn
    moment = random_moment(form, rng)
    found = form.fitted(moment, theta)
    np.testing.assert_array_equal(found, form.domain.clip(found))
    least = deviance(form, found, moment)
    assert least <= deviance(form, theta, moment) + 1e-9
    for e in 1e-4 * np.eye(len(theta)):
        for near in (found + e, found - e):
            assert least <= deviance(form, form.domain.clip(near), moment) + 1e-9


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", NAMES)
def test_the_fitted_theta_is_that_of_a_blind_search(name, seed):
    form = structure(name, 3)
    rng = np.random.default_rng(seed)
    moment = random_moment(form, rng)
    blind = min(
        optimize.minimize(
            lambda theta: deviance(form, form.domain.clip(theta), moment),
            form.start() + rng.uniform(-0.3, 0.3, len(form.start())),
            method="Nelder-Mead",
            options={"xatol": 1e-7, "fatol": 1e-10, "maxfev": 5000},
        ).fun
        for _ in range(2)
    )
    found = form.fitted(moment, form.start())
    assert deviance(form, found, moment) == pytest.approx(blind, abs=1e-6)


@given(parameters())
def test_a_singular_sigma_is_fitted_by_itself(drawn):
    """On the boundary the moments have the null space of Sigma, and the step stays there."""
    form, theta = drawn
    sigma = sigma_of(form, theta)
    fitted = sigma_of(form, form.fitted(sigma, theta))
    np.testing.assert_allclose(fitted, sigma, rtol=0, atol=1e-4 * at_scale(sigma))


@pytest.mark.parametrize("t", [2, 3])
@pytest.mark.parametrize("name", ["cs", "ar1"])
def test_a_perfect_correlation_stays_and_takes_the_new_variances(name, t):
    form = structure(name, t)
    near = np.append(form.start()[:-1], 1.0)
    sd = np.full(t, 2.0) if name == "ar1" else np.arange(1.0, t + 1)
    moment = np.outer(sd, sd)
    np.testing.assert_allclose(sigma_of(form, form.fitted(moment, near)), moment, rtol=1e-9)


def test_the_least_correlation_of_cs_stays_with_other_deviations():
    form = structure("cs", 3)
    theta = np.array([1.0, 2.0, 3.0, -0.5])
    found = form.fitted(sigma_of(form, theta), np.array([1.0, 1.0, 1.0, -0.5]))
    np.testing.assert_allclose(found, theta, rtol=1e-6)


@given(st.sampled_from(NAMES), st.integers(2, 4), st.integers(0, 10_000))
def test_an_effect_without_a_moment_gets_no_variance(name, t, seed):
    rng = np.random.default_rng(seed)
    form = structure(name, t)
    moment = random_moment(form, rng)
    if name == "ar1":
        moment[:] = 0.0
    moment[0] = moment[:, 0] = 0.0
    found = form.fitted(moment, form.start())
    sigma = sigma_of(form, found)
    assert not sigma[0].any()
    np.testing.assert_array_equal(found, form.domain.clip(found))
    if name == "us":
        np.testing.assert_allclose(sigma, moment, atol=1e-12 * at_scale(moment))


@pytest.mark.parametrize("rank", [0, 1, 2])
@pytest.mark.parametrize("name", ["us", "diag"])
def test_moments_of_any_rank_are_taken(name, rank):
    form = structure(name, 3)
    half = np.random.default_rng(1).normal(size=(3, rank))
    moment = half @ half.T - 1e-17 * np.eye(3)  # not quite semi-definite, by rounding
    sigma = sigma_of(form, form.fitted(moment, form.start()))
    expected = moment if name == "us" else np.diag(np.diag(moment))
    np.testing.assert_allclose(sigma, expected, atol=1e-12)
