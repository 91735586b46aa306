"""Sires and maternal grandsires: published matrices, phantom dams, what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animalmm import Pedigree
from animalmm.errors import ArgumentError, PedigreeError
from animalmm.relationship.sire_model import sires

from ..pedigree.reference import tabular_a
from .contract import Contract

COLUMNS = ["id", "sire", "mgs"]

INBRED = pd.DataFrame(
    [
        ("a", None, None),
        ("b", None, None),
        ("c", "a", "b"),
        ("d", "a", "a"),
        ("e", "d", "c"),
        ("f", None, "d"),
        ("g", "f", None),
        ("h", "e", "e"),
        ("i", "h", "e"),
    ],
    columns=COLUMNS,
)


def with_phantom_dams(table):
    """A of the bulls in the pedigree that gives each a dam of his own, cell by cell."""
    bulls = Pedigree(table.rename(columns={"mgs": "dam"}), allow_selfing=True)
    sire, dam = [], []
    for s, g in zip(bulls.sire, bulls.dam, strict=True):
        sire += [2 * g + 1 if g >= 0 else -1, 2 * s + 1 if s >= 0 else -1]
        dam += [-1, len(dam) if g >= 0 else -1]
    A = tabular_a(np.array(sire), np.array(dam))[1::2, 1::2]
    return pd.DataFrame(A, index=bulls.labels, columns=bulls.labels)


class TestInbred(Contract):
    @property
    def K(self):
        return with_phantom_dams(INBRED).to_numpy()

    def make(self):
        return sires(INBRED)


@given(seed=st.integers(0, 10**6), n=st.integers(1, 25))
@settings(max_examples=40)
def test_definition(seed, n):
    rng = np.random.default_rng(seed)
    names = [f"x{i}" for i in range(n)]
    parents = [[rng.choice([None, *names[:i]]) for _ in range(2)] for i in range(n)]
    table = pd.DataFrame([(x, *p) for x, p in zip(names, parents, strict=True)], columns=COLUMNS)
    A = with_phantom_dams(table)
    found = sires(table.sample(frac=1, random_state=seed))
    np.testing.assert_allclose(found.block(names), A.loc[names, names], atol=1e-13)
    order = found.labels
    np.testing.assert_allclose(found.diagonal(), np.diag(A.loc[order, order]), atol=1e-13)
    product = found.precision() @ A.loc[order, order].to_numpy()
    np.testing.assert_allclose(product, np.eye(n), atol=1e-9)


def test_mrode_page_32():
    """Mrode (2014), Linear Models for the Prediction of Animal Breeding Values, section 2.6."""
    table = pd.DataFrame([(1, None, None), (4, 1, None), (5, 4, 1)], columns=COLUMNS)
    printed = [[1.0, 0.5, 0.5], [0.5, 1.0, 0.625], [0.5, 0.625, 1.125]]
    np.testing.assert_allclose(sires(table).block([1, 4, 5]), printed)


SIX = pd.DataFrame(
    [(1, 0, 0), (2, 0, 0), (3, 1, 0), (4, 2, 1), (5, 3, 2), (6, 2, 3)], columns=COLUMNS
)


def test_mrode_page_235():
    """The inverse printed there for six bulls, with 16/11 and 4/3."""
    found = sires(SIX)
    at = found.labels.get_indexer([1, 2, 3])
    everybody = found.labels.get_indexer([1, 2, 3, 4, 5, 6])
    printed = [
        [1.424, 0.182, -0.667, -0.364, 0.000, 0.000],
        [0.182, 1.818, 0.364, -0.727, -0.364, -0.727],
        [-0.667, 0.364, 1.788, 0.000, -0.727, -0.364],
    ]
    inverse = found.precision().toarray()[np.ix_(at, everybody)]
    np.testing.assert_allclose(inverse, printed, atol=6e-4)


def test_own_variances_without_inbreeding():
    d = pd.Series(sires(SIX).flow.d, index=sires(SIX).labels)
    np.testing.assert_allclose(d[[1, 3, 4]], [1.0, 3 / 4, 11 / 16])
    only = sires(pd.DataFrame([("x", None, "g")], columns=COLUMNS))
    np.testing.assert_allclose(only.flow.d, [1.0, 15 / 16])


def test_only_sires_known():
    found = sires(INBRED, mgs=None)
    expected = with_phantom_dams(INBRED.assign(mgs=None))
    np.testing.assert_allclose(found.block(expected.index), expected, atol=1e-14)
    assert found.history == (
        "A of 9 bulls, by the sires of 6 and the maternal grandsires of 0 of them",
    )


def test_names_of_columns():
    renamed = INBRED.rename(columns={"id": "bull", "sire": "father", "mgs": "grandfather"})
    found = sires(renamed, id="bull", sire="father", mgs="grandfather")
    pd.testing.assert_frame_equal(found.to_frame(), sires(INBRED).to_frame())


FAMILY = pd.DataFrame(
    [
        ("B1", None, None),
        ("B2", "B1", "C1"),
        ("C1", None, None),
        ("C2", "B1", None),
        ("C3", "B2", None),
        ("B3", "B2", "C2"),
        ("B4", "B3", "C3"),
        ("young", "B4", "C2"),
        ("calf", "B3", "C2"),
    ],
    columns=["id", "sire", "dam"],
)


def test_bulls_of_a_pedigree():
    """Where granddams are unknown and no two bulls have one dam, it is the block of A."""
    pedigree = Pedigree(FAMILY)
    found = sires(pedigree)
    assert sorted(found.labels) == ["B1", "B2", "B3", "B4"]
    bulls = list(found.labels)
    np.testing.assert_allclose(found.to_frame(), pedigree.a_matrix(bulls), atol=1e-14)
    assert found.diagonal()[bulls.index("B3")] == 1.125


def test_chosen_bulls_bring_their_ancestors():
    found = sires(Pedigree(FAMILY), ["young"])
    assert sorted(found.labels) == ["B1", "B2", "B3", "B4", "young"]
    assert sorted(sires(INBRED, ["g"]).labels) == ["a", "d", "f", "g"]


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        (({"id": [1]},), ArgumentError, "takes a DataFrame .* or a Pedigree, not a dict"),
        ((INBRED.drop(columns="mgs"),), ArgumentError, "no column 'mgs'.*mgs=None"),
        ((INBRED.rename(columns={"sire": "Sire"}),), ArgumentError, "no column 'sire'.*'Sire'"),
        ((Pedigree({"id": ["a"], "sire": [None], "dam": [None]}),), ArgumentError, "no bull"),
        ((INBRED, ["zz"]), ArgumentError, "1 of the ids are not in the pedigree: 'zz'"),
        ((pd.concat([INBRED, INBRED.iloc[[0]].assign(sire="b")]),), PedigreeError, "'a'"),
        ((pd.DataFrame([("a", "b", "c"), ("b", "c", "a")], columns=COLUMNS),), PedigreeError, "->"),
    ],
)
def test_refused(arguments, error, match):
    with pytest.raises(error, match=match):
        sires(*arguments)


def test_inbred_founders_are_refused():
    pedigree = Pedigree(FAMILY.assign(F=[0.5] + 8 * [0.0]), founder_inbreeding="F")
    with pytest.raises(PedigreeError, match=r"clones, selfed animals.*'B1'"):
        sires(pedigree)
