"""Shares of the phenotypic variance: heritability, repeatability, any intraclass correlation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Matrix, Problem, Psi
from animalmm.covariance import RESIDUAL
from animalmm.inference.components import component_values, components
from animalmm.inference.functions import delta

__all__ = ["variance_shares"]


def variance_shares(problem: Problem, psi: Psi, covariance: pd.DataFrame) -> pd.DataFrame:
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
    covariance : DataFrame
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
    C = covariance.to_numpy()
    se = delta((M - np.outer(shares, M.sum(axis=0))) / variances.sum(), C)
    se[M[:, np.isnan(np.diag(C))].any(axis=1)] = np.nan  # a term at the boundary has none
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
    squares = [_mean_square(term.Z, term.t) for term in problem.terms]
    squares.append(np.array([[np.mean(1.0 / problem.weights)]]))
    rows = components(problem)
    M = np.zeros((len(squares), len(rows)))
    for k, (i, a, b, _) in enumerate(rows):
        M[i, k] = squares[i][a, b] * (1 if a == b else 2)
    return M


def _mean_square(Z: sparse.csr_array, t: int) -> Matrix:
    """Mean over the records of ``sum_j z_j z_j'``, z_j the t coefficients of level j, (t, t)."""
    if t == 1:
        return np.array([[Z.power(2).sum() / Z.shape[0]]])
    coo = Z.tocoo()
    level, effect = np.divmod(coo.col, t)
    pairs, where = np.unique(
        coo.row.astype(np.int64) * (Z.shape[1] // t) + level, return_inverse=True
    )
    coefficients = np.zeros((len(pairs), t))
    np.add.at(coefficients, (where, effect), coo.data)
    return np.asarray(coefficients.T @ coefficients / Z.shape[0])
