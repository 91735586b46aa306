import pickle

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from animalmm.errors import ArgumentError
from animalmm.linalg import NotPositiveDefiniteError, safe_cholesky


def gram(q, r, seed):
    M = np.random.default_rng(seed).normal(size=(q, r))
    return M @ M.T


@given(q=st.integers(1, 30), r=st.integers(0, 40), seed=st.integers(0, 999), zeros=st.booleans())
@example(q=30, r=29, seed=172, zeros=False)  # pivots far above rounding, and yet singular
@example(q=10, r=9, seed=132, zeros=False)
def test_product_is_the_matrix_and_width_its_rank(q, r, seed, zeros):
    K = gram(q, r, seed)
    if zeros:
        K[0], K[:, 0] = 0.0, 0.0
    L = safe_cholesky(K)
    np.testing.assert_allclose(L @ L.T, K, atol=3e-8 * max(K.max(), 1))
    assert L.shape == (q, min(r, q - zeros))


def test_a_definite_matrix_gives_the_triangular_factor():
    K = gram(40, 60, 1)
    np.testing.assert_allclose(safe_cholesky(K), np.linalg.cholesky(K), rtol=1e-10)


def test_ill_conditioned_but_definite_keeps_its_full_rank():
    K = np.diag(np.geomspace(1, 1e-12, 8))
    np.testing.assert_allclose(safe_cholesky(K), np.sqrt(K))


def test_only_the_lower_triangle_is_read_and_nothing_is_written():
    K = gram(6, 4, 2)
    lower = np.tril(K)
    lower.setflags(write=False)
    L = safe_cholesky(lower)
    np.testing.assert_allclose(L @ L.T, K, atol=1e-8)
    K[0, 0] += 1.0
    assert L.shape == (6, 4)


@pytest.mark.parametrize("order", ["C", "F"])
def test_centred_relationship_matrix(order):
    # G of centred markers: its rows sum to zero, so that it has rank q - 1 at most.
    M = np.random.default_rng(3).integers(0, 3, size=(50, 300)).astype(float)
    M -= M.mean(axis=0)
    G = np.array(M @ M.T / 300, order=order)
    L = safe_cholesky(G)
    assert L.shape == (50, 49)
    np.testing.assert_allclose(L @ L.T, G, atol=1e-8)


def test_rounded_in_a_text_file():
    K = np.round(gram(40, 10, 4), 9)
    assert np.linalg.eigvalsh(K)[0] < 0
    L = safe_cholesky(K)
    np.testing.assert_allclose(L @ L.T, K, atol=5e-8 * K.max())


@pytest.mark.parametrize(
    "K",
    [
        [[1.0, 2.0], [2.0, 1.0]],
        [[0.0, 1.0], [1.0, 0.0]],
        [[1.0, 0.0], [0.0, -1e-6]],
        [[-1.0]],
        [[1.0, 1.0, 0.0], [1.0, 1.0, 1e-3], [0.0, 1e-3, 1.0]],
        -np.eye(4),
    ],
)
def test_indefinite_is_refused_with_its_smallest_eigenvalue(K):
    with pytest.raises(NotPositiveDefiniteError, match="smallest eigenvalue") as caught:
        safe_cholesky(np.array(K))
    assert caught.value.smallest_eigenvalue == pytest.approx(np.linalg.eigvalsh(K)[0])
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.smallest_eigenvalue == caught.value.smallest_eigenvalue


def test_tolerance_says_what_is_zero():
    K = np.array([[1.0, 0.0], [0.0, -1e-6]])
    assert safe_cholesky(K, tolerance=1e-5).shape == (2, 1)


@given(seed=st.integers(0, 999), noise=st.floats(-12, -4))
def test_noise_is_absorbed_or_refused_never_returned_wrong(seed, noise):
    rng = np.random.default_rng(seed)
    E = 10**noise * rng.normal(size=(12, 12))
    K = gram(12, 5, seed) + E + E.T
    scale = K.diagonal().max()
    try:
        L = safe_cholesky(K)
    except NotPositiveDefiniteError:
        smallest = np.linalg.eigvalsh(K)[0]
        assert smallest < -0.999e-8 * scale
    else:
        assert np.abs(L @ L.T - K).max() <= 2.001e-8 * scale


def test_edges():
    assert safe_cholesky(np.empty((0, 0))).shape == (0, 0)
    assert safe_cholesky(np.zeros((3, 3))).shape == (3, 0)
    np.testing.assert_array_equal(safe_cholesky(np.array([[4.0]])), [[2.0]])
    for bad in (np.ones((2, 3)), np.ones(4), np.array([[np.nan]]), np.diag([1.0, np.inf])):
        with pytest.raises(ArgumentError):
            safe_cholesky(bad)
