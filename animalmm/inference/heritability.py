"""Shares of the phenotypic variance: heritability, repeatability, any intraclass correlation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Problem, Psi
from animalmm.covariance import RESIDUAL

__all__ = ["variance_shares"]


def variance_shares(problem: Problem, psi: Psi) -> pd.DataFrame:
    """Share of each random term and of the residual in the phenotypic variance.

    The variance of a term is that of a record of the base population, ``z' Sigma z`` with K_jj
    = 1, averaged over the records; for a random intercept that is Sigma itself. The share of an
    additive genetic term is the narrow-sense heritability, if its K is on the scale of the base
    population (mean diagonal about one); a K on another scale gives another share of the same
    model. Terms that share Sigma by a tag (direct and maternal effects) have one share, of the
    sum of their variances: the covariance between the levels of one record, an animal and its
    dam, is not counted. With random slopes the average over the records is that of Johnson
    (2014, Methods in Ecology and Evolution 5: 944-946).

    Returns
    -------
    DataFrame
        Index the terms and "Residual"; columns ``variance share known``, the last of which tells
        the terms with a relationship matrix. The shares sum to one.
    """
    variances = [
        _mean_variance(term.Z, sigma, term.t)
        for term, sigma in zip(problem.terms, psi.sigmas, strict=True)
    ]
    residual = psi.sigma2 * float(np.mean(1.0 / problem.weights))
    values = np.array([*variances, residual])
    return pd.DataFrame(
        {
            "variance": values,
            "share": values / values.sum(),
            "known": [t.known for t in problem.terms] + [False],
        },
        index=[t.name for t in problem.terms] + [RESIDUAL],
    )


def _mean_variance(Z: sparse.csr_array, sigma: np.ndarray, t: int) -> float:
    """Mean over the records of ``sum_j z_j' Sigma z_j``, z_j the t coefficients of level j."""
    if t == 1:
        return float(sigma.item() * Z.power(2).sum() / Z.shape[0])
    coo = Z.tocoo()
    level, effect = np.divmod(coo.col, t)
    pairs, where = np.unique(
        coo.row.astype(np.int64) * (Z.shape[1] // t) + level, return_inverse=True
    )
    coefficients = np.zeros((len(pairs), t))
    np.add.at(coefficients, (where, effect), coo.data)
    return float(np.einsum("ia,ab,ib->", coefficients, sigma, coefficients) / Z.shape[0])
