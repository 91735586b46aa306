"""Two kernels made from markers: additive and dominance, one record an animal, 1,500 animals."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

import animalmm

from . import compare
from .models import folder
from .references import Reference, Tolerance, expected

pytestmark = pytest.mark.slow
CASE = "s8d_two_kernels"
BOTH = "y ~ x + (1 | animal) + (1 | gr(animal, D))"
NAMES = {"animal_d": "gr(animal, D)"}


@cache
def kernels() -> dict[str, animalmm.GenomicRelationship]:
    table = pd.read_csv(folder(CASE) / "markers.csv.gz", dtype=str)
    digits = np.frombuffer("".join(table["genotypes"]).encode(), np.uint8) - ord("0")
    M = digits.reshape(len(table), -1)
    return {
        "animal": animalmm.grm(M, table["id"]),
        "D": animalmm.grm(M, table["id"], kind="su"),
    }


@cache
def records() -> pd.DataFrame:
    return pd.read_csv(folder(CASE) / "data.csv", dtype={"id": str}).rename(
        columns={"id": "animal"}
    )


def own_dense(model: str) -> Reference:
    stated = expected(CASE)
    found = next(
        fit
        for fit in stated["fits"]
        if (fit["tool"], fit["model"], fit["method"]) == ("own-dense", model, "REML")
    )
    tolerance = Tolerance.of(stated["tolerance"])
    return Reference("own-dense", "REML", NAMES, found["estimates"], tolerance)


def test_kernels() -> None:
    truth = expected(CASE)["truth"]
    for name, key in (("Ka", "animal"), ("Kd", "D")):
        K = kernels()[key].K
        np.testing.assert_allclose(K[0, :5], truth[f"{name}_first_row_first5"], atol=1e-10)
        assert np.diag(K).mean() == pytest.approx(truth[f"{name}_mean_diag"], abs=1e-10)
        assert np.square(K).sum() == pytest.approx(truth[f"{name}_sumsq"], rel=1e-10)


def test_additive_model() -> None:
    reference = own_dense("additive")
    relmat = {"animal": kernels()["animal"]}
    fit = animalmm.fit("y ~ x + (1 | animal)", records(), relmat=relmat)
    for measure in (compare.variance_components, compare.fixed_effects, compare.criteria):
        assert max(measure(fit, reference).values()) <= 1


@pytest.mark.parametrize("algorithm", ["auto", "df"])
def test_additive_and_dominance_model(algorithm: str) -> None:
    reference = own_dense("additive_dominance")
    fit = animalmm.fit(BOTH, records(), relmat=kernels(), algorithm=algorithm)
    assert fit.provenance["engine"].startswith("many_kernels")
    for measure in (
        compare.variance_components,
        compare.fixed_effects,
        compare.standard_errors,
        compare.criteria,
        compare.blups,
    ):
        assert max(measure(fit, reference).values()) <= 1
