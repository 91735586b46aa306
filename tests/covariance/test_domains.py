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


def singular_theta(form, seed):
    """Of a Sigma some of whose variances are zero, in some directions."""
    rng = np.random.default_rng(seed)
    T = np.tril(rng.normal(size=(form.size, form.size)))
    T[:, rng.random(form.size) < 0.5] = 0.0
    return form.from_matrix(T @ T.T)


def gradient_of_trace(form, theta, M):
    """Of ``tr(M Sigma)`` by theta."""
    return 2.0 * np.einsum("ab,kab->k", M @ form.factor(theta), form.jacobian(theta))


@pytest.mark.parametrize("form", [Unstructured(t) for t in (1, 2, 3, 4)], ids=lambda f: f.size)
@pytest.mark.parametrize("seed", range(12))
def test_ways_off_lead_down_exactly_where_any_way_does(form, seed):
    """For a criterion linear in Sigma; at its optimum M T = 0 and M has no negative eigenvalue."""
    theta, rng = singular_theta(form, seed), np.random.default_rng(seed)
    before = sigma(form, theta)
    null = np.count_nonzero(np.diag(form.factor(theta)) == 0.0)
    beside = form.domain.beside(theta)
    assert np.linalg.eigvalsh(sigma(form, beside) - before)[-1] == pytest.approx(1e-6 * (null > 0))
    N = np.linalg.eigh(before)[1][:, :null]
    falling = rng.normal(size=(form.size, form.size))
    for M, leads_down in (
        (N @ N.T, False),  # an optimum
        (N @ N.T - 3.0 * N[:, :1] @ N[:, :1].T, null > 0),  # one direction wants a variance
        (_turning(N, falling), 0 < null < form.size),  # the others want to be turned
    ):
        ways = [*form.domain.ways_off(theta, gradient_of_trace(form, beside, M))]
        assert bool(ways) == leads_down
        for way in ways[:1]:
            assert (M * (sigma(form, way) - before)).sum() < 0.0


def _turning(N, A):
    """Symmetric, zero among the directions N and among those beside them."""
    across = N @ N.T @ A @ (np.eye(len(N)) - N @ N.T)
    return across + across.T


@pytest.mark.parametrize("form", [Diagonal(3), CompoundSymmetry(3), AR1(3)], ids=lambda f: f.name)
def test_a_vanished_variance_that_is_wanted_is_tried(form):
    theta = form.start()
    theta[0] = 0.0
    M = np.diag([-1.0, 0.0, 0.0])
    beside = form.domain.beside(theta)
    ways = [*form.domain.ways_off(theta, gradient_of_trace(form, beside, M))]
    assert any((M * (sigma(form, way) - sigma(form, theta))).sum() < 0.0 for way in ways)


def test_a_vanished_variance_that_is_not_wanted_is_left():
    form = Diagonal(2)
    theta, M = np.array([1.0, 0.0]), np.eye(2)
    gradient = gradient_of_trace(form, form.domain.beside(theta), M)
    assert not [*form.domain.ways_off(theta, gradient)]
