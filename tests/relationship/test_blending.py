"""Blending and tuning: the formulas by hand, and the means that they promise."""

import numpy as np
import pandas as pd
import pytest

from animalmm import Pedigree
from animalmm.errors import ArgumentError, RelationshipError
from animalmm.relationship import (
    CovarianceRelationship,
    IdentityRelationship,
    blend,
    tune,
)

from .contract import Contract

PEDIGREE = Pedigree(
    pd.DataFrame(
        {
            "id": list("abcde"),
            "sire": [None, None, "a", "a", "c"],
            "dam": [None, None, "b", "b", "d"],
        }
    )
)
IDS = ["e", "c", "d"]
A22 = np.array([[1.25, 0.75, 0.75], [0.75, 1.0, 0.5], [0.75, 0.5, 1.0]])  # e: progeny of sibs
G = pd.DataFrame([[0.9, -0.3, 0.1], [-0.3, 1.1, -0.4], [0.1, -0.4, 0.8]], index=IDS, columns=IDS)


def centred(q=30, seed=0):
    """Relationships with observed allele frequencies: their mean is 0."""
    M = np.random.default_rng(seed).normal(size=(q, 3 * q))
    M -= M.mean(axis=0)
    return M @ M.T / (3 * q)


def related(q=30):
    K = np.full((q, q), 0.2) + np.diag(np.linspace(0.8, 1.2, q))
    K[:5, :5] += 0.25
    return K


def frame(K, prefix="i"):
    ids = [f"{prefix}{i}" for i in range(len(K))]
    return pd.DataFrame(K, index=ids, columns=ids)


def test_blend_is_the_weighted_mean_over_the_ids_of_G():
    found = blend(G, PEDIGREE, weight=0.1)
    assert list(found.labels) == IDS
    np.testing.assert_allclose(found.K, 0.9 * G + 0.1 * A22, atol=1e-14)
    assert found.history[0].startswith("blended: 0.9 G + 0.1 A (mean diagonal and mean element ")
    assert "0.9333, 0.1778 -> 0.9483, " in found.history[0]


@pytest.mark.parametrize(
    "form",
    [
        PEDIGREE,
        PEDIGREE.a_matrix(),
        (PEDIGREE.a_matrix().to_numpy(), list(PEDIGREE.labels)),
        CovarianceRelationship(PEDIGREE.labels, PEDIGREE.a_matrix().to_numpy()),
    ],
    ids=["pedigree", "table", "pair", "relationship"],
)
def test_every_form_of_A_gives_the_same(form):
    np.testing.assert_allclose(blend(G, form).K, 0.95 * G + 0.05 * A22, atol=1e-14)


@pytest.mark.parametrize("change", [lambda G, A: blend(G, A, 0.2), tune], ids=["blend", "tune"])
def test_order_of_ids_does_not_matter(change):
    expected = change(frame(centred()), frame(related())).to_frame()
    ids = list(np.random.default_rng(1).permutation(expected.index))
    shuffled = change(frame(centred()).loc[ids, ids[::-1]], frame(related()).loc[ids[::-1]])
    assert list(shuffled.labels) == ids
    np.testing.assert_allclose(shuffled.to_frame(), expected.loc[ids, ids], atol=1e-14)


def test_adding_to_the_diagonal():
    found = blend(G, IdentityRelationship(pd.Index(IDS)), weight=0.01)
    np.testing.assert_allclose(found.K, 0.99 * G + 0.01 * np.eye(3), atol=1e-15)


def test_history_grows():
    found = blend(tune(blend(G, PEDIGREE), PEDIGREE), PEDIGREE, 0.01)
    assert [step.split()[0] for step in found.history] == ["blended:", "tuned", "blended:"]
    assert "tuned (christensen)" in repr(found)
    assert "tuned (christensen)" in found.describe()["history"]


def test_arguments_are_left_alone():
    K = CovarianceRelationship(pd.Index(IDS), G.to_numpy().copy())
    blend(K, PEDIGREE), tune(K, PEDIGREE)
    np.testing.assert_array_equal(K.K, G)
    assert K.history == ()


