"""Deviations of a fit from a reference, in units of the tolerance: up to 1 agrees.

Every measure takes a fit and a reference and gives the worst deviations by what they are of; it is
empty when the reference does not have the quantity.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from animalmm import Fit

from .references import Reference

Deviations: TypeAlias = dict[str, float]

RESIDUAL = ("Residual", None)


def worst(ours: ArrayLike, theirs: ArrayLike, allowed: ArrayLike) -> float:
    """Largest ``|ours - theirs| / allowed``; zero over zero agrees, NaN never does."""
    difference = np.abs(np.asarray(ours, dtype=float) - np.asarray(theirs, dtype=float))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(difference == 0, 0.0, difference / np.asarray(allowed))
    return float(np.max(ratio))


# -- variance components -----------------------------------------------------------------------


def variance_components(fit: Fit, reference: Reference) -> Deviations:
    """Variances, standard deviations, covariances and correlations of `varcorr`."""
    table = fit.varcorr()
    is_variance = table["var2"].isna()
    ours = _by_term(table[is_variance])
    assert set(ours) == set(reference.variances)
    found = {}
    for key, theirs in reference.variances.items():
        allowed = _allowed_variance(key, reference)
        found[f"variance {key}"] = worst(ours[key]["vcov"], theirs, allowed)
        spread = allowed / (2 * np.sqrt(theirs)) if theirs > 0 else np.sqrt(allowed)
        found[f"sd {key}"] = worst(ours[key]["sdcor"], np.sqrt(theirs), spread)
    pairs = {
        (row.grp, frozenset((row.var1, row.var2))): (row.vcov, row.sdcor)
        for row in table[~is_variance].itertuples()
    }
    assert set(pairs) == set(reference.covariances)
    for key, theirs in reference.covariances.items():
        limit = reference.tolerance.covariance
        v1, v2 = (reference.variances[key[0], effect] for effect in sorted(key[1]))
        allowed = [limit * np.sqrt(v1 * v2), limit]
        found[f"covariance {key[0]}"] = worst(pairs[key], theirs, allowed)
    return found


def sigma(fit: Fit, reference: Reference) -> Deviations:
    """Residual standard deviation."""
    theirs = np.sqrt(reference.variances[RESIDUAL])
    return {"sigma": worst(fit.sigma, theirs, reference.tolerance.variance * theirs / 2)}


def theta(fit: Fit, reference: Reference) -> Deviations:
    """lme4's theta, by its names; for a tool without theta that of its variances."""
    if "theta" not in reference:
        theirs = _relative_factors(fit, reference)
    elif isinstance(reference["theta"], Mapping):
        known = {_theta_name(name): value for name, value in reference["theta"].items()}
        theirs = np.array([known[name] for name in theta_names(fit)])
    else:
        theirs = np.atleast_1d(reference["theta"])
    scale = max(1.0, float(np.abs(theirs).max(initial=0.0)))
    return {"theta": worst(fit.get_me("theta"), theirs, reference.tolerance.theta * scale)}


def theta_names(fit: Fit) -> list[str]:
    """lme4's names of the elements of theta, in our order of terms."""
    names = []
    for term in fit.design.problem.terms:
        for c, column in enumerate(term.columns):
            names.append(f"{term.group}.{column}")
            names += [f"{term.group}.{row}.{column}" for row in term.columns[c + 1 :]]
    return names


def _theta_name(name: str) -> str:
    """The dense likelihood has ``animal`` where lme4 has ``animal.(Intercept)``."""
    return name if "." in name else f"{name}.(Intercept)"


def _relative_factors(fit: Fit, reference: Reference) -> np.ndarray:
    """Lower Cholesky factors of Sigma / sigma2, column by column."""
    pieces = [np.empty(0)]
    for term in fit.design.problem.terms:
        sigma = np.array(
            [[_covariance(reference, term.name, a, b) for b in term.columns] for a in term.columns]
        )
        relative = sigma / reference.variances[RESIDUAL]
        T = np.linalg.cholesky(relative) if relative.any() else relative
        pieces += [T[c:, c] for c in range(term.t)]
    return np.concatenate(pieces)


