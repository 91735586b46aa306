"""One dense relationship in the coordinates in which the covariance of the records is a band."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from animalmm.core import Matrix, Problem, Relationship, Term, Vector
from animalmm.engines.fixed import FixedBasis, fixed_basis
from animalmm.linalg import NotPositiveDefiniteError, require_memory
from animalmm.linalg.band import BandForm, reduce_to_band
from animalmm.relationship.base import LabelledRelationship, dense, rank_of

__all__ = ["Columns", "Kernel", "Reduced", "reduce_kernel"]

_ZERO = 1e-8  # an eigenvalue of K so far below zero, relative to its largest element, is rounding


@dataclass(frozen=True, eq=False)
class Columns:
    """Vectors over the records, split into what K can explain and the rest.

    Attributes
    ----------
    inside : ndarray, shape (m, k)
        ``Q' E' v``.
    outside : ndarray, shape (n, k)
        ``v - E E' v``.
    """

    inside: Matrix
    outside: Matrix

    def __sub__(self, other: Columns) -> Columns:
        return Columns(self.inside - other.inside, self.outside - other.outside)

    def __matmul__(self, coefficients: Matrix) -> Columns:
        return Columns(self.inside @ coefficients, self.outside @ coefficients)


@dataclass(frozen=True, eq=False)
class Kernel:
    """``W^1/2 Z K Z' W^1/2 = E H E'`` with ``H = Q B Q'``.

    Attributes
    ----------
    E : csr_array or ndarray, shape (n, m)
        Orthonormal columns.
    F, G : ndarray (q, r); csr_array or ndarray (m, r)
        ``K Z' W^1/2 E = F G'``: K and a sparse G, or L and a dense one.
    band : BandForm
        Of H.
    relationship : Relationship
        K.
    """

    E: sparse.csr_array | Matrix
    F: Matrix
    G: sparse.csr_array | Matrix
    band: BandForm
    relationship: Relationship

    @cached_property
    def rank(self) -> int:
        """Rank of K."""
        return rank_of(self.relationship)

    def split(self, v: Matrix) -> Columns:
        """Vectors over the weighted records, shape (n, k), in the coordinates of the band."""
        inside = np.asarray(self.E.T @ v)
        return Columns(self.band.rotate(inside), v - self.E @ inside)

    def join(self, columns: Columns) -> Matrix:
        """Back from them, shape (n, k)."""
        return np.asarray(self.E @ self.band.rotate_back(columns.inside) + columns.outside)

    def spread(self, v: Matrix) -> Matrix:
        """``F G' Q v``: from the band to all levels of K, shape (q, k)."""
        return np.asarray(self.F @ (self.G.T @ self.band.rotate_back(v)))

    def levels(self, at: NDArray[np.intp]) -> Matrix:
        """``G F'`` at chosen levels: covariances of the records with these, shape (m, k)."""
        return np.asarray(self.G @ self.F[at].T)

    def cholesky(self, gamma: float) -> Matrix:
        """Lower Cholesky factor of ``I + gamma H``, shape (m, m): without the band."""
        M = _among(self.G, self.F) if sparse.issparse(self.G) else self.G @ self.G.T
        M *= gamma
        M.flat[:: len(M) + 1] += 1.0
        return np.asarray(linalg.cholesky(M.T, lower=True, overwrite_a=True, check_finite=False))


@dataclass(frozen=True, eq=False)
class Reduced:
    """A problem of one kernel: all that does not depend on psi.

    Attributes
    ----------
    problem : Problem
        The model.
    kernel : Kernel
        Its random term, reduced.
    """

    problem: Problem
    kernel: Kernel

    @property
    def term(self) -> Term:
        """The random term."""
        return self.problem.terms[0]

    @cached_property
    def basis(self) -> FixedBasis:
        """``X = B R`` with ``B'WB = I``."""
        return fixed_basis(dense(self.problem.X), self.problem.weights)

    @cached_property
    def fixed(self) -> Columns:
        """B, split."""
        return self.weighted(np.asarray(self.basis.B))

    @cached_property
    def response(self) -> Columns:
        """Y less the offset, split."""
        return self.weighted((self.problem.y - self.problem.offset)[:, None])

    @cached_property
    def logdet_weights(self) -> float:
        """log|W|."""
        return float(np.log(self.problem.weights).sum())

    @cached_property
    def _root_weights(self) -> Vector:
        return np.sqrt(self.problem.weights)

    def weighted(self, v: Matrix) -> Columns:
        """``W^1/2 v``, split, for v of shape (n, k)."""
        return self.kernel.split(self._root_weights[:, None] * v)

    def unweighted(self, columns: Columns) -> Matrix:
        """``W^1/2`` times what is split, shape (n, k)."""
        return self._root_weights[:, None] * self.kernel.join(columns)


