"""A = T D T' of arrays: all ways to inbreeding, selfed animals, inbred founders, clones, bases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animalmm.pedigree.descent import inbreeding
from animalmm.pedigree.descent.additive import CLONE, Parents, additive_flow
from animalmm.pedigree.sorting import generations

from .gene_dropping import alike, autosomes
from .reference import random_parents, tabular_a

WAYS = {
    "table": {"COST_OF_TABLE": 0.0},
    "common ancestors": {"LARGEST_TABLE": -1, "COST_OF_ROWS": 0.0},
    "columns": {"LARGEST_TABLE": -1, "COST_OF_ROWS": 1e9},
}


def take(way, patch):
    for name, value in WAYS[way].items():
        patch.setattr(inbreeding, name, value)


def flow_of(sire, dam, retained=None, base=None):
    sire, dam = np.array(sire), np.array(dam)
    retained = np.ones(len(sire)) if retained is None else np.array(retained, dtype=float)
    base = np.zeros((0, 0)) if base is None else base
    return additive_flow(Parents(sire, dam, generations(sire, dam), retained, base))


def relationships(flow):
    everyone = np.arange(len(flow.d))
    return flow.block(everyone, everyone)


def agrees(flow, A):
    np.testing.assert_allclose(relationships(flow), A, rtol=0, atol=1e-13)
    np.testing.assert_allclose(flow.diagonal, np.diag(A), rtol=0, atol=1e-14)
    L = flow.factor().toarray()
    np.testing.assert_allclose(L @ L.T, A, rtol=0, atol=1e-13)
    if flow.d.min() > 1e-6:
        inverse = flow.inverse()
        np.testing.assert_allclose(inverse @ A, np.eye(len(A)), atol=1e-8)
        assert (inverse != inverse.T).nnz == 0


@st.composite
def histories(draw, largest=16):
    """Parents among earlier animals, selfings, inbred founders and clones."""
    n = draw(st.integers(1, largest))
    sire, dam, retained = np.full(n, -1), np.full(n, -1), np.ones(n)
    for i in range(n):
        sire[i], dam[i] = draw(st.integers(-1, i - 1)), draw(st.integers(-1, i - 1))
        kind = draw(st.sampled_from(["plain", "plain", "plain", "selfed", "clone", "line"]))
        if kind == "clone" and i > 0:
            sire[i] = dam[i] = draw(st.integers(0, i - 1))
            retained[i] = CLONE
        elif kind == "selfed":
            retained[i] = 0.5 ** draw(st.integers(1, 4))
        elif kind == "line":
            sire[i] = dam[i] = -1
            retained[i] = 1.0 - draw(st.sampled_from([0.25, 0.9, 1.0]))
    return sire, dam, retained


@given(history=histories())
def test_agrees_with_the_definition(history):
    flow = flow_of(*history)
    agrees(flow, tabular_a(*history))
    assert np.all(flow.d >= 0.0)
    assert np.all(flow.d[history[2] == CLONE] == 0.0)


@given(history=histories(24), batch=st.sampled_from([1, 2, 3, 8]))
@settings(max_examples=50)
@pytest.mark.parametrize("way", WAYS)
def test_ways_and_batches_do_not_matter(history, batch, way):
    with pytest.MonkeyPatch.context() as patch:
        take(way, patch)
        patch.setattr(inbreeding, "SIRES_AT_ONCE", batch)
        patch.setattr(inbreeding, "ENTRIES_AT_ONCE", 10 * batch)
        flow = flow_of(*history)
    np.testing.assert_allclose(flow.diagonal, np.diag(tabular_a(*history)), rtol=0, atol=1e-14)


@pytest.mark.parametrize("way", WAYS)
def test_overlapping_generations_of_many_animals(monkeypatch, way):
    take(way, monkeypatch)
    sire, dam = random_parents(np.random.default_rng(5), 500, window=40)
    A = tabular_a(sire, dam)
    flow = flow_of(sire, dam)
    assert flow.level.max() > 30
    assert flow.diagonal.mean() > 1.05
    np.testing.assert_allclose(flow.diagonal, np.diag(A), rtol=0, atol=1e-14)
    np.testing.assert_allclose(relationships(flow), A, rtol=0, atol=1e-13)


@pytest.mark.parametrize("selfings", [1, 3, 8])
def test_selfings_are_a_pedigree_of_single_seeds(selfings):
    """a x b, selfed k times by single seed descent, then a x that line."""
    chain = np.arange(2, 2 + selfings)
    sire = np.concatenate([[-1, -1, 0], chain, [0]])
    dam = np.concatenate([[-1, -1, 1], chain, [2 + selfings]])
    kept = np.array([0, 1, 2 + selfings, 3 + selfings])
    explicit = relationships(flow_of(sire, dam))[np.ix_(kept, kept)]
    short = flow_of([-1, -1, 0, 0], [-1, -1, 1, 2], [1.0, 1.0, 0.5**selfings, 1.0])
    np.testing.assert_allclose(relationships(short), explicit, rtol=0, atol=1e-15)


def test_completely_inbred_lines():
    """Two such lines, the selfed progeny of one, their F1, and its selfed progeny."""
    flow = flow_of([-1, -1, 0, 0, 3], [-1, -1, 0, 1, 3], [0.0, 0.0, 1.0, 1.0, 1.0])
    A = [[2, 0, 2, 1, 1], [0, 2, 0, 1, 1], [2, 0, 2, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1.5]]
    np.testing.assert_array_equal(relationships(flow), A)
    np.testing.assert_array_equal(flow.d, [2, 2, 0, 0, 0.5])


def test_a_clone_has_the_rows_of_its_original():
    rng = np.random.default_rng(8)
    sire, dam = random_parents(rng, 30, window=8)
    copies = [29, 12, 30]  # the last: a copy of a copy
    retained = np.concatenate([np.ones(30), np.full(3, CLONE)])
    flow = flow_of(np.append(sire, copies), np.append(dam, copies), retained)
    A = relationships(flow)
    originals = np.concatenate([np.arange(30), [29, 12, 29]])
    np.testing.assert_allclose(A, A[np.ix_(originals, originals)], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(flow.d[30:], 0.0)


@given(seed=st.integers(0, 10_000), m=st.integers(1, 4))
@settings(max_examples=50)
@pytest.mark.parametrize("way", WAYS)
def test_metafounders(seed, m, way):
    rng = np.random.default_rng(seed)
    B = rng.normal(size=(m, m))
    gamma = B @ B.T + 0.1 * np.eye(m)
    gamma *= 1.8 / np.diag(gamma).max()  # of a completely inbred founder it would be 2
    sire, dam = random_parents(rng, 25, window=12)
    sire[:m] = dam[:m] = -1
    with pytest.MonkeyPatch.context() as patch:
        take(way, patch)
        flow = flow_of(sire, dam, base=gamma)
    A = tabular_a(sire, dam, base=gamma)
    np.testing.assert_allclose(relationships(flow), A, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(flow.diagonal, np.diag(A), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(flow.logdet(), np.linalg.slogdet(A)[1], atol=1e-8)
    inverse = flow.inverse()
    np.testing.assert_allclose(inverse @ A, np.eye(25), atol=1e-7)
    assert (inverse != inverse.T).nnz == 0


def test_one_metafounder_scales_a():
    """With one metafounder A = A_0 (1 - g/2) + g (Legarra et al. 2015)."""
    g = 0.6
    sire, dam = random_parents(np.random.default_rng(2), 20, window=10)
    unrelated = tabular_a(sire, dam)
    flow = flow_of(np.append(-1, sire + 1), np.append(-1, dam + 1), base=np.array([[g]]))
    A = relationships(flow)[1:, 1:]
    np.testing.assert_allclose(A, unrelated * (1 - g / 2) + g, rtol=0, atol=1e-14)


def test_genes_dropped_down_an_inbred_pedigree():
    """A is twice the coancestry: the share of pairs of genes that are alike by descent."""
    sire, dam = random_parents(np.random.default_rng(12), 14, window=5)
    flow = flow_of(sire, dam)
    assert flow.diagonal.max() > 1.3
    A = relationships(flow)
    genes = autosomes(sire, dam, 40_000, np.random.default_rng(1))
    for i in range(14):
        for j in range(i + 1):
            dropped = 0.5 * alike(genes[i], genes[j])
            error = dropped.std() / np.sqrt(dropped.size)
            assert abs(dropped.mean() - A[i, j]) <= 5.0 * error + 1e-14
