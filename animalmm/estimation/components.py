"""What the user says about single components: start values and known values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

from animalmm.core import Matrix, Problem, Psi, Term, Vector
from animalmm.covariance import RESIDUAL, ParameterSpace, semidefinite_cholesky
from animalmm.errors import ArgumentError, DataError, EstimationError, listing, nearest

_COLLINEAR = 1e-10  # smallest eigenvalue of a correlation of coefficients that is inverted

__all__ = ["parameter_space", "residual_mean_square", "second_moment", "start_psi"]


def parameter_space(problem: Problem, fixed: Mapping[str, Any] | None) -> ParameterSpace:
    """The free parameters of a model.

    Parameters
    ----------
    problem : Problem
        The model.
    fixed : mapping, optional
        Known variances by term name and "Residual": a number, or a t x t matrix.

    Raises
    ------
    ArgumentError
        An unknown name, a wrong shape, a matrix that is not a covariance matrix.
    DataError
        A term with as many unrelated effects as there are records.
    """
    known = _components(problem, fixed, "fixed")
    residual = known.pop(RESIDUAL, None)
    names = [t.name for t in problem.terms]
    if residual is None:
        for term in problem.terms:
            if term.name not in known:
                _check_identified(term)
    return ParameterSpace(
        tuple(t.structure for t in problem.terms),
        tuple(_scales(t, problem.weights) for t in problem.terms),
        {names.index(name): sigma for name, sigma in known.items()},
        None if residual is None else residual.item(),
        float(np.sqrt(residual_mean_square(problem))) if fixed else 1.0,
    )


def start_psi(
    problem: Problem, space: ParameterSpace, start: Mapping[str, Any] | None
) -> Psi | None:
    """Start values as a psi; effects that are not named give a record the residual variance."""
    if start is None:
        return None
    given = _components(problem, start, "start")
    sigma2 = given[RESIDUAL].item() if RESIDUAL in given else residual_mean_square(problem)
    sigmas = [
        given.get(term.name, sigma2 * _typical(scale))
        for term, scale in zip(problem.terms, space.scales, strict=True)
    ]
    return Psi(tuple(semidefinite_cholesky(s) for s in sigmas), sigma2)


def _typical(scale: Matrix) -> Matrix:
    return np.asarray(np.diag(scale**2) if scale.ndim == 1 else scale @ scale.T)


def residual_mean_square(problem: Problem) -> float:
    """Weighted residual variance of the fixed part alone: a scale to start from."""
    root = np.sqrt(problem.weights)
    y = root * (problem.y - problem.offset)
    total = float(np.var(y))
    if sparse.issparse(problem.X):
        return total
    X = root[:, None] * np.asarray(problem.X)
    rest = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    mean_square = float(rest @ rest / (problem.n - problem.p))
    if mean_square <= 1e-24 * total:
        raise EstimationError("the fixed effects fit the response exactly: no variance is left")
    return mean_square


def _check_identified(term: Term) -> None:
    """As many unrelated effects as records are a second residual; with a known one they are not."""
    effects, n = term.q * term.t, term.Z.shape[0]
    if not term.known and effects >= n:
        raise DataError(
            f"the term '{term.name}' has {effects} random effects for {n} records, so they cannot "
            "be told from the residual. Leave it out, or give the relationship of its levels "
            "(relmat=) or the residual variance (fixed={'Residual': ...}) if it is known"
        )


def _scales(term: Term, weights: Vector) -> Matrix:
    """Square root of the Sigma that gives a record about the variance of the residual.

    The inverse of the Cholesky factor of the mean of z'Wz over the records, z the coefficients of
    one level, and of the typical size of K; only the order of magnitude matters. A structure that
    is not of any basis takes the standard deviations of the effects one by one, as far as it can.
    """
    K = term.relationship
    size = 1.0 / K.precision().diagonal().mean() if K.prefers_precision else K.diagonal().mean()
    moment = second_moment(term, weights) * size
    squares = np.diag(moment)
    alone = 1.0 / np.sqrt(np.where(squares > 0, squares, 1.0))
    form = term.structure
    if not form.any_basis:
        return np.diag(form.factor(form.rescale(form.start(), alone)))
    if term.t == 1:
        return np.asarray(alone)
    correlation = moment * np.outer(alone, alone)
    if np.linalg.eigvalsh(correlation)[0] < _COLLINEAR:
        return np.asarray(alone)
    return np.asarray(alone[:, None] * np.linalg.inv(np.linalg.cholesky(correlation)).T)


def second_moment(term: Term, weights: Vector) -> Matrix:
    """Mean over the records of ``w sum_j z_j z_j'``, z_j the coefficients of level j, (t, t)."""
    blocks = term.Z.tobsr(blocksize=(1, term.t))  # one for each record and level that meet
    z = blocks.data[:, 0, :]
    w = np.repeat(weights, np.diff(blocks.indptr))
    return np.asarray((z.T * w) @ z / len(weights))


def _components(
    problem: Problem, given: Mapping[str, Any] | None, argument: str
) -> dict[str, Matrix]:
    """Check names and shapes; every value as a matrix."""
    if given is not None and not isinstance(given, Mapping):
        raise ArgumentError(
            f"{argument} takes a mapping such as {{'animal': 20.0, 'Residual': 40.0}}"
        )
    sizes = {t.name: t.t for t in problem.terms} | {RESIDUAL: 1}
    structures = {t.name: t.structure for t in problem.terms}
    found: dict[str, Matrix] = {}
    for name, value in (given or {}).items():
        if name not in sizes:
            raise ArgumentError(
                f"{argument} names {name!r}, which is no component of the model; there are "
                f"{listing(sizes)}.{nearest(name, sizes)}"
            )
        found[name] = _covariance(value, f"{argument}[{name!r}]", sizes[name])
        if name in structures:
            try:
                structures[name].from_matrix(found[name])
            except ArgumentError as error:
                raise ArgumentError(f"{argument}[{name!r}]: {error}") from None
    if RESIDUAL in found and found[RESIDUAL].item() <= 0:
        raise ArgumentError(f"{argument}['{RESIDUAL}'] must be positive")
    return found


def _covariance(value: Any, source: str, size: int) -> Matrix:
    """A number or a matrix as a (size, size) covariance matrix."""
    expected = "a finite number" if size == 1 else f"a finite {size} x {size} matrix"
    try:
        sigma = np.atleast_2d(np.asarray(value, dtype=float))
    except (TypeError, ValueError):
        raise ArgumentError(f"{source} must be {expected}, not {value!r}") from None
    if not np.isfinite(sigma).all():
        raise ArgumentError(f"{source} must be {expected}")
    if sigma.shape != (size, size):
        raise ArgumentError(f"{source} has shape {sigma.shape}; this component is {size} x {size}")
    try:
        semidefinite_cholesky(sigma)
    except ArgumentError as error:
        raise ArgumentError(f"{source}: {error}") from None
    return sigma
