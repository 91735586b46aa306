"""The band form against the matrix that it comes from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animalmm.linalg import NotPositiveDefiniteError
from animalmm.linalg.band import reduce_to_band

SIZES = [(1, 4), (2, 1), (4, 4), (5, 4), (23, 4), (24, 4), (33, 1), (60, 7), (700, 64)]


def semidefinite(n, rank, seed=0):
    M = np.random.default_rng(seed).normal(size=(n, rank))
    return M @ M.T / rank


def assembled(form):
    """B in full."""
    sizes = [len(D) for D in form.diagonal]
    starts = np.cumsum([0, *sizes])
    B = np.zeros((starts[-1], starts[-1]))
    for i, D in enumerate(form.diagonal):
        B[starts[i] : starts[i + 1], starts[i] : starts[i + 1]] = D
    for i, R in enumerate(form.below):
        B[starts[i + 1] : starts[i + 2], starts[i] : starts[i + 1]] = R
        B[starts[i] : starts[i + 1], starts[i + 1] : starts[i + 2]] = R.T
    return B


def check(A, width):
    n = len(A)
    form = reduce_to_band(A.copy(), width)
    Q, B = form.rotate_back(np.eye(n)), assembled(form)
    scale = n * np.abs(A).max()
    np.testing.assert_allclose(Q.T @ Q, np.eye(n), atol=1e-13 * n)
    np.testing.assert_allclose(Q @ B @ Q.T, A, atol=1e-14 * scale)
    np.testing.assert_array_equal(np.tril(B, -width - 1), 0.0)
    np.testing.assert_allclose(form.rotate(np.eye(n)), Q.T, atol=1e-13 * n)


@pytest.mark.parametrize(("n", "width"), SIZES)
def test_a_matrix_is_its_band_rotated(n, width):
    check(semidefinite(n, n), width)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**31))
def test_any_symmetric_matrix_of_any_rank_has_a_band_form(n, width, seed):
    rng = np.random.default_rng(seed)
    M = rng.normal(size=(n, n)) * (rng.random(n) < 0.3)
    check(M + M.T, width)


def test_zero_and_diagonal_matrices_stay_as_they_are():
    for A in (np.zeros((20, 20)), np.diag(np.arange(20.0))):
        np.testing.assert_array_equal(assembled(reduce_to_band(A.copy(), 3)), A)


def test_only_the_lower_triangle_is_read():
    A = semidefinite(50, 50)
    spoilt = np.asfortranarray(np.tril(A) + np.triu(np.full_like(A, np.nan), 1))
    np.testing.assert_array_equal(
        assembled(reduce_to_band(spoilt, 8)), assembled(reduce_to_band(A, 8))
    )


@pytest.mark.parametrize(("n", "width"), SIZES)
@pytest.mark.parametrize("scale", [0.0, 0.7, 1e4])
def test_the_factor_of_a_shifted_band(n, width, scale):
    A = semidefinite(n, max(n // 2, 1))
    V = scale * A + 0.5 * np.eye(n)
    form = reduce_to_band(A.copy(), width)
    factor = form.cholesky(scale, 0.5)
    v = np.random.default_rng(1).normal(size=(n, 3))
    half = factor.forward(form.rotate(v))
    inverse = np.linalg.inv(V)
    assert factor.logdet() == pytest.approx(np.linalg.slogdet(V)[1], rel=1e-11, abs=1e-11)
    trace = form.trace_with_inverse(factor)
    assert trace == pytest.approx(np.trace(inverse @ A), rel=1e-9)
    np.testing.assert_allclose(form.rotate_back(form.times(form.rotate(v))), A @ v, atol=1e-11)
    np.testing.assert_allclose(half.T @ half, v.T @ inverse @ v, rtol=1e-8, atol=1e-8)
    found = form.rotate_back(factor.backward(half))
    np.testing.assert_allclose(found, np.linalg.solve(V, v), rtol=1e-7, atol=1e-7)


def test_vectors_of_no_columns_pass():
    factor = reduce_to_band(semidefinite(10, 10), 3).cholesky(1.0, 1.0)
    assert factor.backward(factor.forward(np.zeros((10, 0)))).shape == (10, 0)


def test_an_indefinite_matrix_and_one_that_is_no_number_have_no_factor():
    form = reduce_to_band(semidefinite(30, 30), 4)
    with pytest.raises(NotPositiveDefiniteError):
        form.cholesky(-1.0, 0.1)
    with pytest.raises(NotPositiveDefiniteError):
        form.cholesky(np.nan, 1.0)
