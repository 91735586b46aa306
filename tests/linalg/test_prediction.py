"""The predicted factor against elimination, and against those that the libraries make."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse import csc_array

from animalmm.linalg import analyze, cholmod
from animalmm.linalg.prediction import predicted_fill
from animalmm.linalg.supernodes import supernodes


def eliminated(lower, order):
    """The pattern of L by its definition."""
    stored = lower.toarray() != 0
    L = (stored | stored.T)[order][:, order]
    for k in range(len(order)):
        below = k + 1 + np.flatnonzero(L[k + 1 :, k])
        L[np.ix_(below, below)] = True
    return np.tril(L)


def assert_predicted(lower, order):
    fill = predicted_fill(lower, order)
    np.testing.assert_array_equal(np.sort(fill.order), np.arange(len(order)))
    L = eliminated(lower, fill.order)
    np.testing.assert_array_equal(fill.count, L.sum(axis=0))
    below = np.tril(L, -1)
    np.testing.assert_array_equal(fill.parent, np.where(below.any(0), below.argmax(axis=0), -1))
    # A postorder of the tree changes where the entries are, not how many there are.
    assert fill.nnz == eliminated(lower, order).sum()
    assert fill.multiplications == (eliminated(lower, order).sum(axis=0) ** 2).sum()
    nodes = supernodes(csc_array(L.astype(float)))
    np.testing.assert_array_equal(fill.fronts, (nodes.size, nodes.width))
    return fill


def lower_of(edges, n):
    """A lower triangle with its diagonal and these places."""
    i, k = np.array(edges, dtype=int).reshape(-1, 2).T
    A = sparse.coo_array((np.ones(len(i)), (np.maximum(i, k), np.minimum(i, k))), shape=(n, n))
    return csc_array(A + sparse.eye_array(n))


@st.composite
def patterns(draw):
    n = draw(st.integers(1, 30))
    node = st.integers(0, n - 1)
    edges = draw(st.lists(st.tuples(node, node), max_size=60))
    return lower_of(edges, n), np.array(draw(st.permutations(range(n))))


@given(patterns())
def test_any_pattern_in_any_order(pattern):
    assert_predicted(*pattern)


def pedigree_equations(n, rng):
    """Animals with two parents among those before them."""
    parents = [(i, *rng.choice(i, 2)) for i in range(2, n)]
    return lower_of([(a, b) for family in parents for a in family for b in family], n)


@pytest.mark.parametrize(
    "lower",
    [
        pytest.param(pedigree_equations(300, np.random.default_rng(1)), id="pedigree"),
        pytest.param(lower_of([(0, i) for i in range(200)], 200), id="star"),
        pytest.param(lower_of([(i, i + 1) for i in range(200)], 201), id="chain"),
        pytest.param(csc_array(np.tri(40)), id="full"),
        pytest.param(lower_of([], 5), id="diagonal"),
    ],
)
def test_orders_of_kinds(lower):
    n = lower.shape[0]
    for order in (np.arange(n), np.arange(n)[::-1], np.random.default_rng(2).permutation(n)):
        assert_predicted(lower, order)


@pytest.mark.parametrize("ordering", ["amd", "natural"])
def test_the_factors_of_the_libraries(backend, ordering):
    lower = pedigree_equations(400, np.random.default_rng(3)) * 0.01 + 5 * sparse.eye_array(400)
    symbolic = analyze(csc_array(lower), ordering=ordering, backend=backend)
    L, order = symbolic.factorize(csc_array(lower)).lower()
    fill = symbolic.fill
    np.testing.assert_array_equal(np.sort(symbolic.order()), np.arange(400))
    if backend == "dense":
        np.testing.assert_array_equal(symbolic.order(), order)
    else:
        assert fill.nnz == predicted_fill(csc_array(lower), order).nnz <= L.nnz


def test_cholmod_leaves_small_supernodes_alone(monkeypatch):
    pytest.importorskip("sksparse")
    lower = pedigree_equations(1500, np.random.default_rng(3)) * 0.01
    lower = csc_array(lower + 5 * sparse.eye_array(1500))
    monkeypatch.setattr(cholmod, "LARGE", 1500)
    found = []
    for small, compare in ((0, np.greater_equal), (np.inf, np.equal)):
        monkeypatch.setattr(cholmod, "SMALL_NODE", small)
        symbolic = analyze(lower, backend="cholmod")
        factor = symbolic.factorize(lower)
        assert compare(factor.lower()[0].nnz, symbolic.fill.nnz)
        found.append((factor.logdet(), *factor.selected_inverse().diagonal()))
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_no_columns():
    fill = predicted_fill(lower_of([], 0), np.arange(0))
    assert fill.nnz == fill.multiplications == fill.factor_bytes == fill.inverse_bytes == 0


def test_a_postorder_stays_as_it_is():
    lower = pedigree_equations(300, np.random.default_rng(4))
    once = predicted_fill(lower, np.random.default_rng(5).permutation(300))
    np.testing.assert_array_equal(predicted_fill(lower, once.order).order, once.order)


def test_bytes_of_a_full_factor():
    fill = predicted_fill(csc_array(np.tri(50)), np.arange(50))
    assert fill.factor_bytes == 8 * 50**2
    assert fill.inverse_bytes == 8 * 50**2 + 16 * 50 * 51 / 2 + 32 * 50**2
