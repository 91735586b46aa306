"""Standard errors of variance components by both kinds of information, against the dense ones."""

import numpy as np
import pytest

from .models import COURSE, METHODS, MODELS
from .references import references

RUNS = {f"{model}-{method}": (model, method) for model in MODELS for method in METHODS}


def dense(model, method):
    """The fit of the dense likelihood, whose standard errors come from V and its inverse."""
    (found,) = (r for r in references(model, method) if r.tool.startswith("own-dense"))
    return found


def names_there(model, table):
    """The dense likelihood's names of our components, each with the other ways to write it."""
    theirs = {ours: name for name, ours in model.names.items()}
    for grp, var1, var2 in table[["grp", "var1", "var2"]].itertuples(index=False):
        term = theirs.get(grp, grp)
        yield [term, f"{term}|{var1}|{var2 or var1}", f"{term}|{var2}|{var1}"]


@pytest.fixture(scope="module", params=RUNS.values(), ids=RUNS.keys())
def compared(request):
    model, method = request.param
    return model, model.fit(method=method), dense(model, method)


@pytest.mark.parametrize("information", ["average", "observed"])
def test_standard_errors(compared, information):
    """They are as sensitive to the variances as these are to the optimum, or a few times more."""
    model, fit, reference = compared
    known = reference[f"se_varcomp_{information}_information"]
    theirs = [
        known[next(name for name in names if name in known)]
        for names in names_there(model, fit.varcorr())
    ]
    ours = np.sqrt(np.diag(fit.vcov_varcorr(information)))
    limit = 5 * max(reference.tolerance.variance, 1e-6)  # differences of the gradient: 1e-6
    np.testing.assert_allclose(ours, np.array(theirs, dtype=float), rtol=limit)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", COURSE, ids=str)
def test_heritability(model, method):
    reference, fit = dense(model, method), model.fit(method=method)
    limit = 5 * reference.tolerance.variance
    assert fit.h2()["se"]["animal"] == pytest.approx(reference["h2_se_ai"], rel=limit)
    ratio = fit.vpredict("animal / (animal + Residual)")
    assert ratio["se"] == pytest.approx(reference["h2_se_ai"], rel=limit)
