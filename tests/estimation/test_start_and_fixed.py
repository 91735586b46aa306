"""`start=` changes the way, `fixed=` the model."""

import warnings

import numpy as np
import pandas as pd
import pytest

from animalmm import fit
from animalmm.errors import ArgumentError, BoundaryWarning

from .data import random_slopes, variances

FORMULA = "y ~ x + (x | g)"
SIGMA = np.array([[3.0, 0.5], [0.5, 0.8]])


@pytest.fixture(scope="module")
def data():
    return random_slopes()


@pytest.fixture(scope="module")
def free(data):
    return fit(FORMULA, data)


@pytest.mark.parametrize(
    "start",
    [
        {"g": SIGMA, "Residual": 2.0},
        {"g": 100 * SIGMA},
        {"Residual": 1e-2},
        {"g": np.zeros((2, 2))},
        {"g": [[1, 1], [1, 1]]},
        {},
    ],
)
def test_every_start_leads_to_the_same_estimate(data, free, start):
    found = fit(FORMULA, data, start=start)
    assert found.estimate.criterion == pytest.approx(free.estimate.criterion, abs=1e-8)
    np.testing.assert_allclose(variances(found), variances(free), rtol=1e-5)


def test_a_start_beside_which_the_residual_vanishes_is_refused(data):
    with pytest.raises(ArgumentError, match=r"1e\+08 times .* leave start= out"):
        fit(FORMULA, data, start={"g": 1e16 * np.eye(2), "Residual": 1.0})


@pytest.mark.parametrize("form", ["us", "diag", "cs", "ar1"])
def test_a_start_is_where_the_search_begins(data, form):
    sigma = {"us": SIGMA, "diag": np.diag([3.0, 0.8]), "cs": SIGMA, "ar1": 2 * np.eye(2) + 0.5}
    first = []

    class Looking:
        name = "looking"

        def minimise(self, criterion, start, domain):
            first.append(start)
            raise StopIteration

    with pytest.raises(StopIteration):
        fit(
            f"y ~ x + {form}(x | g)",
            data.assign(x=50 * data.x),
            start={"g": sigma[form], "Residual": 2.0},
            algorithm=Looking(),
        )
    known = fit(
        f"y ~ x + {form}(x | g)",
        data.assign(x=50 * data.x),
        fixed={"g": sigma[form], "Residual": 2.0},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BoundaryWarning)  # of ar1()
        space = fit(f"y ~ x + {form}(x | g)", data.assign(x=50 * data.x)).estimate.space
    found = space.psi(first[0]).scaled(2.0)
    np.testing.assert_allclose(found.sigmas[0], known.estimate.psi.sigmas[0], atol=1e-10)


def test_a_singular_start_of_a_cs_is_taken(data):
    found = fit("y ~ x + cs(x | g)", data, start={"g": np.diag([1.0, 0.0])})
    expected = fit("y ~ x + cs(x | g)", data)
    assert found.estimate.criterion == pytest.approx(expected.estimate.criterion, abs=1e-8)


def test_fixed_at_the_estimates_gives_the_fit_again(data, free):
    known = {"g": free.estimate.psi.sigmas[0], "Residual": free.sigma**2}
    found = fit(FORMULA, data, fixed=known)
    assert found.convergence.converged
    assert found.convergence.message.startswith("all variance parameters were given")
    assert found.convergence.evaluations == 1
    assert found.npar == 2
    assert found.estimate.criterion == pytest.approx(free.estimate.criterion, rel=1e-12)
    pd.testing.assert_series_equal(found.fixef(), free.fixef(), rtol=1e-9)
    pd.testing.assert_frame_equal(found.ranef(), free.ranef(), rtol=1e-8)


@pytest.mark.parametrize("which", ["g", "h", "Residual", "g h", "h Residual", "g h Residual"])
@pytest.mark.parametrize("method", ["REML", "ML"])
def test_the_rest_at_their_estimates_is_found_when_some_are_fixed_there(data, which, method):
    formula = "y ~ x + (x | g) + (1 | h)"
    data = data.assign(y=data.y + 1.5 * np.random.default_rng(4).normal(size=9)[data.h])
    free = fit(formula, data, method=method)
    sigmas = dict(zip(["g", "h"], free.estimate.psi.sigmas, strict=True))
    known = {**sigmas, "Residual": free.sigma**2}
    found = fit(formula, data, method=method, fixed={k: known[k] for k in which.split()})
    assert found.convergence.converged
    assert found.estimate.criterion == pytest.approx(free.estimate.criterion, abs=1e-8)
    np.testing.assert_allclose(variances(found), variances(free), rtol=1e-5, atol=1e-6)


