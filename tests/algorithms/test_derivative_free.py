"""The derivative-free algorithm on functions with a known minimum."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animalmm.algorithms import DerivativeFree
from animalmm.core import Domain

from .objectives import Plain, ignore


def free(k):
    return Domain(np.full(k, -np.inf), np.full(k, np.inf), np.zeros(k, dtype=bool))


def signed(k):
    """Standard deviations: no bounds, either sign, singular at zero."""
    return Domain(np.full(k, -np.inf), np.full(k, np.inf), np.ones(k, dtype=bool))


def box(lower, upper):
    return Domain(np.array(lower, float), np.array(upper, float), np.zeros(len(lower), dtype=bool))


def minimise(f, start, domain):
    start = np.array(start, dtype=float)
    return DerivativeFree().minimise(Plain(f, domain), start, ignore)


def deviance(theta, s2, residual=1.0, n=30.0):
    """-2 log L of independent variances theta^2 + residual whose estimates are s2."""
    v = theta**2 + residual
    return float((n * (np.log(v) + s2 / v)).sum())


def rosenbrock(x):
    return float(100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2)


def test_a_quadratic_is_solved_to_rounding():
    H = np.array([[3.0, 1.0], [1.0, 2.0]])
    best = np.array([1.5, -0.7])
    found = minimise(lambda x: float((x - best) @ H @ (x - best)) + 7, [0, 0], free(2))
    np.testing.assert_allclose(found.theta, best, atol=1e-8)
    assert found.value == pytest.approx(7, abs=1e-12)


@pytest.mark.parametrize("start", [[-1.2, 1], [0, 0], [3, -3]])
def test_a_curved_valley_is_followed_to_its_end(start):
    found = minimise(rosenbrock, start, free(2))
    np.testing.assert_allclose(found.theta, [1, 1], atol=1e-4)
    assert found.value < 1e-8


@settings(max_examples=40)
@given(
    st.lists(st.floats(-3, 3), min_size=1, max_size=3),
    st.lists(st.floats(0.05, 4.0), min_size=3, max_size=3),
)
def test_a_variance_is_found_from_anywhere_inside_the_data_or_zero(start, s2):
    s2 = np.array(s2[: len(start)])
    found = minimise(lambda x: deviance(x, s2), start, signed(len(start)))
    expected = np.sqrt(np.maximum(s2 - 1, 0))
    best = deviance(expected, s2)
    assert found.value <= best + 1e-7
    clear = np.abs(s2 - 1) > 0.05  # near s2 = 1 the criterion is flat as theta^4
    np.testing.assert_allclose(np.abs(found.theta)[clear], expected[clear], atol=1e-4)


@pytest.mark.parametrize("start", [0.0, 1e-9, -0.3, 1.0, 30.0])
def test_a_variance_of_zero_is_exactly_zero(start):
    found = minimise(lambda x: deviance(x, np.array([0.6])), [start], signed(1))
    assert found.theta[0] == 0.0
    assert found.gradient[0] == 0.0


@pytest.mark.parametrize("start", [0.0, -0.01, -1.0])
def test_zero_is_left_where_it_is_a_maximum(start):
    """The slope at zero is zero whatever the data say."""
    found = minimise(lambda x: deviance(x, np.array([1.5])), [start], signed(1))
    assert abs(found.theta[0]) == pytest.approx(np.sqrt(0.5), rel=1e-5)


def test_the_better_of_two_minima_on_either_side_of_zero_is_found_from_the_worse():
    """An off-diagonal element keeps its sign while the diagonal one passes zero."""

    def f(x):
        return float((x[0] ** 2 - 1) ** 2 + 0.2 * x[0])

    found = minimise(f, [0.05], signed(1))
    assert found.theta[0] == pytest.approx(-1.0241, abs=1e-3)


@pytest.mark.parametrize("start", [[0.5, 0.5], [0, 0], [1, 1], [1, -1], [-5, 5]])
def test_a_minimum_on_a_bound_is_exactly_there(start):
    def f(x):
        return float((x[0] - 2) ** 2 + (x[1] - 0.3) ** 2 + x[0] * x[1] * 0.1)

    found = minimise(f, start, box([-1, -1], [1, 1]))
    assert found.theta[0] == 1.0
    assert found.theta[1] == pytest.approx(0.25, abs=1e-6)
    assert found.gradient[0] == 0.0


def test_a_corner_is_found():
    found = minimise(lambda x: float(x[0] ** 2 + x[0] + 2 * x[1]), [0.4, 0.7], box([0, -1], [1, 1]))
    assert found.theta.tolist() == [0.0, -1.0]


def test_a_bound_that_the_start_lies_on_is_left():
    for start in (-1.0, 1.0):
        found = minimise(lambda x: float((x[0] - 0.2) ** 2), [start], box([-1], [1]))
        assert found.theta[0] == pytest.approx(0.2, abs=1e-6)


def test_nothing_is_asked_outside_the_bounds():
    asked = []

    def f(x):
        asked.append(x.copy())
        return float((x[0] - 2) ** 2 + (x[1] + 2) ** 2)

    minimise(f, [0.3, 0.3], box([-1, 0], [1, np.inf]))
    asked = np.array(asked)
    assert asked[:, 0].min() >= -1
    assert asked[:, 0].max() <= 1
    assert asked[:, 1].min() >= 0


@pytest.mark.parametrize("noise", [0.0, 1e-13])
def test_a_flat_direction_is_said(noise):
    """A criterion of one hundred has rounding errors of about 1e-14 relative."""
    rng = np.random.default_rng(0)

    def f(x):
        return float(100 + (x[0] + x[1] - 1) ** 2) * (1 + noise * rng.uniform(-1, 1))

    found = minimise(f, [0.2, 0.1], free(2))
    assert found.flat
    assert found.theta.sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("noise", [0.0, 1e-13])
def test_a_criterion_that_does_not_change_at_all_is_flat(noise):
    rng = np.random.default_rng(0)
    found = minimise(lambda x: 100 * (1 + noise * rng.uniform(-1, 1)), [1.0], signed(1))
    assert found.flat


def test_what_is_not_flat_is_not_called_so():
    found = minimise(lambda x: float(100 + 1e-3 * (x[0] - 1) ** 2 + x[1] ** 2), [0.2, 0.1], free(2))
    assert not found.flat
    np.testing.assert_allclose(found.theta, [1, 0], atol=1e-4)


def test_parameters_without_effect_do_not_stop_the_search_for_the_others():
    found = minimise(lambda x: deviance(x[:1], np.array([9.0])), [0.2, 0.0], box([0, -1], [9, 1]))
    assert found.theta[0] == pytest.approx(np.sqrt(8), rel=1e-6)


@pytest.mark.parametrize("scale", [[1, 100], [0.05, 1], [100, 0.05]])
def test_badly_scaled_parameters_are_found(scale):
    """Parameters are meant to be near one; some orders of magnitude are forgiven."""
    scale, best = np.array(scale, dtype=float), np.array([1.3, 0.8])
    found = minimise(lambda x: deviance(x / scale, 1 + best**2), scale * [1.0, 1.0], signed(2))
    np.testing.assert_allclose(np.abs(found.theta) / scale, best, rtol=1e-4)


@pytest.mark.parametrize("size", [1e-2, 1.0, 1e6])
def test_the_size_of_the_criterion_does_not_matter(size):
    found = minimise(lambda x: size * deviance(x, np.array([3.0])) / 30, [1.0], signed(1))
    assert found.theta[0] == pytest.approx(np.sqrt(2), rel=1e-3)


def test_the_optimum_reports_what_happened():
    count, watched = 0, []

    def f(x):
        nonlocal count
        count += 1
        return deviance(x, np.array([3.0, 2.0]))

    objective = Plain(f, signed(2))
    found = DerivativeFree().minimise(objective, np.array([1.0, 1.0]), watched.append)
    assert found.evaluations == count
    assert found.value == f(found.theta)
    assert found.gain < 1e-6
    assert watched[0].step == "start"
    assert watched[0].theta.tolist() == [1.0, 1.0]
    assert watched[-1].step == "Newton"
    assert found.value <= min(iteration.value for iteration in watched) + 1e-8
    assert all(iteration.value == f(iteration.theta) for iteration in watched)


def test_no_theta_is_evaluated_twice():
    seen = []

    def f(x):
        seen.append((x + 0.0).tobytes())
        return rosenbrock(x)

    minimise(f, [-1.2, 1], free(2))
    assert len(seen) == len(set(seen))


def test_the_start_is_left_as_it_is():
    start = np.array([5.0, -5.0])
    objective = Plain(lambda x: float(x @ x), box([-1, -1], [1, 1]))
    DerivativeFree().minimise(objective, start, ignore)
    assert start.tolist() == [5.0, -5.0]
