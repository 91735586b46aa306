"""Terms and fixed effects in weighted records, for the engine of several dense relationships.

All is multiplied by the root of the weights: ``W^1/2 y`` has the covariance sigma2 N, with
``N = I + sum_i sum_ab (Sigma_i)_ab / sigma2 Z_ia K_i Z_ib'``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg.lapack import dpotrf

from animalmm.core import Matrix, Problem, Relationship, Term, Vector
from animalmm.engines.fixed import FixedBasis, fixed_basis
from animalmm.linalg import root, safe_cholesky
from animalmm.relationship.base import LabelledRelationship, dense, times

__all__ = ["KernelTerm", "WeightedModel", "kernel_term", "weighted_model"]

_ZERO = 1e-8  # an eigenvalue of K so far below zero, relative to its largest element, is rounding


@dataclass(frozen=True, eq=False)
class KernelTerm:
    """A random term by its relationship.

    Attributes
    ----------
    term : Term
        The term.
    Z : tuple of csr_array, each of shape (n, m)
        For each effect its incidence times W^1/2, on the levels that are held.
    K : ndarray or csr_array, shape (m, m)
        The relationship among these levels.
    held : ndarray, shape (m,)
        The levels: all where K is at hand, else those with records.
    seen : ndarray, shape (s,)
        Which of these have records.
    largest_rank : int
        The rank of K among the levels with records is not larger, but for rounding.
    """

    term: Term
    Z: tuple[sparse.csr_array, ...]
    K: Matrix | sparse.csr_array
    held: NDArray[np.intp]
    seen: NDArray[np.intp]
    largest_rank: int

    @property
    def t(self) -> int:
        """Effects of a level."""
        return self.term.t

    def cross(self, a: int, b: int, records: slice) -> Matrix:
        """``Z_a K Z_b'`` at some columns, shape (n, k)."""
        K: Any = self.K
        return np.asarray(self.Z[a] @ dense(self.Z[b][records] @ K).T)

    def traces(self) -> Matrix:
        """``tr(Z_a K Z_b')`` of all effects, shape (t, t)."""
        return np.array([[((A.T @ B) * self.K).sum() for B in self.Z] for A in self.Z])

    def rows(self, levels: NDArray[np.intp]) -> tuple[Matrix, Vector]:
        """Chosen levels of K, any of all q, against those held, (k, m), and their K_jj, (k,)."""
        if len(self.held) == self.term.q:
            rows = dense(self.K[levels])
            return rows[:, self.held], rows[np.arange(len(levels)), levels]
        unit = np.zeros((self.term.q, len(levels)))
        unit[levels, np.arange(len(levels))] = 1.0
        columns = self.spread(unit)
        return columns[self.held].T, columns[levels, np.arange(len(levels))]

    def load(self, v: Vector) -> Matrix:
        """``Z_a' v`` of all effects at all levels of K, shape (q, t)."""
        loads = np.zeros((self.term.q, self.t))
        loads[self.held] = np.column_stack([Z.T @ v for Z in self.Z])
        return loads

    def spread(self, v: Matrix) -> Matrix:
        """``K v`` for v of shape (q, k)."""
        return times(self.term.relationship, v)

    def root(self) -> Matrix | sparse.csr_array:
        """L with ``K = L L'`` among the levels with records, as many columns as the rank."""
        if isinstance(self.K, np.ndarray):
            return safe_cholesky(self.K[np.ix_(self.seen, self.seen)])
        name = f"the factor of the relationship of '{self.term.name}'"
        K = sparse.csc_array(self.K[self.seen][:, self.seen])
        L = root(K, name, "Use engine='mme'.").L
        return sparse.csr_array(L) if sparse.issparse(L) else L


@dataclass(frozen=True, eq=False)
class WeightedModel:
    """A problem times W^1/2: all that does not depend on psi.

    Attributes
    ----------
    problem : Problem
        The model.
    terms : tuple of KernelTerm
        The random terms.
    basis : FixedBasis
        ``X = B R``, with B'WB = I.
    root_weights : ndarray, shape (n,)
        The diagonal of W^1/2.
    """

    problem: Problem
    terms: tuple[KernelTerm, ...]
    basis: FixedBasis
    root_weights: Vector

    @cached_property
    def B(self) -> Matrix:
        """``W^1/2 B``, shape (n, p)."""
        return np.asarray(self.root_weights[:, None] * self.basis.B)

    @cached_property
    def y(self) -> Matrix:
        """``W^1/2 (y - offset)``, shape (n, 1)."""
        return (self.root_weights * (self.problem.y - self.problem.offset))[:, None]

    @cached_property
    def logdet_weights(self) -> float:
        """log|W|."""
        return float(np.log(self.problem.weights).sum())


def weighted_model(problem: Problem) -> WeightedModel:
    """Put a problem into weighted records.

    Raises
    ------
    RelationshipError
        A K that is not positive semi-definite.
    """
    terms = tuple(kernel_term(term, problem.weights) for term in problem.terms)
    basis = fixed_basis(dense(problem.X), problem.weights)
    return WeightedModel(problem, terms, basis, np.sqrt(problem.weights))


def kernel_term(term: Term, weights: Vector) -> KernelTerm:
    """Bring the relationship of a term to the levels of its records."""
    Z = sparse.csr_array(sparse.diags_array(np.sqrt(weights)) @ term.Z)
    Z.eliminate_zeros()
    used = np.bincount(Z.indices // term.t, minlength=term.q)
    held = seen = np.flatnonzero(used)
    relationship = term.relationship
    rank = len(seen)
    if _is_at_hand(relationship):
        assert isinstance(relationship, LabelledRelationship)  # so says `_is_at_hand`
        held = np.arange(term.q)
        K = relationship.covariance()
        rank = min(rank, _largest_rank(relationship, K))
    elif isinstance(relationship, LabelledRelationship):
        K, seen = relationship.elements(held), np.arange(len(held))
    else:
        L = dense(relationship.factor())[held]
        K, seen, rank = L @ L.T, np.arange(len(held)), min(rank, L.shape[1])
    effects = tuple(sparse.csr_array(Z[:, a :: term.t][:, held]) for a in range(term.t))
    return KernelTerm(
        term, effects, K if isinstance(K, np.ndarray) else sparse.csr_array(K), held, seen, rank
    )


def _is_at_hand(relationship: Relationship) -> bool:
    """Whether the relationship has K itself, so that nothing is made."""
    if not isinstance(relationship, LabelledRelationship):
        return False
    return relationship.form[0] in ("K, dense", "K, sparse")


def _largest_rank(relationship: LabelledRelationship, K: Matrix | sparse.csc_array) -> int:
    """How large the rank of K may be, from one Cholesky factor; refuses an indefinite K in words.

    The pivots of what has no rank left are those of the little that is added to the diagonal.
    """
    if not isinstance(K, np.ndarray):
        return int(relationship.factor().shape[1])
    zero = _ZERO * float(np.abs(K.diagonal()).max())
    raised = np.array(K.T if K.flags.c_contiguous else K, order="F")  # symmetric: rows are columns
    raised.flat[:: len(K) + 1] += zero
    L, info = dpotrf(raised, lower=1, clean=0, overwrite_a=1)
    if info:
        return int(relationship.factor().shape[1])  # judges it to the last digit
    return int((np.square(L.diagonal()) > 100 * zero).sum())
