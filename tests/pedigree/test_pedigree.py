"""Reading, attributes, and every refusal with its words."""

import pickle
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from animalmm.errors import ArgumentError, PedigreeError
from animalmm.linalg import memory
from animalmm.pedigree import Pedigree

TRIO = pd.DataFrame({"id": ["c", "a", "b"], "sire": ["a", None, None], "dam": ["b", None, None]})


def table(*rows, columns=("id", "sire", "dam")):
    return pd.DataFrame(list(rows), columns=list(columns), dtype=object)


def test_attributes():
    ped = Pedigree(TRIO)
    assert list(ped.labels) == ["a", "b", "c"]
    assert ped.sire.tolist() == [-1, -1, 0]
    assert ped.dam.tolist() == [-1, -1, 1]
    assert ped.n == len(ped) == 3
    assert ped.generations().tolist() == [0, 0, 1]
    assert ped.added.tolist() == []
    assert repr(ped) == (
        "<Pedigree: 3 animals, 2 founders, 1 generation after them, mean inbreeding 0>"
    )


def test_inbreeding_is_a_copy_and_arrays_are_read_only():
    ped = Pedigree(TRIO)
    F = ped.inbreeding()
    F.iloc[0] = 9.0
    assert ped.inbreeding()["a"] == 0.0
    for array in (ped.sire, ped.dam, ped.generations()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5


def test_pickles():
    ped = Pedigree(TRIO)
    before = ped.a_inverse().toarray()
    again = pickle.loads(pickle.dumps(ped))
    np.testing.assert_array_equal(again.a_inverse().toarray(), before)


@pytest.mark.parametrize("code", [None, np.nan, pd.NA, "", "0", 0, "NA", "."])
def test_unknown_parents(code):
    ped = Pedigree(table(("a", code, code), ("b", "a", code)))
    assert ped.sire.tolist() == [-1, 0]
    assert ped.dam.tolist() == [-1, -1]


def test_integers_stay_integers_beside_missing_parents():
    numbers = pd.DataFrame({"id": [1, 2, 3], "sire": [np.nan, np.nan, 1], "dam": [np.nan, 7, 2]})
    ped = Pedigree(numbers)
    assert ped.labels.tolist() == [7, 1, 2, 3]
    assert ped.labels.dtype == np.int64
    assert ped.added.tolist() == [7]
    assert ped.to_frame()["dam"].dtype == "Int64"
    assert list(ped.a_matrix([3]).index) == [3]


def test_integer_text_stays_text():
    ped = Pedigree(table(("1", None, None), ("01", None, None), ("001", "1", "01")))
    assert list(ped.labels) == ["1", "01", "001"]
    assert ped.generations().tolist() == [0, 0, 1]


def test_other_labels():
    ped = Pedigree(table((("h", 1), None, None), (("h", 2), ("h", 1), None)))
    assert list(ped.labels) == [("h", 1), ("h", 2)]
    assert ped.a_matrix().iloc[0, 1] == 0.5
    categories = TRIO.astype("category")
    assert list(Pedigree(categories).labels) == ["a", "b", "c"]


def test_unlisted_parents_come_first():
    ped = Pedigree(table(("c", "s", "d"), ("e", "s", "c")))
    assert list(ped.labels) == ["s", "d", "c", "e"]
    assert list(ped.added) == ["s", "d"]


@pytest.mark.parametrize(
    "names",
    [
        ("ID", "Sire", "Dam"),
        ("animal", "father", "mother"),
        ("Animal", "DAD", "mum"),
        ("id", "sire", "mom"),
    ],
)
def test_usual_column_names(names):
    renamed = TRIO.set_axis(names, axis=1)
    assert list(Pedigree(renamed).labels) == ["a", "b", "c"]


def test_named_columns():
    renamed = TRIO.set_axis(["kid", "pa", "ma"], axis=1)
    assert list(Pedigree(renamed, id="kid", sire="pa", dam="ma").labels) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("columns", "arguments", "message"),
    [
        (("kid", "sire", "dam"), {}, "no column 'id' .* the columns are 'kid', 'sire', 'dam'"),
        (("id", "pater", "dam"), {"sire": "patre"}, "Did you mean 'pater'"),
        (("id", "sire", "animal"), {}, "no column 'dam'"),
        (("ID", "Animal", "sire"), {}, "several columns may be the id: 'ID', 'Animal'"),
        (("id", "sire", "sire"), {}, "several columns may be the sire"),
    ],
)
def test_columns_that_cannot_be_found(columns, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        Pedigree(TRIO.set_axis(columns, axis=1), **arguments)


def test_not_a_table():
    with pytest.raises(ArgumentError, match=r"pandas\.DataFrame .*, not from list.*read_csv"):
        Pedigree([("a", "b")])
    with pytest.raises(PedigreeError, match="no animals"):
        Pedigree(TRIO.iloc[:0])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", None, None), ("a", None, None)], "listed more than once.* same parents: 'a'"),
        ([("a", None, None), ("a", "s", None)], "rows with different parents: 'a'"),
        ([("a", None, None), (None, "a", None)], r"1 row\(s\) have no id.* rows 1\. Give"),
        ([("a", None, None), ("", "a", None)], "an id that means 'unknown'.*: ''"),
        ([(0, None, None), (1, 0, None)], "an id that means 'unknown'.*: 0"),
        ([("a", None, None), ("b", "b", "a")], "are their own parent: 'b'"),
        ([("a", "b", None), ("b", "a", None)], "2 animals .*: a -> b -> a "),
        ([("a", "c", "d"), ("b", "a", "d"), ("c", "b", "d")], "a -> b -> c -> a "),
        ([("c", "a", "b"), ("d", "b", "a")], "2 animal.* a sire in one place and a dam in anoth"),
        ([(1, None, None), (2, "1", None)], "'id' holds integers, 'sire' holds text; 12 and"),
        ([(1, None, None), ("1", None, None)], "'id' holds integers beside other labels"),
    ],
)
def test_contradictions(rows, message):
    with pytest.raises(PedigreeError, match=message):
        Pedigree(table(*rows))


