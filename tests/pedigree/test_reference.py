"""Pedigrees whose matrices are known from books and from tabular computations."""

import numpy as np
import pandas as pd
import pytest

from animalmm.errors import PedigreeError
from animalmm.pedigree import Pedigree

from ..corpus import corpus_case
from .reference import read_text

MRODE = ["Mrode2", "Mrode3", "Mrode9", "FG90", "Q1988", "Wray90", "fourteen", "maternal"]
EDGES = [
    "selfing",
    "self_with_half_unknown",
    "parents_after_progeny",
    "parents_not_listed",
    "full_sib_matings",
    "backcross_loop",
    "double_first_cousins",
    "half_unknown_parents",
    "same_animal_sire_and_dam",
    "awkward_ids",
    "all_founders",
    "random_inbred_50",
]


@pytest.mark.parametrize(
    ("case", "name"), [("s5_mrode", m) for m in MRODE] + [("s9_pedigree_edges", e) for e in EDGES]
)
def test_matrices(case, name):
    folder, expected = corpus_case(case)
    stacked = read_text(folder / "pedigree.csv")
    table = stacked[stacked["pedigree"] == name]
    facts = expected["matrices"][name]
    ids = [str(i) for i in facts["ids"]]
    ped = Pedigree(table, allow_selfing=True)
    assert sorted(ped.labels) == sorted(ids)

    places = ped.labels.get_indexer(pd.Index(ids))
    block = np.ix_(places, places)
    atol = expected["tolerance"]["matrices_abs"]
    np.testing.assert_allclose(ped.a_matrix(ids), facts["A"], rtol=0, atol=atol)
    np.testing.assert_allclose(ped.a_matrix().loc[ids, ids], facts["A"], rtol=0, atol=atol)
    np.testing.assert_allclose(
        ped.a_inverse().toarray()[block], facts["A_inverse"], rtol=0, atol=atol
    )
    L = ped.factor().toarray()
    np.testing.assert_allclose((L @ L.T)[block], facts["A"], rtol=0, atol=atol)
    F = pd.Series(facts["inbreeding"])
    np.testing.assert_allclose(ped.inbreeding()[F.index], F, rtol=0, atol=atol)
    assert ped.logdet() == pytest.approx(facts["logdet_A"], abs=1e-11)
    if "mendelian_sampling_D" in facts:
        d = pd.Series(ped.mendelian_variance(), index=ped.labels)
        want = pd.Series(facts["mendelian_sampling_D"])
        np.testing.assert_allclose(d[want.index], want, rtol=0, atol=atol)


def test_course():
    folder, expected = corpus_case("s2_course")
    facts = expected["inbreeding"]
    records = read_text(folder / "data.csv").set_index("id")
    ped = Pedigree(read_text(folder / "pedigree.csv"))
    F = ped.inbreeding()
    np.testing.assert_allclose(F, records["true_F"].astype(float)[ped.labels], atol=1e-12)
    by_generation = F.groupby(records["generation"][ped.labels].to_numpy()).mean()
    want = pd.Series(facts["mean_by_generation"])
    np.testing.assert_allclose(by_generation[want.index], want, atol=1e-12)
    np.testing.assert_array_equal(ped.generations(), records["generation"].astype(int)[ped.labels])
    assert F.max() == pytest.approx(facts["max"], abs=1e-12)
    assert F.sum() == pytest.approx(facts["sum"], abs=1e-10)
    assert (F > 0).sum() == facts["n_positive"]
    assert ped.logdet() == pytest.approx(facts["logdet_A"], abs=1e-9)
    assert ped.a_matrix().to_numpy().sum() == pytest.approx(facts["A_sum"], abs=1e-7)
    inverse = ped.a_inverse()
    assert inverse.trace() == pytest.approx(facts["Ainv_trace"], abs=1e-9)
    assert np.sum(inverse.tocoo().row >= inverse.tocoo().col) == facts["Ainv_nonzero_lower"]


@pytest.mark.parametrize(
    "name", ["cycle_of_two", "own_parent", "cycle_of_three", "duplicated_id", "missing_own_id"]
)
def test_contradictions_are_refused(name):
    _, expected = corpus_case("s9_pedigree_edges")
    table = pd.DataFrame(expected["invalid_pedigrees"][name]["pedigree"])
    with pytest.raises(PedigreeError):
        Pedigree(table, allow_selfing=True)