def _covariance(reference: Reference, term: str, a: str, b: str) -> float:
    if a == b:
        return reference.variances[term, a]
    return reference.covariances[term, frozenset((a, b))][0]


def _by_term(table: pd.DataFrame) -> dict[tuple[str, str | None], Mapping[str, Any]]:
    effect = table["var1"].astype(object).where(table["var1"].notna(), None)
    rows = table.to_dict("records")
    return dict(zip(zip(table["grp"], effect, strict=True), rows, strict=True))


def _allowed_variance(key: tuple[str, str | None], reference: Reference) -> float:
    variance, limits = reference.variances[key], reference.tolerance
    if variance > 0:
        return limits.variance * variance
    if limits.zero_variance is not None:
        return limits.zero_variance
    return limits.variance * reference.variances[RESIDUAL]


# -- likelihood --------------------------------------------------------------------------------


def criteria(fit: Fit, reference: Reference) -> Deviations:
    """Log likelihood, criterion and information criteria.

    The dense likelihood does not count a variance that is zero as a parameter, lme4 does; so its
    AIC and BIC of a singular fit are left out.
    """
    limit = reference.tolerance.loglik
    ours = {"logLik": fit.loglik(), "reml_criterion": fit.remlcrit, "deviance": fit.deviance}
    if not (fit.is_singular() and reference.tool == "own-dense"):
        ours |= {"AIC": fit.aic, "BIC": fit.bic}
    return {
        name: worst(value, reference[name], limit if name == "logLik" else 2 * limit)
        for name, value in ours.items()
        if name in reference
    }


# -- fixed effects -----------------------------------------------------------------------------


def fixed_effects(fit: Fit, reference: Reference) -> Deviations:
    """Estimates, in their standard errors."""
    theirs = pd.Series(reference["beta"])
    assert set(fit.fixef().index) == set(theirs.index)
    allowed = reference.tolerance.beta * pd.Series(reference["se_beta"])[theirs.index]
    return {"beta": worst(fit.fixef()[theirs.index], theirs, allowed)}


def standard_errors(fit: Fit, reference: Reference) -> Deviations:
    """Standard errors, relative."""
    theirs = pd.Series(reference["se_beta"])
    ours = fit.coefficients()["se"][theirs.index]
    return {"se": worst(ours, theirs, reference.tolerance.se * theirs)}


def covariance_of_fixed_effects(fit: Fit, reference: Reference) -> Deviations:
    """``vcov``, each element in the product of the two standard errors."""
    if "vcov_beta" not in reference:
        return {}
    rows, cols, theirs = (reference["vcov_beta"][k] for k in ("rows", "cols", "values"))
    se = np.sqrt(np.diag(theirs))
    allowed = 2 * reference.tolerance.se * np.outer(se, se)
    return {"vcov": worst(fit.vcov().loc[rows, cols], theirs, allowed)}


# -- random effects ----------------------------------------------------------------------------


def blups(fit: Fit, reference: Reference) -> Deviations:
    """BLUPs of all levels, with and without records, in standard deviations of the effect."""
    found = {}
    for term, column, known in reference.effects():
        ours = fit.ranef(term)[column]
        assert len(ours) == known["n_levels"]
        variance = reference.variance_of(term, column) or reference.variances[RESIDUAL]
        allowed = reference.tolerance.blup * np.sqrt(variance)
        found |= _levels(f"{term} {column}", ours, known, "levels", "summary", allowed)
    return found