def test_lists_five_of_many():
    rows = [(f"x{i}", None, None) for i in range(8)]
    with pytest.raises(PedigreeError, match=r"'x0', 'x1', 'x2', 'x3', 'x4', \.\.\. \(8 in all\)"):
        Pedigree(table(*rows, *rows))


def test_a_loop_is_walked_in_order_and_cut_when_long():
    n = 50
    rows = [(f"x{i}", f"x{(i - 1) % n}", None) for i in range(n)]
    with pytest.raises(PedigreeError, match=r"50 animals .* \.\.\. -> ") as caught:
        Pedigree(table(*rows))
    walk = str(caught.value).split(": ")[1].split(" (")[0].split(" -> ")
    assert len(walk) == 22
    assert walk[0] == walk[-1]
    numbers = [int(label[1:]) for label in walk[:20]]
    assert all((b - a) % n == 1 for a, b in pairwise(numbers))


def test_the_animals_outside_a_loop_are_not_named():
    rows = [("z", "y", None), ("y", "x", None), ("x", "y", None)]
    with pytest.raises(PedigreeError, match=": y -> x -> y "):
        Pedigree(table(*rows))


def test_selfing_when_allowed():
    ped = Pedigree(table(("s", "p", "p")), allow_selfing=True)
    assert ped.inbreeding().to_dict() == {"p": 0.0, "s": 0.5}
    np.testing.assert_allclose(ped.a_inverse().toarray(), [[3, -2], [-2, 2]])


def test_completely_inbred_lines_have_no_inverse():
    rows = [("x0", None, None)] + [(f"x{i}", f"x{i - 1}", f"x{i - 1}") for i in range(1, 60)]
    ped = Pedigree(table(*rows), allow_selfing=True)
    assert ped.logdet() == -np.inf
    with pytest.raises(PedigreeError, match=r"A has no inverse: .*'x55'"):
        ped.a_inverse()
    L = ped.factor().toarray()
    np.testing.assert_allclose(L @ L.T, ped.a_matrix())


def test_chosen_ids_must_be_known_and_single():
    ped = Pedigree(TRIO.replace("a", "anna"))
    with pytest.raises(ArgumentError, match=r"1 of the ids .*: 'anne'. Did you mean 'anna'"):
        ped.a_matrix(["b", "anne"])
    with pytest.raises(ArgumentError, match="repeated: 'b'"):
        ped.a_matrix(["b", "b"])
    assert ped.a_matrix([]).shape == (0, 0)


def test_too_large_a_matrix_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "physical_memory", lambda: 100)  # bytes
    ped = Pedigree(TRIO)
    assert ped.a_matrix(["a", "c"]).shape == (2, 2)
    with pytest.raises(ArgumentError, match=r"of 3 animals needs .* sparse a_inverse"):
        ped.a_matrix()


def test_a_large_population():
    """100,000 animals, 100 sires a generation."""
    rng = np.random.default_rng(3)
    size, depth = 10_000, 10
    sire = np.zeros(size * depth, dtype=int)
    dam = np.zeros(size * depth, dtype=int)
    for g in range(1, depth):
        before = rng.permutation(np.arange(1, size + 1)) + (g - 1) * size
        sire[g * size : (g + 1) * size] = rng.choice(before[:100], size)
        dam[g * size : (g + 1) * size] = rng.choice(before[100:3000], size)
    ped = Pedigree(pd.DataFrame({"id": np.arange(1, size * depth + 1), "sire": sire, "dam": dam}))
    inverse = ped.a_inverse()
    some = ped.labels[-300:]
    np.testing.assert_allclose(1 + ped.inbreeding()[some], np.diag(ped.a_matrix(some)), atol=1e-13)
    assert inverse.indices.dtype == np.int32
    assert inverse.has_sorted_indices
