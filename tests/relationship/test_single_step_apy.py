"""The APY inverse against the matrix that it is the inverse of."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animalmm.relationship.hmatrix_apy import apy_inverse, choose_core


def wishart(n, seed):
    M = np.random.default_rng(seed).normal(size=(n, n + 5))
    return M @ M.T / n


def implied(G, core):
    """G_APY by its definition: others are related through the core only."""
    T = np.linalg.solve(G[np.ix_(core, core)], G[core])
    K = T.T @ G[np.ix_(core, core)] @ T
    np.fill_diagonal(K, G.diagonal())
    return K


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), n=st.integers(1, 15), data=st.data())
def test_inverse_of_the_implied_matrix(seed, n, data):
    c = data.draw(st.integers(1, n))
    G = wishart(n, seed)
    core = choose_core(c, pd.RangeIndex(n), np.random.default_rng(seed))
    found = apy_inverse(G, core, pd.RangeIndex(n), "G")
    K = implied(G, core)
    P = found.P.toarray()
    np.testing.assert_allclose(P @ K, np.eye(n), atol=1e-7 * abs(P).max())
    np.testing.assert_array_equal(P, P.T)
    assert np.linalg.eigvalsh(P)[0] > 0
    assert found.logdet == pytest.approx(np.linalg.slogdet(K)[1], abs=1e-8)
    assert found.P.nnz <= c * (2 * n - c) + n - c


def test_core_of_all_is_the_inverse():
    G = wishart(12, 3)
    found = apy_inverse(G, np.ones(12, dtype=bool), pd.RangeIndex(12), "G")
    np.testing.assert_allclose(found.P.toarray(), np.linalg.inv(G), atol=1e-9)
    assert found.logdet == pytest.approx(np.linalg.slogdet(G)[1], abs=1e-10)


def test_low_rank_plus_little_is_nearly_exact():
    """With as many core animals as dimensions, little is left to the others (Misztal 2016)."""
    M = np.random.default_rng(4).normal(size=(40, 6))
    G = M @ M.T + 1e-4 * np.eye(40)
    errors = []
    for c in (2, 6, 20):
        core = np.arange(40) < c
        errors.append(abs(implied(G, core) - G).max())
        found = apy_inverse(G, core, pd.RangeIndex(40), "G").P.toarray()
        np.testing.assert_allclose(np.linalg.inv(found), implied(G, core), rtol=1e-5, atol=1e-6)
    assert errors[0] > 1.0
    assert errors[1] < 0.1


def test_other_rows_of_G_are_not_read():
    G = wishart(8, 5)
    core = np.arange(8) < 3
    hidden = G.copy()
    hidden[3:, 3:] = np.where(np.eye(5, dtype=bool), G[3:, 3:], np.nan)
    hidden[3:, :3] = np.nan
    found = apy_inverse(hidden, core, pd.RangeIndex(8), "G").P.toarray()
    np.testing.assert_array_equal(found, apy_inverse(G, core, pd.RangeIndex(8), "G").P.toarray())


def test_choice_is_that_of_the_generator():
    labels = pd.Index(list("abcdefgh"))
    first, again, other = (choose_core(3, labels, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert first.sum() == other.sum() == 3
    assert (first != other).any()


def test_choice_by_label_in_any_order():
    chosen = choose_core(["d", "a"], pd.Index(list("abcd")), None)
    np.testing.assert_array_equal(chosen, [True, False, False, True])