def prediction_error_variances(fit: Fit, reference: Reference) -> Deviations:
    """PEV of all levels, relative."""
    found = {}
    for term, column, known in reference.effects():
        if "pev_summary" in known:
            table = fit.blup(term)
            ours = table[table["column"] == column].set_index("level")["pev"]
            found |= _relative_levels(f"{term} {column}", ours, known, "pev", reference)
    return found


def conditional_variances(fit: Fit, reference: Reference) -> Deviations:
    """lme4's ``condVar``: the diagonal, and the whole matrix of each level where it is stored."""
    found = {}
    for term, column, known in reference.effects():
        if "condVar_summary" in known:
            ours = fit.condvar(term)[column].xs(column, level="column")
            found |= _relative_levels(f"{term} {column}", ours, known, "condVar", reference)
    for term, columns in reference["ranef"].items():
        for level, theirs in columns.get("condVar_matrices", {}).items():
            sd = np.sqrt(np.diag(theirs))
            allowed = reference.tolerance.pev * np.outer(sd, sd)
            ours = fit.condvar(term).loc[level]
            found[f"condVar matrix {term} {level}"] = worst(ours, theirs, allowed)
    return found


def _relative_levels(
    label: str, ours: pd.Series, known: Mapping[str, Any], what: str, reference: Reference
) -> Deviations:
    allowed = reference.tolerance.pev * abs(known[f"{what}_summary"]["max"])
    return _levels(f"{what} {label}", ours, known, what, f"{what}_summary", allowed)


def _levels(
    label: str, ours: pd.Series, known: Mapping[str, Any], levels: str, summary: str, allowed: float
) -> Deviations:
    """Compare single levels as far as they are stored, and the summary over all of them."""
    found = {label: summary_deviation(ours, known[summary], allowed)}
    if levels in known:
        theirs = pd.Series(known[levels])
        found[f"{label} levels"] = worst(ours[theirs.index], theirs, allowed)
    return found


def summary_deviation(values: ArrayLike, theirs: Mapping[str, float], allowed: float) -> float:
    """Compare n, sum, sum of squares, min and max of values that may each be off by `allowed`."""
    ours = np.asarray(values, dtype=float)
    assert len(ours) == theirs["n"]
    n = theirs["n"]
    return worst(
        [ours.sum(), ours @ ours, ours.min(), ours.max()],
        [theirs[k] for k in ("sum", "sumsq", "min", "max")],
        allowed * np.array([n, 2 * np.sqrt(n * theirs["sumsq"]) or n, 1, 1]),
    )


# -- records -----------------------------------------------------------------------------------


def fitted_values(fit: Fit, reference: Reference) -> Deviations:
    """Fitted values, in standard deviations of a record."""
    allowed = _allowed_record(reference)
    found = {}
    if "fitted" in reference:
        found["fitted"] = summary_deviation(fit.fittedvalues, reference["fitted"], allowed)
    if "fitted_all" in reference:
        found["fitted all"] = worst(fit.fittedvalues, reference["fitted_all"], allowed)
    return found


def residuals(fit: Fit, reference: Reference) -> Deviations:
    """Residuals, in standard deviations of a record."""
    if "residuals" not in reference:
        return {}
    allowed = _allowed_record(reference)
    return {"residuals": summary_deviation(fit.resid, reference["residuals"], allowed)}


def predictions(fit: Fit, reference: Reference) -> Deviations:
    """Predictions for new rows, unseen levels included, with random effects and without."""
    if "predict_newdata" not in reference:
        return {}
    theirs, allowed = reference["predict_newdata"], _allowed_record(reference)
    new = pd.DataFrame(theirs["newdata"])
    conditional = fit.predict(new, allow_new_levels=True)
    marginal = fit.predict(new, random=False)
    return {
        "with random effects": worst(conditional, theirs["with_random_effects"], allowed),
        "population": worst(marginal, theirs["population"], allowed),
    }


def _allowed_record(reference: Reference) -> float:
    return float(reference.tolerance.blup * np.sqrt(sum(reference.variances.values())))
