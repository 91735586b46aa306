"""Bad pedigrees: each is refused with a class, the thing named, and the remedy."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from animalmm.errors import ArgumentError, PedigreeError
from animalmm.pedigree import Pedigree

from ..corpus import corpus_case

WHO = ("id", "sire", "dam")


@dataclass
class Bad:
    """Rows, the arguments of Pedigree, and regular expressions of what the message must hold."""

    name: str
    rows: list
    named: str
    remedy: str
    error: type = PedigreeError
    extra: str | None = None  # a fourth column, named by its role

    def read(self, **arguments):
        columns = WHO if self.extra is None else (*WHO, self.extra)
        table = pd.DataFrame(self.rows, columns=list(columns), dtype=object)
        if self.extra is not None:
            arguments[self.extra] = self.extra
        return Pedigree(table, **arguments)


A = ("a", None, None)
BAD = [
    Bad("no rows", [], "no animals", "table has no rows"),
    Bad("no id", [A, (None, "a", None)], "1 row.*rows 1", "Give these animals a label"),
    Bad("blank id", [A, ("", "a", None)], "unknown.*: ''", "another label"),
    Bad("zero id", [(0, None, None), (1, 0, None)], "unknown.*: 0", "another label"),
    Bad("listed twice", [A, A], "same parents: 'a'", r"drop_duplicates\(subset='id'\)"),
    Bad("listed twice, unlike", [A, ("a", "s", None)], "different parents: 'a'", "which row"),
    Bad("own parent", [A, ("b", "b", "a")], "own parent: 'b'", "leave the parent unknown"),
    Bad("loop of two", [("a", "b", None), ("b", "a", None)], "a -> b -> a", "make it unknown"),
    Bad(
        "loop of three",
        [("a", "c", "d"), ("b", "a", "d"), ("c", "b", "d")],
        "a -> b -> c -> a",
        "Correct one",
    ),
    Bad(
        "sire and dam",
        [("c", "a", "b"), ("d", "b", "a")],
        "sire in one place.*'a', 'b'",
        "allow_selfing=True",
    ),
    Bad("two kinds", [(1, None, None), (2, "1", None)], "'sire' holds text", "dtype=str"),
    Bad("mixed kinds", [(1, None, None), ("1", None, None)], "'id' holds integers be", "dtype"),
    Bad("text code", [(1, "*", None), (2, 1, None)], "integers", r"'\*' mean unknown.*unknown="),
    Bad("not whole", [(1.5, None, None), (2, 1.5, None)], "not whole: 1.5", "dtype=str"),
    Bad("huge floats", [(1e17, None, None)], "too large.*1e\\+17", "Int64"),
    Bad("star", [("a", "*", None)], r"'\*'", r"unknown=\['\*'\]"),
    Bad("negative text", [("a", "-9", "-99")], "'-9', '-99'", "groups="),
    Bad("negative number", [(1, -999, None)], "-999", r"unknown=\[-999\]"),
    Bad("not available", [("a", "N/A", None)], "'N/A'", "give it a row"),
    Bad("null", [("a", None, "Null")], "'Null'", "unknown="),
    Bad("question", [("a", "?", None)], r"'\?'", "unknown="),
    Bad("blanks", [("a", "  ", None)], "'  '", "unknown="),
    Bad("zero and a blank", [("a", " 0", None)], "' 0'", "unknown="),
    Bad("dot and a blank", [("a", None, ". ")], "'. '", "unknown="),
    Bad("beyond 64 bits", [(10**20, None, None)], "too large for integers: 1", "dtype=str"),
    Bad("a code on both sides", [("a", "--", "--")], "'--'", "unknown="),
    Bad("other case", [A, ("b", "A", None)], "'A' .the animal: 'a'", "row of its own"),
    Bad("a blank more", [A, ("b", "a ", None)], "'a ' .the animal: 'a'", "Write both alike"),
    Bad("text of a float", [("12", 0, 0), ("b", "12.0", "0")], "'12.0' .the animal: '12'", "alike"),
    Bad("zeros lost", [("012", 0, 0), ("b", "12", "0")], "'12' .the animal: '012'", "alike"),
    Bad(
        "born before its parent",
        [(*A, 2003), ("b", "a", None, 2001)],
        r"'b' \(2001\) of sire 'a' \(2003\)",
        "leave the births unknown",
        extra="birth",
    ),
    Bad(
        "born with its parent",
        [(*A, "2003-05-01"), ("b", None, "a", "2003-05-01")],
        r"'b' \(2003-05-01\) of dam 'a'",
        "give dates",
        extra="birth",
    ),
    Bad("no birth", [(*A, "31/5/24")], "'31/5/24'", r"to_datetime", extra="birth"),
    Bad("female sire", [(*A, "F"), ("b", "a", None, "")], "sire.* female: 'a'", "sex", extra="sex"),
    Bad("male dam", [(*A, 1), ("b", None, "a", 2)], "dam.* male: 'a'", "parents", extra="sex"),
    Bad("no sex", [(*A, "X")], "'X'", "M or F", extra="sex"),
    Bad("0 and 1", [(*A, 0), ("b", None, None, 1)], "0 and 1", "M and F", extra="sex"),
    Bad("half a selfing", [(*A, 0.5)], "0.5", "0, 1, 2", extra="selfed"),
    Bad("words for selfing", [(*A, "twice")], "'twice'", "0, 1, 2", extra="selfed"),
    Bad("F above 1", [(*A, 1.25)], "1.25", "between 0 and 1", extra="founder_inbreeding"),
    Bad(
        "F of progeny",
        [(*A, 0.1), ("b", "a", None, 0.2)],
        "as founders and known parents: 'b'",
        "selfed=",
        extra="founder_inbreeding",
    ),
    Bad("own clone", [(*A, "a")], "clone of themselves: 'a'", "for its copies", extra="clone_of"),
    Bad(
        "clone of other parents",
        [(*A, None), ("b", "a", None, None), ("c", "a", "d", "b")],
        "other parents than their original: 'c'",
        "Leave the parents",
        extra="clone_of",
    ),
    Bad(
        "clone of another sex",
        [(*A, None), ("b", None, None, "a"), ("c", "a", "b", None)],
        "copies of 'a'",
        "clone_of",
        extra="clone_of",
    ),
    Bad(
        "clones of each other",
        [("a", None, None, "b"), ("b", None, None, "a")],
        "a -> b -> a",
        "Correct one",
        extra="clone_of",
    ),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_bad_pedigrees(bad):
    with pytest.raises(bad.error, match=bad.named):
        bad.read()
    with pytest.raises(bad.error, match=bad.remedy):
        bad.read()


def test_there_are_enough_of_them():
    assert len(BAD) >= 25


@pytest.mark.parametrize(
    ("arguments", "named", "remedy"),
    [
        ({"groups": ["north", "suoth"]}, "nobody's parent: 'suoth'", "Did you mean 'south'"),
        ({"groups": ["north", "north"]}, "names a group twice", "twice"),
        (
            {"groups": ["north", "0"]},
            "nobody's parent: '0'. Leave them out",
            "other than the codes for 'unknown'",
        ),
        ({"sire": "pater"}, "no column 'pater'", r"Pedigree\(table, sire=\.\.\.\)"),
        ({"birth": "born"}, "no column 'born' for the birth", "birth="),
    ],
)
def test_bad_arguments(arguments, named, remedy):
    table = pd.DataFrame({"id": ["a", "b"], "sire": ["north", "a"], "dam": ["south", "north"]})
    for words in (named, remedy):
        with pytest.raises(ArgumentError, match=words):
            Pedigree(table, **arguments)


def test_a_group_with_a_row_of_its_own():
    table = pd.DataFrame({"id": ["G1", "b"], "sire": [None, "G1"], "dam": [None, None]})
    with pytest.raises(PedigreeError, match=r"row of their own: 'G1'.*out of groups="):
        Pedigree(table, groups=["G1"])


def test_what_is_refused_is_taken_when_said():
    assert Bad("", [("a", "*", "?")], "", "").read(unknown=["*", "?"]).n == 1
    assert Bad("", [(1, "-9", -9)], "", "").read(unknown=[-9]).n == 1
    assert Bad("", [("a", "-9", None), ("-9", None, None)], "", "").read().n == 2
    assert Bad("", [A, ("b", "A", None), ("A", None, None)], "", "").read().n == 3


def test_five_pairs_and_the_count():
    rows = [(f"x{i}", None, None) for i in range(7)] + [(f"y{i}", f"X{i}", None) for i in range(7)]
    table = pd.DataFrame(rows, columns=list(WHO))
    with pytest.raises(PedigreeError, match=r"'X4' .the animal: 'x4'., \.\.\. \(7 in all\)"):
        Pedigree(table)


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("cycle_of_two", "a -> b -> a"),
        ("own_parent", "'b'"),
        ("cycle_of_three", "a -> b -> c -> a"),
        ("duplicated_id", "'b'"),
        ("missing_own_id", "rows 1"),
    ],
)
def test_corpus(name, named):
    _, expected = corpus_case("s9_pedigree_edges")
    table = pd.DataFrame(expected["invalid_pedigrees"][name]["pedigree"])
    with pytest.raises(PedigreeError, match=named):
        Pedigree(table, allow_selfing=True)


def test_large_text_is_not_a_number():
    rows = [("9223372036854775808", np.nan, np.nan)]
    assert list(Pedigree(pd.DataFrame(rows, columns=list(WHO))).labels) == [rows[0][0]]


def test_unsigned_integers_beyond_those_with_a_sign():
    id = np.array([2**63 + 5], dtype=np.uint64)
    with pytest.raises(
        PedigreeError, match=r"column 'id' \(id\) are too large.*: 92233720368547758"
    ):
        Pedigree({"id": id, "sire": [None], "dam": [None]})


@pytest.mark.parametrize("argument", ["unknown", "groups"])
@pytest.mark.parametrize("value", ["UNK", 9])
def test_one_label_in_the_place_of_a_list(argument, value):
    with pytest.raises(
        ArgumentError, match=rf"{argument} is a list of labels: .*={[value]}".replace("[", r"\[")
    ):
        Pedigree({"id": ["a"], "sire": ["UNK"], "dam": [None]}, **{argument: value})
