"""The Cholesky factor of a small matrix that may be singular."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animalmm.covariance import semidefinite_cholesky
from animalmm.errors import ArgumentError


@given(st.integers(1, 5), st.integers(0, 5), st.integers(0, 10_000))
def test_a_matrix_of_any_rank_is_reproduced(t, rank, seed):
    M = np.random.default_rng(seed).normal(size=(t, min(rank, t)))
    T = semidefinite_cholesky(M @ M.T)
    np.testing.assert_array_equal(T, np.tril(T))
    np.testing.assert_allclose(T @ T.T, M @ M.T, atol=1e-9)
    assert (np.diag(T) >= 0).all()


@pytest.mark.parametrize(
    "sigma",
    [
        [[0.0]],
        [[0, 0], [0, 0]],
        [[0, 0], [0, 2]],
        [[2, 0], [0, 0]],
        [[1, 1], [1, 1]],
        [[4, -6], [-6, 9]],
        [[1, -0.5, -0.5], [-0.5, 1, -0.5], [-0.5, -0.5, 1]],
        [[0, 0, 0], [0, 1, 2], [0, 2, 4]],
    ],
)
def test_singular_matrices_have_a_factor(sigma):
    sigma = np.array(sigma, dtype=float)
    T = semidefinite_cholesky(sigma)
    np.testing.assert_allclose(T @ T.T, sigma, atol=1e-12)


def test_of_a_definite_matrix_it_is_the_cholesky_factor():
    M = np.random.default_rng(1).normal(size=(4, 4))
    sigma = M @ M.T + np.eye(4)
    np.testing.assert_allclose(semidefinite_cholesky(sigma), np.linalg.cholesky(sigma), rtol=1e-12)


def test_asymmetric_matrices_are_refused():
    with pytest.raises(ArgumentError, match="symmetric"):
        semidefinite_cholesky(np.array([[1.0, 0.5], [0.4, 1.0]]))


@pytest.mark.parametrize("sigma", [[[-1.0]], [[1, 2], [2, 1]], [[0, 1], [1, 0]]])
def test_indefinite_matrices_are_refused_with_the_eigenvalue(sigma):
    with pytest.raises(ArgumentError, match="-1"):
        semidefinite_cholesky(np.array(sigma, dtype=float))


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(odd):
    with pytest.raises(ArgumentError):
        semidefinite_cholesky(np.array([[1.0, 0.0], [0.0, odd]]))
