"""What all kinds of relationship have in common, derived from the forms that each one gives."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Matrix, Relationship, Vector
from animalmm.errors import IllConditionedWarning, listing, warn
from animalmm.linalg import require_memory
from animalmm.relationship.describing import describe
from animalmm.relationship.labels import places

__all__ = [
    "USE_INVERSE",
    "WITHOUT_INVERSE",
    "LabelledRelationship",
    "dense",
    "product_with",
    "rank_of",
    "times",
    "warn_of_lost_digits",
]

DIGITS = 6.0  # estimates agree to about this many with those of the factor form

USE_INVERSE = "Leave the engine to 'auto' or 'mme', which use the inverse as it is."
WITHOUT_INVERSE = (
    "so it has no inverse for the mixed model equations. Use engine='whitened', which needs none"
)


class LabelledRelationship(ABC):
    """A relationship matrix K (q x q) among labelled levels.

    A child gives the forms that `animalmm.core.Relationship` promises, and K itself.

    Attributes
    ----------
    labels : Index
        Labels of the q levels, unique.
    source : str
        How the user named it, for messages: ``"relmat['animal']"``.
    history : tuple of str
        What was done to get K, in order, with the figures: blended, tuned, bent.
    """

    labels: pd.Index
    source: str = "the relationship"
    history: tuple[str, ...] = ()

    @property
    @abstractmethod
    def prefers_precision(self) -> bool:
        """Whether K^-1 is the sparser, cheaper form."""

    @abstractmethod
    def covariance(self) -> Matrix | sparse.csc_array:
        """K itself, (q, q); an ArgumentError where memory does not suffice."""

    @abstractmethod
    def factor(self) -> Matrix | sparse.csc_array:
        """L (q x r) with ``K = L L'``, r the rank of K."""

    @abstractmethod
    def precision(self) -> sparse.csc_array:
        """K^-1 (q x q), both triangles; a RelationshipError when K is singular."""

    @abstractmethod
    def logdet(self) -> float:
        """log|K|; a RelationshipError when K is singular."""

    @abstractmethod
    def diagonal(self) -> Vector:
        """K_jj, shape (q,)."""

    @property
    def size(self) -> int:
        """Number of levels q."""
        return len(self.labels)

    @property
    def rank(self) -> int:
        """Rank of K."""
        return int(self.factor().shape[1])

    @property
    def form(self) -> tuple[str, float]:
        """The form at hand in words, and how many elements it stores."""
        K = self.covariance()
        return ("K, sparse", K.nnz) if sparse.issparse(K) else ("K, dense", float(K.size))

    @property
    def knows_diagonal(self) -> bool:
        """Whether `diagonal` is cheap for any number of levels."""
        return True

    def matvec(self, v: Matrix) -> Matrix:
        """``K v`` for v of shape (q,) or (q, k)."""
        return np.asarray(self.covariance() @ v)

    def solve(self, v: Matrix) -> Matrix:
        """``K^-1 v`` for v of shape (q,) or (q, k); a RelationshipError when K is singular."""
        return np.asarray(self.precision() @ v)

    def block(self, ids: Iterable[object]) -> pd.DataFrame:
        """The part of K among chosen levels.

        Parameters
        ----------
        ids : iterable of labels
            Each once.

        Returns
        -------
        DataFrame, shape (m, m)
            In the order of `ids`, labelled on both sides.

        Raises
        ------
        ArgumentError
            Ids that are unknown or repeated, or more than memory holds.
        """
        at = places(ids, self.labels, self.source)
        require_memory(2 * 8.0 * len(at) ** 2, f"a table of {len(at)} ids", "Choose fewer ids.")
        labels = self.labels[at]
        return pd.DataFrame(dense(self.elements(at)), index=labels, columns=labels)

    def elements(self, at: np.ndarray) -> Matrix | sparse.csc_array:
        """K among the levels at some positions, each once, in that order; sparse where K is."""
        K = self.covariance()
        if isinstance(K, np.ndarray):
            return np.asarray(K[np.ix_(at, at)])
        return sparse.csc_array(sparse.csr_array(K)[at][:, at])

    def to_frame(self) -> pd.DataFrame:
        """K as a table, ids as index and columns; an ArgumentError where memory does not suffice.

        Returns
        -------
        DataFrame, shape (q, q)
            A copy.
        """
        return self.block(self.labels)

    def describe(self) -> pd.Series:
        """What there is to know about K before it is used.

        Returns
        -------
        Series
            kind, levels, labels, form at hand and its density, rank, mean diagonal and mean
            off-diagonal element, smallest and largest eigenvalue and the condition number,
            remarks, history. With more than 1000 levels the eigenvalues are estimated, as is the
            mean diagonal of a K given by its inverse; the row ``estimated`` says so. K is not
            formed where it is not at hand.
        """
        return describe(self)

    def __repr__(self) -> str:
        """The kind, the first labels, what was done."""
        done = f"; {'; '.join(self.history)}" if self.history else ""
        return f"<{type(self).__name__}: {self.size} levels {listing(self.labels[:3])}{done}>"


def dense(M: Matrix | sparse.csc_array | sparse.csr_array) -> Matrix:
    """The elements of a matrix that may be sparse."""
    return np.asarray(M.toarray() if sparse.issparse(M) else M, dtype=float)


def times(K: Relationship, v: Matrix) -> Matrix:
    """``K v`` for v of shape (q, k)."""
    return product_with(K)(v)


def product_with(K: Relationship) -> Callable[[Matrix], Matrix]:
    """What multiplies by K; by L, made once, where a class of a user's own promises no more."""
    if isinstance(K, LabelledRelationship):
        return K.matvec
    L: Any = K.factor()
    return lambda v: np.asarray(L @ (L.T @ v))


def rank_of(K: Relationship) -> int:
    """Rank of K; by L where a class of a user's own promises no more."""
    return K.rank if isinstance(K, LabelledRelationship) else int(K.factor().shape[1])


def warn_of_lost_digits(
    K: Matrix | sparse.csc_array, P: Matrix | sparse.csc_array, source: str, remedy: str
) -> None:
    """Warn when the inverse P of K has few correct digits: they follow from the condition of K."""
    matrices: list[Any] = [K, P]
    condition = math.prod(float(abs(M).sum(axis=0).max()) for M in matrices)
    digits = -np.log10(np.finfo(float).eps * condition)
    if digits < DIGITS:
        warn(
            f"{source} has condition number {condition:.1g}, so its inverse carries only about "
            f"{max(digits, 0):.0f} correct digits, {remedy}",
            IllConditionedWarning,
        )
