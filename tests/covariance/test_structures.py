"""The contract of every form of Sigma: round trips, units, canonical signs, singular places."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from animalmm.covariance import structure
from animalmm.errors import ArgumentError

from .strategies import NAMES, at_scale, parameters, scales, sigma_of

COUNTS = {"us": [1, 3, 6, 10], "diag": [1, 2, 3, 4], "cs": [1, 3, 4, 5], "ar1": [1, 2, 2, 2]}


def assert_same_sigma(found, expected, tolerance=1e-9):
    np.testing.assert_allclose(found, expected, atol=tolerance * at_scale(expected), rtol=0)


def correlation(t, rho):
    return np.full((t, t), rho) + (1 - rho) * np.eye(t)


@given(parameters())
def test_the_factor_is_lower_triangular_of_size_t(drawn):
    form, theta = drawn
    T = form.factor(theta)
    assert T.shape == (form.size, form.size)
    np.testing.assert_array_equal(T, np.tril(T))


@given(parameters())
def test_from_matrix_undoes_factor(drawn):
    form, theta = drawn
    sigma = sigma_of(form, theta)
    assert_same_sigma(sigma_of(form, form.from_matrix(sigma)), sigma, 1e-7)


@given(parameters())
def test_from_matrix_gives_a_theta_within_the_domain(drawn):
    form, theta = drawn
    found = form.from_matrix(sigma_of(form, theta))
    np.testing.assert_allclose(found, form.domain.clip(found), rtol=1e-9, atol=1e-12)


@given(parameters())
def test_the_canonical_theta_has_the_same_sigma_and_is_a_fixed_point(drawn):
    form, theta = drawn
    canonical = form.canonical(theta)
    assert_same_sigma(sigma_of(form, canonical), sigma_of(form, theta))
    np.testing.assert_array_equal(form.canonical(canonical), canonical)
    assert (canonical[form.domain.through_zero] >= 0).all()


@given(parameters(("us",), (2, 3)), st.lists(st.sampled_from([-1.0, 1.0]), min_size=3, max_size=3))
def test_all_signs_of_the_columns_have_one_canonical_theta(drawn, signs):
    form, theta = drawn
    T = form.factor(theta)
    rows, columns = np.tril_indices(form.size)
    order = np.lexsort((rows, columns))
    flipped = (T * np.array(signs[: form.size]))[rows[order], columns[order]]
    np.testing.assert_array_equal(form.canonical(flipped) + 0.0, form.canonical(theta) + 0.0)


@given(parameters(("us", "diag", "cs")), st.data())
def test_rescale_multiplies_rows_and_columns_of_sigma(drawn, data):
    form, theta = drawn
    scale = data.draw(scales(form.size))
    expected = np.diag(scale) @ sigma_of(form, theta) @ np.diag(scale)
    found = sigma_of(form, form.rescale(theta, scale))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12 * at_scale(expected))


@given(parameters(("ar1",)), st.floats(1e-3, 1e3))
def test_rescale_of_one_variance_takes_one_scale(drawn, scale):
    form, theta = drawn
    found = sigma_of(form, form.rescale(theta, np.full(form.size, scale)))
    assert_same_sigma(found, scale**2 * sigma_of(form, theta))


@given(parameters(), st.data())
def test_rescale_there_and_back_gives_the_same_theta(drawn, data):
    form, theta = drawn
    scale = data.draw(scales(form.size))
    back = form.rescale(form.rescale(theta, scale), 1 / scale)
    np.testing.assert_allclose(back, theta, rtol=1e-9)


@pytest.mark.parametrize("t", [1, 2, 3, 4])
@pytest.mark.parametrize("name", NAMES)
def test_the_number_of_parameters_and_the_start(name, t):
    form = structure(name, t)
    assert form.name == (name if t > 1 else "us")  # a single variance needs no structure
    assert form.size == t
    assert len(form.start()) == len(form.domain.lower) == COUNTS[name][t - 1]
    assert len(form.domain.upper) == len(form.domain.through_zero) == COUNTS[name][t - 1]
    np.testing.assert_array_equal(form.factor(form.start()), np.eye(t))
    assert not form.domain.singular(form.start(), 1e-4).any()


@pytest.mark.parametrize("name", ["cs", "ar1"])
def test_a_correlation_of_a_single_effect_is_no_parameter(name):
    """One effect has no correlation, so a free rho would be a flat direction."""
    assert len(structure(name, 1).domain.lower) == 1


@given(parameters(sizes=(2, 4)))
def test_flagged_parameters_are_where_sigma_is_singular(drawn):
    form, theta = drawn
    flagged = form.domain.singular(theta).any()
    sigma = sigma_of(form, theta)
    sd = np.sqrt(np.diag(sigma))
    if (sd == 0).any():
        assert flagged
        return
    smallest = np.linalg.eigvalsh(sigma / np.outer(sd, sd))[0]
    assume(flagged or smallest > 1e-8)  # a correlation of one to rounding only is not flagged
    assert flagged == (smallest < 1e-8)


@pytest.mark.parametrize("rho", [-1.0, 1.0])
def test_ar1_is_singular_at_both_ends(rho):
    form = structure("ar1", 3)
    theta = np.array([2.0, rho])
    assert form.domain.singular(theta).tolist() == [False, True]
    assert np.linalg.matrix_rank(sigma_of(form, theta)) == 1


@pytest.mark.parametrize("t", [2, 3, 4])
def test_cs_is_singular_at_both_ends_and_only_there(t):
    form = structure("cs", t)
    for rho, rank in [(1.0, 1), (-1 / (t - 1), t - 1)]:
        theta = np.append(np.arange(1.0, t + 1), rho)
        assert form.domain.singular(theta)[-1]
        assert np.linalg.matrix_rank(sigma_of(form, theta), tol=1e-7) == rank
    assert not form.domain.singular(np.append(np.ones(t), 0.5)).any()


@given(st.integers(2, 4), st.floats(-0.3, 0.99))
def test_the_forms_are_what_their_names_say(t, rho):
    sd = np.arange(1.0, t + 1)
    np.testing.assert_allclose(
        sigma_of(structure("cs", t), np.append(sd, rho)),
        np.outer(sd, sd) * correlation(t, rho),
        atol=1e-9,
    )
    lag = np.abs(np.subtract.outer(np.arange(t), np.arange(t)))
    np.testing.assert_allclose(
        sigma_of(structure("ar1", t), np.array([2.0, rho])), 4 * rho**lag, atol=1e-9
    )
    np.testing.assert_array_equal(sigma_of(structure("diag", t), sd), np.diag(sd**2))


def test_us_parameters_are_in_the_order_of_lme4():
    T = structure("us", 3).factor(np.arange(1.0, 7.0))
    np.testing.assert_array_equal(T, [[1, 0, 0], [2, 4, 0], [3, 5, 6]])


@pytest.mark.parametrize(
    ("name", "sigma"),
    [
        ("diag", [[1, 0.1], [0.1, 1]]),
        ("cs", [[1, 0.1, 0.2], [0.1, 1, 0.1], [0.2, 0.1, 1]]),
        ("ar1", [[1, 0.5], [0.5, 2]]),
        ("ar1", [[1, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]]),
        ("ar1", [[0, 0], [0, 1]]),
    ],
)
def test_a_matrix_of_another_form_is_refused_by_name(name, sigma):
    with pytest.raises(ArgumentError, match=rf"form {name}\(\)"):
        structure(name, len(sigma)).from_matrix(np.array(sigma, dtype=float))


@settings(max_examples=50)
@given(st.integers(2, 4), st.data())
def test_badly_scaled_effects_keep_their_variances(t, data):
    """A slope on a covariate in odd units has a variance many orders from the intercept's."""
    scale = data.draw(st.lists(st.floats(-9, 9), min_size=t, max_size=t).map(np.array))
    sigma = np.outer(10**scale, 10**scale) * correlation(t, 0.5)
    form = structure("us", t)
    np.testing.assert_allclose(sigma_of(form, form.from_matrix(sigma)), sigma, rtol=1e-9)
