"""The form of Sigma nearest to a moment matrix, where it has no closed form."""

from __future__ import annotations

import numpy as np
from scipy import optimize, special

from animalmm.core import CovStruct, Matrix, Vector

__all__ = ["gram", "least_deviance"]

_ODDS = 25.0  # log-odds of a correlation as near to its limits as a Cholesky factor can tell
_MOST = 1e3  # standard deviation, relative to that of the moment


def least_deviance(
    form: CovStruct, moment: Matrix, start: Vector, between: tuple[float, float]
) -> Vector:
    """The standard deviations and the one correlation that fit a moment matrix best.

    ``log|Sigma| + tr(Sigma^-1 M)`` is minimised over the logarithms of the deviations and the
    log-odds of the correlation between its limits, by L-BFGS-B, which takes no step that does not
    lower it. At the minimum the trace is t; no eigenvalue of a correlation matrix exceeds t, hence
    no deviation is less than 1 / t.

    Parameters
    ----------
    form : CovStruct
        Whose theta is t standard deviations and a correlation.
    moment : ndarray, shape (t, t)
        M, with a diagonal of one.
    start : ndarray, shape (t + 1,)
        Where the search begins, unless the deviations and the mean correlation of M fit better.
    between : tuple of float
        Limits of the correlation.
    """
    t, (least, most) = form.size, between

    def theta(x: Vector) -> Vector:
        return np.append(np.exp(x[:-1]), least + (most - least) * special.expit(x[-1]))

    def deviance(x: Vector) -> tuple[float, Vector]:
        at = theta(x)
        T = form.factor(at)
        inverse = np.linalg.inv(T)
        precision = inverse.T @ inverse
        value = 2.0 * np.log(np.diag(T)).sum() + (precision * moment).sum()
        slope = 2.0 * (precision - precision @ moment @ precision) @ T
        steps = np.append(at[:-1], (at[-1] - least) * (most - at[-1]) / (most - least))
        return float(value), np.tensordot(form.jacobian(at), slope) * steps

    def coordinates(theta: Vector) -> Vector:
        sd = np.clip(theta[:-1], 1.0 / t, _MOST)
        odds = special.logit((theta[-1] - least) / (most - least))
        return np.append(np.log(sd), np.clip(odds, -_ODDS, _ODDS))

    own = np.append(np.ones(t), np.clip((moment.sum() - t) / (t * (t - 1)), least, most))
    begin = min(coordinates(start), coordinates(own), key=lambda at: deviance(at)[0])
    lower = np.append(np.full(t, -np.log(t)), -_ODDS)
    upper = np.append(np.full(t, np.log(_MOST)), _ODDS)
    found = optimize.minimize(
        deviance,
        begin,
        jac=True,
        method="L-BFGS-B",
        bounds=optimize.Bounds(lower, upper),
        options={"ftol": 1e-14, "gtol": 1e-8},
    )
    return theta(found.x)


def gram(moment: Matrix) -> Matrix:
    """A moment matrix without what rounding has made of a zero.

    Negative eigenvalues, and variances that are nothing beside the largest, become zero, so that
    every correlation is one.
    """
    values, vectors = np.linalg.eigh(moment)
    rows = vectors * np.sqrt(np.maximum(values, 0.0))
    size = (rows**2).sum(axis=1)
    rows[size <= len(size) * np.finfo(float).eps * size.max(initial=0.0)] = 0.0
    return np.asarray(rows @ rows.T)
