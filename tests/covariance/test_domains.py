"""Steps within a domain: by the unit, on the boundary, beside it."""

import numpy as np
import pytest

from animalmm.covariance import AR1, CompoundSymmetry, Diagonal, Unstructured

FORMS = [Unstructured(1), Unstructured(3), Diagonal(3), CompoundSymmetry(3), AR1(3)]


def some_theta(form, seed):
    rng = np.random.default_rng(seed)
    theta = form.start() * rng.uniform(0.5, 2.0, len(form.start()))
    return form.domain.clip(theta + rng.uniform(-0.2, 0.2, len(theta)))


def sigma(form, theta):
    T = form.factor(theta)
    return T @ T.T


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f"{f.name}{f.size}")
@pytest.mark.parametrize("seed", range(5))
def test_a_short_step_is_the_step(form, seed):
    theta, step = some_theta(form, seed), 1e-6 * np.random.default_rng(seed).normal(size=9)
    step = step[: len(theta)]
    np.testing.assert_allclose(form.domain.moved(theta, step), theta + step, atol=1e-10)


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f"{f.name}{f.size}")
def test_no_step_passes_zero(form):
    theta = some_theta(form, 1)
    for way in form.domain.frame(theta).T:
        moved = form.domain.moved(theta, -20.0 * way)
        assert np.linalg.eigvalsh(sigma(form, moved))[0] >= -1e-12
        assert (moved[form.domain.through_zero] > 0).all()


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f"{f.name}{f.size}")
def test_the_frame_has_a_column_for_each_parameter_that_is_not_held(form):
    for theta in (some_theta(form, 2), np.zeros(len(form.start()))):
        free = ~form.domain.held(theta)
        frame = form.domain.frame(theta)
        assert frame.shape == (len(theta), free.sum())
        assert not free.any() or np.linalg.matrix_rank(frame[free]) == free.sum()
        assert not frame[~free].any()


@pytest.mark.parametrize("small", [1e-2, 1e-5])
def test_beside_a_singular_sigma_a_unit_turns_rows_and_hardly_changes_sigma(small):
    """The covariance of effects two and three is free as soon as effect two has any variance."""
    form = Unstructured(3)
    theta = np.array([1.0, 0.5, 0.5, small, 0.5, 0.5])
    frame = form.domain.frame(theta)
    assert np.abs(frame).max() > 0.1 / small
    for way in frame.T:
        change = sigma(form, form.domain.moved(theta, 0.1 * way)) - sigma(form, theta)
        assert np.abs(change).max() < 0.5


def test_a_step_on_the_boundary_stays_there():
    form = Unstructured(3)
    theta = np.array([1.0, 0.5, 0.5, 0.4, 0.3, 0.0])
    for way in form.domain.frame(theta).T:
        moved = form.domain.moved(theta, 0.3 * way)
        assert moved[-1] == 0.0
        assert np.linalg.matrix_rank(sigma(form, moved), tol=1e-10) == 2
