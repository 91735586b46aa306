"""Order and names are nothing: rows, levels and matrices may come in any order."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animalmm import Pedigree, fit

from .herd import (
    ANIMAL,
    SLOPES,
    assert_same,
    assert_same_fit,
    effects,
    forms_of_kinship,
    herd,
    inverse_of,
    kinship,
    pedigree_table,
    slopes,
    variances,
)


@settings(max_examples=5)
@given(st.integers(0, 10_000))
def test_the_order_of_the_rows(seed):
    shuffled = herd().sample(frac=1, random_state=seed)
    a = fit(ANIMAL, herd(), {"animal": kinship()})
    b = fit(ANIMAL, shuffled, {"animal": kinship()})
    assert_same_fit(b, a)
    assert_same(b.fittedvalues, a.fittedvalues)


@settings(max_examples=5)
@given(st.integers(0, 10_000), st.sampled_from(["relmat", "precision"]))
def test_the_order_of_the_matrix(seed, argument):
    K = kinship() if argument == "relmat" else inverse_of(kinship())
    order = np.random.default_rng(seed).permutation(K.index)
    a = fit(ANIMAL, herd(), **{argument: {"animal": K}})
    b = fit(ANIMAL, herd(), **{argument: {"animal": K.loc[order, order]}})
    assert_same_fit(b, a)


def test_columns_of_a_frame_in_another_order_than_its_rows(reference):
    K = kinship()
    found = fit(ANIMAL, herd(), {"animal": K[K.columns[::-1]]})
    assert_same_fit(found, reference)


def test_the_order_of_the_pedigree(reference):
    for seed in range(3):
        table = pedigree_table().sample(frac=1, random_state=seed)
        assert_same_fit(fit(ANIMAL, herd(), {"animal": Pedigree(table)}), reference)


@pytest.mark.parametrize("form", list(forms_of_kinship()))
def test_the_form_of_the_relationships(reference, form):
    argument, value = forms_of_kinship()[form]
    found = fit(ANIMAL, herd(), **{argument: {"animal": value}})
    assert_same_fit(found, reference)


@pytest.mark.parametrize("engine", ["auto", "mme", "whitened"])
@pytest.mark.parametrize("form", list(forms_of_kinship()))
def test_the_engine(reference, form, engine):
    argument, value = forms_of_kinship()[form]
    found = fit(ANIMAL, herd(), **{argument: {"animal": value}}, engine=engine)
    assert_same_fit(found, reference)


@pytest.mark.parametrize("kind", ["int", "str", "float", "reversed", "category", "object"])
def test_what_the_ids_are_called(reference, kind):
    ids = pedigree_table()["id"]
    numbers = pd.Series(np.random.default_rng(1).permutation(len(ids)) + 1, index=ids)
    names = {
        "int": numbers,
        "str": numbers.map(lambda k: f"{k:04d}"),
        "float": numbers + 0.5,
        "reversed": pd.Series(ids[::-1].to_numpy(), index=ids),
        "category": pd.Series(ids.to_numpy(), index=ids),
        "object": pd.Series([f"é {k}" for k in numbers], index=ids, dtype=object),
    }[kind]
    data = herd().assign(animal=herd()["animal"].map(names))
    if kind == "category":
        data["animal"] = data["animal"].astype("category")
    K = kinship().rename(index=names, columns=names)
    found = fit(ANIMAL, data, {"animal": K})
    assert_same_fit(found, reference, ["litter"])
    back = found.ranef("animal")["(Intercept)"].rename(dict(zip(names, ids, strict=True)))
    assert_same(back, reference.ranef("animal")["(Intercept)"])


def test_integer_ids_in_a_pedigree(reference):
    ids = pedigree_table()["id"]
    numbers = dict(zip(ids, np.random.default_rng(1).permutation(len(ids)) + 1, strict=True))
    table = pedigree_table().map(lambda k: numbers.get(k, 0))
    data = herd().assign(animal=herd()["animal"].map(numbers))
    found = fit(ANIMAL, data, {"animal": Pedigree(table)})
    assert_same_fit(found, reference, ["litter"])


def test_the_names_of_the_columns(reference):
    data = herd().rename(columns={"animal": "the beast", "y": "milk yield", "x": "x.1"})
    found = fit(
        "`milk yield` ~ sex + `x.1` + (1 | `the beast`) + (1 | litter)",
        data,
        {"the beast": kinship()},
    )
    assert_same(pd.Series(variances(found).to_numpy()), pd.Series(variances(reference).to_numpy()))
    found_animals = found.ranef("the beast")["(Intercept)"]
    assert_same(found_animals, reference.ranef("animal")["(Intercept)"])
    assert_same(found.ranef("litter")["(Intercept)"], reference.ranef("litter")["(Intercept)"])


def test_the_order_of_the_terms(reference):
    found = fit("y ~ x + sex + (1 | litter) + (1 | animal)", herd(), {"animal": kinship()})
    assert_same_fit(found, reference)


def test_the_coding_of_a_fixed_factor(reference):
    found = fit(ANIMAL, herd(), {"animal": kinship()}, contrasts={"sex": "sum"})
    assert_same(variances(found), variances(reference))
    assert_same(effects(found, "animal"), effects(reference, "animal"))
    assert_same(found.fittedvalues, reference.fittedvalues)


def test_the_order_of_the_effects_of_a_level(slope_reference):
    found = fit("y ~ x + (0 + x + one | g)", slopes().assign(one=1.0))
    expected = slope_reference
    a, b = found.ranef("g"), expected.ranef("g")
    assert_same(a["x"], b["x"])
    assert_same(a["one"], b["(Intercept)"])
    assert found.estimate.criterion == pytest.approx(expected.estimate.criterion, abs=1e-8)


def test_a_record_of_weight_two_is_that_record_twice():
    """At given variances; the criterion counts the records and so differs."""
    data = slopes()
    known = {"g": np.array([[4.0, 0.5], [0.5, 0.6]]), "Residual": 1.0}
    doubled = fit(SLOPES, pd.concat([data, data], ignore_index=True), fixed=known)
    weighted = fit(SLOPES, data.assign(w=2.0), weights="w", fixed=known)
    assert_same_fit(doubled, weighted, criterion=False, tolerance=1e-9)
