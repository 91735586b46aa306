import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import sparse as sp

from animalmm.design import build_problem
from animalmm.design.rank import independent_columns
from animalmm.errors import RankDeficiencyWarning


def brute(X):
    norms = np.linalg.norm(X, axis=0)
    S = X / np.where(norms > 0, norms, 1)
    keep = []
    for j in range(X.shape[1]):
        if np.linalg.matrix_rank(S[:, [*keep, j]], tol=1e-7) > len(keep):
            keep.append(j)
    return keep


def both(X, weights=None):
    dense = independent_columns(X, weights)
    sparse = independent_columns(sp.csc_array(X), weights)
    np.testing.assert_array_equal(dense, sparse)
    return list(dense)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(0, 12), st.integers(1, 25))
@example(seed=4, p=4, rank=4, n=3)  # a null vector that is all but zero where elimination ends
def test_random_matrices(seed, p, rank, n):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, min(rank, p))) @ rng.integers(-1, 2, size=(min(rank, p), p))
    X *= 10.0 ** rng.integers(-4, 5, size=p)
    assert both(X) == brute(X)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6), st.integers(1, 40))
def test_dummies(seed, a, b, n):
    rng = np.random.default_rng(seed)
    A, B = rng.integers(0, a, n), rng.integers(0, b, n)
    X = np.column_stack([np.ones(n), np.eye(a)[A], rng.normal(size=n), np.eye(b)[B]])
    assert both(X) == brute(X)


def test_zero_and_duplicate_columns_and_scales():
    rng = np.random.default_rng(1)
    x, z = rng.normal(size=(2, 20))
    X = np.column_stack([0 * x, x, 1e8 * x, z, 1e-8 * z + 1e-8 * x, np.ones(20)])
    assert both(X) == [1, 3, 5]
    assert both(X, weights=rng.uniform(0.1, 10, 20)) == [1, 3, 5]
    assert both(np.zeros((4, 3))) == []
    assert both(np.ones((4, 0))) == []


@pytest.mark.parametrize("weights", [None, "w"])
def test_a_column_of_zeros_before_dependent_ones_is_dropped_with_them(weights):
    """The zeros have no length to be scaled by, and move no other column's name."""
    rng = np.random.default_rng(5)
    x, z = rng.normal(size=(2, 30))
    data = pd.DataFrame({"y": rng.normal(size=30), "g": np.arange(30) % 6, "nil": 0.0, "x": x})
    data = data.assign(twice=2 * x, z=z, sum=x + z, w=rng.uniform(0.5, 2, 30))
    message = (
        "the fixed-effects matrix is rank deficient: 3 of 6 columns are combinations of the others "
        "and were dropped: 'nil', 'twice', 'sum'"
    )
    with pytest.warns(RankDeficiencyWarning, match=f"^{message}$"):
        design = build_problem("y ~ nil + x + twice + z + sum + (1 | g)", data, weights=weights)
    assert design.dropped == ("nil", "twice", "sum")
    assert design.problem.names == ("(Intercept)", "x", "z")
    expected = np.column_stack([np.ones(30), x, z])
    np.testing.assert_array_equal(design.problem.X, expected)
    np.testing.assert_array_equal(design.fixed_matrix(data), expected)


def test_powers_of_a_year_are_not_dropped():
    rng = np.random.default_rng(2)
    year = 2000.0 + rng.integers(0, 12, 300)
    herd = np.eye(80)[np.arange(300) % 80]
    X = np.column_stack([np.ones(300), year, year**2, herd[:, 1:], year * 2])
    assert both(X) == list(range(X.shape[1] - 1))


def test_disconnected_two_way_design():
    a = np.repeat([0, 0, 1, 1, 2, 2, 3, 3], 4)
    b = np.array([0, 1, 1, 0, 2, 3, 3, 2]).repeat(4)
    X = np.column_stack([np.ones(32), np.eye(4)[a][:, 1:], np.eye(4)[b][:, 1:]])
    assert both(X) == brute(X) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("nested", [False, True])
def test_thousands_of_sparse_columns(nested):
    rng = np.random.default_rng(4)
    n, levels = 30_000, 2000
    fine = rng.integers(0, levels, n)
    coarse = fine // 20 if nested else rng.integers(0, 30, n)

    def indicators(codes):
        return sp.csr_array((np.ones(n), codes, np.arange(n + 1)))

    X = sp.csc_array(sp.hstack([np.ones((n, 1)), indicators(coarse), indicators(fine)]))
    kept = independent_columns(X)
    width = coarse.max() + 1
    dropped = np.setdiff1d(np.arange(X.shape[1]), kept)
    if nested:  # the last fine level of each coarse one
        np.testing.assert_array_equal(dropped, [width, *(width + 20 * np.arange(1, width + 1))])
    else:
        np.testing.assert_array_equal(dropped, [width, X.shape[1] - 1])
