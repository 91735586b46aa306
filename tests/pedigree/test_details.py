"""Groups, sexes, births, selfings, inbred founders, clones: read, kept, written, used."""

import pickle

import numpy as np
import pandas as pd
import pytest

from animalmm.errors import PedigreeError
from animalmm.pedigree import Pedigree

EVERYTHING = {
    "id": ["a", "b", "c", "d", "e", "twin"],
    "sire": ["G1", "G1", "a", "a", None, None],
    "dam": ["G2", None, "b", "c", "c", None],
    "sex": ["M", "F", None, "F", "M", None],
    "birth": pd.to_datetime(["2001-01-01", None, "2003-02-01", "2004-01-01", None, "2003-02-01"]),
    "selfed": [0, 0, 1, 0, 3, 0],
    "founder_inbreeding": [0.25, 0, 0, 0, 0, 0],
    "clone_of": [None, None, None, None, None, "c"],
}
ROLES = {r: r for r in ("sex", "birth", "selfed", "founder_inbreeding", "clone_of")}


def everything(**changes):
    return Pedigree({**EVERYTHING, **changes}, **ROLES, groups=["G1", "G2"])


def test_groups():
    ped = everything()
    assert list(ped.groups) == ["G1", "G2"]
    assert ped.sire_group.tolist() == [0, 0, -1, -1, -1, -1]
    assert ped.dam_group.tolist() == [1, -1, -1, -1, -1, -1]
    assert ped.labels.tolist() == EVERYTHING["id"]
    plain = ped.without_groups()
    assert len(plain.groups) == 0
    assert plain.sire_group.tolist() == plain.dam_group.tolist() == [-1] * 6
    pd.testing.assert_frame_equal(plain.a_matrix(), ped.a_matrix())


def test_group_shares_sum_to_one_where_all_have_a_group():
    """b = G1/2 + G2/2; s is selfed from b; c has the shares of its original."""
    table = {
        "id": ["a", "b", "s", "c", "h"],
        "sire": ["G1", "a", "b", None, "a"],
        "dam": ["G1", "G2", "b", None, None],
        "clone_of": [None, None, None, "b", None],
    }
    ped = Pedigree(table, clone_of="clone_of", groups=["G1", "G2"], allow_selfing=True)
    want = pd.DataFrame(
        [[1, 0], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5], [0.5, 0]],
        index=ped.labels,
        columns=ped.groups,
        dtype=float,
    )
    pd.testing.assert_frame_equal(ped.group_shares(), want)


def test_sex_as_given_by_role_and_of_copies():
    assert everything().sex.tolist() == [1, 2, 2, 2, 1, 2]
    table = {"id": ["a", "b"], "sire": [None, "a"], "dam": [None, "a"]}
    assert Pedigree(table, allow_selfing=True).sex.tolist() == [0, 0]


@pytest.mark.parametrize(
    "codes",
    [("M", "F", ""), ("male", "Female", None), (1, 2, 0), (1.0, 2.0, np.nan), ("1", "2", "U")],
)
def test_codes_of_sex(codes):
    ped = Pedigree({"id": list("abc"), "sire": [0] * 3, "dam": [0] * 3, "sex": codes}, sex="sex")
    assert ped.sex.tolist() == [1, 2, 0]


@pytest.mark.parametrize("births", [[2001, None, 2003.5], ["2001", "", "2003.5"]])
def test_births_as_numbers(births):
    table = {
        "id": list("abc"),
        "sire": [None, None, "a"],
        "dam": [None, None, "b"],
        "birth": births,
    }
    assert Pedigree(table, birth="birth").birth.tolist()[::2] == [2001.0, 2003.5]


def test_births_as_dates():
    ped = everything()
    assert ped.birth[0] == np.datetime64("2001-01-01")
    assert np.isnat(ped.birth[1])
    as_text = ["2001-01-01", "", "2003-02-01", "2004-01-01", "NA", "2003-02-01"]
    np.testing.assert_array_equal(everything(birth=as_text).birth, ped.birth)


