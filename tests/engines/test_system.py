"""What the inverse of the equations tells of the factors, against its definition."""

import numpy as np
import pytest
from scipy import sparse

from animalmm.engines.pattern import Block
from animalmm.engines.system import System

from .brute import assert_near

N = 40


def block(q, t, rng, *, prior=True):
    """A block of q levels, of which each record has two, and a tridiagonal prior."""
    Z = np.zeros((N, q, t))
    for _ in range(2):
        Z[np.arange(N), rng.integers(0, q, N)] += rng.normal(size=(N, t))
    chain = sparse.diags_array([-0.4, 1.0, -0.4], offsets=[-1, 0, 1], shape=(q, q), format="csc")
    return Block(sparse.csr_array(Z.reshape(N, q * t)), t, chain if prior else None)


def by_definition(blocks, weights, C):
    """sum_jl (Z_i'WZ_k)[ja, lb] C[jc, ld] in full."""
    starts = np.cumsum([0, *(one.size for one in blocks)])
    rows = []
    for i, left in enumerate(blocks):
        row = []
        for k, right in enumerate(blocks):
            shape = left.size // left.t, left.t, right.size // right.t, right.t
            cross = (left.Z.T @ (weights[:, None] * right.Z.toarray())).reshape(shape)
            part = C[starts[i] : starts[i + 1], starts[k] : starts[k + 1]].reshape(shape)
            J = np.einsum("jalb,jcld->acbd", cross, part).reshape(left.t**2, right.t**2)
            row.append(J if left.prior is not None or right.prior is not None else 0 * J)
        rows.append(row)
    return np.block(rows)


@pytest.mark.parametrize("q", [3, 60])  # LAPACK and a sparse library
def test_information_of_the_errors(q):
    rng = np.random.default_rng(q)
    blocks = [block(2, 1, rng, prior=False), block(q, 2, rng), block(q + 1, 1, rng)]
    weights = rng.uniform(0.5, 2, N)
    system = System(blocks, weights)
    for factors in (
        [np.eye(1), np.array([[0.5, 0.3], [-0.2, 0.4]]), np.array([[0.7]])],
        [np.eye(1), np.zeros((2, 2)), np.array([[-0.2]])],
    ):
        factor = system.factor(factors)
        C = factor.solve(np.eye(factor.n))
        found = system.information(factor.selected_inverse())
        assert_near(found, by_definition(blocks, weights, C), 1e-12)


def test_factors_of_one_system_are_located_once(monkeypatch):
    rng = np.random.default_rng(1)
    system = System([block(70, 2, rng)], np.ones(N))
    first, second = (system.factor([F]).selected_inverse() for F in (np.eye(2), np.zeros((2, 2))))
    before = system.information(first)
    monkeypatch.setattr(type(first.pattern), "places", None)
    system.information(second)
    np.testing.assert_array_equal(system.information(first), before)
