"""Packed symmetric matrices against full ones, of even and odd order."""

import numpy as np
import pytest

from animalmm.linalg import NotPositiveDefiniteError
from animalmm.linalg.packed import (
    PackedCholesky,
    pack,
    packed_places,
    product_trace,
    subtract_outer,
)

SIZES = [1, 2, 3, 8, 31, 64]


def matrix(n, seed=0):
    M = np.random.default_rng([n, seed]).normal(size=(n, n + 3))
    return M @ M.T / n


def unpack(packed, n):
    row, column = np.tril_indices(n)
    A = np.zeros((n, n))
    A[row, column] = A[column, row] = packed[packed_places(n, row, column)]
    return A


@pytest.mark.parametrize("n", SIZES)
def test_every_element_has_a_place_of_its_own(n):
    A = matrix(n)
    packed = pack(A)
    assert packed.shape == (n * (n + 1) // 2,)
    np.testing.assert_array_equal(unpack(packed, n), A)


@pytest.mark.parametrize("n", SIZES)
def test_the_factor_solves_and_inverts(n):
    A = matrix(n)
    factor = PackedCholesky.of(pack(A), n)
    v = np.random.default_rng(1).normal(size=(n, 2))
    assert factor.logdet() == pytest.approx(np.linalg.slogdet(A)[1], abs=1e-10)
    np.testing.assert_allclose(factor.backward(factor.forward(v)), np.linalg.solve(A, v), 1e-8)
    np.testing.assert_allclose(unpack(factor.inverse(), n), np.linalg.inv(A), 1e-8, 1e-10)
    assert factor.forward(v[:, :0]).shape == (n, 0)


@pytest.mark.parametrize("n", SIZES)
def test_traces_and_outer_products(n):
    A, B = matrix(n), matrix(n, 1)
    assert product_trace(n, pack(A), pack(B)) == pytest.approx(np.trace(A @ B), rel=1e-12)
    H = np.random.default_rng(2).normal(size=(n, 2))
    np.testing.assert_allclose(unpack(subtract_outer(n, pack(A), H), n), A - H @ H.T, atol=1e-12)
    np.testing.assert_array_equal(unpack(subtract_outer(n, pack(A), H[:, :0]), n), A)


@pytest.mark.parametrize("value", [-1.0, np.nan])
def test_what_is_not_positive_definite_is_refused(value):
    A = matrix(8)
    A[5, 5] = value
    with pytest.raises(NotPositiveDefiniteError):
        PackedCholesky.of(pack(A), 8)
