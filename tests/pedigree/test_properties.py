"""What must hold for every pedigree: random ones, with selfing, half-known parents, any order."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from animalmm.pedigree import Pedigree
from animalmm.pedigree.sorting import generations, sorted_order

from .reference import tabular_a


@st.composite
def pedigrees(draw, largest=24):
    """Positions of parents among earlier animals, sometimes unknown, sometimes the same twice."""
    n = draw(st.integers(1, largest))
    pairs = [(draw(st.integers(-1, i - 1)), draw(st.integers(-1, i - 1))) for i in range(n)]
    return np.array(pairs).T


def make_table(sire, dam, names, order):
    """The rows in the given order, labelled."""
    named = np.array([*names, None], dtype=object)  # the last: -1 is unknown
    table = pd.DataFrame({"id": named[:-1], "sire": named[sire], "dam": named[dam]})
    return table.iloc[order]


@given(parents=pedigrees(), data=st.data())
def test_agrees_with_the_definition(parents, data):
    sire, dam = parents
    n = len(sire)
    order = data.draw(st.permutations(range(n)))
    text = data.draw(st.booleans())
    names = [f"x{i}" for i in range(n)] if text else [i + 1 for i in range(n)]
    ped = Pedigree(make_table(sire, dam, names, order), allow_selfing=True)

    here = np.arange(n)
    assert np.all(ped.sire < here)
    assert np.all(ped.dam < here)
    assert ped.added.empty
    A = pd.DataFrame(tabular_a(sire, dam), index=names, columns=names)
    mine = ped.a_matrix()
    pd.testing.assert_frame_equal(mine.loc[names, names], A, check_index_type=False, atol=1e-14)
    np.testing.assert_array_equal(mine, mine.T)
    np.testing.assert_allclose(ped.a_sparse().toarray(), mine, atol=1e-13)
    np.testing.assert_allclose(1 + ped.inbreeding(), np.diag(mine), atol=1e-14)
    inverse = ped.a_inverse()
    assert (inverse != inverse.T).nnz == 0
    np.testing.assert_allclose(inverse @ mine.to_numpy(), np.eye(n), atol=1e-9)
    L = ped.factor().toarray()
    np.testing.assert_array_equal(L, np.tril(L))
    np.testing.assert_allclose(L @ L.T, mine, atol=1e-13)
    np.testing.assert_allclose(ped.logdet(), np.linalg.slogdet(A)[1], atol=1e-8)


@given(parents=pedigrees(), data=st.data())
def test_block_of_chosen_animals(parents, data):
    names = [f"x{i}" for i in range(parents.shape[1])]
    ped = Pedigree(make_table(*parents, names, range(len(names))), allow_selfing=True)
    ids = data.draw(st.lists(st.sampled_from(names), unique=True))
    pd.testing.assert_frame_equal(
        ped.a_matrix(ids),
        ped.a_matrix().loc[ids, ids],
        check_index_type=False,
        check_column_type=False,
        atol=1e-14,
    )


@given(parents=pedigrees())
def test_a_valid_order_is_kept(parents):
    names = [f"x{i}" for i in range(parents.shape[1])]
    ped = Pedigree(make_table(*parents, names, range(len(names))), allow_selfing=True)
    assert list(ped.labels) == names
    np.testing.assert_array_equal(np.stack([ped.sire, ped.dam]), parents)


@given(parents=pedigrees(largest=12), data=st.data())
def test_only_animals_that_would_follow_their_progeny_are_moved(parents, data):
    """Each goes right before the first of its descendants, or to others that move there."""
    n = parents.shape[1]
    order = np.array(data.draw(st.permutations(range(n))), dtype=np.intp)
    given_place = np.append(np.argsort(order), -1)
    sire, dam = given_place[parents[:, order]]
    found = sorted_order(pd.RangeIndex(n), sire, dam)
    place = np.append(np.argsort(found), -1)
    assert np.all(place[sire] < place[:-1])
    assert np.all(place[dam] < place[:-1])

    descends = np.eye(n, dtype=bool)  # [i, k]: i is k or descends from k
    for i in np.lexsort((generations(sire, dam),)):
        for parent in (sire[i], dam[i]):
            if parent >= 0:
                descends[i] |= descends[parent]
    first = descends.argmax(axis=0)
    moved = first != np.arange(n)
    np.testing.assert_array_equal(found[~moved[found]], np.flatnonzero(~moved))
    stays = np.where(moved[found], n, found)
    following = np.minimum.accumulate(stays[::-1])[::-1]
    np.testing.assert_array_equal(following, first[found])


@given(parents=pedigrees(), data=st.data())
def test_generations_are_longest_paths_whatever_the_order(parents, data):
    n = parents.shape[1]
    want = [-1] * (n + 1)  # the last: the unknown parent
    for i, (s, d) in enumerate(parents.T):
        want[i] = 1 + max(want[s], want[d])
    order = np.array(data.draw(st.permutations(range(n))), dtype=np.intp)
    sire, dam = np.append(np.argsort(order), -1)[parents[:, order]]
    np.testing.assert_array_equal(generations(sire, dam), np.array(want[:-1])[order])


def test_animals_in_or_below_a_loop_have_no_generation():
    sire, dam = np.array([-1, 2, 1, 2, 0]), np.full(5, -1)
    np.testing.assert_array_equal(generations(sire, dam), [0, 5, 5, 5, 1])


@given(parents=pedigrees(), text=st.booleans())
def test_the_table_comes_back(parents, text):
    n = parents.shape[1]
    names = [f"x{i}" for i in range(n)] if text else [i + 1 for i in range(n)]
    ped = Pedigree(make_table(*parents, names, range(n)), allow_selfing=True)
    again = Pedigree(ped.to_frame(), allow_selfing=True)
    pd.testing.assert_index_equal(again.labels, ped.labels)
    np.testing.assert_array_equal(again.sire, ped.sire)
    np.testing.assert_array_equal(again.dam, ped.dam)


def test_many_generations_of_brother_and_sister():
    """F_t = 1/4 + F_{t-1}/2 + F_{t-2}/4 under full-sib mating (Wright 1921)."""
    rows = [("m0", None, None), ("f0", None, None)]
    rows += [(f"{x}{g}", f"m{g - 1}", f"f{g - 1}") for g in range(1, 60) for x in "mf"]
    F = Pedigree(pd.DataFrame(rows, columns=["id", "sire", "dam"])).inbreeding()
    want = [0.0, 0.0]
    for _ in range(2, 60):
        want.append(0.25 + 0.5 * want[-1] + 0.25 * want[-2])
    np.testing.assert_allclose(F[[f"m{g}" for g in range(60)]], want, atol=1e-13)
