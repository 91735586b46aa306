"""From what a user writes in `relmat` or `precision` to a Relationship, with every check."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Matrix, Relationship
from animalmm.errors import RelationshipError, listing
from animalmm.pedigree import Pedigree
from animalmm.relationship.kinds import (
    CovarianceRelationship,
    PedigreeRelationship,
    PrecisionRelationship,
)

__all__ = ["as_relationship", "as_text", "labelled_matrix", "positions"]

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
        return PedigreeRelationship(value)
    if _is_relationship(value):
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


_REMEDY = (
    "Give a matrix that has them, or leave their records out; levels of the matrix that have no "
    "records are welcome"
)


def positions(
    values: pd.Series,
    labels: pd.Index,
    column: str,
    source: str,
    remedy: str = _REMEDY,
) -> np.ndarray:
    """Where each value of a data column stands among the labels of K.

    Parameters
    ----------
    values : Series, shape (n,)
        The column.
    labels : Index
        Labels of K.
    column, source : str
        Names of both, for messages.
    remedy : str
        What to do about values that are not among the labels, for the message.

    Returns
    -------
    ndarray of int, shape (n,)

    Raises
    ------
    RelationshipError
        Values that are not among the labels: the count, the first five, and, when they only differ
        in type (1 against "1"), how to make them alike.
    """
    codes = labels.get_indexer(pd.Index(values))
    if (codes >= 0).all():
        return np.asarray(codes)
    missing = pd.Index(values[codes < 0].unique())
    message = (
        f"{len(missing)} level{'s' * (len(missing) > 1)} of column '{column}' "
        f"{'are' if len(missing) > 1 else 'is'} not in {source}: {listing(missing)}. "
    )
    text = pd.Index(labels.map(as_text))
    if text.is_unique and (text.get_indexer(missing.map(as_text)) >= 0).any():
        message += (
            f"The labels of {source} look alike but are of another type "
            f"({_kind(labels)} there, {_kind(missing)} in the data): make them the same, "
            f"for example data['{column}'] = data['{column}'].astype("
            f"{'int' if _kind(labels) == 'int' else 'str'})"
        )
    else:
        message += remedy
    raise RelationshipError(message)


def _is_relationship(value: Any) -> bool:
    return all(hasattr(value, name) for name in ("labels", "factor", "precision", "logdet"))


def _split(
    value: Any, source: str, categories: pd.Index | None
) -> tuple[Matrix | sparse.csc_array, pd.Index]:
    """Separate the matrix from its labels."""
    if isinstance(value, pd.DataFrame):
        return _from_frame(value, source)
    if isinstance(value, tuple) and len(value) == 2:
        matrix, labels = value
        return _as_matrix(matrix, source), pd.Index(labels)
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
    if frame.shape[0] != frame.shape[1]:
        hint = " Index and columns must hold the same ids"
        if frame.shape[1] == frame.shape[0] + 1:
            hint += f"; if the first column holds the ids, K.set_index({frame.columns[0]!r})"
        raise RelationshipError(f"{source} has shape {frame.shape} and is not square.{hint}")
    if frame.index.has_duplicates or frame.columns.has_duplicates:
        _check_labels(np.empty(frame.shape), frame.index, source)
        _check_labels(np.empty(frame.shape), frame.columns, source)
    if not frame.index.equals(frame.columns):
        odd = frame.index.symmetric_difference(frame.columns)
        if len(odd) and frame.columns.map(str).equals(frame.index.map(str)):
            raise RelationshipError(
                f"{source}: the ids of the index ({_kind(frame.index)}) and of the columns "
                f"({_kind(frame.columns)}) look alike but are of another type, as read_csv makes "
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


def _check_values(matrix: Matrix | sparse.csc_array, labels: pd.Index, source: str) -> None:
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


def as_text(value: object) -> str:
    """A label as text; a whole float, which a missing value makes of integers, as an integer."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _kind(index: pd.Index) -> str:
    kind = index.inferred_type
    return {"integer": "int", "string": "str", "floating": "float"}.get(kind, kind)
