"""Tables of estimates: fixed effects and variance components."""

from __future__ import annotations

import numpy as np
import pandas as pd

from animalmm.core import Matrix, Point, Problem, Psi
from animalmm.covariance import RESIDUAL
from animalmm.inference.components import components, matrices

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


def variance_table(problem: Problem, psi: Psi, covariance: Matrix) -> pd.DataFrame:
    """One row for each variance component, as lme4's ``as.data.frame(VarCorr(fit))``.

    Columns ``grp var1 var2 vcov sdcor se``: the variances of a term, then its covariances (`sdcor`
    is then the correlation), the residual last; `se` is that of `vcov`, the root of the diagonal
    of the covariance matrix of the components.
    """
    sigmas = matrices(psi)
    names = [(t.name, *t.columns) for t in problem.terms] + [(RESIDUAL, None)]
    rows = components(problem)
    # object columns keep None for "no effect"; pandas 3 would make it NaN in some tables only
    table = pd.DataFrame(
        [
            (names[i][0], names[i][1 + a], None if a == b else names[i][1 + b])
            for i, a, b, _ in rows
        ],
        columns=["grp", "var1", "var2"],
        dtype=object,
    )
    table["vcov"] = [sigmas[i][a, b] for i, a, b, _ in rows]
    table["sdcor"] = [_sdcor(sigmas[i], a, b) for i, a, b, _ in rows]
    table["se"] = np.sqrt(covariance.diagonal())
    return table


def _sdcor(sigma: Matrix, a: int, b: int) -> float:
    """A standard deviation, or a correlation: NaN where a variance is zero."""
    if a == b:
        return float(np.sqrt(sigma[a, a]))
    sds = float(np.sqrt(sigma[a, a]) * np.sqrt(sigma[b, b]))
    return float(sigma[a, b]) / sds if sds > 0 else np.nan
