"""Tables of random effects: BLUP, prediction error variance, reliability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Point, Problem, Term
from animalmm.errors import ArgumentError, listing, nearest
from animalmm.relationship import as_text

_ROUNDING = 1e-12  # a level without information has reliability zero, not -2e-16

__all__ = ["blup_table", "conditional_variances", "effects_table", "groups", "terms_of"]


def groups(problem: Problem) -> list[str]:
    """The grouping factors, each once, in the order of the formula."""
    return list(dict.fromkeys(term.group for term in problem.terms))


def terms_of(problem: Problem, group: str | None) -> list[int]:
    """Numbers of the terms on a grouping factor.

    Parameters
    ----------
    problem : Problem
        The model.
    group : str or None
        Its name; None is allowed when there is only one.

    Raises
    ------
    ArgumentError
        No such factor, or None where there are several.
    """
    known = groups(problem)
    if group is None:
        if len(known) > 1:
            raise ArgumentError(f"the model has several random terms; name one: {listing(known)}")
        group = known[0]
    found = [i for i, term in enumerate(problem.terms) if group in (term.group, term.name)]
    if not found:
        raise ArgumentError(
            f"the model has no random term {group!r}; it has {listing(known)}."
            f"{nearest(group, known)}"
        )
    exact = [i for i in found if problem.terms[i].group == group]
    return exact or found


def effects_table(problem: Problem, point: Point, group: str | None) -> pd.DataFrame:
    """BLUPs: all levels of K (rows) by effects (columns), on the scale of the original levels."""
    parts: list[pd.DataFrame | pd.Series] = [
        pd.DataFrame(
            point.u[i], index=problem.terms[i].labels, columns=list(problem.terms[i].columns)
        )
        for i in terms_of(problem, group)
    ]
    table = pd.concat(parts, axis=1)
    return table.rename_axis(index=problem.terms[terms_of(problem, group)[0]].group)


def blup_table(
    problem: Problem, point: Point, group: str | None, levels: Sequence[object] | None
) -> pd.DataFrame:
    """One row for each level and effect; the columns are those of `Fit.blup`."""
    tables = [_term_table(problem, point, i, levels) for i in terms_of(problem, group)]
    return pd.concat(tables, ignore_index=True)


def _term_table(
    problem: Problem, point: Point, i: int, levels: Sequence[object] | None
) -> pd.DataFrame:
    term = problem.terms[i]
    at = _positions(term, levels)
    pev = np.einsum("jcc->jc", point.error_blocks([i], at))
    prior = np.outer(term.relationship.diagonal()[at], np.diag(point.psi.sigmas[i]))
    with np.errstate(divide="ignore", invalid="ignore"):
        reliability = np.where(prior > 0, 1.0 - pev / prior, 0.0)
    reliability[np.abs(reliability) < _ROUNDING] = 0.0
    records = np.diff(sparse.csc_array(term.Z).indptr).reshape(term.q, term.t)[at]
    return pd.DataFrame(
        {
            "level": np.repeat(term.labels[at].to_numpy(), term.t),
            "column": np.tile(np.array(term.columns, dtype=object), len(at)),
            "blup": point.u[i][at].ravel(),
            "se": np.sqrt(pev).ravel(),
            "pev": pev.ravel(),
            "reliability": reliability.ravel(),
            "accuracy": np.sqrt(np.maximum(reliability, 0.0)).ravel(),
            "records": records.ravel(),
        }
    )


def conditional_variances(problem: Problem, point: Point, group: str | None) -> pd.DataFrame:
    """lme4's ``condVar``: ``Var(u | y, beta)`` of each level.

    Rows are (level, effect), columns the effects, so that a level's matrix is ``table.loc[level]``;
    terms that ``||`` keeps apart stand side by side.
    """
    chosen = terms_of(problem, group)
    columns = [name for i in chosen for name in problem.terms[i].columns]
    blocks = point.error_blocks(chosen, given_beta=True)
    term = problem.terms[chosen[0]]
    index = pd.MultiIndex.from_product([term.labels, columns], names=[term.group, "column"])
    return pd.DataFrame(blocks.reshape(-1, len(columns)), index=index, columns=columns)


def _positions(term: Term, levels: Sequence[object] | None) -> np.ndarray:
    if levels is None:
        return np.arange(term.q)
    if isinstance(levels, str) or not hasattr(levels, "__len__"):
        raise ArgumentError(f"levels takes a list of levels: [{levels!r}]")
    at = term.labels.get_indexer(pd.Index(levels))
    if (at < 0).any():
        unknown = [level for level, k in zip(levels, at, strict=True) if k < 0]
        alike = set(map(as_text, unknown)) & set(map(as_text, term.labels))
        hint = " Some differ only in type (number or text)" * bool(alike)
        raise ArgumentError(f"'{term.group}' has no level {listing(unknown)}.{hint}")
    return at
