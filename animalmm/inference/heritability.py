"""Shares of the phenotypic variance: heritability, repeatability, any intraclass correlation."""

from __future__ import annotations

import numpy as np
import pandas as pd

from animalmm.core import Matrix, Problem, Psi
from animalmm.covariance import RESIDUAL
from animalmm.estimation.components import second_moment
from animalmm.inference.components import component_values, components
from animalmm.inference.functions import delta

__all__ = ["variance_shares"]


def variance_shares(problem: Problem, psi: Psi, covariance: Matrix) -> pd.DataFrame:
    """Share of each random term and of the residual in the phenotypic variance.

    The variance of a term is that of a record of the base population, ``z' Sigma z`` with K_jj
    = 1, averaged over the records; for a random intercept that is Sigma itself. The share of an
    additive genetic term is the narrow-sense heritability, if its K is on the scale of the base
    population (mean diagonal about one); a K on another scale gives another share of the same
    model. Terms that share Sigma by a tag (direct and maternal effects) have one share, of the
    sum of their variances: the covariance between the levels of one record, an animal and its
    dam, is not counted. With random slopes the average over the records is that of Johnson
    (2014, Methods in Ecology and Evolution 5: 944-946).

    Parameters
    ----------
    problem, psi
        The model and its variance parameters.
    covariance : ndarray, shape (m, m)
        Covariance matrix of the variance components.

    Returns
    -------
    DataFrame
        Index the terms and "Residual"; columns ``variance share se known``: `se` that of the share
        by the delta method, `known` tells the terms with a relationship matrix. The shares sum to
        one.
    """
    M = _mean_coefficients(problem)
    variances = M @ component_values(problem, psi).to_numpy()
    shares = variances / variances.sum()
    se = delta((M - np.outer(shares, M.sum(axis=0))) / variances.sum(), covariance)
    se[M[:, np.isnan(np.diag(covariance))].any(axis=1)] = np.nan  # a term at the boundary has none
    return pd.DataFrame(
        {
            "variance": variances,
            "share": shares,
            "se": se,
            "known": [t.known for t in problem.terms] + [False],
        },
        index=[t.name for t in problem.terms] + [RESIDUAL],
    )


def _mean_coefficients(problem: Problem) -> Matrix:
    """What one unit of each component (columns) adds to the variance of each term (rows)."""
    ones = np.ones(problem.n)
    squares = [second_moment(term, ones) for term in problem.terms]
    squares.append(np.array([[np.mean(1.0 / problem.weights)]]))
    rows = components(problem)
    M = np.zeros((len(squares), len(rows)))
    for k, (i, a, b, _) in enumerate(rows):
        M[i, k] = squares[i][a, b] * (1 if a == b else 2)
    return M
