"""A problem in the coordinates of the mixed model equations: all that does not depend on psi.

For each term ``u = (L ⊗ F) b`` in one of two coordinates:

* ``"precision"`` (Henderson 1950; Quaas 1976): L = I and b has the prior precision K^-1 ⊗ I. Best
  when K^-1 is sparse: a pedigree.
* ``"factor"`` (the lme4 trick: Bates et al. 2015; Vazquez et al. 2010): K = L L', Z is multiplied
  by L ⊗ I, and b has the prior precision I. Needs no inverse, so K may be singular.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from animalmm.core import DesignMatrix, Matrix, Problem, Term, Vector
from animalmm.engines.fixed import FixedBasis, fixed_basis
from animalmm.engines.pattern import Block
from animalmm.linalg.memory import require_memory

__all__ = ["Prepared", "PreparedTerm", "prepare"]


@dataclass(frozen=True, eq=False)
class PreparedTerm:
    """A term in the coordinates of the equations.

    Attributes
    ----------
    block : Block
        Its columns and prior.
    L : csr_array or None
        ``u = (L ⊗ F) b``; None for the identity.
    logdet : float
        What log|V| has to add for the prior: ``t log|K|``, or zero in factor form.
    """

    block: Block
    L: sparse.csr_array | None
    logdet: float

    @property
    def t(self) -> int:
        """Effects of a level."""
        return self.block.t

    @property
    def rank(self) -> int:
        """Rank of K, which is the number of levels of b."""
        return self.block.size // self.t

    @cached_property
    def single_levels(self) -> tuple[NDArray[np.intp], Vector]:
        """For each level of K the level of b and the factor that it is, NaN where it is a sum."""
        if self.L is None:
            return np.arange(self.rank), np.ones(self.rank)
        single = np.diff(self.L.indptr) == 1
        first = np.where(single, self.L.indptr[:-1], 0)
        return self.L.indices[first].astype(np.intp), np.where(single, self.L.data[first], np.nan)

    @property
    def prior(self) -> sparse.csc_array:
        """Prior precision of the levels of b, (q, q)."""
        assert self.block.prior is not None  # only fixed effects have none
        return self.block.prior


@dataclass(frozen=True, eq=False)
class Prepared:
    """The constant parts of the equations.

    Attributes
    ----------
    problem : Problem
        The model.
    basis : FixedBasis
        ``X = B R``.
    terms : tuple of PreparedTerm
        The random terms in their coordinates.
    Z : csr_array, shape (n, Q)
        The columns of all terms, whatever L multiplied into them.
    """

    problem: Problem
    basis: FixedBasis
    terms: tuple[PreparedTerm, ...]
    Z: sparse.csr_array

    @cached_property
    def starts(self) -> list[int]:
        """First equation of each term."""
        return [where.start for where in self.places]

    @cached_property
    def places(self) -> list[slice]:
        """Equations of each term."""
        ends = [0, *accumulate(term.block.size for term in self.terms)]
        return [slice(*both) for both in pairwise(ends)]

    def split(self, b: Matrix) -> list[NDArray[np.float64]]:
        """One (levels, t, ...) array of each term, of b of shape (Q, ...)."""
        return [
            b[where].reshape(term.rank, term.t, *b.shape[1:])
            for term, where in zip(self.terms, self.places, strict=True)
        ]

    @cached_property
    def ZT(self) -> sparse.csc_array:
        """Z', shape (Q, n): a view, but SciPy takes longer to make it than for a small product."""
        return self.Z.T

    @cached_property
    def y(self) -> Vector:
        """Response less the offset."""
        return self.problem.y - self.problem.offset

    @cached_property
    def ZWX(self) -> Matrix:
        """``Z'WB``, shape (Q, p)."""
        return _dense(self.ZT @ _weigh(self.problem.weights, self.basis.B))

    @cached_property
    def ZWy(self) -> Vector:
        """``Z'Wy``, shape (Q,)."""
        return np.asarray(self.ZT @ (self.problem.weights * self.y))

    @cached_property
    def XWy(self) -> Vector:
        """``B'Wy``, shape (p,)."""
        return np.asarray(self.basis.B.T @ (self.problem.weights * self.y))

    @cached_property
    def logdet(self) -> float:
        """What log|V| owes to the weights and to the priors."""
        return float(-np.log(self.problem.weights).sum()) + sum(t.logdet for t in self.terms)

    def spread(self, factors: Sequence[Matrix], v: Matrix, *, transpose: bool = False) -> Matrix:
        """``Lambda v`` or ``Lambda' v`` for v of shape (Q,) or (Q, k)."""
        spec = "ji,qj...->qi..." if transpose else "ij,qj...->qi..."
        pieces = [
            part * F.item() if F.size == 1 else np.einsum(spec, F, part)
            for part, F in zip(self.split(v), factors, strict=True)
        ]
        return np.concatenate([p.reshape(p.shape[0] * p.shape[1], *p.shape[2:]) for p in pieces])


def prepare(problem: Problem, forms: Sequence[str], *, joined: bool) -> Prepared:
    """Put a problem into the coordinates of the equations.

    Parameters
    ----------
    problem : Problem
        The model.
    forms : sequence of {"precision", "factor"}
        The coordinates of each term.
    joined : bool
        Whether X joins the sparse system, and so stays sparse.
    """
    basis = fixed_basis(problem.X if joined else _dense(problem.X), problem.weights)
    terms = tuple(
        _precision_form(term) if form == "precision" else _factor_form(term)
        for term, form in zip(problem.terms, forms, strict=True)
    )
    Z = sparse.csr_array(sparse.hstack([t.block.Z for t in terms], format="csr"))
    return Prepared(problem, basis, terms, Z)


def _precision_form(term: Term) -> PreparedTerm:
    """Henderson's coordinates: Z as it is, prior K^-1."""
    K = term.relationship
    return PreparedTerm(Block(term.Z, term.t, K.precision()), None, term.t * K.logdet())


def _factor_form(term: Term) -> PreparedTerm:
    """lme4's coordinates: Z times the Cholesky factor of K, prior I."""
    L = term.relationship.factor()
    r = L.shape[1]
    if not sparse.issparse(L):
        require_memory(
            # Z L by rows and dense, their cross-product and the inverse with the places of both:
            # measured at n = r
            8.0 * term.t * r * (3 * term.Z.shape[0] + 6 * r * term.t),
            f"Z times the dense Cholesky factor of the relationship of '{term.name}'",
            "Use engine='mme', which keeps Z sparse.",
        )
    rows = sparse.csr_array(L)
    wide = rows if term.t == 1 else sparse.kron(rows, sparse.eye_array(term.t), format="csr")
    Z = sparse.csr_array(term.Z @ wide)
    identity = sparse.csc_array(sparse.eye_array(r, format="csc"))
    return PreparedTerm(Block(Z, term.t, identity), rows, 0.0)


def _dense(X: DesignMatrix) -> Matrix:
    return X if isinstance(X, np.ndarray) else np.asarray(X.toarray())


def _weigh(weights: Vector, B: DesignMatrix) -> DesignMatrix:
    if isinstance(B, np.ndarray):
        return np.asarray(weights[:, None] * B)
    return sparse.csc_array(sparse.diags_array(weights) @ B)
