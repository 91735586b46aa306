"""Sex-linked relationships: definition by genes, genes dropped, what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animalmm import Pedigree, fit
from animalmm.errors import ArgumentError, PedigreeError
from animalmm.relationship.sex_chromosome import sex_linked

from ..pedigree.gene_dropping import alike, sex_chromosomes
from .contract import Contract

COPIES = {"none": 1.0, "equal": np.sqrt(2.0), "full": 2.0}

INBRED = pd.DataFrame(
    [
        ("s", None, None, "M"),
        ("d", None, None, "F"),
        ("half", "s", None, "F"),
        ("m1", "s", "d", "M"),
        ("f1", "s", "d", "F"),
        ("f2", "m1", "f1", "F"),
        ("m2", "m1", "f1", "M"),
        ("f3", "m1", "f2", "F"),
        ("f4", "m1", "f3", "F"),
        ("f5", "m2", "f4", "F"),
        ("m5", None, "f4", "M"),
        ("m6", "m5", None, "M"),
        ("f6", None, "f5", "F"),
    ],
    columns=["id", "sire", "dam", "sex"],
)


def swapped(table):
    """Females for males: a bird where there was a mammal."""
    table = table.rename(columns={"sire": "dam", "dam": "sire"})
    return table.assign(sex=table["sex"].map({"M": "F", "F": "M"}))


def by_genes(pedigree, single, copies, swap=False):
    """S from the probabilities that two genes are alike, gene by gene."""
    sire, dam = (pedigree.dam, pedigree.sire) if swap else (pedigree.sire, pedigree.dam)
    n = len(sire)
    f = np.eye(2 * n)  # genes from the "sire" 2i, from the "dam" 2i + 1
    for i in range(n):
        before = slice(0, 2 * i)
        sources = [[2 * dam[i], 2 * dam[i] + 1] if dam[i] >= 0 else []]
        if not single[i] and sire[i] >= 0:
            f[2 * i, before] = f[before, 2 * i] = f[2 * sire[i] + 1, before]
        if sources[0]:
            f[2 * i + 1, before] = f[before, 2 * i + 1] = f[sources[0], before].mean(axis=0)
        f[2 * i, 2 * i + 1] = f[2 * i + 1, 2 * i] = _between(f, i, sire, dam, single)
    each = np.where(single, copies, 1.0) / np.sqrt(2.0)
    C = np.zeros((n, 2 * n))
    C[np.arange(n), 2 * np.arange(n) + 1] = each
    C[np.arange(n), 2 * np.arange(n)] = np.where(single, 0.0, each)
    return C @ f @ C.T


def _between(f, i, sire, dam, single):
    """How likely the two genes of an animal are alike."""
    if single[i] or sire[i] < 0 or dam[i] < 0:
        return 0.0
    return f[2 * sire[i] + 1, [2 * dam[i], 2 * dam[i] + 1]].mean()


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("dosage", COPIES)
class TestInbred(Contract):
    @pytest.fixture(autouse=True)
    def choose(self, dosage, swap):
        table = swapped(INBRED) if swap else INBRED
        self.pedigree = Pedigree(table, sex="sex")
        self.heterogametic = "female" if swap else "male"
        single = self.pedigree.sex == (2 if swap else 1)
        self.dosage, self.matrix = dosage, by_genes(self.pedigree, single, COPIES[dosage], swap)

    @property
    def K(self):
        return self.matrix

    def make(self):
        return sex_linked(self.pedigree, heterogametic=self.heterogametic, dosage=self.dosage)


@given(seed=st.integers(0, 10**6), n=st.integers(1, 30), dosage=st.sampled_from(sorted(COPIES)))
@settings(max_examples=40)
def test_definition(seed, n, dosage):
    rng = np.random.default_rng(seed)
    sexes = rng.choice(["M", "F"], size=n)
    rows = []
    for i, sex in enumerate(sexes):
        known = [[f"x{j}" for j in range(i) if sexes[j] == s] + [None] for s in "MF"]
        rows.append((f"x{i}", rng.choice(known[0]), rng.choice(known[1]), sex))
    table = pd.DataFrame(rows, columns=["id", "sire", "dam", "sex"]).sample(frac=1, random_state=1)
    pedigree = Pedigree(table, sex="sex")
    expected = by_genes(pedigree, pedigree.sex == 1, COPIES[dosage])
    S = sex_linked(pedigree, dosage=dosage)
    np.testing.assert_allclose(S.to_frame(), expected, atol=1e-13)
    np.testing.assert_allclose(S.diagonal(), expected.diagonal(), atol=1e-13)
    if S.prefers_precision:
        np.testing.assert_allclose(S.precision() @ expected, np.eye(n), atol=1e-8)


def test_genes_dropped():
    """Covariances by genes in common, within 5 standard errors."""
    pedigree = Pedigree(INBRED, sex="sex")
    loci = 40_000
    single = pedigree.sex == 1
    genes = sex_chromosomes(pedigree.sire, pedigree.dam, single, loci, np.random.default_rng(2))
    S = sex_linked(pedigree).to_frame().to_numpy()
    for i in range(pedigree.n):
        for j in range(i):
            counts = 0.5 * alike(genes[i], genes[j])
            error = counts.std() / np.sqrt(loci)
            assert abs(counts.mean() - S[i, j]) <= 5 * error + 1e-12
        inbred = 0.0 if single[i] else (genes[i, 0] == genes[i, 1]).mean()
        expected = 0.5 if single[i] else 1.0 + inbred
        assert S[i, i] == pytest.approx(expected, abs=0.02)


def test_known_relationships():
    """Father and daughter have all of his X in common; father and son nothing."""
    S = sex_linked(Pedigree(INBRED, sex="sex")).to_frame()
    assert S.loc["s", "s"] == 0.5
    assert S.loc["s", "f1"] == 0.5
    assert S.loc["s", "m1"] == 0.0
    assert S.loc["d", "m1"] == S.loc["d", "f1"] == 0.5
    assert S.loc["f1", "f1"] == 1.0
    assert S.loc["half", "f1"] == 0.5  # paternal half sisters
    assert S.loc["f2", "f2"] == 1.25  # progeny of brother and sister


def test_own_variances():
    """What a daughter has of her father is not left to chance, what progeny has of its dam is.

    The variance of a gene is 1/2 in the units of S, its sampling in a dam that is not inbred 1/4.
    """
    S = sex_linked(Pedigree(INBRED, sex="sex"))
    d = pd.Series(S.flow.d, index=S.labels)
    assert d["f1"] == d["m1"] == 0.25
    assert d["half"] == 0.5
    assert d["m6"] == 0.5
    inbred = S.block(["f5"]).iloc[0, 0] - 1.0
    assert d["f6"] == pytest.approx(0.5 + 0.25 * (1.0 - inbred))


def test_order_of_rows_does_not_matter():
    expected = sex_linked(Pedigree(INBRED, sex="sex")).to_frame()
    found = sex_linked(Pedigree(INBRED.iloc[::-1], sex="sex"))
    np.testing.assert_allclose(found.block(expected.index), expected, atol=1e-14)


def test_fit_uses_the_inverse():
    pedigree = Pedigree(INBRED, sex="sex")
    S = sex_linked(pedigree, dosage="full")
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"y": rng.normal(size=26), "animal": np.tile(INBRED["id"], 2)})
    known = {"animal": 1.0, "Residual": 2.0}
    found = fit("y ~ 1 + (1 | animal)", data, {"animal": S}, fixed=known)
    dense = fit("y ~ 1 + (1 | animal)", data, {"animal": S.to_frame()}, fixed=known)
    assert found.loglik() == pytest.approx(dense.loglik(), abs=1e-9)
    pd.testing.assert_frame_equal(found.ranef(), dense.ranef().loc[found.ranef().index])


def test_history():
    assert sex_linked(Pedigree(INBRED, sex="sex"), dosage="full").history == (
        "sex-linked, males with one copy, full dosage compensation",
    )


def test_unknown_sexes_are_listed():
    table = INBRED.assign(sex=INBRED["sex"].where(~INBRED["id"].isin(["m6", "f6"])))
    with pytest.raises(PedigreeError, match=r"unknown for 'm6', 'f6'.*sex='sex'"):
        sex_linked(Pedigree(table, sex="sex"))
    with pytest.raises(PedigreeError, match="the sex of every animal"):
        sex_linked(Pedigree(INBRED[["id", "sire", "dam"]]))


def test_inbred_founders_are_refused():
    table = INBRED.assign(F=np.where(INBRED["id"] == "d", 0.5, 0.0))
    pedigree = Pedigree(table, sex="sex", founder_inbreeding="F")
    with pytest.raises(PedigreeError, match=r"a sire and a dam.*'d'"):
        sex_linked(pedigree)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"heterogametic": "males"}, "heterogametic must be one of 'male', 'female'.*Did you mean"),
        ({"dosage": "half"}, "dosage must be one of 'none', 'equal', 'full', not 'half'"),
    ],
)
def test_options(options, match):
    with pytest.raises(ArgumentError, match=match):
        sex_linked(Pedigree(INBRED, sex="sex"), **options)
