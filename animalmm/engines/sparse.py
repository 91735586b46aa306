"""The sparse engine: mixed model equations by CHOLMOD, in two forms that give the same numbers.

For each term ``u = (L ⊗ T) b`` in one of two coordinates:

* ``"precision"`` (Henderson 1950; Quaas 1976): L = I and b has the prior precision K^-1 ⊗ I. Best
  when K^-1 is sparse: a pedigree.
* ``"factor"`` (the lme4 trick: Bates et al. 2015; Vazquez et al. 2010): K = L L', Z is multiplied
  by L ⊗ I, and b has the prior precision I. Needs no inverse, so K may be singular.

T, not Sigma^-1, stands in the equations in both, so a singular Sigma is an ordinary point. The log
determinants follow from ``|V| = |R| |K ⊗ I| |M|`` with ``M = T'Z'R^-1ZT + K^-1 ⊗ I``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from animalmm.core import DesignMatrix, Matrix, Problem, Psi, Term, Vector
from animalmm.engines.equations import ApartEquations, Equations, JoinedEquations
from animalmm.engines.fixed import fixed_basis
from animalmm.engines.pattern import Block, PatternedSystem
from animalmm.engines.point import SparsePoint
from animalmm.errors import EstimationError
from animalmm.linalg import Factor, NotPositiveDefiniteError, Symbolic, analyze
from animalmm.linalg.memory import require_memory

__all__ = ["PreparedTerm", "SparseEngine"]


@dataclass(frozen=True)
class PreparedTerm:
    """A term in the coordinates of the equations.

    Attributes
    ----------
    block : Block
        Its columns and prior.
    L : csr_array or None
        ``u = (L ⊗ T) b``; None for the identity.
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
    def prior(self) -> sparse.csc_array:
        """Prior precision of the levels of b, (q, q)."""
        assert self.block.prior is not None  # only fixed effects have none
        return self.block.prior


class SparseEngine:
    """Prepared mixed model equations of one problem.

    Parameters
    ----------
    problem : Problem
        The model.
    forms : sequence of {"precision", "factor"}
        The coordinates of each term.
    joined : bool
        Whether X joins the sparse system.
    description : str
        What was chosen and why, in words.
    """

    def __init__(
        self, problem: Problem, forms: Sequence[str], *, joined: bool, description: str
    ) -> None:
        self.problem = problem
        self.description = description
        self.basis = fixed_basis(problem.X if joined else _dense(problem.X), problem.weights)
        self.terms = [
            _precision_form(term) if form == "precision" else _factor_form(term)
            for term, form in zip(problem.terms, forms, strict=True)
        ]
        self.Z = sparse.csr_array(sparse.hstack([t.block.Z for t in self.terms], format="csr"))
        self.joined = joined
        blocks = [t.block for t in self.terms]
        if joined:
            first = Block(sparse.csr_array(self.basis.B), 1, None)
            self._system = PatternedSystem([first, *blocks], problem.weights)
        else:
            self._system = self._random_system
        self._symbolic = self._analyze(self._system)

    @cached_property
    def _random_system(self) -> PatternedSystem:
        return PatternedSystem([t.block for t in self.terms], self.problem.weights)

    @cached_property
    def _random_symbolic(self) -> Symbolic:
        return self._analyze(self._random_system)

    def _analyze(self, system: PatternedSystem) -> Symbolic:
        return analyze(system.assemble([np.eye(b) for b in self._widths(system)]))

    def _widths(self, system: PatternedSystem) -> list[int]:
        widths = [t.t for t in self.terms]
        return [1, *widths] if len(system.starts) > len(widths) + 1 else widths

    @cached_property
    def y(self) -> Vector:
        """Response less the offset."""
        return self.problem.y - self.problem.offset

    @cached_property
    def ZWX(self) -> Matrix:
        """``Z'WB``, shape (Q, p)."""
        return _dense(self.Z.T @ (_weigh(self.problem.weights, self.basis.B)))

    @cached_property
    def ZWy(self) -> Vector:
        """``Z'Wy``, shape (Q,)."""
        return np.asarray(self.Z.T @ (self.problem.weights * self.y))

    @cached_property
    def XWy(self) -> Vector:
        """``B'Wy``, shape (p,)."""
        return np.asarray(self.basis.B.T @ (self.problem.weights * self.y))

    @cached_property
    def logdet_constant(self) -> float:
        """What log|V| owes to the weights and to the priors."""
        return float(-np.log(self.problem.weights).sum()) + sum(t.logdet for t in self.terms)

    def spread(self, factors: Sequence[Matrix], v: Matrix, *, transpose: bool = False) -> Matrix:
        """``Lambda v`` or ``Lambda' v`` for v of shape (Q,) or (Q, k)."""
        pieces, at = [], 0
        for term, T in zip(self.terms, factors, strict=True):
            part = v[at : at + term.block.size]
            at += term.block.size
            if term.t == 1:
                pieces.append(part * T.item())
            else:
                wide = part.reshape(-1, term.t, *part.shape[1:])
                pieces.append(
                    np.einsum(
                        "ji,qj...->qi..." if transpose else "ij,qj...->qi...", T, wide
                    ).reshape(part.shape)
                )
        return np.concatenate(pieces)

    def at(self, psi: Psi) -> SparsePoint:
        """Assemble, factor and solve the equations at psi.

        Raises
        ------
        EstimationError
            The equations are not positive definite in floating point.
        """
        root = float(np.sqrt(psi.sigma2))
        relative = [T / root for T in psi.factors]
        return SparsePoint(self, psi, relative, self._equations(relative))

    def _equations(self, factors: Sequence[Matrix]) -> Equations:
        if self.joined:
            whole = self._factor(self._system, self._symbolic, [np.eye(1), *factors])
            return JoinedEquations(
                whole,
                self.problem.p,
                lambda: self._factor(self._random_system, self._random_symbolic, factors),
            )
        random = self._factor(self._system, self._symbolic, factors)
        return ApartEquations(random, self.spread(factors, self.ZWX, transpose=True))

    def _factor(
        self, system: PatternedSystem, symbolic: Symbolic, factors: Sequence[Matrix]
    ) -> Factor:
        try:
            return symbolic.factorize(system.assemble(factors))
        except NotPositiveDefiniteError as error:
            sizes = ", ".join(f"{np.abs(T).max():.3g}" for T in factors)
            raise EstimationError(
                "the mixed model equations are not positive definite in floating point "
                f"({error}); the standard deviations relative to the residual are {sizes}. Check "
                "the scale of the relationship matrices and of the covariates of random slopes"
            ) from None


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
            3 * 8.0 * term.Z.shape[0] * r * term.t,
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
