"""Dominance relationships: definition, published values, genes dropped, fits."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from animalmm import Pedigree, fit
from animalmm.errors import ArgumentError, RelationshipError
from animalmm.pedigree.descent import dominance as arrays
from animalmm.relationship import hadamard
from animalmm.relationship.nonadditive import dominance

from ..corpus import corpus_case
from ..pedigree.gene_dropping import autosomes, same_genotype
from ..pedigree.reference import read_text, tabular_a
from .contract import Contract

COLUMNS = ["id", "sire", "dam"]

# Full, half and three-quarter sibs, double first cousins (m, n), progeny of inbred parents (i1 is
# of a brother and a sister); of the rest nobody is inbred.
LOOPS = pd.DataFrame(
    [
        ("p1", "a", "b"),
        ("p2", "a", "b"),
        ("q1", "c", "d"),
        ("q2", "c", "d"),
        ("m", "p1", "q1"),
        ("n", "p2", "q2"),
        ("n2", "p2", "q2"),
        ("o", "p1", "q2"),
        ("r", "a", "q1"),
        ("i1", "p1", "p2"),
        ("k1", "i1", "q1"),
        ("k2", "i1", "q1"),
        ("k3", "m", "e"),
        ("half", "p1", None),
    ],
    columns=COLUMNS,
)


def by_definition(pedigree):
    """D one pair at a time from a tabular A."""
    sire, dam = pedigree.sire, pedigree.dam
    A = tabular_a(sire, dam)
    D = np.diag(2.0 - np.diag(A))
    for i in range(len(sire)):
        for j in range(i):
            if min(sire[i], dam[i], sire[j], dam[j]) >= 0:
                s, d, t, e = sire[i], dam[i], sire[j], dam[j]
                D[i, j] = D[j, i] = (A[s, t] * A[d, e] + A[s, e] * A[d, t]) / 4
    return D


def pedigree_of(n, rng, founders=10):
    """A random pedigree with full sibs, of which the parents are among the first half."""
    rows = [(f"x{i}", None, None) for i in range(founders)]
    for i in range(founders, n):
        s, d = rng.choice(max(founders, i // 2), size=2, replace=False)
        rows += [(f"x{i}_{j}", rows[s][0], rows[d][0]) for j in range(2)]
    return Pedigree(pd.DataFrame(rows[:n], columns=COLUMNS), allow_selfing=True)


class TestLoops(Contract):
    @property
    def K(self):
        return by_definition(Pedigree(LOOPS, allow_selfing=True))

    def make(self):
        return dominance(Pedigree(LOOPS, allow_selfing=True))

    def test_stays_sparse(self, relationship):
        assert sparse.issparse(relationship.covariance())
        assert relationship.covariance().nnz == np.count_nonzero(self.K)


def test_known_relationships():
    D = dominance(Pedigree(LOOPS, allow_selfing=True)).to_frame()
    assert D.loc["p1", "p2"] == 0.25  # full sibs
    assert D.loc["m", "n"] == 1 / 16  # double first cousins
    assert D.loc["m", "o"] == 1 / 8  # same sire, dams full sisters
    assert D.loc["k1", "k2"] == pytest.approx(1.25 / 4)  # full sibs of a sire with F = 1/4
    assert D.loc["i1", "i1"] == 0.75
    assert D["half"].drop("half").eq(0).all()


def test_genes_dropped():
    """Both genes are alike as often as D says, within 5 standard errors."""
    pedigree = Pedigree(LOOPS, allow_selfing=True)
    loci = 40_000
    genes = autosomes(pedigree.sire, pedigree.dam, loci, np.random.default_rng(1))
    D = dominance(pedigree).to_frame().to_numpy()
    outbred = np.flatnonzero(pedigree.inbreeding() == 0)
    assert len(outbred) == pedigree.n - 1
    for i in outbred:
        for j in outbred:
            found = same_genotype(genes[i], genes[j]).mean()
            error = np.sqrt(D[i, j] * (1 - D[i, j]) / loci)
            assert abs(found - D[i, j]) <= 5 * error


@given(seed=st.integers(0, 10**6), n=st.integers(2, 30), at_once=st.integers(1, 4))
@settings(max_examples=40)
def test_definition(seed, n, at_once):
    pedigree = pedigree_of(n, np.random.default_rng(seed), founders=4)
    usual, arrays.MATINGS_AT_ONCE = arrays.MATINGS_AT_ONCE, at_once
    try:
        D = dominance(pedigree).to_frame().to_numpy()
    finally:
        arrays.MATINGS_AT_ONCE = usual
    np.testing.assert_allclose(D, by_definition(pedigree), atol=1e-13)
    np.testing.assert_array_equal(D, D.T)


def test_founders_are_unrelated():
    founders = pd.DataFrame([("a", None, None), ("b", None, None)], columns=COLUMNS)
    np.testing.assert_array_equal(dominance(Pedigree(founders)).to_frame(), np.eye(2))


def test_order_of_rows_does_not_matter():
    expected = dominance(Pedigree(LOOPS, allow_selfing=True)).to_frame()
    shuffled = LOOPS.sample(frac=1.0, random_state=3)
    found = dominance(Pedigree(shuffled, allow_selfing=True))
    np.testing.assert_allclose(found.block(expected.index), expected, atol=1e-14)


def test_chosen_animals():
    pedigree = Pedigree(LOOPS, allow_selfing=True)
    ids = ["n2", "a", "m", "k2"]
    found = dominance(pedigree, ids)
    assert list(found.labels) == ids
    expected = dominance(pedigree).block(ids)
    np.testing.assert_allclose(found.to_frame(), expected, atol=1e-14)


@pytest.mark.parametrize("name", ["Mrode2", "Mrode3", "Mrode9", "FG90", "Wray90", "fourteen"])
def test_corpus(name):
    folder, expected = corpus_case("s5_mrode")
    stacked = read_text(folder / "pedigree.csv")
    facts = expected["matrices"][name]
    ids = [str(i) for i in facts["ids"]]
    pedigree = Pedigree(stacked[stacked["pedigree"] == name], allow_selfing=True)
    found = dominance(pedigree).block(ids)
    atol = expected["tolerance"]["matrices_abs"]
    np.testing.assert_allclose(found, facts["D_dominance_nadiv"], rtol=0, atol=atol)


PIGLETS = pd.DataFrame(
    [
        (5, 1, 2, "F", 17.0),
        (6, 3, 4, "F", 20.0),
        (7, 6, 5, "F", 18.0),
        (8, None, 5, "F", 13.5),
        (9, 3, 8, "M", 20.0),
        (10, 3, 8, "M", 15.0),
        (11, 6, 8, "M", 25.0),
        (12, 6, 8, "M", 19.5),
    ],
    columns=[*COLUMNS, "sex", "weight"],
)


def test_piglets_of_mrode():
    """Mrode (2014), Linear Models for the Prediction of Animal Breeding Values, 3rd ed., ch. 12.

    Examples 12.1 and 12.2: variances 90, 80 and 120; D and the sums of additive and dominance
    effects as printed.
    """
    pedigree = Pedigree(PIGLETS)
    D = dominance(pedigree)
    printed = {(7, 9): 0.062, (7, 11): 0.125, (9, 10): 0.25, (9, 11): 0.125, (11, 12): 0.25}
    for (i, j), value in printed.items():
        assert D.to_frame().loc[i, j] == pytest.approx(value, abs=6e-4)
    found = fit(
        "weight ~ 0 + sex + (1 | id) + (1 | gr(id, D))",
        PIGLETS,
        {"id": pedigree, "D": D},
        fixed={"id": 90.0, "gr(id, D)": 80.0, "Residual": 120.0},
    )
    np.testing.assert_allclose(found.fixef(), [16.980, 20.030], atol=6e-4)
    merit = found.ranef("id")["(Intercept)"] + found.ranef("gr(id, D)")["(Intercept)"]
    expected = [-0.160, -0.160, 0.059, 0.819, -0.184, 1.963]
    expected += [0.792, -1.991, -0.349, -2.683, 2.489, -0.078]
    np.testing.assert_allclose(merit[list(range(1, 13))], expected, atol=6e-4)
    assert found.ranef("gr(id, D)").loc[6].item() == pytest.approx(0.705, abs=6e-4)


def reml(y, X, kernels, variances):
    """The REML log-likelihood as in the books, V as it is."""
    V = sum(v * K for v, K in zip(variances, kernels, strict=True))
    W = np.linalg.inv(V)
    C = X.T @ W @ X
    r = y - X @ np.linalg.solve(C, X.T @ W @ y)
    logs = np.linalg.slogdet(V)[1] + np.linalg.slogdet(C)[1]
    return -0.5 * (logs + r @ W @ r + (len(y) - X.shape[1]) * np.log(2 * np.pi))


def test_fit_agrees_with_dense_matrices():
    """Additive and dominance effects of 60 animals, variances estimated."""
    rng = np.random.default_rng(8)
    pedigree = pedigree_of(60, rng, founders=12)
    A, D = pedigree.a_matrix().to_numpy(), by_definition(pedigree)
    Z = np.repeat(np.eye(60), 4, axis=0)
    X = np.column_stack([np.ones(240), rng.normal(size=240)])
    effects = sum(np.linalg.cholesky(2.0 * K) @ rng.normal(size=60) for K in (A, D))
    data = pd.DataFrame({"animal": np.repeat(pedigree.labels, 4), "x": X[:, 1]})
    data["y"] = Z @ effects + rng.normal(size=240)
    found = fit(
        "y ~ x + (1 | animal) + (1 | gr(animal, D))",
        data,
        {"animal": pedigree, "D": dominance(pedigree)},
    )
    kernels = [Z @ A @ Z.T, Z @ D @ Z.T, np.eye(240)]
    variances = found.varcorr()["vcov"].to_numpy()
    assert variances.min() > 0.1
    best = reml(data["y"].to_numpy(), X, kernels, variances)
    assert found.loglik() == pytest.approx(best, abs=1e-7)
    for direction in np.eye(3):
        for step in (-0.02, 0.02):
            elsewhere = variances * np.exp(step * direction)
            assert reml(data["y"].to_numpy(), X, kernels, elsewhere) < best


def test_additive_by_additive_epistasis_stays_sparse():
    rows = [(f"{x}{f}", f"s{f}", f"d{f}") for f in range(5) for x in "abc"]
    pedigree = Pedigree(pd.DataFrame(rows, columns=COLUMNS))
    D = dominance(pedigree)
    product = hadamard(D, D)
    assert sparse.issparse(product.covariance())
    A = pedigree.a_matrix()
    AA = hadamard(pedigree, pedigree)
    np.testing.assert_allclose(AA.to_frame().loc[A.index, A.columns], A**2, atol=1e-14)
    assert product.block(["a0", "b0", "a1"]).iloc[0].tolist() == [1.0, 0.0625, 0.0]


def test_history():
    assert dominance(Pedigree(PIGLETS)).history == (
        "dominance of 12 animals from their parents' relationships, exact without inbreeding",
    )
    (history,) = dominance(Pedigree(LOOPS, allow_selfing=True)).history
    assert "approximation for 1 that are inbred" in history
    assert "largest 0.25" in history


def test_strong_inbreeding_makes_it_indefinite():
    """Full sibs of inbred full sibs are more alike to each other than to themselves."""
    rows = [("m0", None, None), ("f0", None, None)]
    rows += [(f"{x}{g}", f"m{g - 1}", f"f{g - 1}") for g in range(1, 6) for x in "mf"]
    D = dominance(Pedigree(pd.DataFrame(rows, columns=COLUMNS)))
    K = D.to_frame()
    assert K.loc["m5", "f5"] > K.loc["m5", "m5"]
    with pytest.raises(RelationshipError, match=r"the dominance matrix is not positive.*bend"):
        D.factor()


def test_clones_are_refused():
    table = pd.DataFrame(
        {"id": ["c", "x"], "sire": ["a", None], "dam": ["b", None], "copy": [None, "c"]}
    )
    pedigree = Pedigree(table, clone_of="copy")
    with pytest.raises(RelationshipError, match=r"clones do not follow from parents: 'x'.*ids="):
        dominance(pedigree)
    assert dominance(pedigree, ["a", "b", "c"]).size == 3


@pytest.mark.parametrize(
    ("ids", "match"),
    [
        (["m", "zz"], "1 of the ids are not in the pedigree: 'zz'"),
        (["m", "m"], "ids are repeated"),
        ([], "ids is empty"),
    ],
)
def test_ids_that_cannot_be(ids, match):
    with pytest.raises(ArgumentError, match=match):
        dominance(Pedigree(LOOPS, allow_selfing=True), ids)


def test_memory_is_estimated(monkeypatch):
    monkeypatch.setattr("animalmm.linalg.memory.physical_memory", lambda: 1000)
    with pytest.raises(ArgumentError, match=r"D with about .* elements.*ids="):
        dominance(Pedigree(LOOPS, allow_selfing=True))


def test_a_full_matrix_is_dense_and_another_sparse():
    sibs = pd.DataFrame([(f"x{i}", "a", "b") for i in range(20)], columns=COLUMNS)
    apart = pd.DataFrame([(f"x{i}", f"a{i}", f"b{i}") for i in range(20)], columns=COLUMNS)
    assert isinstance(dominance(Pedigree(sibs)).covariance(), np.ndarray)
    assert not isinstance(dominance(Pedigree(apart)).covariance(), np.ndarray)


def test_a_table_is_not_a_pedigree():
    with pytest.raises(ArgumentError, match=r"not a DataFrame: write animalmm\.Pedigree\(table\)"):
        dominance(pd.DataFrame({"id": ["a"], "sire": [None], "dam": [None]}))
