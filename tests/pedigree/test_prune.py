"""Fewer animals, the same relationships."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from animalmm.errors import ArgumentError
from animalmm.pedigree import Pedigree

from .test_details import everything
from .test_properties import make_table, pedigrees


@given(parents=pedigrees(), informative=st.booleans(), data=st.data())
def test_the_block_of_the_wanted_stays(parents, informative, data):
    names = [f"x{i}" for i in range(parents.shape[1])]
    table = make_table(*parents, names, range(len(names)))
    table["F"] = data.draw(
        st.lists(st.sampled_from([0.0, 0.5]), min_size=len(names), max_size=len(names))
    )
    table.loc[table["sire"].notna() | table["dam"].notna(), "F"] = 0.0
    ped = Pedigree(table, founder_inbreeding="F", allow_selfing=True)
    ids = data.draw(st.lists(st.sampled_from(names), unique=True, min_size=1))
    small = ped.prune(ids, informative=informative)
    assert set(ids) <= set(small.labels) <= set(ped.labels)
    np.testing.assert_allclose(small.a_matrix(ids), ped.a_matrix(ids), atol=1e-14)


def test_only_ancestors_are_kept():
    rows = [
        ("a", None, None),
        ("b", None, None),
        ("c", "a", "b"),
        ("d", "a", None),
        ("e", "c", "d"),
    ]
    ped = Pedigree(pd.DataFrame(rows, columns=["id", "sire", "dam"]), allow_selfing=True)
    assert list(ped.prune(["c", "c"]).labels) == ["a", "b", "c"]
    assert list(ped.prune(["c"], informative=True).labels) == ["c"]
    # b has one progeny and goes; a has two and stays
    assert list(ped.prune(["e"], informative=True).labels) == ["a", "c", "d", "e"]


def test_a_chain_of_uninformative_ancestors_goes_whole():
    rows = [("x0", None, None), *((f"x{i}", f"x{i - 1}", None) for i in range(1, 9))]
    ped = Pedigree(pd.DataFrame(rows, columns=["id", "sire", "dam"]))
    assert list(ped.prune(["x8"], informative=True).labels) == ["x8"]


def test_what_is_known_is_kept():
    ped = everything()
    small = ped.prune(["d"])
    pd.testing.assert_frame_equal(
        small.to_frame(), ped.to_frame().iloc[:4].drop(columns="clone_of")
    )
    assert small.prune(["b"]).groups.tolist() == ["G1"]


def test_the_group_of_a_founder_that_goes_passes_to_its_progeny():
    table = {"id": ["a", "m", "b"], "sire": ["G1", "G1", "a"], "dam": ["G1", "G2", "m"]}
    ped = Pedigree(table, groups=["G1", "G2"])
    small = ped.prune(["b"], informative=True)
    assert list(small.labels) == ["m", "b"]  # m is of two groups
    assert small.sire_group.tolist() == [0, 0]
    pd.testing.assert_frame_equal(small.group_shares(), ped.group_shares().loc[small.labels])


def test_ids_that_cannot_be_kept():
    with pytest.raises(ArgumentError, match="ids is empty"):
        everything().prune([])
    with pytest.raises(ArgumentError, match="not in the pedigree: 'z'"):
        everything().prune(["a", "z"])


@pytest.mark.parametrize("ids", ["ab", 5])
def test_one_label_in_the_place_of_a_list(ids):
    ped = Pedigree({"id": ["a", "b"], "sire": [None, None], "dam": [None, None]})
    for method in (ped.prune, ped.a_matrix, ped.contributions):
        with pytest.raises(ArgumentError, match="ids is a list of labels: write ids="):
            method(ids)
