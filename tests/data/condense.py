"""Make the compact expected numbers of this folder from the full reference corpus.

Usage: ``python tests/data/condense.py path/to/reference``. Only what the tests use is kept and no
digit is changed: the fits of the dense likelihood and of lme4 with tight convergence, and of those
the estimates named below. Values of single levels are kept once for each model: BLUPs of the dense
likelihood with the prediction error variances of the REML fit, conditional variances of lme4. What
is left out is still covered by the summaries over all levels (n, sum, sum of squares, min, max).
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CASES = (
    "s1_gist1859",
    "s2_course",
    "s3_sleepstudy",
    "s4_cake",
    "s4_dyestuff",
    "s4_dyestuff2",
    "s4_pastes",
    "s4_penicillin",
    "s8b_repeatability",
    "s8e_random_regression",
    "s8f_zero_variance",
)
TABLES = ("s8b_repeatability", "s8e_random_regression", "s8f_zero_variance")
HEAD = (
    "case",
    "title",
    "source",
    "files",
    "models",
    "conventions",
    "em_trace",
    "tolerance",
    "made_with",
)
FIT = ("tool", "version", "call", "label", "model", "method")
ESTIMATES = (
    "varcomp",
    "se_varcomp_average_information",
    "se_varcomp_observed_information",
    "h2",
    "h2_se_ai",
    "beta",
    "se_beta",
    "vcov_beta",
    "theta",
    "sigma",
    "logLik",
    "reml_criterion",
    "deviance",
    "AIC",
    "BIC",
    "fitted",
    "fitted_all",
    "residuals",
    "predict_newdata",
    "objective_at_theta",
)
SUMMARIES = ("n_levels", "summary", "pev_summary", "condVar_summary")


def is_reference(fit: dict[str, Any]) -> bool:
    """Whether a fit is the dense likelihood, or lme4 with tight convergence or hand-made terms."""
    label = fit.get("label") or ""
    return fit["tool"] == "own-dense" or (
        fit["tool"] == "lme4" and ("tight" in label or "modular" in label)
    )


def condense(corpus: dict[str, Any]) -> dict[str, Any]:
    """Keep of one case what the tests use."""
    fits = [condense_fit(fit) for fit in corpus["fits"] if is_reference(fit)]
    return _pick(corpus, HEAD) | {"fits": fits}


def condense_fit(fit: dict[str, Any]) -> dict[str, Any]:
    """Keep of one fit what the tests use."""
    kept = _pick(fit["estimates"], ESTIMATES)
    ranef = fit["estimates"].get("ranef") or {}
    kept["ranef"] = {
        group: {name: _effect(name, column, _level_values(fit)) for name, column in columns.items()}
        for group, columns in ranef.items()
    }
    return _pick(fit, FIT) | {"estimates": kept}


def _level_values(fit: dict[str, Any]) -> tuple[str, ...]:
    """Which values of single levels to keep of a fit."""
    if fit["tool"] == "own-dense":
        return ("levels", "pev") if fit["method"] == "REML" else ("levels",)
    return () if "modular" in fit["label"] else ("condVar",)


def _effect(name: str, column: dict[str, Any], levels: tuple[str, ...]) -> dict[str, Any]:
    if name == "condVar_matrices":
        return column
    return _pick(column, (*SUMMARIES, *levels))


def _pick(table: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: table[name] for name in names if table.get(name) is not None}


def write(condensed: dict[str, Any], path: Path) -> None:
    """Write JSON with one fit on each line, so that differences can be read."""
    head = json.dumps({k: v for k, v in condensed.items() if k != "fits"}, indent=1)
    fits = ",\n".join(json.dumps(fit, separators=(",", ":")) for fit in condensed["fits"])
    path.write_text(f'{head[:-2]},\n "fits": [\n{fits}\n]}}\n')


def main(reference: Path) -> None:
    """Write every case."""
    for case in CASES:
        folder = HERE / case
        folder.mkdir(exist_ok=True)
        corpus = json.loads((reference / case / "expected.json").read_text())
        write(condense(corpus), folder / "expected.json")
        for table in ("data.csv", "pedigree.csv") if case in TABLES else ():
            shutil.copyfile(reference / case / table, folder / table)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
