"""Average information by working variates, for the points whose vectors are over the records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from animalmm.core import Direction, Matrix, Point, Problem

__all__ = ["average_information"]


def average_information(
    point: Point,
    problem: Problem,
    directions: Sequence[Direction],
    spread: Callable[[int], Matrix],
) -> Matrix:
    """``f_a'P f_b`` for the working variates ``f = dV P y`` of m directions, shape (m, m).

    ``dV P y = Z vec(K Z'P y dSigma)``, summed up over the terms, and ``dsigma2 W^-1 P y`` (Gilmour,
    Thompson & Cullis 1995, Biometrics 51: 1440-1450).

    Parameters
    ----------
    point : Point
        Where.
    problem : Problem
        The model.
    directions : sequence of Direction
        dSigma and dsigma2.
    spread : callable
        ``K Z'P y`` of a term, shape (q, t).
    """
    f = np.outer(point.Py / problem.weights, [direction.sigma2 for direction in directions])
    for i, term in enumerate(problem.terms):
        changes = np.stack([direction.sigmas[i] for direction in directions])
        some = np.flatnonzero(changes.any(axis=(1, 2)))
        if len(some):
            f[:, some] += term.Z @ (spread(i) @ changes[some]).reshape(len(some), -1).T
    return np.asarray(f.T @ point.apply_P(f))
