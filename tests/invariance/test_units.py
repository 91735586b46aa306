"""Units: what scales with them and what stays."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animalmm import Pedigree, fit

from .herd import (
    ANIMAL,
    SLOPES,
    assert_same,
    assert_same_fit,
    effects,
    herd,
    inverse_of,
    kinship,
    pedigree_table,
    slopes,
    variances,
)

METHODS = ["REML", "ML"]


def log_likelihood_change(fit, variance):
    """What multiplying y by a constant adds to -2 log L, for the variance factor."""
    df = fit.nobs - (len(fit.fixef()) if fit.method == "REML" else 0)
    return df * np.log(variance)


@settings(max_examples=8)
@given(st.floats(-5, 5), st.floats(-100, 100), st.sampled_from(METHODS))
def test_unit_and_origin_of_the_response(exponent, shift, method):
    c = 10.0**exponent
    a = fit(ANIMAL, herd(), {"animal": kinship()}, method=method)
    moved = herd().assign(y=c * (herd()["y"] + shift))
    b = fit(ANIMAL, moved, {"animal": kinship()}, method=method)
    assert_same(variances(b), c**2 * variances(a))
    assert_same(effects(b, "animal"), c * effects(a, "animal"))
    assert_same(b.bse, c * a.bse)
    origin = (a.fixef().index == "Intercept") | (a.fixef().index == "(Intercept)")
    assert_same(b.fixef(), c * (a.fixef() + shift * origin))
    expected = a.estimate.criterion + log_likelihood_change(a, c**2)
    assert b.estimate.criterion == pytest.approx(expected, abs=1e-6)


def test_a_shift_by_an_offset_is_a_shift_of_the_response(reference):
    data = herd().assign(o=herd()["x"] ** 2 * 10)
    shifted = data.assign(y=data["y"] + data["o"])
    found = fit(ANIMAL, shifted, {"animal": kinship()}, offset="o")
    assert_same_fit(found, reference)
    inside = fit(
        "y ~ sex + x + offset(o) + (1 | animal) + (1 | litter)", shifted, {"animal": kinship()}
    )
    assert_same_fit(inside, reference)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("c", [1e-3, 1e-1, 7.0, 1e3, 1e6])
def test_unit_of_the_covariate_of_a_random_slope_only(method, c):
    """The fixed part keeps x: the likelihood does not know the unit of the slope."""
    data = slopes()
    a = fit("y ~ x + (z | g)", data.assign(z=data["x"]), method=method)
    b = fit("y ~ x + (z | g)", data.assign(z=c * data["x"]), method=method)
    assert b.estimate.criterion == pytest.approx(a.estimate.criterion, abs=1e-7)
    scale = np.array([1, 1 / c**2, 1 / c, 1])
    np.testing.assert_allclose(variances(b), variances(a) * scale, rtol=1e-7)
    np.testing.assert_allclose(b.ranef() * [1, c], a.ranef(), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(b.fixef(), a.fixef(), rtol=1e-7)
    assert b.estimate.convergence.converged


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("c", [1e-3, 7.0, 1e3])
def test_unit_of_a_covariate_in_both_parts(method, c):
    """REML has log|X'V^-1X| and so knows the unit of X; ML does not."""
    a = fit(SLOPES, slopes(), method=method)
    b = fit(SLOPES, slopes().assign(x=c * slopes()["x"]), method=method)
    change = 2 * np.log(c) if method == "REML" else 0.0
    assert b.estimate.criterion == pytest.approx(a.estimate.criterion + change, abs=1e-7)
    np.testing.assert_allclose(variances(b), variances(a) * [1, c**-2, c**-1, 1], rtol=1e-7)
    np.testing.assert_allclose(b.fixef() * [1, c], a.fixef(), rtol=1e-7)
    assert_same(b.fittedvalues, a.fittedvalues)


