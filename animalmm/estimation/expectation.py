"""Steps of EM and of parameter-expanded EM.

The effects b of ``u = (I ⊗ F) b`` are the missing data; given y, ``E[U' K^-1 U] = F (r I - F' H)
F'`` for the rank r of K and the slope H of the criterion by F, so that nothing is asked of the
engine that the gradient does not ask for too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import linalg

from animalmm.core import CovStruct, Engine, Matrix, Update
from animalmm.covariance import ParameterSpace
from animalmm.estimation.evaluation import Evaluation

__all__ = ["em", "px_em"]


def em(here: Evaluation, space: ParameterSpace, engine: Engine) -> Update:
    """One step of EM.

    As Henderson writes it: ``sigma2_e = (y'y - b'X'y - u'Z'y) / (n - p)``, which is the best
    residual variance at the ratios of the step before, and then ``Sigma = E[U' K^-1 U] / r``
    (Henderson 1984, ch. 12; Dempster, Laird & Rubin 1977). Where the residual variance is not
    profiled out it is ``E[e'We] / n``.
    """
    sigma2 = here.point.psi.sigma2
    if space.free_residual:
        sigma2 = _expected_squares(here) / here.problem.n
    return _updated(here, space, _moments(here, space, engine), sigma2)


def px_em(here: Evaluation, space: ParameterSpace, engine: Engine) -> Update:
    """One step of parameter-expanded EM.

    The effects u of each term are also multiplied by a matrix alpha, which is fitted to the data
    and goes into Sigma: ``alpha E[U' K^-1 U] alpha' / r`` (Liu, Rubin & Wu 1998, Biometrika 85:
    755-770; Foulley & van Dyk 2000, Genet. Sel. Evol. 32: 143-163). Alpha is diagonal, or one
    number, where the structure of Sigma takes no more.
    """
    factors = here.point.psi.factors
    bases = {i: _expansions(space.structures[i]) for i in space.free_terms}
    directions = [(i, E @ factors[i]) for i, basis in bases.items() for E in basis]
    chosen = _columns(directions, [len(F) for F in factors])
    complete = here.point.complete_information(given_beta=not here.restricted)
    score = np.array([-(here.slopes[i] * D).sum() for i, D in directions])
    change = linalg.lstsq(chosen.T @ complete @ chosen, score)[0]  # zero for effects that are
    moments, at = _moments(here, space, engine), 0
    for i, basis in bases.items():
        alpha = np.eye(len(factors[i])) + np.einsum(
            "m,mab->ab", change[at : at + len(basis)], basis
        )
        at += len(basis)
        moments[i] = alpha @ moments[i] @ alpha.T
    sigma2 = here.point.psi.sigma2
    if space.fixed_sigma2 is None:
        rest = _expected_squares(here) - sigma2 * float(change @ score)
        sigma2 = rest / here.problem.n
    return _updated(here, space, moments, sigma2)


def _updated(
    here: Evaluation, space: ParameterSpace, moments: Mapping[int, Matrix], sigma2: float
) -> Update:
    """The theta that the moments and the residual variance give."""
    return Update(space.maximised(moments, sigma2, here.theta), sigma2)


def _moments(here: Evaluation, space: ParameterSpace, engine: Engine) -> dict[int, Matrix]:
    """``E[U' K^-1 U | y] / r`` of each term that is free, on the scale of the data."""
    found = {}
    for i in space.free_terms:
        F, H, r = here.point.psi.factors[i], here.slopes[i], engine.rank(i)
        turned = F.T @ H / r
        found[i] = F @ (np.eye(len(F)) - (turned + turned.T) / 2.0) @ F.T
    return found


def _expected_squares(here: Evaluation) -> float:
    """``E[e'We | y]``."""
    sigma2 = here.point.psi.sigma2
    return sigma2 * (here.problem.n - here.log_residual_slope)


def _expansions(structure: CovStruct) -> Matrix:
    """Directions E of alpha = I + sum change E for which alpha Sigma alpha' keeps its form."""
    t = structure.size
    if structure.any_basis:
        return np.eye(t * t).reshape(t * t, t, t)
    each = np.arange(1.0, t + 1.0)
    scaled = structure.factor(structure.rescale(structure.start(), each))
    if np.allclose(np.diag(scaled), each):
        return np.stack([np.diag(row) for row in np.eye(t)])
    return np.eye(t)[None]


def _columns(directions: Sequence[tuple[int, Matrix]], sizes: Sequence[int]) -> Matrix:
    """The directions as columns over the elements of all factors."""
    starts = np.cumsum([0, *(t * t for t in sizes)])
    columns = np.zeros((starts[-1], len(directions)))
    for k, (i, D) in enumerate(directions):
        columns[starts[i] : starts[i + 1], k] = D.ravel()
    return columns
