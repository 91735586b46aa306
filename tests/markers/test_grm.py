"""Genomic relationships against the papers' definitions, small examples and the corpus."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animalmm.errors import AnimalmmWarning
from animalmm.linalg import memory
from animalmm.markers import GenomicRelationship, as_genotypes, grm
from animalmm.markers import genotypes as genotypes_module
from animalmm.markers.coding import CODINGS

from ..corpus import corpus_case
from .reference import KINDS, by_definition, frame, genotypes, ids


@pytest.mark.parametrize("kind", KINDS)
class TestDefinition:
    def test_complete(self, kind):
        M = genotypes()
        K = grm(M, ids(12), kind)
        np.testing.assert_allclose(K.K, by_definition(M, kind), atol=1e-13)
        assert list(K.labels) == ids(12)
        np.testing.assert_array_equal(K.K, K.K.T)

    def test_missing_counts_as_the_expectation(self, kind):
        M = genotypes(missing=0.05)
        np.testing.assert_allclose(grm(M, ids(12), kind).K, by_definition(M, kind), atol=1e-13)

    def test_missing_pair_by_pair(self, kind):
        M = genotypes(missing=0.2)
        expected = by_definition(M, kind, pairwise=True)
        np.testing.assert_allclose(
            grm(M, ids(12), kind, missing="pairwise").K, expected, atol=1e-13
        )

    def test_given_frequencies_and_weights(self, kind):
        rng = np.random.default_rng(5)
        M, p, d = genotypes(missing=0.05), rng.uniform(0.1, 0.9, 40), rng.uniform(0, 3, 40)
        found = grm(M, ids(12), kind, frequencies=p, weights=d)
        np.testing.assert_allclose(found.K, by_definition(M, kind, p, d), atol=1e-13)
        pairs = grm(M, ids(12), kind, frequencies=p, weights=7 * d, missing="pairwise")
        np.testing.assert_allclose(pairs.K, by_definition(M, kind, p, d, True), atol=1e-13)

    def test_blocks_do_not_matter(self, kind, monkeypatch):
        M = genotypes(missing=0.05)
        expected = grm(M, ids(12), kind, missing="pairwise").K
        monkeypatch.setattr(genotypes_module, "BLOCK", 12 * 7)
        np.testing.assert_allclose(
            grm(M, ids(12), kind, missing="pairwise").K, expected, atol=1e-13
        )

    def test_forms_of_the_genotypes_do_not_matter(self, kind):
        M = genotypes()
        expected = grm(M, ids(12), kind).K
        mixed = frame(M).astype(dict.fromkeys([f"snp{j}" for j in range(20)], "Int8"))
        forms = [
            M.astype(np.int8),
            M.astype(np.uint8),
            M.astype(np.float32),
            np.asfortranarray(M),
            M.astype(object),
            M.astype(int).tolist(),
        ]
        frames = [frame(M), frame(M.astype(np.int8)), mixed, as_genotypes(frame(M))]
        for form in forms:
            np.testing.assert_allclose(grm(form, ids(12), kind).K, expected, atol=1e-13)
        for form in frames:
            np.testing.assert_allclose(grm(form, kind=kind).K, expected, atol=1e-13)

    def test_missing_values_in_any_form(self, kind):
        M = genotypes(missing=0.05)
        expected = grm(M, ids(12), kind).K
        coded = np.where(np.isnan(M), -9, M)
        for form in (coded, coded.astype(np.int8)):
            found = grm(form, ids(12), kind, missing_code=-9)
            np.testing.assert_allclose(found.K, expected, atol=1e-13)
        nullable = frame(M).astype("Int8")
        assert nullable.isna().any(axis=None)
        np.testing.assert_allclose(grm(nullable, kind=kind).K, expected, atol=1e-13)

    def test_swapped_alleles_change_nothing(self, kind):
        M = genotypes(missing=0.05)
        swapped = M.copy()
        swapped[:, ::3] = 2 - M[:, ::3]
        found = grm(swapped, ids(12), kind).K
        np.testing.assert_allclose(found, grm(M, ids(12), kind).K, atol=1e-12)

    def test_zero_weight_leaves_a_marker_out(self, kind):
        M = genotypes()
        d = np.ones(40)
        d[[3, 17]] = 0
        kept = np.delete(M, [3, 17], axis=1)
        found = grm(M, ids(12), kind, weights=d)
        np.testing.assert_allclose(found.K, grm(kept, ids(12), kind).K, atol=1e-13)
        assert found.markers["reason"].iloc[3] == "of weight zero"


@settings(max_examples=30)
@given(st.sampled_from(KINDS), st.integers(0, 1000), st.sampled_from([0.0, 0.15]))
def test_order_of_markers_and_animals(kind, seed, missing):
    rng = np.random.default_rng(seed)
    M = frame(genotypes(9, 25, seed, missing))
    K = grm(M, kind=kind, missing="pairwise")
    table = pd.DataFrame(K.K, K.labels, K.labels)
    shuffled = M.iloc[rng.permutation(9), rng.permutation(25)]
    again = grm(shuffled, kind=kind, missing="pairwise")
    np.testing.assert_allclose(again.K, table.loc[again.labels, again.labels], atol=1e-12)


def test_three_animals_by_hand():
    """p = 1/2, 1/3: sum 2pq = 1/2 + 4/9 = 17/18; W = [[-1, 1/3], [0, -2/3], [1, 1/3]]."""
    M = pd.DataFrame([[0, 1], [1, 0], [2, 1]], ["a", "b", "c"], ["s", "t"])
    K = grm(M)
    expected = np.array([[10, -2, -8], [-2, 4, -2], [-8, -2, 10]]) / 9 * 18 / 17
    np.testing.assert_allclose(K.K, expected, atol=1e-14)
    np.testing.assert_allclose(K.markers["frequency"], [1 / 2, 1 / 3])


def test_dosages_lie_on_the_line_between_genotypes():
    """Codes are linear from 0 to 1 and from 1 to 2."""
    low, high = genotypes().round(), genotypes().round()
    low[2:] = np.where(low[2:] == 2, 1, low[2:])
    high[2:] = low[2:] + 1
    p = np.full(40, 0.4)
    for kind in ("vanraden1", "vanraden2", "su", "vitezica"):
        mix = 0.75 * low + 0.25 * high
        # the first two animals have genotypes 0 and 2 everywhere: rows of K are linear in the codes
        rows = [grm(M, ids(12), kind, frequencies=p).K[:2] for M in (low, high, mix)]
        np.testing.assert_allclose(
            rows[2][:, 2:], 0.75 * rows[0][:, 2:] + 0.25 * rows[1][:, 2:], atol=1e-13
        )


def test_equal_weights_are_no_weights():
    M = genotypes()
    np.testing.assert_allclose(
        grm(M, ids(12), weights=np.full(40, 2.5)).K, grm(M, ids(12)).K, atol=1e-14
    )


def test_weights_and_frequencies_match_by_name():
    M = frame(genotypes())
    rng = np.random.default_rng(2)
    d = pd.Series(rng.uniform(0.5, 2, 40), M.columns)
    p = pd.Series(rng.uniform(0.2, 0.8, 40), M.columns)
    expected = grm(M, weights=d.to_numpy(), frequencies=p.to_numpy()).K
    found = grm(M, weights=d.sample(frac=1, random_state=1), frequencies=p[::-1]).K
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_additive_and_dominance_codes_are_orthogonal_in_equilibrium():
    p = 0.3
    share = np.array([(1 - p) ** 2, 2 * p * (1 - p), p**2])
    x = np.array([[0.0], [1.0], [2.0]])
    additive = CODINGS["vanraden1"].code(x, np.array([p]))[:, 0]
    deviation = CODINGS["vitezica"].code(x, np.array([p]))[:, 0]
    assert share @ additive == pytest.approx(0, abs=1e-15)
    assert share @ deviation == pytest.approx(0, abs=1e-15)
    assert share @ (additive * deviation) == pytest.approx(0, abs=1e-15)
    for name, coding in CODINGS.items():
        w = coding.code(x, np.array([p]))[:, 0]
        assert share @ w == pytest.approx(0, abs=1e-15), name
        assert share @ w**2 == pytest.approx(coding.scale(np.array([p]))[0]), name


def test_inbred_lines_have_diagonal_two():
    """VanRaden and Yang: 1 + F, F = 1 for lines in linkage equilibrium."""
    rng = np.random.default_rng(3)
    M = 2.0 * rng.binomial(1, 0.5, (40, 2000))
    for kind in ("vanraden1", "vanraden2", "yang"):
        assert grm(M, ids(40), kind).diagonal().mean() == pytest.approx(2.0, abs=0.03)


class TestCorpus:
    def test_additive_and_dominance(self):
        folder, expected = corpus_case("s8d_two_kernels")
        truth = expected["truth"]
        table = pd.read_csv(folder / "markers.csv.gz", dtype=str)
        M = np.array([np.frombuffer(g.encode(), np.int8) - ord("0") for g in table["genotypes"]])
        for kind, name in (("vanraden1", "Ka"), ("su", "Kd")):
            K = grm(M, table["id"], kind)
            np.testing.assert_allclose(K.K[0, :5], truth[f"{name}_first_row_first5"], atol=1e-10)
            assert K.diagonal().mean() == pytest.approx(truth[f"{name}_mean_diag"], abs=1e-10)
            assert (K.K**2).sum() == pytest.approx(truth[f"{name}_sumsq"], rel=1e-10)
            assert K.markers["used"].sum() == truth["n_polymorphic"]
        np.testing.assert_allclose(
            grm(M, table["id"]).K, by_matrix(M), atol=expected["tolerance"]["kernels_abs"]
        )

    def test_uncentred_products(self):
        """Its A is M M' / 1000; with p = 1/2, K m/2 = (M - 1)(M - 1)'."""
        folder, expected = corpus_case("s1_gist1859")
        truth = expected["truth"]
        M = pd.read_csv(folder / "markers.csv.gz", index_col=0).T
        m = M.shape[1]
        K = grm(M, frequencies=np.full(m, 0.5)).K
        r = M.sum(axis=1).to_numpy(dtype=float)
        A = (K * m / 2 + r[:, None] + r - m) / 1000
        assert A.diagonal().mean() == pytest.approx(truth["A_mean_diag"], abs=1e-10)
        assert A.mean() == pytest.approx(truth["A_mean"], abs=1e-10)
        np.testing.assert_allclose(A[0, :5], truth["A_first_row_first5"], atol=1e-10)


def by_matrix(M):
    p = M.mean(axis=0) / 2
    W = M - 2 * p
    return W @ W.T / (2 * p * (1 - p)).sum()


class TestReport:
    M = frame(genotypes(20, 30, seed=4, missing=0.03))

    def filtered(self):
        M = self.M.copy()
        M["mono"] = 2.0
        M["rare"] = [1.0] + [0.0] * 19
        M["poor"] = [0.0, 1.0, 2.0] + [np.nan] * 17
        M["empty"] = np.nan
        return M

    def test_reasons(self):
        K = grm(self.filtered(), min_maf=0.05, min_call_rate=0.5)
        report = K.markers
        assert report.loc["mono", "reason"] == "monomorphic"
        assert report.loc["rare", "reason"] == "below minor allele frequency 0.05"
        assert report.loc["poor", "reason"] == "below call rate 0.5"
        assert report.loc["empty", "reason"] == "without genotypes"
        assert not report.loc[["mono", "rare", "poor", "empty"], "used"].any()
        assert (report["reason"].eq("") == report["used"]).all()
        assert report.loc["rare", "frequency"] == pytest.approx(1 / 40)
        assert report.loc["poor", "call_rate"] == pytest.approx(3 / 20)
        (line,) = K.history
        assert line.startswith("vanraden1 from 30 of 34 markers (")
        for reason in ("1 monomorphic", "1 below call rate 0.5", "1 without genotypes"):
            assert reason in line

    def test_what_is_left_out_is_as_if_not_there(self):
        found = grm(self.filtered(), min_maf=0.05, min_call_rate=0.5)
        np.testing.assert_allclose(found.K, grm(self.M).K, atol=1e-14)

    def test_filters_keep_what_is_on_the_limit(self):
        M = pd.DataFrame({"s": [0.0, 1, 0, 0, 0], "t": [0, 1, 2, 1, np.nan]}, list("abcde"))
        assert grm(M, min_maf=0.1, min_call_rate=0.8).markers["used"].all()

    def test_given_frequencies_keep_monomorphic_markers(self):
        M = self.filtered()[["snp0", "snp1", "mono"]]
        K = grm(M, frequencies=[0.4, 0.5, 0.9])
        assert K.markers["used"].all()
        assert K.history[0].count("frequencies given") == 1

    def test_missing_genotypes_are_counted(self):
        lost = int(self.M.isna().sum().sum())
        share = f"{lost / 600:.2%}"
        assert (
            f"; {lost} genotypes ({share}) missing, imputed by the mean" in grm(self.M).history[0]
        )
        assert "left out pair by pair" in grm(self.M, missing="pairwise").history[0]
        assert "no genotype missing" in grm(self.M.fillna(1.0)).history[0]

    def test_many_missing_are_warned_of(self):
        M = genotypes(12, 60, missing=0.3)
        with pytest.warns(AnimalmmWarning, match=r"\d+% of the genotypes are missing.*pairwise"):
            grm(M, ids(12))
        grm(M, ids(12), missing="pairwise")  # no warning


def test_is_a_relationship():
    K = grm(genotypes(6, 50), ids(6), "vanraden1", frequencies=np.full(50, 0.5))
    assert isinstance(K, GenomicRelationship)
    assert K.kind == "vanraden1"
    L = K.factor()
    np.testing.assert_allclose(L @ L.T, K.K, atol=1e-10)
    assert K.size == 6


def test_the_genotypes_are_not_changed():
    M = genotypes(missing=0.05)
    before = M.copy()
    for kind in KINDS:
        grm(M, ids(12), kind, missing="pairwise", weights=np.arange(40))
    grm(M, ids(12), missing="em")
    np.testing.assert_array_equal(M, before)


def test_memory_is_asked_for_before_it_is_taken(monkeypatch):
    monkeypatch.setattr(memory, "physical_memory", lambda: 1000)
    with pytest.raises(ValueError, match=r"genomic relationship matrix of 12 animals.*APY"):
        grm(genotypes(), ids(12))


def test_masked_and_object_genotypes():
    """A mask means missing; objects that hold numbers are numbers."""
    M = genotypes(missing=0.05)
    expected = grm(M, ids(12)).K
    masked = np.ma.masked_invalid(M)
    masked.data[masked.mask] = 2.0
    np.testing.assert_array_equal(grm(masked, ids(12)).K, expected)
    objects = frame(M).astype(object)
    for form in (objects, objects.where(objects.notna(), None)):
        np.testing.assert_array_equal(grm(form).K, expected)


def test_one_frequency_for_all():
    M = genotypes()
    np.testing.assert_array_equal(
        grm(M, ids(12), frequencies=0.5).K, grm(M, ids(12), frequencies=np.full(40, 0.5)).K
    )
