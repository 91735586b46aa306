"""One evaluation of the sparse engine: the parts of the likelihood, BLUE, BLUP and their errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from animalmm.core import Direction, Matrix, Psi, Vector
from animalmm.engines.derivatives import Derivatives
from animalmm.engines.equations import Equations
from animalmm.engines.errors import FEW
from animalmm.engines.prepared import Prepared
from animalmm.engines.working import average_information
from animalmm.relationship.base import times

__all__ = ["SparsePoint"]

_TOGETHER = 256  # right sides solved together: enough for BLAS-3
_ELEMENTS = 2**25  # of the dense right sides: 256 MiB
_INVERTIBLE = 1e6  # condition of an F whose inverse loses few digits


class SparsePoint:
    """The mixed model equations solved at one psi. See `animalmm.core.Point`.

    Everything inside is relative to the residual variance; what leaves is on the scale of the data.
    """

    def __init__(
        self, prepared: Prepared, psi: Psi, factors: Sequence[Matrix], equations: Equations
    ) -> None:
        self.psi = psi
        self._prepared = prepared
        self._factors = factors
        self._equations = equations

    def scaled(self, variance: float) -> SparsePoint:
        """The point with all variances times `variance`."""
        psi = self.psi.scaled(variance)
        point = SparsePoint(self._prepared, psi, self._factors, self._equations)
        quad = self.quad / variance
        point.__dict__.update(_solution=self._solution, _rest=self._rest, quad=quad)
        return point

    @cached_property
    def _solution(self) -> tuple[Vector, Vector]:
        """Gamma (p,) and b (Q,)."""
        prepared = self._prepared
        right = prepared.spread(self._factors, prepared.ZWy, transpose=True)
        gamma, b = self._equations.solve(prepared.XWy[:, None], right[:, None])
        return gamma[:, 0], b[:, 0]

    @cached_property
    def logdet_V(self) -> float:
        """log|V|."""
        prepared = self._prepared
        scale = prepared.problem.n * np.log(self.psi.sigma2)
        return self._equations.logdet_random() + prepared.logdet + float(scale)

    @cached_property
    def logdet_reml(self) -> float:
        """log|V| + log|X'V^-1X|."""
        prepared, problem = self._prepared, self._prepared.problem
        scale = (problem.n - problem.p) * np.log(self.psi.sigma2)
        basis = 2.0 * prepared.basis.logdet
        return self._equations.logdet_all() + prepared.logdet + basis + float(scale)

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
        prepared = self._prepared
        total = float(self._rest @ (prepared.problem.weights * self._rest))
        for term, B in zip(prepared.terms, prepared.split(self._solution[1]), strict=True):
            total += float((B * (term.prior @ B)).sum())
        return total / self.psi.sigma2

    @cached_property
    def beta(self) -> Vector:
        """BLUE, shape (p,)."""
        return self._prepared.basis.beta(self._solution[0])

    @cached_property
    def u(self) -> tuple[Matrix, ...]:
        """BLUP of each term, shape (q, t), all levels of K."""
        parts = self._prepared.split(self._solution[1])
        scaled = [B @ F.T for B, F in zip(parts, self._factors, strict=True)]
        return tuple(
            U if term.L is None else np.asarray(term.L @ U)
            for U, term in zip(scaled, self._prepared.terms, strict=True)
        )

    def beta_covariance(self) -> Matrix:
        """``(X'V^-1X)^-1``, shape (p, p)."""
        return self._beta_covariance.copy()

    @cached_property
    def _beta_covariance(self) -> Matrix:
        return self._prepared.basis.beta_covariance(
            self._equations.fixed_covariance() * self.psi.sigma2
        )

    def beta_variances(self) -> Vector:
        """Diagonal of `beta_covariance`, shape (p,)."""
        scale = self._prepared.basis.R
        if scale.ndim == 2:
            return np.diag(self._beta_covariance).copy()
        return self._equations.fixed_variances() * self.psi.sigma2 / scale**2

    def error_blocks(
        self,
        terms: Sequence[int],
        levels: NDArray[np.intp] | None = None,
        *,
        given_beta: bool = False,
    ) -> NDArray[np.float64]:
        """``Var(u_hat - u)`` of each level, shape (m, T, T); given beta, ``Var(u | y, beta)``.

        Levels that are elements of b, when they are more than a few, are read from the selected
        inverse; the others take solves.
        """
        problem = self._prepared.problem
        width = sum(problem.terms[i].t for i in terms)
        if levels is None:
            levels = np.arange(problem.terms[terms[0]].q)
        out = np.full((len(levels), width, width), np.nan)
        singles = [self._prepared.terms[i].single_levels[1][levels] for i in terms]
        single = np.flatnonzero(~np.isnan(singles).any(axis=0))
        if len(single) * width > FEW:
            errors = self._equations.errors(given_beta=given_beta)
            out[single] = errors.blocks(self._prepared, self._factors, terms, levels[single])
        rest = np.flatnonzero(np.isnan(out).any(axis=(1, 2)))
        for part in self._chunks(len(rest), width):
            at = rest[part]
            out[at] = self._solved_blocks(terms, levels[at], given_beta=given_beta)
        return np.asarray((out + out.transpose(0, 2, 1)) / 2 * self.psi.sigma2)

    def _solved_blocks(
        self, terms: Sequence[int], levels: NDArray[np.intp], *, given_beta: bool
    ) -> NDArray[np.float64]:
        """Blocks of `error_blocks` without the residual variance, by solves."""
        E = np.concatenate([self._level_columns(i, levels) for i in terms], axis=2)
        flat = E.reshape(len(E), -1)
        if given_beta:
            solved = self._equations.solve_random(flat)
        else:
            nothing = np.zeros((self._prepared.problem.p, flat.shape[1]))
            solved = self._equations.solve(nothing, flat)[1]
        return np.asarray(np.einsum("nja,njb->jab", E, solved.reshape(E.shape)))

    def _level_columns(self, term: int, levels: NDArray[np.intp]) -> NDArray[np.float64]:
        """E with ``u_j = E_j' b`` for each level j, shape (Q, m, t)."""
        own, F = self._prepared.terms[term], self._factors[term]
        rows = own.L[levels].toarray() if own.L is not None else _unit_rows(levels, own.rank)
        E = np.zeros((self._prepared.Z.shape[1], len(levels) * own.t))
        start = self._prepared.starts[term]
        E[start : start + own.block.size] = np.kron(rows.T, F.T)
        return E.reshape(len(E), len(levels), own.t)

    @cached_property
    def _derivatives(self) -> Derivatives:
        b, sigma2 = self._solution[1], self.psi.sigma2
        return Derivatives(self._prepared, self._factors, self._equations, b, self._load, sigma2)

    def slope(self, term: int, *, given_beta: bool = False) -> Matrix:
        """``(A - Q) F``: see `animalmm.core.Point`."""
        derivatives = self._derivatives
        return (derivatives.slopes_given_beta if given_beta else derivatives.slopes)[term]

    def complete_information(self, *, given_beta: bool = False) -> Matrix:
        """``E[D'R^-1D | y]``: see `animalmm.core.Point`."""
        return self._derivatives.complete_information(given_beta=given_beta)

    @cached_property
    def _rest(self) -> Vector:
        """Response less fitted values, shape (n,)."""
        prepared, (gamma, b) = self._prepared, self._solution
        fitted = prepared.basis.B @ gamma + prepared.Z @ prepared.spread(self._factors, b)
        return np.asarray(prepared.y - fitted)

    @cached_property
    def _load(self) -> Vector:
        """Z' times the weighted rest, shape (Q,)."""
        return np.asarray(self._prepared.ZT @ (self._prepared.problem.weights * self._rest))

    @property
    def Py(self) -> Vector:
        """``P y``, shape (n,)."""
        return self._prepared.problem.weights * self._rest / self.psi.sigma2

    def average_information(self, directions: Sequence[Direction]) -> Matrix:
        """``y'P dV_a P dV_b P y``, shape (m, m): see `animalmm.core.Point`."""
        return average_information(self, self._prepared.problem, directions, self._spread)

    def _spread(self, term: int) -> Matrix:
        """``K Z'P y`` of a term, shape (q, t): ``L L'Z'P y``, or ``U Sigma^-1`` for a sparse K^-1.

        Neither takes a product with K, but where Sigma is singular there is no other way.
        """
        own, F = self._prepared.terms[term], self.psi.factors[term]
        load = self._prepared.split(self._load)[term] / self.psi.sigma2
        if own.L is not None:
            return np.asarray(own.L @ load)
        if np.linalg.cond(F) < _INVERTIBLE:
            inverse = np.linalg.inv(F)
            return np.asarray(self.u[term] @ inverse.T @ inverse)
        return times(self._prepared.problem.terms[term].relationship, load)

    def _chunks(self, n: int, width: int) -> Iterator[slice]:
        """Parts of n things that take `width` right sides each."""
        columns = min(_TOGETHER, _ELEMENTS // max(self._prepared.Z.shape[1], 1))
        size = max(columns // width, 1)
        return (slice(i, i + size) for i in range(0, n, size))

    def apply_P(self, v: Matrix) -> Matrix:
        """``P v`` through ``W v - W [B Z] C^-1 [B Z]' W v``, shape of v."""
        prepared = self._prepared
        wide = v[:, None] if v.ndim == 1 else v
        weighted = prepared.problem.weights[:, None] * wide
        right = prepared.spread(self._factors, np.asarray(prepared.ZT @ weighted), transpose=True)
        gamma, b = self._equations.solve(np.asarray(prepared.basis.B.T @ weighted), right)
        fitted = prepared.basis.B @ gamma + prepared.Z @ prepared.spread(self._factors, b)
        out = (weighted - prepared.problem.weights[:, None] * fitted) / self.psi.sigma2
        return np.asarray(out[:, 0] if v.ndim == 1 else out)


def _unit_rows(levels: NDArray[np.intp], q: int) -> Matrix:
    rows = np.zeros((len(levels), q))
    rows[np.arange(len(levels)), levels] = 1.0
    return rows
