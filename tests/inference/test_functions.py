"""Functions of the variance components: the delta method, expressions, errors in words."""

import numpy as np
import pandas as pd
import pytest

import animalmm
from animalmm.datasets import load
from animalmm.errors import AnimalmmError, ArgumentError
from animalmm.inference import vpredict


@pytest.fixture(scope="module")
def sleep():
    return animalmm.fit("Reaction ~ Days + (Days | Subject)", load("sleepstudy").data)


@pytest.fixture(scope="module")
def dyestuff():
    return animalmm.fit("Yield ~ 1 + (1 | Batch)", load("dyestuff").data)


@pytest.mark.parametrize("information", ["average", "observed"])
def test_share_by_hand(dyestuff, information):
    """``Var(a / (a + e)) = (e^2 Var(a) - 2 a e Cov(a, e) + a^2 Var(e)) / (a + e)^4``."""
    a, e = dyestuff.varcorr()["vcov"]
    C = dyestuff.vcov_varcorr(information).to_numpy()
    expected = np.sqrt(e**2 * C[0, 0] - 2 * a * e * C[0, 1] + a**2 * C[1, 1]) / (a + e) ** 2
    found = dyestuff.vpredict("Batch / (Batch + Residual)", information)
    assert found["estimate"] == pytest.approx(a / (a + e))
    assert found["se"] == pytest.approx(expected, rel=1e-7)
    if information == "average":
        np.testing.assert_allclose(dyestuff.h2()["se"], expected, rtol=1e-10)


def test_random_slopes_by_hand(sleep):
    """The share of a term is that of its mean variance over the records."""
    x = load("sleepstudy").data["Days"]
    formula = f"`Subject.(Intercept)` + {2 * x.mean()} * `Subject.(Intercept):Days`"
    formula += f" + {(x**2).mean()} * Subject.Days"
    found = sleep.vpredict(f"({formula}) / ({formula} + Residual)")
    expected = sleep.h2().loc["Subject", ["share", "se"]]
    np.testing.assert_allclose(found, expected.to_numpy(float), rtol=1e-7)


def test_a_linear_function_has_the_variance_of_a_sum(sleep):
    C = sleep.vcov_varcorr()
    found = sleep.vpredict("`Subject.(Intercept)` + 4 * Subject.Days - Residual / 2")
    g = np.array([1.0, 4.0, 0.0, -0.5])
    assert found["se"] == pytest.approx(np.sqrt(g @ C @ g), rel=1e-8)


def test_many_draws():
    """Of a function that is nearly linear where the components are."""
    values = pd.Series({"a": 3.0, "b": 1.0, "e": 2.0})
    L = np.array([[0.03, 0, 0], [-0.01, 0.02, 0], [0.005, -0.01, 0.02]])
    found = vpredict("sqrt(a * b) / log(e) + exp(-e) ** 2", values, L @ L.T)
    a, b, e = (values.to_numpy() + np.random.default_rng(0).normal(size=(200_000, 3)) @ L.T).T
    draws = np.sqrt(a * b) / np.log(e) + np.exp(-e) ** 2
    assert found["se"] == pytest.approx(draws.std(), rel=0.01)


def test_functions_of_the_user(sleep):
    def correlation(v):
        variances = v["Subject.(Intercept)"] * v["Subject.Days"]
        return v["Subject.(Intercept):Days"] / np.sqrt(variances)

    found = sleep.vpredict(correlation)
    text = "`Subject.(Intercept):Days` / sqrt(`Subject.(Intercept)` * Subject.Days)"
    pd.testing.assert_series_equal(found, sleep.vpredict(text), rtol=1e-9)
    assert list(found.index) == ["estimate", "se"]
    assert found["estimate"] == pytest.approx(sleep.varcorr()["sdcor"].iloc[2])


def test_a_function_cannot_change_the_fit(dyestuff):
    def spoil(v):
        v["Batch"] = v["Batch"] + 1.0
        return v["Batch"]

    assert dyestuff.vpredict(spoil)["se"] == pytest.approx(dyestuff.varcorr()["se"].iloc[0])
    assert dyestuff.vpredict("Batch")["estimate"] == dyestuff.varcorr()["vcov"].iloc[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Batch / (Btch + Residual)", "no variance component 'Btch'.*Did you mean 'Batch'"),
        ("Batch.__class__", "no variance component 'Batch.__class__'"),
        ("ide(Batch)", r"'ide\(Batch\)' is not arithmetic.*backticks"),
        ("Batch.real(Residual)", "not arithmetic"),
        ("sqrt(Batch, Residual)", "not arithmetic"),
        ("Batch ^ 2", "not arithmetic"),
        ("Batch < Residual", "not arithmetic"),
        ("'Batch'", "not arithmetic"),
        ("Batch +", "cannot be read"),
        ("Batch Residual", "cannot be read"),
        ("(Batch", "never closed"),
        (" ", "takes an expression such as"),
    ],
)
def test_expressions_that_are_none(dyestuff, text, message):
    with pytest.raises(AnimalmmError, match=message):
        dyestuff.vpredict(text)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (3.0, "takes an expression such as.*not 3.0"),
        (lambda v: v["animal"], "no variance component 'animal'; there are 'Batch', 'Residual'"),
        (lambda v: v, "must give one number"),
        (lambda v: v["Batch"] * 1j, "must give one number"),
        (lambda v: None, "must give one number, not None"),
    ],
)
def test_functions_that_are_none(dyestuff, function, message):
    with pytest.raises(ArgumentError, match=message):
        dyestuff.vpredict(function)
