"""From what a user writes in `relmat` or `precision` to a Relationship, with every check."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Matrix, Relationship
from animalmm.errors import RelationshipError, listing
from animalmm.pedigree import Pedigree
from animalmm.relationship.base import LabelledRelationship
from animalmm.relationship.gene_flow import PedigreeRelationship
from animalmm.relationship.kinds import CovarianceRelationship, PrecisionRelationship
from animalmm.relationship.labels import kind_of

__all__ = ["as_labelled", "as_relationship", "labelled_matrix"]

_PROMISED = ("labels", "size", "prefers_precision", "factor", "precision", "logdet", "diagonal")
_ASYMMETRY = 1e-8  # relative to the largest element: what is less is rounding


def as_relationship(
    value: Any, source: str, *, inverse: bool = False, categories: pd.Index | None = None
) -> Relationship:
    """Make a Relationship of a DataFrame, a (matrix, labels) pair, a Pedigree or a Relationship.

    Parameters
    ----------
    value : DataFrame, (matrix, labels), Pedigree, Relationship, ndarray or sparse
        K, or K^-1 with `inverse`. A matrix without labels is accepted only with `categories`.
    source : str
        How the user named it, for messages: ``"relmat['animal']"``.
    inverse : bool, default False
        Whether `value` is K^-1.
    categories : Index, optional
        Categories of the data column, when it is a Categorical: the labels of a bare matrix of
        exactly that size.

    Raises
    ------
    RelationshipError
        No labels, wrong size, duplicated labels, not finite, not symmetric.
    """
    if isinstance(value, Pedigree):
        _require_no_groups(value, source)
        return PedigreeRelationship(value)
    if _is_relationship(value, source):
        found: Relationship = value
        if inverse and not found.prefers_precision:
            raise RelationshipError(
                f"{source} is a covariance ({type(value).__name__}); give it as relmat=, or its "
                "inverse here"
            )
        return found
    matrix, labels = labelled_matrix(value, source, categories)
    if inverse:
        return PrecisionRelationship(labels, sparse.csc_array(matrix), source)
    return CovarianceRelationship(labels, matrix, source)


def _require_no_groups(pedigree: Pedigree, source: str) -> None:
    """Refuse to leave genetic groups out without a word."""
    if len(pedigree.groups):
        raise RelationshipError(
            f"{source}: the pedigree has genetic groups of unknown parents: "
            f"{listing(pedigree.groups)}. Say what they are: fixed effects (the columns of "
            "pedigree.group_shares() as covariates, and pedigree.without_groups() here), random "
            "ones (animalmm.genetic_groups(pedigree, variance)), or related ancestors "
            "(animalmm.metafounders(pedigree, gamma))"
        )


def labelled_matrix(
    value: Any, source: str, categories: pd.Index | None = None
) -> tuple[Matrix | sparse.csc_array, pd.Index]:
    """Separate a matrix from its labels and check both.

    Returns
    -------
    ndarray or csc_array, shape (q, q)
        A copy: finite, symmetric, no negative element on the diagonal.
    Index
        Unique labels.
    """
    matrix, labels = _split(value, source, categories)
    _check_labels(matrix, labels, source)
    _check_values(matrix, labels, source)
    return matrix, labels


def as_labelled(value: Any, source: str) -> LabelledRelationship:
    """The same, for functions that need more than engines do: any form, sub-blocks.

    A user's own class, which gives no more than `Relationship` promises, is taken by its factor.
    """
    found = as_relationship(value, source)
    if isinstance(found, LabelledRelationship):
        return found
    L = found.factor()
    K = L @ L.T if isinstance(L, np.ndarray) else sparse.csc_array(L @ L.T)
    return CovarianceRelationship(found.labels, K, source)


def _is_relationship(value: Any, source: str) -> bool:
    """Whether a value is a Relationship; an error for a class that is one but in part."""
    lacks = [name for name in _PROMISED if not hasattr(type(value), name)]
    lacks = [name for name in lacks if name not in getattr(value, "__dict__", {})]
    if lacks and not isinstance(value, type) and hasattr(type(value), "factor"):
        raise RelationshipError(
            f"{source} is a {type(value).__name__}, which lacks {listing(lacks)} of what "
            "animalmm.core.Relationship promises; add it to the class"
        )
    if not lacks and not isinstance(value.labels, pd.Index):
        raise RelationshipError(
            f"{source} is a {type(value).__name__} whose labels are a "
            f"{type(value.labels).__name__}; make them a pandas.Index(ids)"
        )
    return not lacks


def _split(
    value: Any, source: str, categories: pd.Index | None
) -> tuple[Matrix | sparse.csc_array, pd.Index]:
    """Separate the matrix from its labels."""
    if isinstance(value, pd.DataFrame):
        return _from_frame(value, source)
    if isinstance(value, tuple) and len(value) == 2:
        matrix, labels = value
        index = _as_index(labels, source)
        return _as_matrix(matrix, source), index
    if isinstance(value, np.ndarray) or sparse.issparse(value):
        matrix = _as_matrix(value, source)
        if categories is not None and matrix.shape[0] == len(categories):
            return matrix, categories
        size = (
            ""
            if categories is None
            else (
                f"is {matrix.shape[0]} x {matrix.shape[1]}, the column has {len(categories)} "
                "categories; it "
            )
        )
        raise RelationshipError(
            f"{source} {size}is a matrix without labels, and labels are matched, never positions. "
            "Give (matrix, ids) or pandas.DataFrame(matrix, index=ids, columns=ids)"
        )
    raise RelationshipError(
        f"{source} is a {type(value).__name__}; give a DataFrame with ids as index and columns, "
        "(matrix, ids), a Pedigree or a Relationship"
    )


def _from_frame(frame: pd.DataFrame, source: str) -> tuple[Matrix, pd.Index]:
    if {str(name).lower() for name in frame.columns} & {"sire", "father"}:
        raise RelationshipError(
            f"{source} looks like a pedigree, not like a matrix: give animalmm.Pedigree(table)"
        )
    for labels in (frame.index, frame.columns):
        _require_one_level(labels, source)
    if frame.shape[0] != frame.shape[1]:
        hint = " Index and columns must hold the same ids"
        if frame.shape[1] == frame.shape[0] + 1:
            hint += f"; if the first column holds the ids, K.set_index({frame.columns[0]!r})"
        elif frame.shape[1] > frame.shape[0]:
            hint += "; if it holds genotypes at markers, animalmm.grm(M)"
        raise RelationshipError(f"{source} has shape {frame.shape} and is not square.{hint}")
    if frame.index.has_duplicates or frame.columns.has_duplicates:
        _check_labels(np.empty(frame.shape), frame.index, source)
        _check_labels(np.empty(frame.shape), frame.columns, source)
    if not frame.index.equals(frame.columns):
        odd = frame.index.symmetric_difference(frame.columns)
        if len(odd) and frame.columns.map(str).equals(frame.index.map(str)):
            raise RelationshipError(
                f"{source}: the ids of the index ({kind_of(frame.index)}) and of the columns "
                f"({kind_of(frame.columns)}) look alike but are of another type, as read_csv makes "
                "them: K.columns = K.index"
            )
        if len(odd):
            raise RelationshipError(
                f"{source}: index and columns hold different ids: {listing(odd)}. Label both "
                "with the same ids: pandas.DataFrame(K, index=ids, columns=ids)"
            )
        frame = frame[frame.index]
    try:
        matrix = frame.to_numpy(dtype=float, copy=True)
    except (TypeError, ValueError):
        raise RelationshipError(f"{source} holds values that are not numbers") from None
    return matrix, frame.index


def _as_index(labels: Any, source: str) -> pd.Index:
    if isinstance(labels, set | frozenset):
        raise RelationshipError(
            f"{source} has its labels in a set, which has no order: give a list, in the order of "
            "the rows"
        )
    try:
        index: pd.Index = labels if isinstance(labels, pd.Index) else pd.Index(labels)
    except (TypeError, ValueError):
        raise RelationshipError(
            f"{source} is a pair whose second part is no list of labels: give (matrix, ids)"
        ) from None
    return index


def _as_matrix(value: Any, source: str) -> Matrix | sparse.csc_array:
    try:
        if sparse.issparse(value):
            columns: sparse.csc_array = sparse.csc_array(cast("Any", value))
            columns = columns.astype(float)  # a copy
            columns.sum_duplicates()
            return columns
        matrix = np.array(value, dtype=float)  # a copy: what the user does later is not ours
    except (TypeError, ValueError):
        raise RelationshipError(f"{source} holds values that are not numbers") from None
    if matrix.ndim != 2:
        raise RelationshipError(f"{source} has {matrix.ndim} dimension(s); a matrix has two")
    return matrix


def _check_labels(matrix: Matrix | sparse.csc_array, labels: pd.Index, source: str) -> None:
    _require_one_level(labels, source)
    if matrix.shape[0] != matrix.shape[1]:
        raise RelationshipError(f"{source} has shape {matrix.shape} and is not square")
    if len(labels) != matrix.shape[0]:
        raise RelationshipError(
            f"{source} is {matrix.shape[0]} x {matrix.shape[1]} but has {len(labels)} labels"
        )
    if labels.hasnans:
        raise RelationshipError(f"{source} has missing labels: every row needs an id")
    if labels.has_duplicates:
        twice = labels[labels.duplicated()].unique()
        raise RelationshipError(
            f"{source} has duplicated labels: {listing(twice)}. Every id may stand once"
        )


def _require_one_level(labels: pd.Index, source: str) -> None:
    if labels.nlevels > 1:
        raise RelationshipError(
            f"{source} has labels of {labels.nlevels} levels (a MultiIndex), such as "
            f"{listing(labels[:1])}; a level of a factor has one. Join them as an interaction "
            "does, for example K.index = K.columns = K.index.map(':'.join)"
        )
    nested = [label for label in labels if isinstance(label, list | tuple | np.ndarray)]
    if nested:
        raise RelationshipError(
            f"{source} has labels that are lists themselves: {listing(nested)}. Give one flat "
            "list of ids"
        )


def _check_values(matrix: Matrix | sparse.csc_array, labels: pd.Index, source: str) -> None:
    if not len(labels):
        raise RelationshipError(f"{source} is empty: it has no rows and no ids")
    values = matrix.data if sparse.issparse(matrix) else matrix
    if not np.isfinite(values).all():
        bad = _rows(matrix, lambda m: ~np.isfinite(m))
        raise RelationshipError(
            f"{source} has values that are not finite (NaN or infinite), in the rows of "
            f"{listing(labels[bad])}. Compute them or leave those ids out of the matrix"
        )
    difference: Any = abs(matrix - matrix.T)
    largest, scale = float(difference.max()), float(np.max(np.abs(values), initial=0.0))
    if largest > _ASYMMETRY * scale:
        bad = _rows(difference, lambda m: m > _ASYMMETRY * scale)
        raise RelationshipError(
            f"{source} is not symmetric: K[i, j] and K[j, i] differ by up to {largest:.3g}, in the "
            f"rows of {listing(labels[bad])}. If only one triangle is filled, fill the other; "
            "if it is rounding, give (K + K.T) / 2"
        )
    diagonal = matrix.diagonal()
    if diagonal.min() < 0 or scale == 0:
        raise RelationshipError(
            f"{source} is not a covariance matrix: "
            + (
                "it is zero"
                if scale == 0
                else f"the diagonal is negative for {listing(labels[diagonal < 0])}"
            )
        )


def _rows(matrix: Matrix | sparse.csc_array, test: Any) -> np.ndarray:
    """Numbers of the rows in which any element passes a test."""
    if sparse.issparse(matrix):
        coo = matrix.tocoo()
        return np.unique(coo.row[test(coo.data)])
    return np.flatnonzero(test(matrix).any(axis=1))
