"""A Fit that was stored gives the same numbers."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

from animalmm import MME, Whitened, fit

from .herd import ANIMAL, SLOPES, forms_of_kinship, herd, kinship, slopes

TABLES = ("varcorr", "fixef", "coefficients", "vcov", "h2", "ngrps", "predict")


def assert_identical(a, b):
    assert a.estimate.criterion == b.estimate.criterion
    for name in TABLES:
        left, right = getattr(a, name)(), getattr(b, name)()
        check = pd.testing.assert_frame_equal
        if isinstance(left, pd.Series):
            check = pd.testing.assert_series_equal
        check(left, right, rtol=1e-13, atol=1e-13)
    for group in a.ngrps().index:
        pd.testing.assert_frame_equal(a.ranef(group), b.ranef(group), rtol=1e-12, atol=1e-13)
        pd.testing.assert_frame_equal(a.blup(group), b.blup(group), rtol=1e-11, atol=1e-12)
    for number in ("llf", "remlcrit", "deviance", "aic", "bic", "sigma", "nobs", "npar"):
        assert getattr(a, number) == pytest.approx(getattr(b, number), rel=1e-14)
    assert str(a.summary()) == str(b.summary())


@pytest.mark.parametrize("form", list(forms_of_kinship()))
def test_an_animal_model_comes_back_whole(form):
    argument, value = forms_of_kinship()[form]
    found = fit(ANIMAL, herd(), **{argument: {"animal": value}}, weights="w")
    assert_identical(pickle.loads(pickle.dumps(found)), found)


@pytest.mark.parametrize("engine", [MME(join=True), Whitened(join=True)])
def test_a_configured_engine_comes_back_too(engine):
    found = fit(SLOPES, slopes(), engine=engine, method="ML")
    again = pickle.loads(pickle.dumps(found))
    assert_identical(again, found)
    assert again.estimate.spec == engine


def test_a_copy_is_a_fit_of_its_own(reference):
    assert_identical(copy.deepcopy(reference), reference)


def test_it_can_be_stored_before_and_after_it_was_asked():
    found = fit(ANIMAL, herd(), {"animal": kinship()})
    early = pickle.loads(pickle.dumps(found))
    found.blup("animal"), found.summary(), found.fittedvalues
    late = pickle.loads(pickle.dumps(found))
    assert_identical(early, late)


def test_new_rows_are_predicted_as_before(reference):
    new = herd().sample(20, random_state=1)
    again = pickle.loads(pickle.dumps(reference))
    np.testing.assert_allclose(again.predict(new), reference.predict(new), rtol=1e-13)
