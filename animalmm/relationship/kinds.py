"""Relationships: the labels of K and the forms that each kind of K has.

Every kind gives ``factor()`` (L with ``K = L L'``), ``precision()`` (K^-1), ``logdet()`` and
``diagonal()``; the difference is which of them is at hand and which has to be computed. Forms are
computed when first asked for and kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import linalg, sparse
from scipy.sparse.linalg import splu

from animalmm.core import Matrix, Vector
from animalmm.errors import IllConditionedWarning, RelationshipError, listing, warn
from animalmm.linalg import (
    Factor,
    NotPositiveDefiniteError,
    analyze,
    require_memory,
    safe_cholesky,
)
from animalmm.pedigree import Pedigree

__all__ = [
    "CovarianceRelationship",
    "IdentityRelationship",
    "PedigreeRelationship",
    "PrecisionRelationship",
]

_DIGITS = 6.0  # estimates agree to about this many with those of the factor form
_CHEAPER = "Give the inverse, which is sparse for a pedigree: precision={...}, or a Pedigree."


@dataclass(frozen=True, eq=False)
class _Labelled:
    """A relationship that holds its labels."""

    labels: pd.Index

    @property
    def size(self) -> int:
        """Number of levels."""
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class IdentityRelationship(_Labelled):
    """Unrelated levels, K = I."""

    @property
    def prefers_precision(self) -> bool:
        """Both forms are the same."""
        return True

    def factor(self) -> sparse.csc_array:
        """I."""
        return sparse.csc_array(sparse.eye_array(self.size, format="csc"))

    def precision(self) -> sparse.csc_array:
        """I."""
        return self.factor()

    def logdet(self) -> float:
        """Zero."""
        return 0.0

    def diagonal(self) -> Vector:
        """Ones."""
        return np.ones(self.size)


@dataclass(frozen=True, eq=False)
class CovarianceRelationship(_Labelled):
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

    K: Matrix | sparse.csc_array
    source: str = "the relationship matrix"
    history: tuple[str, ...] = ()

    @property
    def prefers_precision(self) -> bool:
        """A covariance is used by its Cholesky factor: the inverse may not exist."""
        return False

    @cached_property
    def _factor(self) -> sparse.csc_array | Matrix:
        if sparse.issparse(self.K):
            L = _sparse_factor(sparse.csc_array(self.K))
            if L is not None:
                return L
        try:
            return safe_cholesky(self._dense())
        except NotPositiveDefiniteError as error:
            raise RelationshipError(
                f"{self.source} is not positive semi-definite: its smallest eigenvalue is "
                f"{error.smallest_eigenvalue:.4g}. Bend it (animalmm.bend), or blend it with a "
                "positive definite one (0.95 * G + 0.05 * A)"
            ) from None

    def _dense(self) -> Matrix:
        require_memory(2 * 8.0 * self.size**2, f"the dense factor of {self.source}", _CHEAPER)
        return np.asarray(self.K.toarray() if sparse.issparse(self.K) else self.K)

    def factor(self) -> sparse.csc_array | Matrix:
        """Cholesky factor of K; of K's rank when K is singular."""
        return self._factor

    @cached_property
    def _inverse(self) -> sparse.csc_array:
        L = self._definite_factor()
        dense = L if isinstance(L, np.ndarray) else np.linalg.cholesky(self._dense())
        inverse, info = linalg.lapack.dpotri(dense, lower=1)
        if info != 0:
            raise RelationshipError(f"{self.source} is singular; use engine='whitened'")
        P = np.tril(inverse) + np.tril(inverse, -1).T
        self._warn_of_lost_digits(P)
        return sparse.csc_array(P)

    def _warn_of_lost_digits(self, P: Matrix) -> None:
        size = float(np.abs(self._dense()).sum(axis=0).max())
        condition = size * float(np.abs(P).sum(axis=0).max())
        digits = -np.log10(np.finfo(float).eps * condition)
        if digits < _DIGITS:
            warn(
                f"{self.source} has condition number {condition:.1g}, so its inverse carries only "
                f"about {max(digits, 0):.0f} correct digits, and so do estimates made with it. Use "
                "engine='whitened' (or 'auto'), which needs no inverse",
                IllConditionedWarning,
            )

    def _definite_factor(self) -> sparse.csc_array | Matrix:
        L = self._factor
        if L.shape[1] < self.size:
            raise RelationshipError(
                f"{self.source} is singular (rank {L.shape[1]} of {self.size}), so it has no "
                "inverse for the mixed model equations. Use engine='whitened', which needs none, "
                "or blend the matrix with a positive definite one (0.95 * G + 0.05 * A)"
            )
        return L

    def precision(self) -> sparse.csc_array:
        """K^-1, dense in sparse clothing."""
        return self._inverse

    def logdet(self) -> float:
        """log|K|."""
        L = self._definite_factor()
        if sparse.issparse(L):
            return float(np.linalg.slogdet(self._dense())[1])
        return 2.0 * float(np.log(np.diag(L)).sum())

    def diagonal(self) -> Vector:
        """K_jj."""
        return np.asarray(self.K.diagonal(), dtype=float)