def test_tuning_by_both_means():
    """Christensen et al. (2012): mean diagonal and mean of all; hence that of the others."""
    K, A = centred() * 0.9, related()
    found = tune(frame(K), frame(A), "christensen").K
    assert found.diagonal().mean() == pytest.approx(A.diagonal().mean())
    assert found.mean() == pytest.approx(A.mean())
    q = len(A)
    assert found.sum() - np.trace(found) == pytest.approx(A.sum() - np.trace(A))
    line = np.polyfit(K.ravel(), found.ravel(), 1)
    np.testing.assert_allclose(found, line[1] + line[0] * K, atol=1e-12)
    assert tune(frame(K), frame(A)).K.shape == (q, q)  # the default


def test_tuning_by_fst():
    """Vitezica et al. (2011) with Powell et al. (2010): a + (1 - a/2) G."""
    K, A = centred(), related()
    a = A.mean() - K.mean()
    found = tune(frame(K), frame(A), "vitezica")
    np.testing.assert_allclose(found.K, a + (1 - a / 2) * K, atol=1e-14)
    assert found.K.mean() == pytest.approx(A.mean())  # since mean(G) is 0
    assert f"tuned (vitezica): {a:.4g} + {1 - a / 2:.4g} G" in found.history[0]


def test_tuning_by_a_constant():
    found = tune(G, PEDIGREE, "mean").K
    np.testing.assert_allclose(found - G, np.full((3, 3), A22.mean() - G.to_numpy().mean()))
    assert found.mean() == pytest.approx(A22.mean())


@pytest.mark.parametrize("method", ["christensen", "vitezica", "mean"])
def test_a_matrix_on_the_right_base_is_not_changed(method):
    A = frame(related())
    np.testing.assert_allclose(tune(A, A, method).K, A, atol=1e-13)


@pytest.mark.parametrize("weight", [-0.1, 1.0, np.nan, "a", None])
def test_weight_out_of_range(weight):
    with pytest.raises(ArgumentError, match="share of A, at least 0 and below 1, not"):
        blend(G, PEDIGREE, weight)


@pytest.mark.parametrize("change", [blend, tune])
def test_ids_without_a_pedigree_are_named(change):
    K = G.rename(index={"e": "E9"}, columns={"e": "E9"})
    with pytest.raises(ArgumentError, match="1 of the ids are not in the pedigree: 'E9'"):
        change(K, PEDIGREE)


@pytest.mark.parametrize("change", [blend, tune])
def test_ids_of_another_type_are_told(change):
    numbers, texts = (pd.DataFrame(np.eye(2), ids, ids) for ids in ([1, 2], ["1", "2"]))
    with pytest.raises(ArgumentError, match=r"1, 2\..*another type \(str there, int here\)"):
        change(numbers, texts)


def test_unknown_method():
    with pytest.raises(ArgumentError, match=r"no tuning method 'vites.*Did you mean 'vitezica'"):
        tune(G, PEDIGREE, "vitesica")
    with pytest.raises(ArgumentError, match=r"no tuning method None; there are 'christensen'"):
        tune(G, PEDIGREE, None)


def test_no_line_that_is_a_relationship():
    constant = frame(np.ones((3, 3)))
    with pytest.raises(RelationshipError, match=r"no relationship matrix.*same animals"):
        tune(constant, frame(related(3)))
    odd = frame(np.eye(3) * 0.5 + 0.9)
    with pytest.raises(RelationshipError, match="no relationship matrix"):
        tune(odd, frame(np.full((3, 3), 5.0) + np.eye(3)), "vitezica")


class TestBlended(Contract):
    """A singular G, blended, is definite."""

    K = 0.9 * centred(6) + 0.1 * related(6)

    def make(self):
        return blend(frame(centred(6)), frame(related(6)), 0.1)


class TestTuned(Contract):
    K = 0.25 + centred(7) + np.eye(7)

    def make(self):
        return tune(frame(centred(7) + np.eye(7)), frame(0.25 + centred(7) + np.eye(7)), "mean")
