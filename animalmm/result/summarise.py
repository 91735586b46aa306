"""Collect the tables of a summary."""

from __future__ import annotations

import numpy as np
import pandas as pd

from animalmm import inference
from animalmm.core import Matrix, Point, Problem
from animalmm.design import Design
from animalmm.errors import listing
from animalmm.estimation import Estimate
from animalmm.result.summary import MAX_CORRELATIONS, Summary

__all__ = ["summarise"]


def summarise(design: Design, estimate: Estimate, covariance: Matrix) -> Summary:
    """Make the summary of a fit; `covariance` is that of the variance components."""
    problem, point = design.problem, estimate.point
    by = "REML" if estimate.method == "REML" else "maximum likelihood"
    return Summary(
        title=f"Linear mixed model fit by {by}",
        formula=design.spec.text,
        facts=_facts(design, estimate),
        residuals=_residuals(design, estimate),
        random=_random(problem, inference.variance_table(problem, estimate.psi, covariance)),
        shares=inference.variance_shares(problem, estimate.psi, covariance).drop(columns="known"),
        fixed=inference.coefficient_table(problem, point),
        correlation=_correlation(problem, point),
        notes=_notes(design, estimate),
    )


def _correlation(problem: Problem, point: Point) -> pd.DataFrame:
    """Correlation of the fixed effects; of too many to print it would cost more than the fit."""
    if problem.p > MAX_CORRELATIONS:
        return pd.DataFrame()
    vcov = inference.covariance_of_fixed_effects(problem, point)
    se = np.sqrt(np.diag(vcov))
    return vcov.div(se, axis=0).div(se, axis=1)


def _facts(design: Design, estimate: Estimate) -> pd.Series:
    problem = design.problem
    name = "REML criterion" if estimate.method == "REML" else "-2 log likelihood"
    npar = problem.p + estimate.space.n_variance_parameters
    facts: dict[str, object] = {
        name: estimate.criterion,
        "AIC": estimate.criterion + 2.0 * npar,
        "BIC": estimate.criterion + float(np.log(problem.n)) * npar,
        "Number of records": problem.n,
    }
    for term in problem.terms:
        recorded = len(np.unique(term.Z.indices // term.t))
        rest = term.q - recorded
        facts[f"Levels of {term.group}"] = (
            f"{term.q}, {rest} of them without records" if rest else term.q
        )
    return pd.Series(facts, dtype=object)


def _residuals(design: Design, estimate: Estimate) -> pd.Series:
    problem = design.problem
    rest = problem.y - inference.fitted(design, estimate.point)
    scaled = np.sqrt(problem.weights) * rest / np.sqrt(estimate.psi.sigma2)
    quantiles = np.quantile(scaled, [0.0, 0.25, 0.5, 0.75, 1.0])
    return pd.Series(quantiles, index=["Min", "1Q", "Median", "3Q", "Max"])


def _random(problem: Problem, varcorr: pd.DataFrame) -> pd.DataFrame:
    """lme4's layout: the correlations of an effect with those before it, beside its variance."""
    variances = varcorr[varcorr["var2"].isna()]
    table = pd.DataFrame(
        {
            "Groups": variances["grp"].where(~variances["grp"].duplicated(), ""),
            "Name": variances["var1"].fillna(""),
            "Variance": variances["vcov"],
            "Std.Err.": variances["se"],
            "Std.Dev.": variances["sdcor"],
        }
    )
    pairs = varcorr[varcorr["var2"].notna()]
    if len(pairs):
        by = {(g, b, a): c for g, a, b, c in pairs[["grp", "var1", "var2", "sdcor"]].to_numpy()}
        table["Corr"] = [
            " ".join(
                f"{by[grp, name, other]:.2f}"
                for other in _before(problem, grp, name)
                if (grp, name, other) in by
            )
            for grp, name in variances[["grp", "var1"]].to_numpy()
        ]
    return table.reset_index(drop=True)


def _before(problem: Problem, grp: str, name: str) -> tuple[str, ...]:
    for term in problem.terms:
        if term.name == grp:
            return term.columns[: term.columns.index(name)]
    return ()


def _notes(design: Design, estimate: Estimate) -> tuple[str, ...]:
    frame, verdict = design.frame, estimate.convergence
    notes = []
    if frame.dropped:
        causes = ", ".join(f"{name} missing in {count}" for name, count in frame.dropped.items())
        lost = frame.n_given - len(frame.rows)
        notes.append(f"{lost} of {frame.n_given} rows dropped: {causes}.")
    if design.dropped:
        notes.append(
            f"Columns dropped from the fixed effects, being combinations of others: "
            f"{listing(design.dropped)}."
        )
    if verdict.boundary:
        message = verdict.boundary_message
        notes.append(message[0].upper() + message[1:] + ".")
    if not verdict.converged:
        notes.append("Convergence: " + verdict.message + ".")
    return tuple(notes)
