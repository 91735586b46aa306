"""What is told of a fit while it runs, and after it was interrupted."""

import numpy as np
import pytest

from animalmm import fit
from animalmm.algorithms import AverageInformation
from animalmm.errors import ConvergenceWarning
from animalmm.estimation import progress

from .data import random_slopes

FORMULA = "y ~ x + (x | g)"


@pytest.mark.parametrize("algorithm", ["auto", "ai", "em", "px-em", "df"])
def test_the_history_ends_at_the_estimates(algorithm):
    found = fit(FORMULA, random_slopes(), algorithm=algorithm)
    history = found.history
    assert history.index.tolist() == list(range(found.convergence.iterations + 1))
    assert history["step"].iloc[0] == "start"
    last = history.iloc[-1]
    assert last["criterion"] == pytest.approx(found.estimate.criterion, abs=1e-6)
    variances = found.varcorr()["vcov"].to_numpy()
    np.testing.assert_allclose(last.iloc[4:].astype(float), variances, rtol=1e-3)
    assert history.columns[4:].tolist() == ["g.(Intercept)", "g.x", "g.(Intercept):x", "Residual"]


@pytest.mark.parametrize("algorithm", ["ai", "em", "px-em"])
def test_the_gradient_of_the_history_goes_to_zero(algorithm):
    history = fit(FORMULA, random_slopes(), algorithm=algorithm).history
    known = history["gradient"].dropna()
    assert len(known) >= len(history) - 1
    assert known.iloc[-1] < 1e-2 < known.iloc[0]
    assert (history["change"].iloc[1:] > 0).all()


def test_verbose_prints_each_iteration(capsys):
    found = fit(FORMULA, random_slopes(), verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(found.history) + 1
    assert lines[0].split()[:2] == ["iteration", "-2"]
    assert [int(line.split()[0]) for line in lines[1:]] == found.history.index.tolist()
    assert float(lines[-1].split()[1]) == pytest.approx(found.estimate.criterion, abs=1e-5)


def test_nothing_is_printed_otherwise(capfd):
    fit(FORMULA, random_slopes())
    assert capfd.readouterr() == ("", "")


def test_a_long_fit_shows_a_bar_on_a_terminal_and_takes_it_away(monkeypatch, capfd):
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    fit(FORMULA, random_slopes())
    shown = capfd.readouterr().err
    assert "iterations" in shown
    assert "-2 log likelihood" in shown
    assert shown.rsplit("\r", 1)[-1].strip() == ""


def test_where_there_is_no_terminal_there_is_no_bar(monkeypatch, capfd):
    monkeypatch.setattr(progress, "_PATIENCE", 0.0)
    fit(FORMULA, random_slopes())
    assert capfd.readouterr().err == ""


class Interrupted:
    """AI, with Ctrl-C pressed after some iterations."""

    name = "interrupted"

    def __init__(self, after):
        self.after = after

    def minimise(self, objective, start, watch):
        count = 0

        def watch_and_stop(iteration):
            nonlocal count
            if count == self.after:
                raise KeyboardInterrupt
            count += 1
            watch(iteration)

        return AverageInformation().minimise(objective, start, watch_and_stop)


def test_an_interrupted_fit_is_the_best_so_far_and_says_so():
    with pytest.warns(ConvergenceWarning, match="interrupted after 2 iterations: the estimates"):
        found = fit(FORMULA, random_slopes(), algorithm=Interrupted(3))
    assert not found.convergence.converged
    assert found.estimate.criterion == found.history["criterion"].min()
    best = fit(FORMULA, random_slopes())
    assert found.estimate.criterion > best.estimate.criterion
    assert np.isfinite(found.ranef()).all(axis=None)


def test_an_interruption_before_the_first_iteration_is_one():
    with pytest.raises(KeyboardInterrupt):
        fit(FORMULA, random_slopes(), algorithm=Interrupted(0))
