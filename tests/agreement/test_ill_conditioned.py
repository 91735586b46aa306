"""A kernel whose inverse carries few digits: a warning, and agreement to about 1e-3."""

import numpy as np
import pytest

import animalmm
from animalmm.errors import IllConditionedWarning

from .models import GIST, METHODS, gist_kernel
from .references import references

LOOSE = 1e-3


@pytest.mark.parametrize("method", METHODS)
def test_mme_with_an_ill_conditioned_kernel(method):
    with pytest.warns(IllConditionedWarning):
        fit = animalmm.fit(
            GIST.formula, GIST.data(), {"animal": gist_kernel()}, method=method, engine="mme"
        )
    table = fit.blup()
    reference = references(GIST, method)[0]
    np.testing.assert_allclose(
        fit.varcorr()["vcov"], list(reference.variances.values()), rtol=LOOSE
    )
    se = np.array(list(reference["se_beta"].values()))
    beta = np.array(list(reference["beta"].values()))
    assert np.all(np.abs(fit.fixef().to_numpy() - beta) < LOOSE * se)
    np.testing.assert_allclose(fit.coefficients()["se"], se, rtol=LOOSE)
    assert fit.loglik() == pytest.approx(reference["logLik"], abs=LOOSE)
    known = next(iter(reference.effects()))[2]
    ours = table.set_index("level").loc[list(known["levels"])]
    sd = np.sqrt(reference.variances["animal", "(Intercept)"])
    theirs = np.array(list(known["levels"].values()))
    assert np.all(np.abs(ours["blup"] - theirs) < 10 * LOOSE * sd)
    if "pev" in known:
        np.testing.assert_allclose(ours["pev"], list(known["pev"].values()), rtol=10 * LOOSE)
