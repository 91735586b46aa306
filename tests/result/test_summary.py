"""The summary: the parts that lme4 prints, and the same numbers as the tables in every form."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from animalmm import fit
from animalmm.datasets import load
from animalmm.errors import BoundaryWarning, DroppedRowsWarning, RankDeficiencyWarning


def cells(summary):
    """The tables of the HTML form by heading: rows of cells as text."""
    root = ElementTree.fromstring(f"<div>{summary._repr_html_()}</div>")
    tables, heading = {}, None
    for node in root:
        if node.tag == "h4":
            heading = node.text
        elif node.tag == "table":
            rows = [["".join(c.itertext()) for c in row] for row in node.iter("tr")]
            tables[heading] = rows
    return tables


def numbers(rows):
    return [
        float(cell) for row in rows for cell in row if re.fullmatch(r"-?[\d.]+(e[-+]\d+)?", cell)
    ]


@pytest.fixture(scope="module")
def summary(sleep):
    return sleep.summary()


def test_parts_of_lme4(summary):
    text = str(summary)
    parts = [
        "Linear mixed model fit by REML",
        "Formula: Reaction ~ Days + (Days | Subject)",
        "REML criterion: 1743.6",
        "Scaled residuals:",
        "Min      1Q  Median     3Q   Max",
        "Random effects:",
        "Groups",
        "Residual",
        "Fixed effects:",
        "Correlation of fixed effects:",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert "180" in text
    assert "Levels of Subject: 18" in text
    for number in ("-3.954", "0.4634", "5.179", "612.09", "24.740", "35.07", "5.922", "0.07"):
        assert number in text
    assert "average information" in text
    for number in ("288.78", "14.78", "77.19", "0.07209"):
        assert number in text
    for number in ("251.41", "6.825", "36.838", "10.47", "1.546", "6.771", "-0.138"):
        assert number in text
    assert repr(summary) == text


def test_ml_says_so(sleepstudy):
    text = str(fit("Reaction ~ Days + (1 | Subject)", sleepstudy, method="ML").summary())
    assert "fit by maximum likelihood" in text
    assert "REML" not in text


def test_tables_are_those_of_the_fit(sleep, summary):
    pd.testing.assert_frame_equal(summary.fixed, sleep.coefficients())
    pd.testing.assert_frame_equal(summary.shares, sleep.h2()[["variance", "share", "se"]])
    variances = sleep.varcorr()
    variances = variances[variances["var2"].isna()]
    np.testing.assert_array_equal(summary.random["Variance"], variances["vcov"])
    np.testing.assert_array_equal(summary.random["Std.Err."], variances["se"])
    np.testing.assert_array_equal(summary.random["Std.Dev."], variances["sdcor"])
    assert list(summary.random["Groups"]) == ["Subject", "", "Residual"]
    assert list(summary.random["Name"]) == ["(Intercept)", "Days", ""]
    assert summary.facts["AIC"] == pytest.approx(sleep.aic)
    assert summary.facts["BIC"] == pytest.approx(sleep.bic)
    assert summary.facts["REML criterion"] == pytest.approx(sleep.remlcrit)
    assert list(summary.residuals.index) == ["Min", "1Q", "Median", "3Q", "Max"]
    scaled = sleep.resid / sleep.sigma
    np.testing.assert_allclose(summary.residuals, np.quantile(scaled, [0, 0.25, 0.5, 0.75, 1]))
    np.testing.assert_allclose(np.diag(summary.correlation), 1.0)
    assert summary.notes == ()


def test_weighted_residuals_are_scaled_by_their_weights(herd, herd_data):
    scaled = herd.resid * np.sqrt(herd_data["w"]) / herd.sigma
    assert herd.summary().residuals["Max"] == pytest.approx(scaled.max())


@pytest.mark.parametrize("name", ["sleep", "uncorrelated", "course", "herd"])
def test_html_has_the_numbers_of_the_text(name, request):
    summary = request.getfixturevalue(name).summary()
    tables = cells(summary)
    assert list(tables)[-1] == "Fixed effects"
    shown = numbers(tables["Fixed effects"])
    np.testing.assert_allclose(shown, summary.fixed.to_numpy().ravel(), rtol=2e-3)
    text = str(summary)
    for rows in tables.values():
        for cell in (cell for row in rows for cell in row):
            assert cell in text, f"{cell!r} is in the HTML and not in the text"


def test_html_is_escaped(herd_data):
    data = herd_data.rename(columns={"x": "a<b & c"})
    known = {"herd": 1.0, "Residual": 1.0}
    summary = fit("y ~ `a<b & c` + (1 | herd)", data, fixed=known).summary()
    assert "a&lt;b &amp; c" in summary._repr_html_()
    assert cells(summary)["Fixed effects"][2][0].strip("`") == "a<b & c"


def test_levels_without_records(course):
    text = str(course.summary())
    assert "Levels of animal: 1200, 200 of them without records" in text


def test_without_fixed_effects(sleepstudy):
    found = fit("Reaction ~ 0 + (1 | Subject)", sleepstudy)
    assert found.vcov().shape == (0, 0)
    assert found.coefficients().shape == (0, 3)
    assert len(found.fixef()) == 0
    assert found.remlcrit == pytest.approx(found.deviance)
    text = str(found.summary())
    assert "Correlation" not in text
    assert "Empty DataFrame" not in text
    cells(found.summary())


def test_one_fixed_effect(sleepstudy):
    summary = fit("Reaction ~ 1 + (1 | Subject)", sleepstudy).summary()
    text = str(summary)
    assert "Correlation of fixed effects" not in text
    assert re.search(r"\(Intercept\) +298.5 +9.05\d* +32.98", text)  # as lme4 prints
    cells(summary)


@pytest.fixture(scope="module")
def quadratic(herd_data):
    z = np.linspace(-1.0, 1.0, len(herd_data))
    sigma = np.array([[1.0, 0.5, -0.25], [0.5, 1.0, 0.1], [-0.25, 0.1, 1.0]])
    known = {"herd": sigma, "Residual": 1.0}
    return fit("y ~ x + (x + z | herd)", herd_data.assign(z=z), fixed=known)


def test_several_correlated_slopes(quadratic):
    summary = quadratic.summary()
    assert list(summary.random["Corr"]) == ["", "0.50", "-0.25 0.10", ""]
    lines = str(summary).splitlines()
    row = next(line for line in lines if line.split()[:1] == ["z"])
    assert row.split()[-2:] == ["-0.25", "0.10"]
    cells(summary)


def test_many_fixed_effects_print_without_their_correlations(herd_data):
    data = herd_data.assign(f=[f"f{i % 25:02d}" for i in range(len(herd_data))])
    known = {"herd": 1.0, "Residual": 1.0}
    text = str(fit("y ~ f + (1 | herd)", data, fixed=known).summary())
    assert "f24" in text
    assert "Correlation" not in text


def test_notes_of_dropped_rows_and_columns(sleepstudy):
    data = sleepstudy.assign(hours=24.0 * sleepstudy["Days"])
    data.loc[[2, 3], "Reaction"] = np.nan
    with pytest.warns(DroppedRowsWarning), pytest.warns(RankDeficiencyWarning):
        summary = fit("Reaction ~ Days + hours + (1 | Subject)", data).summary()
    rows, columns = summary.notes
    assert "2 of 180 rows dropped" in rows
    assert "Reaction missing in 2" in rows
    assert "'hours'" in columns
    html = " ".join(ElementTree.fromstring(f"<div>{summary._repr_html_()}</div>").itertext())
    for note in summary.notes:
        assert note in str(summary)
        assert note in html


def test_note_of_the_boundary():
    with pytest.warns(BoundaryWarning):
        summary = fit("Yield ~ 1 + (1 | Batch)", load("dyestuff2").data).summary()
    (note,) = summary.notes
    assert note.startswith("Boundary (singular) fit")
    assert "'Batch'" in note, "names keep their capitals"
    assert not re.search(r"\. [a-z]", note), "sentences start with a capital"
    assert note in str(summary)


def test_singular_correlation_prints(herd_data):
    known = {"herd": [[1.0, 0.0], [0.0, 0.0]], "Residual": 1.0}
    summary = fit("y ~ x + (x | herd)", herd_data, fixed=known).summary()
    assert re.search(r"\bx( +0\.0+){3} +(nan|NaN)", str(summary))
    cells(summary)


@pytest.mark.parametrize("scale", [1e-9, 1e-6, 1e6, 1e9])
def test_any_unit_of_the_response_is_readable(sleepstudy, scale):
    data = sleepstudy.assign(Reaction=scale * sleepstudy["Reaction"])
    known = {"Subject": 1000.0 * scale**2, "Residual": 900.0 * scale**2}
    summary = fit("Reaction ~ Days + (1 | Subject)", data, fixed=known).summary()
    text = str(summary)
    assert max(len(line) for line in text.splitlines()) < 80
    row = next(line for line in text.splitlines() if line.split()[:1] == ["Days"])
    shown = [float(word) for word in row.split()[1:]]
    np.testing.assert_allclose(shown, summary.fixed.loc["Days"], rtol=2e-3)
    row = next(line for line in text.splitlines() if line.split()[:2] == ["Subject", "(Intercept)"])
    shown = [float(word) for word in row.split()[2:]]
    expected = [1000.0 * scale**2, 0.0, np.sqrt(1000.0) * scale]  # known, so without an error
    np.testing.assert_allclose(shown, expected, rtol=2e-3)


def test_a_small_number_beside_a_large_one_is_not_printed_as_zero(sleepstudy):
    data = sleepstudy.assign(Days=1e6 * sleepstudy["Days"], Reaction=1e5 + sleepstudy["Reaction"])
    summary = fit("Reaction ~ Days + (1 | Subject)", data).summary()
    row = next(line for line in str(summary).splitlines() if line.split()[:1] == ["Days"])
    shown = [float(word) for word in row.split()[1:]]
    np.testing.assert_allclose(shown, summary.fixed.loc["Days"], rtol=1e-3)
