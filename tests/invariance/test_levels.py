"""Levels without records change nothing for the others, in whatever form K comes."""

import numpy as np
import pandas as pd
import pytest

from animalmm import Pedigree, fit

from .herd import (
    ANIMAL,
    assert_same,
    assert_same_fit,
    herd,
    inverse_of,
    kinship,
    pedigree_table,
)


@pytest.fixture(scope="module")
def larger():
    """The pedigree with descendants of recorded animals, and unrelated families."""
    table = pedigree_table()
    rng = np.random.default_rng(0)
    ids = table["id"].to_numpy()
    young = [
        (f"new{k}", ids[2 * rng.integers(0, 45)], ids[2 * rng.integers(0, 45) + 1])
        for k in range(25)
    ]
    others = [("o1", None, None), ("o2", None, None), ("o3", "o1", "o2")]
    extra = pd.DataFrame([*young, *others], columns=table.columns)
    return pd.concat([table, extra], ignore_index=True)


@pytest.fixture(scope="module")
def larger_kinship(larger):
    pedigree = Pedigree(larger)
    A = np.linalg.inv(pedigree.a_inverse().toarray())
    return pd.DataFrame((A + A.T) / 2, index=pedigree.labels, columns=pedigree.labels)


@pytest.fixture
def recorded():
    return herd()["animal"].unique()


@pytest.mark.parametrize("engine", ["auto", "mme", "whitened"])
@pytest.mark.parametrize("form", ["pedigree", "covariance", "precision"])
def test_extra_animals_leave_the_estimates_alone(reference, larger, larger_kinship, form, engine):
    given = {
        "pedigree": {"relmat": {"animal": Pedigree(larger)}},
        "covariance": {"relmat": {"animal": larger_kinship}},
        "precision": {"precision": {"animal": inverse_of(larger_kinship)}},
    }[form]
    found = fit(ANIMAL, herd(), **given, engine=engine)
    assert len(found.ranef("animal")) == len(larger)
    assert_same_fit(found, reference)


@pytest.mark.parametrize("engine", ["auto", "mme", "whitened"])
@pytest.mark.parametrize("form", ["covariance", "precision"])
def test_only_the_recorded_animals_give_the_same_estimates(reference, recorded, form, engine):
    """A sub-block of the covariance is right; the precision is the inverse of that sub-block."""
    K = kinship().loc[recorded, recorded]
    given = (
        {"relmat": {"animal": K}}
        if form == "covariance"
        else {"precision": {"animal": inverse_of(K)}}
    )
    found = fit(ANIMAL, herd(), **given, engine=engine)
    assert len(found.ranef("animal")) == len(recorded) < len(kinship())
    for table in ("varcorr", "coefficients"):
        a, b = getattr(found, table)(), getattr(reference, table)()
        numbers = a.select_dtypes("number").columns.difference(["sdcor"])
        np.testing.assert_allclose(a[numbers], b[numbers], rtol=1e-7)
    assert found.estimate.criterion == pytest.approx(reference.estimate.criterion, abs=1e-7)
    everyone = reference.ranef("animal")["(Intercept)"]
    assert_same(everyone, found.ranef("animal")["(Intercept)"])


def test_a_sub_block_of_the_precision_is_another_model(reference, recorded):
    P = inverse_of(kinship()).loc[recorded, recorded]
    found = fit(ANIMAL, herd(), precision={"animal": P})
    difference = found.varcorr()["vcov"] / reference.varcorr()["vcov"] - 1
    assert difference.abs().max() > 1e-3


def test_blups_of_unrecorded_animals_are_regressions_on_the_recorded(reference, recorded):
    """u_0 = K_01 K_11^-1 u_1: what lets levels without records be left out."""
    K, u = kinship(), reference.ranef("animal")["(Intercept)"]
    others = K.index.difference(recorded)
    expected = K.loc[others, recorded] @ np.linalg.solve(K.loc[recorded, recorded], u.loc[recorded])
    assert_same(u, pd.Series(expected, index=others))


def test_extra_animals_keep_their_relatives_precision(reference, larger):
    found = fit(ANIMAL, herd(), {"animal": Pedigree(larger)})
    a = found.blup("animal").set_index("level")[["pev", "reliability"]]
    b = reference.blup("animal").set_index("level")[["pev", "reliability"]]
    np.testing.assert_allclose(a.loc[b.index], b, rtol=1e-6, atol=1e-9)
    assert a.loc["o3", "reliability"] == pytest.approx(0, abs=1e-10)


MATERNAL = "y ~ sex + x + (1 | m | animal) + (1 | m | dam)"


@pytest.fixture(scope="module")
def maternal_data():
    """Records with a direct and a maternal effect, correlated."""
    table, A = pedigree_table(), kinship()
    rng = np.random.default_rng(2)
    data = herd().assign(dam=herd()["animal"].map(table.set_index("id")["dam"]))
    both = np.linalg.cholesky(A) @ rng.normal(size=(len(A), 2)) @ np.array([[3, 1], [0, 2]])
    u = pd.DataFrame(both, index=A.index)
    data["y"] = u.loc[data["animal"], 0].to_numpy() + u.loc[data["dam"], 1].to_numpy()
    data["y"] += rng.normal(size=len(data))
    return data


@pytest.mark.parametrize("engine", ["auto", "mme", "whitened"])
@pytest.mark.parametrize("form", ["pedigree", "larger pedigree", "covariance", "precision"])
def test_direct_and_maternal_effects(maternal_data, larger, larger_kinship, form, engine):
    expected = fit(MATERNAL, maternal_data, {"animal": kinship()})
    given = {
        "pedigree": {"relmat": {"animal": Pedigree(pedigree_table())}},
        "larger pedigree": {"relmat": {"animal": Pedigree(larger)}},
        "covariance": {"relmat": {"dam": larger_kinship}},
        "precision": {"precision": {"animal": inverse_of(larger_kinship)}},
    }[form]
    found = fit(MATERNAL, maternal_data, **given, engine=engine)
    assert_same_fit(found, expected, tolerance=1e-6)  # units of theta differ among the forms
    assert expected.ranef().shape == (len(kinship()), 2)


def test_unused_categories_are_no_levels(reference):
    data = herd()
    litter = pd.Categorical(data["litter"], categories=[f"L{k}" for k in range(20)])
    assert_same_fit(fit(ANIMAL, data.assign(litter=litter), {"animal": kinship()}), reference)


def test_rows_with_missing_values_are_as_if_they_were_not_there(reference):
    data = pd.concat([herd(), herd().iloc[:5].assign(y=np.nan)], ignore_index=True)
    with pytest.warns(UserWarning, match="5"):
        found = fit(ANIMAL, data, {"animal": kinship()})
    assert_same_fit(found, reference)