def test_origin_of_a_covariate_moves_the_intercept_and_its_variance(slope_reference):
    a = slope_reference
    b = fit(SLOPES, slopes().assign(x=slopes()["x"] + 3))
    assert b.estimate.criterion == pytest.approx(a.estimate.criterion, abs=1e-7)
    turn = np.array([[1.0, -3.0], [0.0, 1.0]])
    expected = turn @ a.estimate.psi.sigmas[0] @ turn.T
    np.testing.assert_allclose(b.estimate.psi.sigmas[0], expected, rtol=1e-6)
    assert_same(b.fittedvalues, a.fittedvalues)


@pytest.mark.parametrize("engine", ["auto", "mme", "whitened"])
@pytest.mark.parametrize("c", [1e-4, 0.5, 1e4])
@pytest.mark.parametrize("argument", ["relmat", "precision"])
def test_unit_of_the_relationships(reference, argument, c, engine):
    K = c * kinship() if argument == "relmat" else inverse_of(kinship()) / c
    found = fit(ANIMAL, herd(), **{argument: {"animal": K}}, engine=engine)
    scale = np.array([1 / c, 1, 1])
    np.testing.assert_allclose(variances(found), variances(reference) * scale, rtol=1e-7)
    assert found.estimate.criterion == pytest.approx(reference.estimate.criterion, abs=1e-7)
    assert_same(effects(found, "animal"), effects(reference, "animal"))
    assert_same(found.fixef(), reference.fixef())


@pytest.mark.parametrize("c", [1e-8, 1e-4, 0.5, 1e4, 1e8])
@pytest.mark.parametrize("method", METHODS)
def test_unit_of_the_weights(c, method):
    """Weights in another unit are a residual variance in another unit, and nothing else."""
    a = fit(ANIMAL, herd(), {"animal": kinship()}, weights="w", method=method)
    heavy = herd().assign(w=c * herd()["w"])
    b = fit(ANIMAL, heavy, {"animal": kinship()}, weights="w", method=method)
    np.testing.assert_allclose(variances(b), variances(a) * [1, 1, c], rtol=1e-7)
    assert_same_fit_but_residual(b, a)
    assert b.estimate.criterion == pytest.approx(a.estimate.criterion, abs=1e-7)


def assert_same_fit_but_residual(found, expected):
    assert_same(found.fixef(), expected.fixef())
    assert_same(found.bse, expected.bse)
    assert_same(effects(found, "animal"), effects(expected, "animal"))


def test_weights_of_one_are_no_weights(reference):
    found = fit(ANIMAL, herd().assign(w=1.0), {"animal": kinship()}, weights="w")
    assert_same_fit(found, reference, tolerance=1e-12)


@pytest.mark.parametrize("engine", ["mme", "whitened"])
@pytest.mark.parametrize("method", METHODS)
def test_engines_agree_with_weights_on_a_pedigree(engine, method):
    given = {"relmat": {"animal": Pedigree(pedigree_table())}, "weights": "w", "method": method}
    assert_same_fit(fit(ANIMAL, herd(), **given, engine=engine), fit(ANIMAL, herd(), **given))


@pytest.mark.parametrize("engine", ["auto", "mme", "whitened"])
def test_engines_agree_on_random_slopes(slope_reference, engine):
    assert_same_fit(fit(SLOPES, slopes(), engine=engine), slope_reference)


@pytest.mark.parametrize("origin", [100.0, 2000.0])
def test_the_origin_of_the_covariate_of_a_slope_does_not_matter(origin):
    """Years and ages are given as they are, far from zero."""
    rng = np.random.default_rng(4)
    g = np.repeat(np.arange(30), 6)
    x = rng.uniform(0, 10, 180)
    effects = rng.multivariate_normal([0, 0], [[1, 0.1], [0.1, 0.05]], 30)
    y = effects[g, 0] + effects[g, 1] * (x - 5) + rng.normal(size=180)
    near = fit("y ~ x + (x | g)", pd.DataFrame({"g": g, "x": x - 5, "y": y}))
    far = fit("y ~ x + (x | g)", pd.DataFrame({"g": g, "x": x + origin, "y": y}))
    assert far.convergence.converged
    assert far.remlcrit == pytest.approx(near.remlcrit, abs=1e-7)
    assert far.varcorr().loc[1, "vcov"] == pytest.approx(near.varcorr().loc[1, "vcov"], rel=1e-4)
