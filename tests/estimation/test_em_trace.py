"""The trace of EM-REML on the course data, iteration by iteration, against the stored one."""

import json

import numpy as np
import pytest

from ..agreement.models import COURSE, folder


@pytest.mark.parametrize("model", COURSE, ids=str)
@pytest.mark.parametrize("engine", ["mme", "whitened"])
def test_the_trace_is_the_stored_one(model, engine):
    stored = json.loads((folder(model.case) / "expected.json").read_text())
    trace = stored["em_trace"][model.name]
    start = {"animal": trace["start"]["sigma2_a"], "Residual": trace["start"]["sigma2_e"]}
    fit = model.fit(algorithm="em", start=start, engine=engine)
    limit = stored["tolerance"]["em_trace_rel"]
    steps = fit.history.loc[1 : len(trace["iteration"])]
    assert (steps["step"] == "EM").all()
    np.testing.assert_allclose(steps["animal"], trace["sigma2_a"], rtol=limit)
    np.testing.assert_allclose(steps["Residual"], trace["sigma2_e"], rtol=limit)
    best = trace["converged"]
    assert fit.history["animal"].iloc[-1] == pytest.approx(best["sigma2_a"], rel=1e-3)
    assert fit.estimate.psi.sigma2 == pytest.approx(best["sigma2_e"], rel=1e-3)
