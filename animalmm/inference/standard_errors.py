"""How well the variance components are known: the covariance matrix of their estimates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from animalmm.core import Matrix, Vector, changed
from animalmm.covariance import ParameterSpace
from animalmm.errors import ArgumentError
from animalmm.estimation import Criterion, Estimate
from animalmm.estimation.convergence import SINGULAR
from animalmm.estimation.derivatives import gradient, information
from animalmm.estimation.evaluation import Evaluation
from animalmm.inference.components import components

_STEP = 1e-3  # of differences of the gradient, in standard deviations of a parameter
_UNDETERMINED = 1e-10  # smallest eigenvalue of an information, its diagonal one, that is inverted

__all__ = ["covariance_of_components"]


class _Whole(ParameterSpace):
    """The parameters with the residual variance among them, not profiled out."""

    @property
    def profiled(self) -> bool:
        """Never."""
        return False


def covariance_of_components(estimate: Estimate, which: str) -> Matrix:
    """Covariance matrix of the estimated variance components, (m, m). See `Fit.vcov_varcorr`.

    The information is that of theta and of the logarithm of the residual standard deviation; its
    inverse is turned into that of the components by their derivatives. The average information
    does not depend on the parameters taken, nor does the observed one where the gradient is zero.
    """
    kinds = {"average": _average, "observed": _observed}
    if which not in kinds:
        raise ArgumentError(f"information is 'average' or 'observed', not {which!r}")
    rows = components(estimate.problem)
    space, theta = _whole(estimate)
    singular = space.singular_terms(theta, SINGULAR)
    covariance = np.zeros((len(rows), len(rows)))
    if len(free := _free(space, theta, singular)):
        J = _jacobian(estimate, space, theta)[:, free]
        covariance = J @ _inverse(kinds[which](estimate, space, theta, free) / 2.0) @ J.T
    held = np.array([component.term in singular for component in rows])
    covariance[held] = covariance[:, held] = np.nan
    return covariance


def _whole(estimate: Estimate) -> tuple[ParameterSpace, Vector]:
    """A space in which nothing is profiled out, and the estimate in it."""
    space = estimate.space
    if not space.profiled:
        return space, estimate.theta
    sigma = float(np.sqrt(estimate.psi.sigma2))
    return _Whole(space.structures, space.scales, unit=sigma), np.append(estimate.theta, 0.0)


def _free(space: ParameterSpace, theta: Vector, singular: Sequence[int]) -> NDArray[np.intp]:
    """Which elements of theta are not those of a singular Sigma, where they are held."""
    terms = [i for i, _ in space.derivatives(theta)]
    held = np.zeros(space.size, dtype=bool)
    held[: len(terms)] = [i in singular for i in terms]
    return np.flatnonzero(~held)


def _jacobian(estimate: Estimate, space: ParameterSpace, theta: Vector) -> Matrix:
    """Derivatives of the components (rows) by theta, the variance by the log standard deviation."""
    psi, rows = estimate.psi, components(estimate.problem)
    J = np.zeros((len(rows), space.size))
    for k, (i, dF) in enumerate(space.derivatives(theta)):
        half = dF @ psi.factors[i].T
        J[:, k] = [(half + half.T)[c.row, c.column] if c.term == i else 0.0 for c in rows]
    if space.free_residual:
        J[-1, -1] = 2.0 * psi.sigma2
    return J


def _average(
    estimate: Estimate, space: ParameterSpace, theta: Vector, free: NDArray[np.intp]
) -> Matrix:
    """Average information of the criterion on some elements of theta."""
    restricted = estimate.method == "REML"
    here = Evaluation(theta, estimate.point, estimate.criterion, estimate.problem, restricted)
    return information(here, space)[np.ix_(free, free)]


def _observed(
    estimate: Estimate, space: ParameterSpace, theta: Vector, free: NDArray[np.intp]
) -> Matrix:
    """Second derivatives of the criterion, by central differences of its gradient.

    The steps are in units of what the average information says of each parameter alone. Where
    theta is that near to a bound, the difference is one-sided.
    """
    engine = estimate.spec.prepare(estimate.problem)
    criterion = Criterion(engine, estimate.problem, space, estimate.method)
    curvatures = np.diag(_average(estimate, space, theta, free))
    steps = _STEP * np.sqrt(np.where(curvatures > 0, 2.0 / curvatures, 1.0))
    second = np.empty((len(free), len(free)))
    for row, k, step in zip(second, free, steps, strict=True):
        after = space.domain.clip(changed(theta, k, theta[k] + step))
        before = space.domain.clip(changed(theta, k, theta[k] - step))
        change = gradient(criterion.at(after), space) - gradient(criterion.at(before), space)
        row[:] = change[free] / (after - before)[k]
    return (second + second.T) / 2.0


def _inverse(matrix: Matrix) -> Matrix:
    """Inverse of an information; NaN when it is not positive definite."""
    diagonal = np.diag(matrix)
    root = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = matrix / np.outer(root, root)
    if np.linalg.eigvalsh(scaled)[0] <= _UNDETERMINED:
        return np.full_like(matrix, np.nan)
    return np.asarray(np.linalg.inv(scaled) / np.outer(root, root))
