"""The variance components of a model as one vector: which they are, their names and values."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from animalmm.core import Matrix, Problem, Psi, Term
from animalmm.covariance import RESIDUAL

__all__ = ["Component", "component_values", "components", "matrices"]


class Component(NamedTuple):
    """An element of the Sigma of a term, or the residual variance.

    Attributes
    ----------
    term : int
        Number of the term; that of the residual is the number of terms.
    row, column : int
        Which element; the same for a variance.
    name : str
        ``"term.effect"`` or, of a covariance, ``"term.effect:effect"``; for a term of nothing but
        an intercept ``"term"``.
    """

    term: int
    row: int
    column: int
    name: str


def components(problem: Problem) -> list[Component]:
    """Variances of each term, then its covariances where it may have any; the residual last."""
    found = []
    for i, term in enumerate(problem.terms):
        pairs = [(c, c) for c in range(term.t)]
        if term.structure.name != "diag":
            pairs += [(a, b) for a in range(term.t) for b in range(a + 1, term.t)]
        found += [Component(i, a, b, _name(term, a, b)) for a, b in pairs]
    return [*found, Component(len(problem.terms), 0, 0, RESIDUAL)]


def _name(term: Term, a: int, b: int) -> str:
    if term.columns == ("(Intercept)",):
        return term.name
    effects = term.columns[a] if a == b else f"{term.columns[a]}:{term.columns[b]}"
    return f"{term.name}.{effects}"


def matrices(psi: Psi) -> tuple[Matrix, ...]:
    """Sigma of each term and, as the last one, the residual variance."""
    return (*psi.sigmas, np.array([[psi.sigma2]]))


def component_values(problem: Problem, psi: Psi) -> pd.Series:
    """The components by name."""
    sigmas = matrices(psi)
    values = {name: sigmas[i][a, b] for i, a, b, name in components(problem)}
    return pd.Series(values, name="vcov", dtype=float)
