"""Relationships: the labels of K and the forms that each kind of K has.

Every kind gives K itself, ``factor()`` (L with ``K = L L'``), ``precision()`` (K^-1), ``logdet()``
and ``diagonal()``; the difference is which of them is at hand and which has to be computed. Forms
are computed when first asked for and kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Matrix, Vector
from animalmm.errors import RelationshipError, listing
from animalmm.linalg import (
    Factor,
    NotPositiveDefiniteError,
    Root,
    analyze,
    inverse,
    require_memory,
    root,
    safe_cholesky,
)
from animalmm.relationship.base import (
    USE_INVERSE,
    WITHOUT_INVERSE,
    LabelledRelationship,
    warn_of_lost_digits,
)

__all__ = [
    "BEND_TO",
    "CovarianceRelationship",
    "IdentityRelationship",
    "PrecisionRelationship",
]

BEND_TO = 1e-6  # smallest eigenvalue of a bent matrix, relative to the mean of all

_CHEAPER = "Give the inverse, which is sparse for a pedigree: precision={...}, or a Pedigree."


@dataclass(frozen=True, eq=False, repr=False)
class IdentityRelationship(LabelledRelationship):
    """Unrelated levels, K = I.

    Attributes
    ----------
    labels : Index
        Labels of the levels, unique.
    """

    labels: pd.Index

    @property
    def prefers_precision(self) -> bool:
        """Both forms are the same."""
        return True

    @property
    def rank(self) -> int:
        """Full."""
        return self.size

    def covariance(self) -> sparse.csc_array:
        """I."""
        return sparse.csc_array(sparse.eye_array(self.size, format="csc"))

    def matvec(self, v: Matrix) -> Matrix:
        """A copy of v."""
        return np.array(v, dtype=float)

    def solve(self, v: Matrix) -> Matrix:
        """A copy of v."""
        return np.array(v, dtype=float)

    def factor(self) -> sparse.csc_array:
        """I."""
        return self.covariance()

    def precision(self) -> sparse.csc_array:
        """I."""
        return self.covariance()

    def logdet(self) -> float:
        """Zero."""
        return 0.0

    def diagonal(self) -> Vector:
        """Ones."""
        return np.ones(self.size)


@dataclass(frozen=True, eq=False, repr=False)
class CovarianceRelationship(LabelledRelationship):
    """K given as a matrix: genomic, spatial, any kernel.

    Attributes
    ----------
    labels : Index
        Labels of rows and columns, unique.
    K : ndarray or csc_array, shape (q, q)
        Symmetric, positive semi-definite.
    source : str
        How the user named it, for error messages: ``"relmat['animal']"``.
    history : tuple of str
        What was done to get K, in order: made, blended, tuned, bent, with the figures.
    """

    labels: pd.Index
    K: Matrix | sparse.csc_array
    source: str = "the relationship matrix"
    history: tuple[str, ...] = ()

    @property
    def prefers_precision(self) -> bool:
        """A covariance is used by its Cholesky factor: the inverse may not exist."""
        return False

    def covariance(self) -> Matrix | sparse.csc_array:
        """K as given."""
        return self.K

    def __getstate__(self) -> dict[str, object]:
        # a factorisation may live in the memory of a C library
        return {name: value for name, value in self.__dict__.items() if name != "_root"}

    @cached_property
    def _root(self) -> Root:
        try:
            return root(self.K, f"the dense factor of {self.source}", _CHEAPER)
        except NotPositiveDefiniteError as error:
            lowest = error.smallest_eigenvalue or 0.0
            change = BEND_TO * abs(self.diagonal()).mean() - lowest
            raise RelationshipError(
                f"{self.source} is not positive semi-definite: its smallest eigenvalue is "
                f"{lowest:.4g}. Bend it: animalmm.bend changes no element by more than "
                f"{change:.2g}; or blend it with a positive definite one, as animalmm.blend(G, A) "
                "does"
            ) from None

    def _require_inverse(self) -> None:
        if self.rank < self.size:
            raise RelationshipError(
                f"{self.source} is singular (rank {self.rank} of {self.size}), {WITHOUT_INVERSE}, "
                "or blend the matrix with a positive definite one, 0.95 * G + 0.05 * A: "
                "animalmm.blend(G, A)"
            )

    def factor(self) -> sparse.csc_array | Matrix:
        """Cholesky factor of K; of K's rank when K is singular. Sparse where K is."""
        return self._root.L

    @cached_property
    def _inverse(self) -> sparse.csc_array:
        self._require_inverse()
        P = inverse(self.K, self._root, f"the inverse of {self.source}", _CHEAPER)
        warn_of_lost_digits(
            self.K,
            P,
            self.source,
            "and so do estimates made with it. Use engine='whitened' (or 'auto'), which needs no "
            "inverse",
        )
        return sparse.csc_array(P)

    def precision(self) -> sparse.csc_array:
        """K^-1: dense in sparse clothing, or sparse where K falls into blocks."""
        return self._inverse

    def solve(self, v: Matrix) -> Matrix:
        """``K^-1 v``, from the factor."""
        self._require_inverse()
        return self._root.solve(v)

    def logdet(self) -> float:
        """log|K|."""
        self._require_inverse()
        return self._root.logdet

    def diagonal(self) -> Vector:
        """K_jj."""
        return np.asarray(self.K.diagonal(), dtype=float)


