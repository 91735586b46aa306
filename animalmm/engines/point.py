"""One evaluation of the sparse engine: the parts of the likelihood, BLUE, BLUP and their errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from animalmm.core import Matrix, Psi, Vector
from animalmm.engines.equations import Equations

if TYPE_CHECKING:
    from animalmm.engines.sparse import SparseEngine

__all__ = ["SparsePoint"]

_CHUNK = 256  # right sides solved together: enough for BLAS-3, little memory


class SparsePoint:
    """The mixed model equations solved at one psi. See `animalmm.core.Point`.

    Everything inside is relative to the residual variance; what leaves is on the scale of the data.
    """

    def __init__(
        self, engine: SparseEngine, psi: Psi, factors: Sequence[Matrix], equations: Equations
    ) -> None:
        self.psi = psi
        self._engine = engine
        self._factors = factors
        self._equations = equations

    @cached_property
    def _solution(self) -> tuple[Vector, Vector]:
        """Gamma (p,) and b (Q,)."""
        engine = self._engine
        right = engine.spread(self._factors, engine.ZWy, transpose=True)
        gamma, b = self._equations.solve(engine.XWy[:, None], right[:, None])
        return gamma[:, 0], b[:, 0]

    def _split(self, b: Matrix) -> list[Matrix]:
        """One (levels, t, ...) array for each term."""
        sizes = np.cumsum([term.block.size for term in self._engine.terms])
        parts = np.split(b, sizes[:-1])
        terms = self._engine.terms
        return [p.reshape(-1, term.t, *p.shape[1:]) for p, term in zip(parts, terms, strict=True)]

    @cached_property
    def logdet_V(self) -> float:
        """log|V|."""
        engine = self._engine
        scale = engine.problem.n * np.log(self.psi.sigma2)
        return self._equations.logdet_random() + engine.logdet_constant + float(scale)

    @cached_property
    def logdet_reml(self) -> float:
        """log|V| + log|X'V^-1X|."""
        engine, problem = self._engine, self._engine.problem
        scale = (problem.n - problem.p) * np.log(self.psi.sigma2)
        basis = 2.0 * engine.basis.logdet
        return self._equations.logdet_all() + engine.logdet_constant + basis + float(scale)

    @property
    def logdet_XVX(self) -> float:
        """log|X'V^-1X|."""
        return self.logdet_reml - self.logdet_V

    @cached_property
    def quad(self) -> float:
        """``(y - X beta)' V^-1 (y - X beta)``, as a sum of squares and so never negative.

        Equal to the penalised residual sum of squares (Bates et al. 2015, eq. 13), which loses no
        digits to cancellation.
        """
        engine = self._engine
        gamma, b = self._solution
        rest = engine.y - engine.basis.B @ gamma - engine.Z @ engine.spread(self._factors, b)
        total = float(rest @ (engine.problem.weights * rest))
        for term, B in zip(engine.terms, self._split(b), strict=True):
            total += float((B * (term.prior @ B)).sum())
        return total / self.psi.sigma2

    @cached_property
    def beta(self) -> Vector:
        """BLUE, shape (p,)."""
        return self._engine.basis.beta(self._solution[0])

    @cached_property
    def u(self) -> tuple[Matrix, ...]:
        """BLUP of each term, shape (q, t), all levels of K."""
        parts = self._split(self._solution[1])
        scaled = [B @ T.T for B, T in zip(parts, self._factors, strict=True)]
        return tuple(
            U if term.L is None else np.asarray(term.L @ U)
            for U, term in zip(scaled, self._engine.terms, strict=True)
        )

    def beta_covariance(self) -> Matrix:
        """``(X'V^-1X)^-1``, shape (p, p)."""
        engine = self._engine
        p = engine.problem.p
        gamma, _ = self._equations.solve(np.eye(p), np.zeros((engine.Z.shape[1], p)))
        half = engine.basis.beta(gamma)
        return engine.basis.beta(half.T) * self.psi.sigma2

    def error_blocks(
        self, term: int, levels: NDArray[np.intp] | None = None, *, given_beta: bool = False
    ) -> NDArray[np.float64]:
        """``Var(u_hat - u)`` of each level, shape (m, t, t); given beta, ``Var(u | y, beta)``."""
        prepared = self._engine.terms[term]
        t = prepared.t
        if levels is None:
            levels = np.arange(self._engine.problem.terms[term].q)
        out = np.empty((len(levels), t, t))
        for part in _chunks(len(levels), _CHUNK // t):
            E = self._level_columns(term, levels[part])
            if given_beta:
                solved = self._equations.solve_random(E)
            else:
                zero = np.zeros((self._engine.problem.p, E.shape[1]))
                solved = self._equations.solve(zero, E)[1]
            wide = (len(E), -1, t)
            out[part] = np.einsum("nja,njb->jab", E.reshape(wide), solved.reshape(wide))
        return np.asarray((out + out.transpose(0, 2, 1)) / 2 * self.psi.sigma2)

    def _level_columns(self, term: int, levels: NDArray[np.intp]) -> Matrix:
        """Columns E with ``u_levels = E'b``, shape (Q, m * t)."""
        prepared = self._engine.terms[term]
        T = self._factors[term]
        q = prepared.block.size // prepared.t
        rows = prepared.L[levels].toarray() if prepared.L is not None else _unit_rows(levels, q)
        E = np.zeros((self._engine.Z.shape[1], len(levels) * prepared.t))
        start = sum(t.block.size for t in self._engine.terms[:term])
        E[start : start + prepared.block.size] = np.kron(rows.T, T.T)
        return E

    def S(self, term: int) -> Matrix:
        """``E[U' K^-1 U | y]``, shape (t, t): B'PB and its expected error, turned by T.

        The trace of ``P C^bb`` takes one solve for each column of P.
        """
        prepared = self._engine.terms[term]
        t, T = prepared.t, self._factors[term]
        P = prepared.prior
        B = self._split(self._solution[1])[term]
        inner = B.T @ (P @ B)
        trace = np.zeros((t, t))
        start = sum(x.block.size for x in self._engine.terms[:term])
        for part in _chunks(P.shape[1], _CHUNK // t):
            unit = np.kron(_unit_rows(np.arange(P.shape[1])[part], P.shape[1]).T, np.eye(t))
            E = np.zeros((self._engine.Z.shape[1], unit.shape[1]))
            E[start : start + prepared.block.size] = unit
            solved = self._equations.solve(np.zeros((self._engine.problem.p, E.shape[1])), E)[1]
            block = self._split(solved)[term].reshape(P.shape[1], t, -1, t)
            trace += np.einsum("jk,jakb->ab", P[:, part].toarray(), block)
        return np.asarray(T @ (inner + self.psi.sigma2 * trace) @ T.T)

    def apply_P(self, v: Matrix) -> Matrix:
        """``P v`` through ``W v - W [B Z] C^-1 [B Z]' W v``, shape of v."""
        engine = self._engine
        wide = v[:, None] if v.ndim == 1 else v
        weighted = engine.problem.weights[:, None] * wide
        right = engine.spread(self._factors, np.asarray(engine.Z.T @ weighted), transpose=True)
        gamma, b = self._equations.solve(np.asarray(engine.basis.B.T @ weighted), right)
        fitted = engine.basis.B @ gamma + engine.Z @ engine.spread(self._factors, b)
        out = (weighted - engine.problem.weights[:, None] * fitted) / self.psi.sigma2
        return out[:, 0] if v.ndim == 1 else out


def _unit_rows(levels: NDArray[np.intp], q: int) -> Matrix:
    rows = np.zeros((len(levels), q))
    rows[np.arange(len(levels)), levels] = 1.0
    return rows


def _chunks(n: int, size: int) -> Iterator[slice]:
    size = max(size, 1)
    return (slice(i, i + size) for i in range(0, n, size))