@pytest.mark.parametrize("k", [0, 1, 2, 5, np.inf])
def test_selfings_after_a_cross_are_selfings_one_by_one(k):
    """F = 1 - (1 - F0) / 2^k, and all relationships, as with every generation in the table."""
    cross = [("p", None, None, 0), ("q", "p", None, 0), ("x", "p", "q", k), ("y", "x", "q", 0)]
    short = Pedigree(
        pd.DataFrame(cross, columns=[*"abcd"]),
        id="a",
        sire="b",
        dam="c",
        selfed="d",
        allow_selfing=True,
    )
    F = short.inbreeding()
    assert F["x"] == pytest.approx(1 - (1 - 0.25) * 0.5**k)
    steps = 60 if k == np.inf else int(k)
    line = [("x0", "p", "q"), *((f"x{i}", f"x{i - 1}", f"x{i - 1}") for i in range(1, steps + 1))]
    rows = [("p", None, None), ("q", "p", None), *line, ("y", f"x{steps}", "q")]
    long = Pedigree(pd.DataFrame(rows, columns=["id", "sire", "dam"]), allow_selfing=True)
    want = long.a_matrix(["p", "q", f"x{steps}", "y"]).to_numpy()
    np.testing.assert_allclose(short.a_matrix(["p", "q", "x", "y"]), want, atol=1e-13)


def test_inbred_founders():
    table = {"id": ["a", "b"], "sire": [None, "a"], "dam": [None, None], "F": [0.5, None]}
    ped = Pedigree(table, founder_inbreeding="F")
    np.testing.assert_allclose(ped.a_matrix(), [[1.5, 0.75], [0.75, 1.0]])
    np.testing.assert_allclose(ped.a_inverse() @ ped.a_matrix(), np.eye(2), atol=1e-15)


def test_a_clone_is_its_original_to_everybody():
    ped = everything()
    A = ped.a_matrix()
    pd.testing.assert_series_equal(A.loc["twin"], A.loc["c"], check_names=False)
    assert ped.inbreeding()["twin"] == ped.inbreeding()["c"]
    assert ped.generations().tolist() == [0, 0, 1, 2, 2, 1]
    assert ped.clone_of.tolist() == [-1] * 5 + [2]
    with pytest.raises(PedigreeError, match=r"1 animal.*clones or .*'twin'.*factor\(\)"):
        ped.a_inverse()
    L = ped.factor().toarray()
    np.testing.assert_allclose(L @ L.T, A, atol=1e-14)


def test_a_clone_may_repeat_the_parents_of_its_original_and_be_copied_itself():
    table = {
        "id": ["b", "c", "d", "p"],
        "sire": ["a", "a", None, "d"],
        "dam": [None, None, None, None],
        "clone_of": [None, "b", "c", None],
    }
    ped = Pedigree(table, clone_of="clone_of")
    np.testing.assert_allclose(ped.a_matrix(["b", "c", "d"]), np.ones((3, 3)))
    assert ped.a_matrix().loc["p", "b"] == 0.5
    assert ped.sex.tolist() == [1, 1, 1, 1, 0]


def test_everything_comes_back_from_the_table():
    ped = everything()
    table = ped.to_frame()
    assert list(table.columns) == list(EVERYTHING)
    again = Pedigree(table, **ROLES, groups=["G1", "G2"])
    pd.testing.assert_frame_equal(again.to_frame(), table)
    pd.testing.assert_frame_equal(again.a_matrix(), ped.a_matrix())


def test_a_plain_pedigree_has_three_columns():
    table = {"id": ["a", "b"], "sire": [None, "a"], "dam": [None, None], "sex": ["M", None]}
    assert list(Pedigree(table, sex="sex").to_frame().columns) == ["id", "sire", "dam"]


def test_everything_pickles_and_is_read_only():
    ped = everything()
    again = pickle.loads(pickle.dumps(ped))
    pd.testing.assert_frame_equal(again.to_frame(), ped.to_frame())
    for array in (ped.sex, ped.birth, ped.sire_group, ped.dam_group):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