@dataclass(frozen=True, eq=False, repr=False)
class PrecisionRelationship(LabelledRelationship):
    """K given by its inverse (`precision=`): a pedigree's A^-1, H^-1, a Gaussian Markov field.

    Attributes
    ----------
    labels : Index
        Labels of rows and columns, unique.
    P : csc_array, shape (q, q)
        K^-1, symmetric positive definite, both triangles.
    source : str
        How the user named it, for error messages.
    history : tuple of str
        What was done to get K^-1, in order, with the figures.
    """

    labels: pd.Index
    P: sparse.csc_array
    source: str = "the precision matrix"
    history: tuple[str, ...] = ()

    @property
    def prefers_precision(self) -> bool:
        """The inverse is what is at hand."""
        return True

    @property
    def rank(self) -> int:
        """Full."""
        return self.size

    @property
    def knows_diagonal(self) -> bool:
        """The diagonal of an inverse takes the inverse."""
        return False

    @property
    def form(self) -> tuple[str, float]:
        """The inverse."""
        return "K^-1, sparse", self.P.nnz

    def precision(self) -> sparse.csc_array:
        """K^-1 as given."""
        return self.P

    def __getstate__(self) -> dict[str, object]:
        # the factorisation lives in the memory of a C library
        return {name: value for name, value in self.__dict__.items() if name != "_cholesky"}

    @cached_property
    def _cholesky(self) -> Factor:
        not_positive = self.P.diagonal() <= 0
        lower = sparse.csc_array(sparse.tril(self.P, format="csc"))
        try:
            if not_positive.any():
                raise NotPositiveDefiniteError
            return analyze(lower).factorize(lower)
        except NotPositiveDefiniteError:
            culprits = self.labels[not_positive]
            where = f" (see the diagonal of {listing(culprits)})" if len(culprits) else ""
            raise RelationshipError(
                f"{self.source} is not positive definite{where}, so it is not the inverse of a "
                "covariance matrix. If it is a covariance itself, give it as relmat="
            ) from None

    def logdet(self) -> float:
        """log|K| = -log|K^-1|."""
        return -self._cholesky.logdet()

    def matvec(self, v: Matrix) -> Matrix:
        """``K v``, by solving with K^-1."""
        return self._cholesky.solve(v)

    def elements(self, at: np.ndarray) -> Matrix:
        """K among some levels: their columns are solved for."""
        require_memory(
            2 * 8.0 * self.size * len(at),
            f"{len(at)} columns of the inverse of {self.source}",
            "Choose fewer ids.",
        )
        columns = np.zeros((self.size, len(at)))
        columns[at, np.arange(len(at))] = 1.0
        K = self._cholesky.solve(columns)[at]
        return np.asarray((K + K.T) / 2)

    @cached_property
    def _covariance(self) -> Matrix:
        require_memory(3 * 8.0 * self.size**2, f"the dense inverse of {self.source}", USE_INVERSE)
        return self.elements(np.arange(self.size))

    def covariance(self) -> Matrix:
        """K, dense."""
        return self._covariance

    @cached_property
    def _factor(self) -> Matrix:
        return safe_cholesky(self._covariance)

    def factor(self) -> Matrix:
        """Cholesky factor of K, dense."""
        return self._factor

    def diagonal(self) -> Vector:
        """K_jj, from the dense inverse."""
        return np.asarray(self._covariance.diagonal(), dtype=float)
