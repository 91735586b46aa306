"""Gradient and average information of the criterion.

Those of V by the factors of Sigma turned into those by theta (Gilmour, Thompson & Cullis 1995,
Biometrics 51: 1440-1450; Johnson & Thompson 1995, J. Dairy Sci. 78: 449-456).
"""

from __future__ import annotations

import numpy as np

from animalmm.core import Direction, Matrix, Vector
from animalmm.covariance import ParameterSpace
from animalmm.estimation.evaluation import Evaluation

__all__ = ["curvature", "gradient", "information"]


def gradient(here: Evaluation, space: ParameterSpace) -> Vector:
    """Derivatives of the criterion by theta, shape (k,).

    With the residual variance profiled out they are those at its best value, where the criterion
    does not change with it.
    """
    unit = _unit(here, space)
    slopes = [
        2.0 * unit * float((here.slopes[i] * dF).sum()) for i, dF in space.derivatives(here.theta)
    ]
    if space.free_residual:
        slopes.append(2.0 * here.log_residual_slope)
    return np.array(slopes)


def information(here: Evaluation, space: ParameterSpace) -> Matrix:
    """Average information ``y'P dV_a P dV_b P y`` of theta, shape (k, k).

    With the residual variance profiled out, what is left of it when that is fitted.
    """
    psi = here.point.psi
    unit, none = _unit(here, space), tuple(np.zeros_like(F) for F in psi.factors)
    directions = []
    for i, dF in space.derivatives(here.theta):
        half = unit * dF @ psi.factors[i].T
        directions.append(Direction((*none[:i], half + half.T, *none[i + 1 :])))
    if space.free_residual:
        directions.append(Direction(none, 2.0 * psi.sigma2))
    if not space.profiled:
        return here.point.average_information(directions)
    whole = here.point.average_information([*directions, Direction(psi.sigmas, psi.sigma2)])
    by_scale = whole[:-1, -1]
    return np.asarray(whole[:-1, :-1] - np.outer(by_scale, by_scale) / whole[-1, -1])


def curvature(here: Evaluation, space: ParameterSpace) -> Matrix:
    """What the second derivatives owe to ``Sigma = F F'`` not being linear in F, shape (k, k).

    ``2 <A - Q, dF_a dF_b'>``, of which only the positive part is kept. It vanishes at an optimum
    within the domain; near one with a singular Sigma it is most of the second derivative.
    """
    total = np.zeros((len(here.theta), len(here.theta)))
    derivatives = space.derivatives(here.theta)
    for i in space.free_terms:
        at = [j for j, (term, _) in enumerate(derivatives) if term == i]
        D = _unit(here, space) * np.stack([derivatives[j][1] for j in at])
        inverse = np.linalg.pinv(here.point.psi.factors[i])
        known = here.slopes[i] @ inverse  # A - Q on the columns of F
        within = here.point.psi.factors[i] @ inverse
        whole = known + known.T - within @ known
        values, vectors = np.linalg.eigh(2.0 * np.tensordot(D, whole @ D, ((1, 2), (1, 2))))
        total[np.ix_(at, at)] = vectors * np.maximum(values, 0.0) @ vectors.T
    return total


def _unit(here: Evaluation, space: ParameterSpace) -> float:
    """From factors relative to the residual standard deviation to those of the data."""
    return float(np.sqrt(here.point.psi.sigma2)) if space.profiled else 1.0
