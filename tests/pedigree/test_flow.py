"""Blocks, products, inverse and factor of K = T D T' with any weights."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from animalmm.errors import ArgumentError
from animalmm.linalg import memory
from animalmm.pedigree.descent import gene_flow
from animalmm.pedigree.descent.gene_flow import GeneFlow
from animalmm.pedigree.descent.lineage import Lineage, most_ancestors, with_ancestors


@st.composite
def flows(draw, largest=20):
    """Any weights of any earlier units, levels with gaps, and K as a dense matrix."""
    n = draw(st.integers(1, largest))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    P = np.tril(rng.normal(size=(n, n)), -1) * (rng.random((n, n)) < draw(st.floats(0.0, 0.5)))
    level = np.zeros(n, dtype=np.intp)
    for i in range(n):
        level[i] = max(level[P[i] != 0] + 1, default=0) + rng.integers(0, 3)
    shuffled = rng.permutation(n)
    P, level, d = P[np.ix_(shuffled, shuffled)], level[shuffled], rng.uniform(0.1, 2.0, n)
    T = np.linalg.inv(np.eye(n) - P)
    K = T @ np.diag(d) @ T.T
    return GeneFlow(sparse.csr_array(P), d, level, np.diag(K)), K


@given(made=flows(), data=st.data())
def test_blocks(made, data):
    flow, K = made
    units = st.lists(st.integers(0, len(K) - 1))
    rows, columns = (np.array(data.draw(units), dtype=np.intp) for _ in range(2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gene_flow, "COLUMNS_AT_ONCE", data.draw(st.integers(1, 5)))
        found = flow.block(rows, columns)
    np.testing.assert_allclose(found, K[np.ix_(rows, columns)], rtol=1e-9, atol=1e-9)


@given(made=flows(), columns=st.integers(0, 3))
def test_products(made, columns):
    flow, K = made
    V = np.random.default_rng(1).normal(size=(len(K), columns))
    before = V.copy()
    np.testing.assert_allclose(flow.multiply(V), K @ V, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(V, before)
    ones = np.ones(len(K), dtype=int)
    assert flow.multiply(ones).shape == (len(K),)
    np.testing.assert_allclose(flow.multiply(ones), K.sum(axis=1), rtol=1e-9, atol=1e-9)


@given(made=flows())
def test_inverse_and_factor(made):
    flow, K = made
    inverse = flow.inverse()
    assert inverse.has_sorted_indices
    assert inverse.indices.dtype == np.int32
    assert (inverse != inverse.T).nnz == 0
    M = np.eye(len(K)) - flow.P.toarray()
    np.testing.assert_allclose(inverse.toarray(), M.T / flow.d @ M, rtol=1e-12, atol=1e-12)
    L = flow.factor()
    np.testing.assert_allclose((L @ L.T).toarray(), K, rtol=1e-9, atol=1e-9)
    assert flow.factor_entries() >= L.nnz
    sparse_K = flow.matrix()
    np.testing.assert_allclose(sparse_K.toarray(), K, rtol=1e-9, atol=1e-9)
    assert sparse_K.has_sorted_indices
    np.testing.assert_allclose(flow.logdet(), np.log(flow.d).sum(), atol=1e-12)


@given(made=flows())
def test_lineages(made):
    flow, _ = made
    n = len(flow.d)
    reached = np.linalg.matrix_power(np.eye(n, dtype=int) + (flow.P.toarray() != 0), n) > 0
    for unit in range(n):
        family = with_ancestors(np.array([unit]), flow.P)
        np.testing.assert_array_equal(family, np.flatnonzero(reached[unit]))
    assert np.all(most_ancestors(flow.P, flow.level) >= reached.sum(axis=1))
    some = Lineage.of(np.array([n - 1, 0, 0]), flow.P, flow.level)
    assert np.all(np.diff(flow.level[some.units]) >= 0)
    np.testing.assert_array_equal(some.place[some.units], np.arange(len(some)))


def test_bounds_of_the_factor_are_the_truth_at_the_extremes():
    """Founders and their progeny; a line of descent."""
    wide = sparse.csr_array(([0.5] * 6, ([4, 4, 5, 5, 6, 6], [0, 1, 1, 2, 2, 3])), shape=(7, 7))
    flow = GeneFlow(wide, np.ones(7), np.array([0, 0, 0, 0, 1, 1, 1]), np.ones(7))
    assert flow.factor_entries() == flow.factor().nnz == 13
    line = sparse.csr_array(np.diag(np.full(9, 0.5), -1))
    flow = GeneFlow(line, np.ones(10), np.arange(10), np.ones(10))
    assert flow.factor_entries() == flow.factor().nnz == 55


def test_too_large_a_factor_is_refused_before_it_is_formed(monkeypatch):
    monkeypatch.setattr(memory, "physical_memory", lambda: 100)  # bytes
    line = sparse.csr_array(np.diag(np.full(9, 0.5), -1))
    flow = GeneFlow(line, np.ones(10), np.arange(10), np.ones(10))
    with pytest.raises(ArgumentError, match=r"factor of .* 10 animals.* Use the inverse"):
        flow.factor()
    assert flow.multiply(np.ones(10)).shape == (10,)


def test_matrix_holds_no_zeros_and_asks_for_memory(monkeypatch):
    """Two pairs of sibs that have nothing in common."""
    P = sparse.csr_array(([0.5] * 4, ([2, 3, 4, 5], [0, 0, 1, 1])), shape=(6, 6))
    flow = GeneFlow(P, np.ones(6), np.array([0, 0, 1, 1, 1, 1]), np.ones(6))
    assert flow.matrix().nnz == 18
    monkeypatch.setattr(memory, "physical_memory", lambda: 800)  # bytes
    with pytest.raises(ArgumentError, match=r"of 6 animals, 50.0% of them not zero, needs .* Use"):
        flow.matrix()
