"""Textbook animal models with given variances: solutions and prediction error variances."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

import animalmm

from .models import ENGINES, boundary_warning, folder, read_text
from .references import expected

CASE = "s5_mrode"
G0 = [[150.0, -40.0], [-40.0, 90.0]]


@dataclass(frozen=True)
class Known:
    """A model with given variances; effects are (term, column) here by (term, column) there."""

    name: str
    pedigree: str
    formula: str
    fixed: dict[str, Any]
    effects: dict[tuple[str, str], tuple[str, str]]
    prefix: str = ""


MODELS = (
    Known(
        "calves",
        "Mrode3",
        "y ~ 0 + sex + (1 | animal)",
        {"animal": 20.0, "Residual": 40.0},
        {("animal", "(Intercept)"): ("animal", "(Intercept)")},
        prefix="sex",
    ),
    Known(
        "maternal",
        "maternal",
        "y ~ 0 + herd + pen + (1 | m | animal) + (1 | m | dam) + (1 | ide(dam))",
        {"animal + dam": G0, "ide(dam)": 40.0, "Residual": 350.0},
        {
            ("animal", "direct"): ("animal + dam", "animal"),
            ("animal", "maternal"): ("animal + dam", "dam"),
            ("dam_pe", "(Intercept)"): ("ide(dam)", "(Intercept)"),
        },
    ),
)


def fit_known(
    model: Known, engine: str, method: str = "REML", keys: tuple[str, ...] = ("animal",)
) -> animalmm.Fit:
    parents = read_text(folder(CASE) / "pedigree.csv").query("pedigree == @model.pedigree")
    table = parents[["id", "sire", "dam"]]
    data = read_text(folder(CASE) / "data.csv", ("y",)).query("model == @model.name")
    data = data.merge(table, on="id").rename(columns={"id": "animal"})
    pedigree = animalmm.Pedigree(table)
    with boundary_warning(False):
        return animalmm.fit(
            model.formula,
            data,
            dict.fromkeys(keys, pedigree),
            fixed=model.fixed,
            engine=engine,
            method=method,
        )


def stored(model: Known) -> tuple[dict[str, Any], dict[str, float]]:
    file = expected(CASE)
    (fit,) = (fit for fit in file["fits"] if fit["model"] == model.name)
    return fit["estimates"], file["tolerance"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
class TestKnownVariances:
    def test_fixed_effects(self, model, engine):
        estimates, tolerance = stored(model)
        table = fit_known(model, engine).coefficients()
        names = [model.prefix + name for name in estimates["beta"]]
        assert sorted(names) == sorted(table.index)
        for column, key in (("estimate", "beta"), ("se", "se_beta")):
            np.testing.assert_allclose(
                table.loc[names, column],
                list(estimates[key].values()),
                rtol=0,
                atol=tolerance["solutions_abs"],
            )

    def test_blups_and_their_precision(self, model, engine):
        estimates, tolerance = stored(model)
        fit = fit_known(model, engine)
        for (group, name), (term, column) in model.effects.items():
            theirs = estimates["ranef"][group][name]
            table = fit.blup(term)
            ours = table[table["column"] == column].set_index("level")
            assert set(ours.index) == set(theirs["levels"])
            levels = pd.Series(theirs["levels"])
            np.testing.assert_allclose(
                ours.loc[levels.index, "blup"], levels, rtol=0, atol=tolerance["solutions_abs"]
            )
            for key in ("pev", "reliability", "accuracy"):
                if key in theirs:
                    values = pd.Series(theirs[key])
                    np.testing.assert_allclose(
                        ours.loc[values.index, key], values, rtol=tolerance["pev_rel"]
                    )

    @pytest.mark.parametrize("method", ["REML", "ML"])
    def test_likelihood(self, model, engine, method):
        estimates, tolerance = stored(model)
        ours = fit_known(model, engine, method).loglik()
        limit = tolerance["logLik_abs"]
        assert ours == pytest.approx(estimates[f"logLik_{method}"], rel=0, abs=limit)

    def test_variances_stay_as_given(self, model, engine):
        estimates, _ = stored(model)
        ours = sorted(fit_known(model, engine).varcorr()["vcov"])
        theirs = sorted(row["vcov"] for row in estimates["varcomp"])
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("keys", [("animal",), ("dam",), ("animal", "dam")], ids="+".join)
def test_pedigree_of_tagged_terms_under_any_of_their_keys(keys):
    """One pedigree for direct and maternal effects, given under either column or under both."""
    model = MODELS[1]
    estimates, tolerance = stored(model)
    ours = fit_known(model, "auto", keys=keys).loglik()
    assert ours == pytest.approx(estimates["logLik_REML"], rel=0, abs=tolerance["logLik_abs"])