def reduce_kernel(term: Term, weights: Vector) -> Kernel:
    """Reduce the covariance of the records, as far as it comes from a term, to a band.

    Parameters
    ----------
    term : Term
        With one effect of each level.
    weights : ndarray, shape (n,)
        W.

    Raises
    ------
    ArgumentError
        More than memory holds.
    RelationshipError
        K is not positive semi-definite.
    """
    E, A = _orthonormal(term.Z, weights)
    m, q = A.shape
    require_memory(
        8.0 * (3.0 * m**2 + m * q),
        f"the covariance matrix of the {m} levels of '{term.name}' with records, and its reduction",
        "Use engine='mme' where the inverse of the relationship is sparse.",
    )
    K = term.relationship
    if not isinstance(K, LabelledRelationship):
        return _by_factor(E, A, K)
    F = dense(K.covariance())
    kernel = Kernel(E, F, A, reduce_to_band(_among(A, F).T), K)
    if not _is_semidefinite(kernel, A):
        K.factor()  # judges it to the last digit, and says in words what is wrong
    return kernel


def _among(A: sparse.csr_array, K: Matrix) -> Matrix:
    """``A K A'`` for a symmetric K; rows of A with one entry only pick and scale."""
    if A.nnz == A.shape[0] and (np.diff(A.indptr) == 1).all():
        picked = K[np.ix_(A.indices, A.indices)]
        picked *= A.data
        picked *= A.data[:, None]
        return picked
    return np.asarray(A @ np.asarray(A @ K).T)


def _orthonormal(Z: sparse.csr_array, weights: Vector) -> tuple[sparse.csr_array, sparse.csr_array]:
    """E and A with ``W^1/2 Z = E A``: a column for each level with records, or for each record.

    The levels serve where each record has one: their columns are then orthogonal as they are.
    """
    scaled = sparse.csr_array(sparse.diags_array(np.sqrt(weights)) @ Z)
    scaled.eliminate_zeros()
    if np.diff(scaled.indptr).max(initial=0) > 1:
        return sparse.csr_array(sparse.eye_array(len(weights), format="csr")), scaled
    norms = np.sqrt(np.asarray(scaled.power(2).sum(axis=0)).ravel())
    seen = np.flatnonzero(norms)
    E = sparse.csr_array(scaled[:, seen] @ sparse.diags_array(1.0 / norms[seen]))
    places = (norms[seen], (np.arange(len(seen)), seen))
    return E, sparse.csr_array(sparse.coo_array(places, shape=(len(seen), Z.shape[1])))


def _by_factor(E: sparse.csr_array, A: sparse.csr_array, K: Relationship) -> Kernel:
    """For a class of a user's own, which promises no more than L; of L's rank if that is less."""
    L = dense(K.factor())
    G = np.asarray(A @ L)
    if G.shape[1] >= G.shape[0]:
        return Kernel(E, L, G, reduce_to_band(G @ G.T), K)
    within, G = linalg.qr(G, mode="economic")
    return Kernel(np.asarray(E @ within), L, G, reduce_to_band(G @ G.T), K)


def _is_semidefinite(kernel: Kernel, A: sparse.csr_array) -> bool:
    """Whether K has no eigenvalue below zero, but for rounding; in doubt, that it has."""
    K = kernel.F
    zero = _ZERO * float(np.abs(K.diagonal()).max())
    try:
        if A.nnz == len(K) == A.shape[0]:  # H is K with its rows and columns scaled
            kernel.band.cholesky(1.0, zero * float(np.square(A.data).min()))
        else:
            linalg.cholesky(K + zero * np.eye(len(K)), overwrite_a=True, check_finite=False)
    except (NotPositiveDefiniteError, linalg.LinAlgError):
        return False
    return True