@dataclass(frozen=True, eq=False)
class PrecisionRelationship(_Labelled):
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

    P: sparse.csc_array
    source: str = "the precision matrix"
    history: tuple[str, ...] = ()

    @property
    def prefers_precision(self) -> bool:
        """The inverse is what is at hand."""
        return True

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

    @cached_property
    def _covariance(self) -> Matrix:
        require_memory(3 * 8.0 * self.size**2, f"the dense inverse of {self.source}", _ENGINE)
        K = self._cholesky.solve(np.eye(self.size))
        return np.asarray((K + K.T) / 2)

    @cached_property
    def _factor(self) -> Matrix:
        return safe_cholesky(self._covariance)

    def factor(self) -> Matrix:
        """Cholesky factor of K, dense."""
        return self._factor

    def diagonal(self) -> Vector:
        """K_jj, from the dense inverse."""
        return np.asarray(self._covariance.diagonal(), dtype=float)


_ENGINE = "Leave the engine to 'auto' or 'mme', which use the inverse as it is."


@dataclass(frozen=True, eq=False)
class PedigreeRelationship:
    """The numerator relationship matrix A of a pedigree.

    Attributes
    ----------
    pedigree : Pedigree
        Its animals, parents first, are the levels.
    """

    pedigree: Pedigree

    @property
    def labels(self) -> pd.Index:
        """The animals, parents first."""
        return self.pedigree.labels

    @property
    def size(self) -> int:
        """Number of animals."""
        return len(self.pedigree.labels)

    @property
    def prefers_precision(self) -> bool:
        """A^-1 has about seven elements an animal."""
        return True

    @cached_property
    def _precision(self) -> sparse.csc_array:
        return self.pedigree.a_inverse()

    def precision(self) -> sparse.csc_array:
        """A^-1 by Henderson's rules, with inbreeding."""
        return self._precision

    def factor(self) -> sparse.csc_array:
        """``T D^1/2``, A = T D T'."""
        return self.pedigree.factor()

    def logdet(self) -> float:
        """log|A|: the sum of the logarithms of the Mendelian sampling variances."""
        return self.pedigree.logdet()

    def diagonal(self) -> Vector:
        """1 + F."""
        return np.asarray(1.0 + self.pedigree.inbreeding().to_numpy(), dtype=float)


def _sparse_factor(K: sparse.csc_array) -> sparse.csc_array | None:
    """F with ``K = F F'``, keeping the sparsity; None where K is not safely positive definite.

    With no pivoting but a symmetric permutation, the LU factors of a symmetric matrix are
    ``P K P' = L D L'`` with D the diagonal of U.
    """
    try:
        lu = splu(
            K, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        )
    except RuntimeError:
        return None
    d = lu.U.diagonal()
    if not np.array_equal(lu.perm_r, lu.perm_c) or d.min() <= 1e-10 * d.max():
        return None
    L = sparse.csc_array(lu.L) @ sparse.diags_array(np.sqrt(d))
    return sparse.csc_array(sparse.csr_array(L)[lu.perm_r])
