"""The selected inverse against the inverse itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse import csc_array

from animalmm.linalg import analyze
from animalmm.linalg.interface import KnownPattern


def factorized(A, backend, **options):
    lower = sparse.tril(csc_array(A), format="csc")
    lower.sort_indices()
    return analyze(lower, backend=backend, **options).factorize(lower)


def assert_selected(A, backend, **options):
    """Every element of the pattern of L, that of A among them, and the diagonal are right."""
    factor = factorized(A, backend, **options)
    expected = np.linalg.inv(csc_array(A).toarray())
    selected = factor.selected_inverse()
    every = np.arange(factor.n)
    found = selected.at(every[:, None], every)
    np.testing.assert_array_equal(found, found.T)
    known = ~np.isnan(found)
    for matrix, order in ((csc_array(A), every), factor.lower()):
        rows, columns = order[matrix.indices], order[np.repeat(every, np.diff(matrix.indptr))]
        assert known[rows, columns].all()
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    assert np.abs((found - expected) / scale)[known].max() < 1e-10
    np.testing.assert_array_equal(selected.diagonal(), np.diag(found))
    return known


@st.composite
def definite(draw):
    """Any pattern, blocks apart among them; entries that are zero are stored."""
    n = draw(st.integers(1, 40))
    places = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    edges = sorted({(max(e), min(e)) for e in draw(st.lists(places, max_size=90)) if e[0] != e[1]})
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    values = rng.normal(size=len(edges)) * (rng.random(len(edges)) < 0.8)
    i, k = np.array(edges, dtype=int).reshape(-1, 2).T
    diagonal = rng.uniform(0.05, 2, size=n)
    np.add.at(diagonal, i, np.abs(values))
    np.add.at(diagonal, k, np.abs(values))
    every = np.arange(n)
    triplets = np.r_[diagonal, values, values], (np.r_[every, i, k], np.r_[every, k, i])
    return csc_array(triplets, shape=(n, n))


@given(A=definite())
def test_it_is_the_inverse(backend, A):
    assert_selected(A, backend)


def grid(side):
    path = sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(side, side))
    eye = sparse.eye_array(side)
    return sparse.kron(path, eye) + sparse.kron(eye, path) + 0.01 * sparse.eye_array(side**2)


@pytest.mark.parametrize("ordering", ["amd", "metis", "natural"])
def test_every_order_gives_it(backend, ordering):
    known = assert_selected(grid(15), backend, ordering=ordering)
    assert backend == "dense" or not known.all()


def test_supernodes_of_many_columns(backend, monkeypatch):
    """Dense blocks that share a border, so that fronts are cut into portions too."""
    monkeypatch.setattr("animalmm.linalg.supernodes._FRONTS", 300)
    monkeypatch.setattr("animalmm.linalg.inverse_plan._TOGETHER", 100)
    rng = np.random.default_rng(5)
    M = sparse.block_diag([csc_array(rng.normal(size=(12, 9))) for _ in range(14)], format="csr")
    border = sparse.csr_array(
        rng.normal(size=(M.shape[0], 7)) * (rng.random((M.shape[0], 7)) < 0.4)
    )
    B = sparse.hstack([border, M], format="csr")
    assert_selected(B.T @ B + 0.1 * sparse.eye_array(B.shape[1]), backend)


def test_large_fronts(backend, monkeypatch):
    """Nodes that are computed one by one, in products of a few rows at a time."""
    monkeypatch.setattr("animalmm.linalg.selected_inverse._ONE_THREAD", 2**14)
    rng = np.random.default_rng(6)
    leaves = sparse.block_diag([csc_array(rng.normal(size=(30, 8))) for _ in range(12)])
    groups = sparse.block_diag([csc_array(rng.normal(size=(120, 10))) for _ in range(3)])
    B = sparse.hstack([leaves, groups, rng.normal(size=(360, 70))], format="csr")
    assert_selected(B.T @ B + 0.1 * sparse.eye_array(B.shape[1]), backend)


def test_a_chain_of_supernodes_is_deep(backend):
    n = 400
    A = sparse.diags_array([-1.0, 2.1, -1.0], offsets=[-1, 0, 1], shape=(n, n))
    assert_selected(A, backend, ordering="natural")


@pytest.mark.parametrize("n", [1, 2, 150])
def test_a_diagonal_matrix(backend, n):
    A = sparse.diags_array(np.arange(1.0, n + 1))
    known = assert_selected(A, backend)
    assert backend == "dense" or known.sum() == n


def test_blocks_apart(backend):
    A = sparse.block_diag(
        [csc_array(B) for B in (grid(4), 3.0 * np.eye(1), np.ones((5, 5)) + np.eye(5), grid(6))]
    )
    known = assert_selected(A, backend)
    assert backend == "dense" or not known[:16, 16:].any()


def test_no_rows(backend):
    selected = factorized(csc_array((0, 0)), backend).selected_inverse()
    assert selected.diagonal().shape == (0,)


def test_zeros_of_the_numbers_stay_in_the_pattern(backend):
    """What is asked for is the pattern that was analysed, whatever the values turn out to be."""
    A = csc_array(grid(12))
    rows, columns = A.indices, np.repeat(np.arange(144), np.diff(A.indptr))
    values = np.where(rows == columns, 3.0, np.where((rows + columns) % 3 == 0, -0.7, 0.0))
    assert_selected(csc_array((values, A.indices, A.indptr), shape=A.shape), backend)


def test_elements_are_asked_in_any_shape(backend):
    selected = factorized(grid(12), backend).selected_inverse()
    assert selected.at(3, 4) == selected.at(4, 3)
    assert selected.at([[1], [2]], [1, 2]).shape == (2, 2)
    assert selected.at(np.empty(0, int), np.empty(0, int)).shape == (0,)


def test_factors_of_one_pattern_share_the_analysis_of_their_inverse(backend):
    lower = sparse.tril(csc_array(grid(12)), format="csc")
    lower.sort_indices()
    symbolic = analyze(lower, backend=backend)
    first = symbolic.factorize(lower).selected_inverse()
    second = symbolic.factorize(2.0 * lower).selected_inverse()
    assert first.pattern == second.pattern
    np.testing.assert_allclose(first.values, 2.0 * second.values)


def test_a_factor_of_another_pattern_is_not_taken_for_the_one_that_is_known():
    known = KnownPattern()
    for A in (grid(12), grid(11), np.eye(121), grid(11)):
        L, order = factorized(A, "superlu").lower()
        L.sort_indices()
        inverse = known.of(L, order).inverse(L)
        expected = np.linalg.inv(csc_array(A).toarray())
        np.testing.assert_allclose(inverse.diagonal(), expected.diagonal())
        assert known.of(L, order) is inverse.pattern
