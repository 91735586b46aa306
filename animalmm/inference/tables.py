"""Tables of estimates: fixed effects and variance components."""

from __future__ import annotations

import numpy as np
import pandas as pd

from animalmm.core import Point, Problem, Psi
from animalmm.covariance import RESIDUAL

__all__ = ["coefficient_table", "covariance_of_fixed_effects", "variance_table"]


def covariance_of_fixed_effects(problem: Problem, point: Point) -> pd.DataFrame:
    """``(X'V^-1X)^-1`` with names, shape (p, p)."""
    return pd.DataFrame(
        point.beta_covariance(), index=list(problem.names), columns=list(problem.names)
    )


def coefficient_table(problem: Problem, point: Point) -> pd.DataFrame:
    """One row for each fixed effect: ``estimate se t``.

    The t is lme4's: the estimate over its standard error, with no claim about degrees of freedom.
    """
    se = np.sqrt(point.beta_variances())
    return pd.DataFrame(
        {"estimate": point.beta, "se": se, "t": point.beta / se}, index=list(problem.names)
    )


def variance_table(problem: Problem, psi: Psi) -> pd.DataFrame:
    """One row for each variance component, as lme4's ``as.data.frame(VarCorr(fit))``.

    Columns ``grp var1 var2 vcov sdcor``: the variances of a term, then its covariances (`sdcor` is
    then the correlation), the residual last.
    """
    rows: list[tuple[str, str | None, str | None, float, float]] = []
    for term, sigma in zip(problem.terms, psi.sigmas, strict=True):
        sd = np.sqrt(np.diag(sigma))
        rows += [
            (term.name, name, None, float(sigma[c, c]), float(sd[c]))
            for c, name in enumerate(term.columns)
        ]
        if term.structure.name == "diag":
            continue
        with np.errstate(invalid="ignore", divide="ignore"):
            correlation = sigma / np.outer(sd, sd)
        rows += [
            (term.name, term.columns[a], term.columns[b], float(sigma[b, a]), correlation[b, a])
            for a in range(term.t)
            for b in range(a + 1, term.t)
        ]
    rows.append((RESIDUAL, None, None, psi.sigma2, float(np.sqrt(psi.sigma2))))
    # object columns keep None for "no effect"; pandas 3 would make it NaN in some tables only
    table = pd.DataFrame(rows, columns=["grp", "var1", "var2", "vcov", "sdcor"], dtype=object)
    return table.astype({"vcov": float, "sdcor": float})