def test_fixed_values_are_kept_exactly(data):
    found = fit(FORMULA, data, fixed={"g": SIGMA})
    np.testing.assert_allclose(found.estimate.psi.sigmas[0], SIGMA, rtol=1e-12)
    assert found.sigma**2 != pytest.approx(1.0)
    residual = fit(FORMULA, data, fixed={"Residual": 1.7})
    assert residual.sigma**2 == pytest.approx(1.7, rel=1e-12)
    assert residual.npar == 2 + 3


def test_a_number_stands_for_a_matrix_of_one(data):
    a = fit("y ~ x + (1 | g)", data, fixed={"g": 4.0})
    b = fit("y ~ x + (1 | g)", data, fixed={"g": [[4.0]]})
    assert a.estimate.criterion == b.estimate.criterion


def test_a_known_variance_of_zero_takes_the_term_out(data):
    without = fit("y ~ x + (1 | g)", data)
    found = fit("y ~ x + (1 | g) + (1 | h)", data, fixed={"h": 0.0})
    assert found.estimate.criterion == pytest.approx(without.estimate.criterion, abs=1e-8)
    assert (found.ranef("h") == 0).all(axis=None)


@pytest.mark.parametrize("unit", [1e-4, 1e-2, 1e4])
@pytest.mark.parametrize("name", ["g", "Residual"])
def test_known_components_work_in_every_unit_of_the_response(name, unit):
    value = {"g": 4.0, "Residual": 1.1}[name]
    formula = "y ~ x + (1 | g)"
    plain = fit(formula, random_slopes(), fixed={name: value})
    found = fit(formula, random_slopes(unit=unit), fixed={name: value * unit**2})
    assert found.convergence.converged
    np.testing.assert_allclose(variances(found) / unit**2, variances(plain), rtol=1e-5)


@pytest.mark.parametrize("argument", ["start", "fixed"])
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"G": 1.0}, r"names 'G', .*there are 'g', 'Residual'"),
        ({"residual": 1.0}, "Did you mean 'Residual'"),
        ({"g": 1.0}, r"\['g'\] has shape \(1, 1\); this component is 2 x 2"),
        ({"g": [1.0, 2.0]}, r"has shape \(1, 2\)"),
        ({"Residual": np.eye(2)}, r"\['Residual'\] has shape \(2, 2\)"),
        ({"g": [[1, 0.5], [0.4, 1]]}, r"\['g'\]: .*symmetric"),
        ({"g": [[1, 2], [2, 1]]}, r"\['g'\]: .*negative eigenvalue"),
        ({"Residual": 0.0}, "must be positive"),
        ({"Residual": -1.0}, r"\['Residual'\]"),
        ({"Residual": np.nan}, r"\['Residual'\]"),
        ({"g": np.diag([1.0, np.inf])}, r"\['g'\]"),
        ({"g": "large"}, r"\['g'\]"),
        ([1.0, 2.0], "takes a mapping"),
    ],
)
def test_impossible_values_are_refused_by_name(data, argument, value, message):
    with pytest.raises(ArgumentError, match=f"{argument}.*{message}"):
        fit(FORMULA, data, **{argument: value})


def test_a_start_of_another_form_is_refused(data):
    with pytest.raises(ArgumentError, match=r"form diag\(\)"):
        fit("y ~ x + diag(x | g)", data, start={"g": SIGMA})


def test_a_level_for_each_record_is_a_model_when_the_residual_is_known():
    """Meta-analysis: studies with known sampling variances 1 / w, random effects of studies."""
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"study": [f"s{i}" for i in range(40)], "v": rng.uniform(0.1, 1.0, 40)})
    data["effect"] = 0.3 + rng.normal(0, 0.7, 40) + rng.normal(0, np.sqrt(data.v))
    found = fit(
        "effect ~ 1 + (1 | study)", data, weights=1 / data.v, fixed={"Residual": 1.0}, method="ML"
    )
    tau2 = found.varcorr().loc[0, "vcov"]
    w = 1 / (data.v + tau2)
    mean = (w * data.effect).sum() / w.sum()
    score = ((data.effect - mean) ** 2 * w**2 - w).sum()  # of the normal likelihood, zero at ML
    assert found.fixef().iloc[0] == pytest.approx(mean, rel=1e-9)
    assert score == pytest.approx(0.0, abs=1e-4)
