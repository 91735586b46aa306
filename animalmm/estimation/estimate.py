"""From a Problem to an Estimate: the third public step."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from animalmm.algorithms import algorithm_named
from animalmm.algorithms.vanishing import FAR, size_of
from animalmm.core import Algorithm, EngineSpec, Optimum, Point, Problem, Psi, Vector
from animalmm.covariance import ParameterSpace
from animalmm.engines import engine_spec
from animalmm.errors import ArgumentError, BoundaryWarning, ConvergenceWarning, warn
from animalmm.estimation.components import parameter_space, start_psi
from animalmm.estimation.convergence import Convergence, judge
from animalmm.estimation.criterion import Criterion
from animalmm.estimation.moments import moment_start
from animalmm.estimation.progress import Progress, TraceRow

__all__ = ["Estimate", "estimate"]


@dataclass(frozen=True, eq=False)
class Estimate:
    """Where the likelihood has its maximum, and how it was found.

    Attributes
    ----------
    psi : Psi
        The variance parameters on the scale of the data.
    theta : ndarray
        The free parameters in the units of `space`.
    space : ParameterSpace
        What theta means.
    method : {"REML", "ML"}
        Which likelihood.
    criterion : float
        -2 log likelihood at psi, lme4's constants.
    convergence : Convergence
        Whether and why the optimum is one, in words.
    history : tuple of TraceRow
        The iterations.
    engine : str
        The engine, in words.
    seconds : float
        Wall time of preparation and optimisation.
    problem : Problem
        What was maximised.
    spec : EngineSpec
        How to make the engine again.
    """

    psi: Psi
    theta: Vector
    space: ParameterSpace
    method: str
    criterion: float
    convergence: Convergence
    history: tuple[TraceRow, ...] = field(repr=False)
    engine: str
    seconds: float
    problem: Problem = field(repr=False)
    spec: EngineSpec = field(repr=False)

    @cached_property
    def point(self) -> Point:
        """The equations solved at the estimate; made anew after unpickling."""
        return self.spec.prepare(self.problem).at(self.psi)

    def __getstate__(self) -> dict[str, Any]:
        # the point holds a factorisation in the memory of a C library
        return {name: value for name, value in self.__dict__.items() if name != "point"}


def estimate(
    problem: Problem,
    *,
    method: str = "REML",
    algorithm: str | Algorithm = "auto",
    engine: str | EngineSpec = "auto",
    start: Mapping[str, Any] | None = None,
    fixed: Mapping[str, Any] | None = None,
    verbose: int = 0,
) -> Estimate:
    """Maximise the (restricted) likelihood of a problem.

    Parameters
    ----------
    problem : Problem
        From `build_problem(...).problem`.
    method, algorithm, engine, start, fixed, verbose
        As in `animalmm.fit`.

    Returns
    -------
    Estimate

    Raises
    ------
    ArgumentError
        An unknown method, algorithm, engine or component; start values beyond floating point.
    EstimationError
        The likelihood cannot be evaluated.

    Warns
    -----
    BoundaryWarning
        The fit is singular.
    ConvergenceWarning
        The optimum is doubtful.
    """
    if str(method).upper() not in ("REML", "ML"):
        raise ArgumentError(f"method is 'REML' or 'ML', not {method!r}")
    method = method.upper()
    clock = time.perf_counter()
    chosen = algorithm_named(algorithm)
    space = parameter_space(problem, fixed)
    spec = engine_spec(engine)
    prepared = spec.prepare(problem)
    criterion = Criterion(prepared, problem, space, method)
    progress = Progress(lambda i: criterion.psi(i.theta, i.sigma2), verbose)
    optimum = _optimum(chosen, criterion, _start(problem, space, start), progress)
    theta = space.canonical(optimum.theta)
    convergence = judge(optimum, space, problem, chosen.name, max(len(progress.rows) - 1, 0))
    _warn(convergence)
    point = criterion.at(theta).point
    found = Estimate(
        point.psi,
        theta,
        space,
        method,
        optimum.value,
        convergence,
        tuple(progress.rows),
        prepared.description,
        time.perf_counter() - clock,
        problem,
        spec,
    )
    found.__dict__["point"] = point  # seeds the cache: no second preparation
    return found


def _optimum(
    algorithm: Algorithm, criterion: Criterion, start: Vector, progress: Progress
) -> Optimum:
    """What the algorithm finds; the best so far when it is interrupted."""
    if not len(start):
        return Optimum(start, criterion(start), 1, 0.0, start)
    try:
        return algorithm.minimise(criterion, start, progress)
    except KeyboardInterrupt:
        if progress.best is None:
            raise
        unknown = np.full(len(start), np.nan)
        return Optimum(*progress.best, len(progress.rows), np.inf, unknown)
    finally:
        progress.close()


def _start(problem: Problem, space: ParameterSpace, start: Mapping[str, Any] | None) -> Vector:
    """The theta of the user's start values, or of the moments, or the plain one."""
    given = start_psi(problem, space, start)
    psi = given or moment_start(problem, space)
    theta = space.start() if psi is None else space.theta(psi)
    size = size_of(theta, space.domain)
    if given and size > FAR:
        raise ArgumentError(
            f"start gives the random effects a standard deviation {size:.1g} times that of the "
            "residual, which is zero to rounding beside it; give values nearer to each other, or "
            "leave start= out"
        )
    return theta


def _warn(convergence: Convergence) -> None:
    if not convergence.converged:
        warn(convergence.message, ConvergenceWarning)
    if convergence.boundary:
        warn(convergence.boundary_message, BoundaryWarning)
