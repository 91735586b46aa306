"""From a FormulaSpec and data to a Problem, with what is needed to code new data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import DesignMatrix, Matrix, Problem, Vector
from animalmm.covariance import RESIDUAL
from animalmm.design.coding import Coding, code
from animalmm.design.frame import Frame, build_frame, formula_offset, row_values
from animalmm.design.kernels import collect_kernels
from animalmm.design.random import TermCoding, build_term, group_name
from animalmm.design.rank import independent_columns
from animalmm.errors import (
    ArgumentError,
    DataError,
    FormulaError,
    RankDeficiencyWarning,
    listing,
    warn,
)
from animalmm.formula import BarTerm, FormulaSpec, parse_formula

__all__ = ["Design", "build_problem"]


@dataclass(frozen=True, eq=False)
class Design:
    """A Problem and where it came from.

    Attributes
    ----------
    problem : Problem
        y, X, Z, K: all that the estimation needs.
    spec : FormulaSpec
        The formula.
    frame : Frame
        The rows used, and the count of the others by cause.
    fixed : Coding
        How X was coded.
    kept : ndarray of int
        Columns of the coded matrix that are in X.
    dropped : tuple of str
        Names of the columns that are not, being combinations of the others.
    random : tuple of TermCoding
        How each Z was coded.
    offset_given : bool
        Whether an offset came as an argument, so that new rows need one too.
    """

    problem: Problem
    spec: FormulaSpec
    frame: Frame
    fixed: Coding
    kept: np.ndarray
    dropped: tuple[str, ...]
    random: tuple[TermCoding, ...]
    offset_given: bool = False

    def new_offset(self, data: pd.DataFrame, offset: Any = None) -> Vector:
        """Offset of new rows, shape (m,): the ``offset()`` terms and the argument.

        Raises
        ------
        ArgumentError
            The fit was given an offset as an argument and the new rows are not.
        """
        if offset is None and self.offset_given:
            raise ArgumentError(
                "the fit was given an offset as an argument; give offset= for the new rows too "
                "(0 for none)"
            )
        total = formula_offset(self.spec, data)
        if offset is None:
            return total
        constant = np.isscalar(offset) and not isinstance(offset, str)
        given = np.full(len(data), offset) if constant else offset
        return total + row_values("offset", given, data)

    def fixed_matrix(self, data: pd.DataFrame) -> DesignMatrix:
        """X for new rows, shape (m, p)."""
        return self.fixed.matrix(data)[:, self.kept]


def build_problem(
    spec: FormulaSpec | str,
    data: pd.DataFrame,
    relmat: Mapping[str, Any] | None = None,
    *,
    precision: Mapping[str, Any] | None = None,
    weights: str | Vector | pd.Series | None = None,
    offset: str | Vector | pd.Series | None = None,
    contrasts: Mapping[str, Any] | None = None,
    na_action: str = "drop",
) -> Design:
    """Build y, X, Z and the relationships of a model.

    Parameters
    ----------
    spec : FormulaSpec or str
        What `parse_formula` gave, or the formula.
    data, relmat, precision, weights, offset, contrasts, na_action
        As in `animalmm.fit`.

    Returns
    -------
    Design

    Raises
    ------
    FormulaError, DataError, RelationshipError, ArgumentError
        See `animalmm.fit`.

    Warns
    -----
    DroppedRowsWarning, RankDeficiencyWarning
    """
    spec = parse_formula(spec) if isinstance(spec, str) else spec
    if not spec.bars:
        raise FormulaError(
            "the formula has no random term; add one such as (1 | animal), or fit a linear model "
            "with another package",
            spec.text,
            len(spec.text) - 1,
        )
    frame = build_frame(spec, data, weights=weights, offset=offset, na_action=na_action)
    y = frame.y
    X, fixed = code(spec.fixed, frame.data, contrasts=contrasts)
    X, kept, dropped = _full_rank(X, fixed.names, frame.weights)
    kernels = collect_kernels(spec, frame.data, relmat, precision)
    members = _by_tag(spec.bars)
    if RESIDUAL in spec.groups:
        raise DataError(f"the grouping column '{RESIDUAL}' has the name of a component: rename it")
    terms, codings = zip(
        *(
            build_term(name, bars, frame.data, kernels)
            for name, bars in zip(_unique_names(members), members, strict=True)
        ),
        strict=True,
    )
    names = tuple(fixed.names[j] for j in kept)
    if len(names) >= len(y):
        raise DataError(
            f"{len(names)} fixed effects for {len(y)} records leave nothing to estimate variances "
            "from; take effects out or make them random"
        )
    problem = Problem(y, X, names, tuple(terms), frame.weights, frame.offset)
    return Design(problem, spec, frame, fixed, kept, dropped, tuple(codings), offset is not None)


def _full_rank(
    X: DesignMatrix, names: Sequence[str], weights: Vector
) -> tuple[DesignMatrix, np.ndarray, tuple[str, ...]]:
    """Keep the earliest independent columns, as lme4 does, and say which were dropped."""
    kept = independent_columns(X, weights)
    if len(kept) == len(names):
        return X, kept, ()
    dropped = tuple(names[j] for j in np.setdiff1d(np.arange(len(names)), kept))
    warn(
        f"the fixed-effects matrix is rank deficient: {len(dropped)} of {len(names)} columns are "
        f"combinations of the others and were dropped: {listing(dropped)}",
        RankDeficiencyWarning,
    )
    reduced = X[:, kept]
    return (
        (sparse.csc_array(reduced) if sparse.issparse(X) else _contiguous(reduced)),
        kept,
        dropped,
    )


def _contiguous(X: DesignMatrix) -> Matrix:
    return np.ascontiguousarray(X)


def _by_tag(bars: Sequence[BarTerm]) -> list[list[BarTerm]]:
    """Terms in order; those with one tag together, where the first of them stands."""
    groups: dict[object, list[BarTerm]] = {}
    for k, bar in enumerate(bars):
        groups.setdefault(k if bar.tag is None else bar.tag, []).append(bar)
    return list(groups.values())


def _unique_names(members: Sequence[Sequence[BarTerm]]) -> list[str]:
    """Group names; repeated ones are numbered as in lme4: Subject, Subject.1."""
    counts: Counter[str] = Counter()
    names = []
    for bars in members:
        group = group_name(bars)
        names.append(f"{group}.{counts[group]}" if counts[group] else group)
        counts[group] += 1
    return names
