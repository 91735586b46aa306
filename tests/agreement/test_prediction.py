"""Predictions for new rows, unseen levels included, against lme4."""

import pytest

from . import compare
from .models import ENGINES, METHODS, SLEEPSTUDY
from .references import references


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", SLEEPSTUDY, ids=str)
def test_prediction_of_new_rows(model, method, engine):
    (lme4,) = (r for r in references(model, method) if "predict_newdata" in r)
    found = compare.predictions(model.fit(method=method, engine=engine), lme4)
    assert max(found.values()) <= 1, found
