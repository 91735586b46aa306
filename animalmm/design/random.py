"""From a random term of the formula to its incidence Z, and the same for new rows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Matrix, Relationship, Term
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
    """

    name: str
    bars: tuple[BarTerm, ...]
    codings: tuple[Coding, ...]
    columns: tuple[str, ...]
    labels: pd.Index = field(repr=False)

    def incidence(self, data: pd.DataFrame, *, allow_new_levels: bool = False) -> sparse.csr_array:
        """Z for new rows, shape (m, q * t), level-major.

        Parameters
        ----------
        data : DataFrame
            m rows with the columns that the term uses.
        allow_new_levels : bool, default False
            Rows of levels that are not among the labels get zeros, in place of an error.

        Raises
        ------
        DataError, RelationshipError
            Columns or levels that the fit has not seen.
        """
        lhs = [np.asarray(coding.matrix(data)) for coding in self.codings]
        places = []
        for bar in self.bars:
            codes, levels = group_levels(bar, data)
            if allow_new_levels:
                found = self.labels.get_indexer(levels)
            else:
                found = positions(levels, self.labels, ":".join(bar.group), "the fit", _NEW_LEVELS)
            places.append(found[codes])
        return _incidence(lhs, places, len(self.labels))


def _incidence(lhs: Sequence[Matrix], places: Sequence[np.ndarray], q: int) -> sparse.csr_array:
    """Z from the left sides of the members and the level of each row in each, -1 for none."""
    t = sum(M.shape[1] for M in lhs)
    first = np.repeat(np.column_stack(places), [M.shape[1] for M in lhs], axis=1) * t
    columns = first + np.arange(t)
    present = columns >= 0
    starts = np.concatenate([[0], np.cumsum(np.count_nonzero(present, axis=1))])
    values = np.hstack(lhs)[present]
    Z = sparse.csr_array((values, columns[present], starts), shape=(len(columns), q * t))
    Z.sort_indices()  # each member has its own levels
    return Z


def group_levels(bar: BarTerm, data: pd.DataFrame) -> tuple[np.ndarray, pd.Index]:
    """Number the levels of a group as they appear in the rows.

    Returns
    -------
    ndarray of int, (n,)
        The level of each row.
    Index, (k,)
        The levels; those of an interaction are joined by ":" as lme4 prints them.

    Raises
    ------
    DataError
        Values that cannot be labels.
    """
    columns = [_factorize(data[name]) for name in bar.group]
    if len(columns) == 1:
        return columns[0]
    codes, levels = _as_text(*columns[0])
    for other, others in (_as_text(*column) for column in columns[1:]):
        codes, pairs = pd.factorize(codes * len(others) + other)
        left, right = np.divmod(pairs, len(others))
        levels = levels[left] + ":" + others[right]
    return codes, levels


def _factorize(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    try:
        codes, levels = pd.factorize(column, use_na_sentinel=False)
    except TypeError:
        kind = type(column.iloc[0]).__name__
        message = f"{column.name} groups records and holds values of type {kind}"
        raise DataError(f"{message}, which cannot be labels: use numbers or text") from None
    if isinstance(levels, pd.CategoricalIndex):
        levels = levels.astype(levels.categories.dtype)
    return codes, levels


def _as_text(codes: np.ndarray, levels: pd.Index) -> tuple[np.ndarray, pd.Index]:
    """Turn levels into parts of the levels of an interaction; those that read alike are one."""
    again, texts = pd.factorize(levels.map(part_of_label).astype(str))
    return again[codes], texts


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
    groups = [group_levels(bar, data) for bar in bars]
    relationship: Relationship
    if key is None:
        labels = _labels([levels for _, levels in groups], bars, data)
        relationship, source = IdentityRelationship(labels), "the fit"
    else:
        relationship, source = kernels.by_key[key], kernels.sources[key]
    labels = relationship.labels
    places = [
        positions(levels, labels, ":".join(bar.group), source)[codes]
        for bar, (codes, levels) in zip(bars, groups, strict=True)
    ]
    _check_levels(bars, [levels for _, levels in groups])
    Z = _incidence([np.asarray(M) for M, _ in coded], places, len(labels))
    coding = TermCoding(name, tuple(bars), tuple(c for _, c in coded), columns, labels)
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


def _labels(groups: Sequence[pd.Index], bars: Sequence[BarTerm], data: pd.DataFrame) -> pd.Index:
    """Levels of an identity term: those in the data, in sorted or declared order."""
    seen = reduce(pd.Index.append, groups).unique()
    if len(bars) == 1 and len(bars[0].group) == 1:
        column = data[bars[0].group[0]]
        if isinstance(column.dtype, pd.CategoricalDtype):
            declared: pd.Index = column.cat.categories.intersection(seen, sort=False)
            return declared
    with suppress(TypeError):  # labels of mixed types have no order of their own
        seen = seen.sort_values()
    return seen


def _check_levels(bars: Sequence[BarTerm], groups: Sequence[pd.Index]) -> None:
    for bar, levels in zip(bars, groups, strict=True):
        if len(levels) < 2:
            raise DataError(
                f"column '{':'.join(bar.group)}' of {bar.text} has one level ({listing(levels)}); "
                "a variance among levels needs at least two"
            )
