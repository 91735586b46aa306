"""From a random term of the formula to its incidence Z, and the same for new rows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Relationship, Term
from animalmm.covariance import structure
from animalmm.design.coding import Coding, code
from animalmm.design.kernels import Kernels
from animalmm.errors import ArgumentError, DataError, listing
from animalmm.formula import BarTerm
from animalmm.relationship import IdentityRelationship, part_of_label, positions

__all__ = ["TermCoding", "build_term", "group_name"]

_NEW_LEVELS = (
    "allow_new_levels=True predicts them with zero, random=False leaves the random effects out"
)


@dataclass(frozen=True, eq=False)
class TermCoding:
    """What is needed to code the incidence of one random term for any rows.

    Attributes
    ----------
    name : str
        Name of the term.
    bars : tuple of BarTerm
        The members: one, or several that share Sigma by a tag.
    codings : tuple of Coding
        The left side of each member.
    columns : tuple of str
        Names of the t effects, over all members.
    labels : Index
        Labels of the q levels.
    source : str
        Where the labels come from, for messages.
    """

    name: str
    bars: tuple[BarTerm, ...]
    codings: tuple[Coding, ...]
    columns: tuple[str, ...]
    labels: pd.Index = field(repr=False)
    source: str = ""

    def incidence(
        self,
        data: pd.DataFrame,
        *,
        lhs: Sequence[np.ndarray] | None = None,
        allow_new_levels: bool = False,
    ) -> sparse.csr_array:
        """Z for the given rows, shape (m, q * t), level-major.

        Parameters
        ----------
        data : DataFrame
            m rows with the columns that the term uses.
        lhs : sequence of ndarray, optional
            The left sides, when they are already coded.
        allow_new_levels : bool, default False
            Rows of levels that are not among the labels get zeros, in place of an error.
        """
        t, m = len(self.columns), len(data)
        rows: list[np.ndarray] = []
        cols: list[np.ndarray] = []
        values: list[np.ndarray] = []
        first = 0
        for k, (bar, coding) in enumerate(zip(self.bars, self.codings, strict=True)):
            M = np.asarray(coding.matrix(data)) if lhs is None else lhs[k]
            codes = self._codes(bar, data, new=lhs is None, allow=allow_new_levels)
            here = np.flatnonzero(codes >= 0)
            width = M.shape[1]
            rows.append(np.repeat(here, width))
            cols.append((codes[here, None] * t + first + np.arange(width)).ravel())
            values.append(M[here].ravel())
            first += width
        triplets = (np.concatenate(values), (np.concatenate(rows), np.concatenate(cols)))
        Z = sparse.coo_array(triplets, shape=(m, len(self.labels) * t)).tocsr()
        return sparse.csr_array(Z)

    def _codes(self, bar: BarTerm, data: pd.DataFrame, *, new: bool, allow: bool) -> np.ndarray:
        """Where each row's level stands among the labels; -1 for others if these are allowed."""
        values, column = group_values(bar, data), ":".join(bar.group)
        if new and allow:
            return np.asarray(self.labels.get_indexer(pd.Index(values)))
        if new:
            return positions(values, self.labels, column, "the fit", _NEW_LEVELS)
        return positions(values, self.labels, column, self.source)


def group_values(bar: BarTerm, data: pd.DataFrame) -> pd.Series:
    """The grouping column, or the values of an interaction joined by ":" as lme4 prints them."""
    if len(bar.group) == 1:
        column = data[bar.group[0]]
        return column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
    parts = [data[name].map(part_of_label).astype(str) for name in bar.group]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + ":" + part
    return joined


def build_term(
    name: str, bars: Sequence[BarTerm], data: pd.DataFrame, kernels: Kernels
) -> tuple[Term, TermCoding]:
    """Build one random term; `bars` are several when a tag makes them share one Sigma.

    Parameters
    ----------
    name : str
        Unique name of the term.
    bars, data, kernels
        The members of the term, the rows of the fit, the relationships given.

    Raises
    ------
    ArgumentError
        Tagged terms with different kernels or structures.
    DataError
        A grouping column with one level.
    RelationshipError
        Levels of the data that K does not have.
    """
    key, form = _shared(bars, kernels)
    coded = [code(bar.lhs, data, sparse=False) for bar in bars]
    columns = _column_names(bars, [coding.names for _, coding in coded])
    groups = [group_values(bar, data) for bar in bars]
    relationship: Relationship
    if key is None:
        relationship = IdentityRelationship(_levels(groups, bars, data))
        source = "the fit"
    else:
        relationship = kernels.by_key[key]
        source = kernels.sources[key]
    coding = TermCoding(
        name, tuple(bars), tuple(c for _, c in coded), columns, relationship.labels, source
    )
    Z = coding.incidence(data, lhs=[np.asarray(M) for M, _ in coded])
    _check_levels(bars, groups)
    form_of_sigma = structure(form, len(columns))
    term = Term(name, group_name(bars), columns, Z, relationship, form_of_sigma, key is not None)
    return term, coding


def group_name(bars: Sequence[BarTerm]) -> str:
    """What a term groups by: ``"animal"``, or ``"animal + dam"`` for tagged members."""
    return " + ".join(bar.name for bar in bars)


def _shared(bars: Sequence[BarTerm], kernels: Kernels) -> tuple[str | None, str]:
    """The one kernel key and the one structure of terms that share Sigma."""
    keys = {key for bar in bars if (key := kernels.of(bar)) is not None}
    forms = {bar.structure for bar in bars}
    if keys and any(bar.identity for bar in bars):
        raise ArgumentError(
            f"the terms with the tag '{bars[0].tag}' share one covariance matrix and must share "
            "one relationship; ide() has none. Give it a tag of its own, or none"
        )
    if len(keys) > 1 and len({id(kernels.by_key[key]) for key in keys}) > 1:
        raise ArgumentError(
            f"the terms with the tag '{bars[0].tag}' share one covariance matrix and must share "
            f"one relationship; they have {listing(sorted(keys))}. Give it under one of the keys"
        )
    if len(forms) > 1:
        raise ArgumentError(
            f"the terms with the tag '{bars[0].tag}' share one covariance matrix and must have one "
            f"structure; they have {listing(sorted(forms))}"
        )
    return (min(keys) if keys else None), forms.pop()


def _column_names(bars: Sequence[BarTerm], names: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Names of the effects; with several members the grouping column tells them apart."""
    if len(bars) == 1:
        return names[0]
    return tuple(
        bar.name if column == "(Intercept)" else f"{bar.name}.{column}"
        for bar, columns in zip(bars, names, strict=True)
        for column in columns
    )


def _levels(groups: Sequence[pd.Series], bars: Sequence[BarTerm], data: pd.DataFrame) -> pd.Index:
    """Levels of an identity term: those in the data, in sorted or declared order."""
    seen: pd.Index = pd.Index(pd.concat(list(groups)).unique())
    if len(bars) == 1 and len(bars[0].group) == 1:
        column = data[bars[0].group[0]]
        if isinstance(column.dtype, pd.CategoricalDtype):
            declared: pd.Index = column.cat.categories.intersection(seen, sort=False)
            return declared
    with suppress(TypeError):  # labels of mixed types have no order of their own
        seen = seen.sort_values()
    return seen


def _check_levels(bars: Sequence[BarTerm], groups: Sequence[pd.Series]) -> None:
    for bar, values in zip(bars, groups, strict=True):
        if values.nunique() < 2:
            raise DataError(
                f"column '{':'.join(bar.group)}' of {bar.text} has one level ({values.iloc[0]!r}); "
                "a variance among levels needs at least two"
            )
