"""Model matrices against those of R's model.matrix, stored by data/model_matrix.R."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from animalmm.design.coding import code
from animalmm.formula.parse import parse_formula

R = json.loads(Path(__file__).with_name("data").joinpath("model_matrix_R.json").read_text())
SPELLINGS = {"Boundary.knots": "boundary_knots", "as.factor": "factor", " = ": "="}


@pytest.fixture(scope="module")
def data():
    table = pd.DataFrame(R["data"])
    for name, levels in R["levels"].items():
        table[name] = pd.Categorical(table[name], categories=levels, ordered=name == "o")
    return table


def ours(text):
    """Write as here what R spells otherwise; keyword arguments are printed without spaces."""
    for theirs, here in SPELLINGS.items():
        text = text.replace(theirs, here)
    return text


@pytest.mark.parametrize("case", R["cases"], ids=lambda case: str(case["rhs"]))
def test_model_matrix_is_that_of_r(case, data):
    fixed = parse_formula(f"y ~ {ours(case['rhs'])}").fixed
    X, coding = code(fixed, data, contrasts=case.get("contrasts"))
    assert list(coding.names) == [ours(name) for name in case["names"]]
    assert coding.assign.tolist() == np.atleast_1d(case["assign"]).tolist()
    np.testing.assert_allclose(X, np.transpose(case["columns"]), rtol=1e-10, atol=1e-10)
    if "new" in case:
        np.testing.assert_allclose(
            coding.matrix(pd.DataFrame(R["new"])), np.transpose(case["new"]), rtol=1e-10, atol=1e-10
        )
