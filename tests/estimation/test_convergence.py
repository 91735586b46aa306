"""What is said of an optimum: sure, doubtful, not identified, on the boundary."""

import warnings

import numpy as np
import pandas as pd
import pytest

from animalmm import fit
from animalmm.core import Optimum
from animalmm.errors import BoundaryWarning, ConvergenceWarning

from .data import no_variance, one_record_each, random_slopes, variances


def test_a_clear_optimum_is_reported_without_warnings():
    found = fit("y ~ x + (x | g)", random_slopes())
    convergence = found.convergence
    assert convergence.converged
    assert convergence.message.startswith(f"converged after {convergence.iterations} iterations")
    assert convergence.gain < 1e-6
    assert convergence.boundary == ()
    assert not found.is_singular()
    assert convergence.algorithm == "auto"
    assert convergence.gradient.shape == (3,)


@pytest.mark.parametrize("seed", range(5))
def test_one_record_a_level_and_unrelated_levels_cannot_be_told_apart(seed):
    data, K = one_record_each(seed)
    with pytest.warns(ConvergenceWarning, match="cannot be told apart"):
        found = fit("y ~ x + (1 | g)", data, {"g": K})
    assert not found.convergence.converged


@pytest.mark.parametrize("seed", range(3))
def test_two_terms_that_say_the_same_cannot_be_told_apart(seed):
    data = random_slopes(seed)
    data["same"] = data.g.map(lambda k: f"s{k}")
    with pytest.warns(ConvergenceWarning, match="cannot be told apart"):
        found = fit("y ~ x + (1 | g) + (1 | same)", data)
    assert not found.convergence.converged


@pytest.mark.parametrize("form", ["us", "diag", "cs"])
@pytest.mark.parametrize("seed", range(8))
def test_a_variance_of_zero_is_a_boundary_and_not_a_doubt(form, seed):
    data = no_variance("intercept", seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = fit(f"y ~ x + {form}(x | g)", data)
    assert [w.category for w in caught] == [BoundaryWarning]
    assert found.convergence.converged
    assert found.convergence.boundary == ("g",)
    assert found.is_singular()
    expected = fit("y ~ x + (0 + x | g)", data)
    assert found.estimate.criterion == pytest.approx(expected.estimate.criterion, abs=1e-7)
    assert variances(found)["g", "(Intercept)", ""] == pytest.approx(0, abs=1e-10)
    assert variances(found)["g", "x", ""] == pytest.approx(
        variances(expected)["g", "x", ""], rel=1e-5
    )


@pytest.mark.parametrize("form", ["us", "diag", "cs", "ar1"])
@pytest.mark.parametrize("seed", range(3))
def test_when_all_variances_are_zero_it_is_a_boundary_and_not_a_doubt(form, seed):
    data = no_variance("both", seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = fit(f"y ~ x + {form}(x | g)", data)
    assert [w.category for w in caught] == [BoundaryWarning]
    assert found.convergence.converged
    assert found.sigma**2 == pytest.approx(_least_squares(data), rel=1e-6)


@pytest.mark.parametrize("form", ["us", "diag", "cs", "ar1"])
def test_every_form_of_one_effect_is_the_same_model(form):
    data = random_slopes()
    found = fit(f"y ~ x + {form}(1 | g)", data)
    assert found.convergence.converged
    assert found.estimate.criterion == pytest.approx(
        fit("y ~ x + (1 | g)", data).estimate.criterion, abs=1e-8
    )
    assert found.npar == 4


def test_a_correlation_of_one_is_a_boundary():
    data = random_slopes()
    u = np.random.default_rng(2).normal(size=20)
    data["y"] = 5 + u[data.g] * (2 + data.x) + np.random.default_rng(8).normal(size=len(data))
    with pytest.warns(BoundaryWarning, match="'g'.*correlation as plus or minus one"):
        found = fit("y ~ x + (x | g)", data)
    assert abs(found.varcorr()["sdcor"].iloc[2]) == pytest.approx(1, abs=1e-8)
    assert found.convergence.converged


def test_being_singular_does_not_depend_on_the_units_of_a_covariate():
    data = random_slopes()
    for unit in (1e-5, 1e5):
        assert not fit("y ~ x + (x | g)", data.assign(x=unit * data.x)).is_singular()


class Stopped:
    """Stops at the start and says what the test wants it to say."""

    name = "stopped"

    def __init__(self, gain=0.0, *, flat=False):
        self.gain, self.flat = gain, flat

    def minimise(self, objective, start, watch):
        none = np.zeros(len(start))
        return Optimum(start, objective(start), 1, self.gain, none, self.flat)


def test_an_optimum_with_much_left_to_gain_is_doubtful():
    with pytest.warns(ConvergenceWarning, match=r"not sure of the optimum.*by 0\.5"):
        found = fit("y ~ x + (1 | g)", random_slopes(), algorithm=Stopped(0.5))
    assert not found.convergence.converged
    assert found.convergence.gain == 0.5


def test_a_flat_criterion_is_named_as_unidentified():
    with pytest.warns(ConvergenceWarning, match="does not change in some direction"):
        fit("y ~ x + (1 | g)", random_slopes(), algorithm=Stopped(flat=True))


class Away(Stopped):
    """Stops where the random effects are all there is."""

    def minimise(self, objective, start, watch):
        return super().minimise(objective, np.full(len(start), 1e3), watch)


def test_a_residual_variance_that_is_next_to_nothing_is_named():
    with pytest.warns(ConvergenceWarning, match="leave next to nothing to the residual"):
        fit("y ~ x + (1 | g)", random_slopes(), algorithm=Away(flat=True))


def test_warnings_point_at_the_line_that_called_fit():
    with pytest.warns(ConvergenceWarning) as caught:
        fit("y ~ x + (1 | g)", random_slopes(), algorithm=Stopped(0.5))
    assert caught[0].filename == __file__


@pytest.mark.parametrize("unit", [1e-6, 1e-3, 1e3, 1e6])
def test_the_verdict_does_not_depend_on_the_unit_of_the_response(unit):
    found = fit("y ~ x + (x | g)", random_slopes(unit=unit))
    assert found.convergence.converged
    expected = variances(fit("y ~ x + (x | g)", random_slopes()))
    np.testing.assert_allclose(variances(found) / unit**2, expected, rtol=1e-7)


def test_a_response_without_residual_is_an_error_of_this_package_or_a_fit():
    """y is the sum of level effects only: the residual variance goes to zero."""
    data = random_slopes()
    data["y"] = np.random.default_rng(1).normal(size=20)[data.g]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = fit("y ~ 1 + (1 | g)", data)
        except ValueError as error:
            assert type(error).__module__.startswith("animalmm")  # noqa: PT017
        else:
            assert found.sigma < 1e-3


def _least_squares(data):
    X = np.column_stack([np.ones(len(data)), data.x])
    rest = data.y - X @ np.linalg.lstsq(X, data.y, rcond=None)[0]
    return float(pd.Series(rest**2).sum() / (len(data) - 2))


def test_a_residual_variance_at_the_limit_of_the_search_is_no_optimum():
    data = random_slopes(1)
    data["y"] = data.groupby("g").y.transform("mean")  # no residual is left
    with pytest.warns(ConvergenceWarning, match="residual variance went as far"):
        found = fit("y ~ 1 + (1 | g)", data, fixed={"g": 1.0})
    assert not found.convergence.converged
