"""Fitted values and predictions for new rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from animalmm.core import Point, Vector
from animalmm.design import Design, as_frame
from animalmm.errors import ArgumentError, listing
from animalmm.inference.effects import groups, terms_of

__all__ = ["fitted", "predict"]


def fitted(design: Design, point: Point) -> Vector:
    """``offset + X beta + sum Z_i u_i`` for the rows of the fit, shape (n,)."""
    problem = design.problem
    total = problem.offset + problem.X @ point.beta
    for term, U in zip(problem.terms, point.u, strict=True):
        total = total + term.Z @ U.ravel()
    return np.asarray(total)


def predict(
    design: Design,
    point: Point,
    new: pd.DataFrame,
    *,
    random: bool | str | Sequence[str],
    allow_new_levels: bool,
    offset: Any,
) -> pd.Series:
    """Predict the mean of new rows. See `Fit.predict`."""
    new = as_frame(new)
    total = design.new_offset(new, offset) + design.fixed_matrix(new) @ point.beta
    for i in _chosen(design, random):
        coding = design.random[i]
        missing = new[list(_columns(design, i, new))].isna().any(axis=1).to_numpy()
        Z = coding.incidence(new.loc[~missing], allow_new_levels=allow_new_levels)
        part = np.full(len(new), np.nan)
        part[~missing] = Z @ point.u[i].ravel()
        total = total + part
    return pd.Series(np.asarray(total), index=new.index, name="prediction")


def _chosen(design: Design, random: bool | str | Sequence[str]) -> list[int]:
    """Numbers of the random terms that a prediction includes."""
    problem = design.problem
    if isinstance(random, bool):
        return list(range(len(problem.terms))) if random else []
    if not isinstance(random, str | Sequence):
        raise ArgumentError(
            f"random is True, False, or names of random terms, not {random!r}; there are "
            f"{listing(groups(problem))}"
        )
    names = [random] if isinstance(random, str) else random
    return sorted({i for name in names for i in terms_of(problem, name)})


def _columns(design: Design, i: int, new: pd.DataFrame) -> Sequence[str]:
    """Columns of new data that a random term reads."""
    coding = design.random[i]
    needed = dict.fromkeys(
        [name for bar in coding.bars for name in bar.group]
        + [name for c in coding.codings for name in c.columns]
    )
    absent = [name for name in needed if name not in new.columns]
    if absent:
        others = [g for g in groups(design.problem) if g != design.problem.terms[i].group]
        raise ArgumentError(
            f"the new data lack {listing(absent)}, which the random term '{coding.name}' uses; "
            "add it, or predict without this term: random="
            f"{listing(others) if others else 'False'}"
        )
    return list(needed)
