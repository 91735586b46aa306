"""Several dense relationships on the side of the effects, where these are fewer than the records.

With ``u = (L ⊗ F) b``, K = LL' among the levels with records and G the columns ``Z_a L`` of all
effects, ``N = I + G Phi Phi' G'``, Phi = F / sigma of each term. All follows from G'G, made once,
and from the inverse of ``M = Phi' G'G Phi + I`` (Vazquez et al. 2010: the lme4 trick). G itself,
which has a row for every record, is never formed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.linalg.blas import dgemm

from animalmm.core import Matrix, Vector
from animalmm.engines.blocks import side_by_side
from animalmm.engines.many_kernels_system import KernelsSystem
from animalmm.engines.many_kernels_terms import KernelTerm, WeightedModel
from animalmm.linalg import NotPositiveDefiniteError, inverse_from_factor
from animalmm.relationship.base import dense

__all__ = ["EffectsSide", "EffectsSystem", "Root", "effects_bytes"]

Root = Matrix | sparse.csr_array


class EffectsSide:
    """The cross-products of all effects on coordinates in which they are independent.

    Parameters
    ----------
    model : WeightedModel
        The problem.
    roots : sequence of ndarray or csr_array, shape (s, r)
        L of each term.
    """

    def __init__(self, model: WeightedModel, roots: Sequence[Root]) -> None:
        self.model = model
        self.roots = roots
        self.Z = [tuple(Z[:, term.seen] for Z in term.Z) for term in model.terms]
        ends = np.cumsum([0, *(L.shape[1] * term.t for L, term in self._terms())])
        self.parts = [slice(*ends[i : i + 2]) for i in range(len(roots))]
        self.cross = np.empty((ends[-1], ends[-1]), order="F")
        for i, rows in enumerate(self.parts):
            for j, columns in enumerate(self.parts[: i + 1]):
                self.cross[rows, columns] = self._cross(i, j)
                self.cross[columns, rows] = self.cross[rows, columns].T

    def _terms(self) -> Sequence[tuple[Root, KernelTerm]]:
        return list(zip(self.roots, self.model.terms, strict=True))

    def _cross(self, i: int, j: int) -> Matrix:
        """``G_i' G_j``, the effects one after the other."""
        L, R = self.roots[i], self.roots[j]
        return np.block([[_product(L, (A.T @ B) @ R) for B in self.Z[j]] for A in self.Z[i]])

    def times(self, b: Matrix) -> Matrix:
        """``G b`` for b of shape (R, k), shape (n, k)."""
        out = np.zeros((self.model.problem.n, b.shape[1]))
        for Z, L, part in zip(self.Z, self.roots, self.parts, strict=True):
            for Z_a, b_a in zip(Z, np.split(b[part], len(Z)), strict=True):
                out += Z_a @ (L @ b_a)
        return out

    def transposed_times(self, v: Matrix) -> Matrix:
        """``G' v`` for v of shape (n, k), shape (R, k)."""
        return np.concatenate(
            [L.T @ (Z_a.T @ v) for Z, L in zip(self.Z, self.roots, strict=True) for Z_a in Z]
        )

    def loadings(self, i: int, levels: NDArray[np.intp]) -> tuple[Matrix, Vector]:
        """``u_j = l_j' b`` and what is left of K_jj, for chosen levels: (k, r) and (k,)."""
        term, L = self.model.terms[i], self.roots[i]
        place = np.full(term.term.q, -1)
        place[term.held[term.seen]] = np.arange(L.shape[0])
        known = place[levels] >= 0
        loadings, rest = np.zeros((len(levels), L.shape[1])), np.zeros(len(levels))
        loadings[known] = dense(L[place[levels[known]]])
        if not known.all():  # predicted from the levels with records
            rows, diagonal = term.rows(levels[~known])
            loadings[~known] = rows[:, term.seen] @ self._inverses[i].T
            rest[~known] = diagonal - np.square(loadings[~known]).sum(axis=1)
        return loadings, rest

    @cached_property
    def _inverses(self) -> list[Matrix]:
        """The Moore-Penrose inverse of each L, of full column rank, shape (r, s)."""
        factorised = (linalg.qr(dense(L), mode="economic") for L in self.roots)
        return [np.asarray(linalg.solve_triangular(R, Q.T)) for Q, R in factorised]

    def system(self, factors: Sequence[Matrix]) -> EffectsSystem:
        """Factorise M; a NotPositiveDefiniteError when that fails."""
        return EffectsSystem(self, factors)


class EffectsSystem(KernelsSystem):
    """One evaluation by the Cholesky factor of M."""

    def __init__(self, side: EffectsSide, factors: Sequence[Matrix]) -> None:
        super().__init__(side.model, factors)
        self._side = side
        M = self._scaled(self._scaled(side.cross).T)
        M.flat[:: len(M) + 1] += 1.0
        try:
            self._L = linalg.cholesky(M, lower=True, overwrite_a=True, check_finite=False)
        except linalg.LinAlgError:
            raise NotPositiveDefiniteError from None
        if not np.isfinite(self.logdet()):  # NaN passes LAPACK
            raise NotPositiveDefiniteError

    def _scaled(self, v: Matrix, *, transpose: bool = True) -> Matrix:
        """``Phi' v``, or ``Phi v``, for v of shape (R, k)."""
        pieces = []
        for F, part in zip(self.factors, self._side.parts, strict=True):
            own = v[part]
            if len(F) == 1:
                pieces.append(F.item() * own)
                continue
            wide = own.reshape(len(F), len(own) // len(F), v.shape[1])
            turned = np.einsum("ba,bnk->ank" if transpose else "ab,bnk->ank", F, wide)
            pieces.append(turned.reshape(own.shape))
        return np.concatenate(pieces)

    def _solve(self, v: Matrix) -> Matrix:
        """``M^-1 Phi' v``."""
        right = self._scaled(v)
        if not right.size:
            return right
        return np.asarray(linalg.cho_solve((self._L, True), right, check_finite=False))

    def half(self, v: Matrix) -> Matrix:
        """What a ridge regression of v on G leaves, above its coefficients."""
        b = self._solve(self._side.transposed_times(v))
        return np.concatenate([v - self._fit(b), b])

    def half_back(self, v: Matrix) -> Matrix:
        """``e - G Phi M^-1 (Phi'G'e - b)`` for v of e above b."""
        residual, b = np.split(v, [self.model.problem.n])
        right = self._scaled(self._side.transposed_times(residual)) - b
        if not right.size:
            return residual
        return residual - self._fit(linalg.cho_solve((self._L, True), right, check_finite=False))

    def _fit(self, b: Matrix) -> Matrix:
        """``G Phi b``."""
        return self._side.times(self._scaled(b, transpose=False))

    def logdet(self) -> float:
        """log|M|, which is log|N|."""
        return 2.0 * float(np.log(np.diag(self._L)).sum())

    @cached_property
    def _inverse(self) -> Matrix:
        """``M^-1``, shape (R, R)."""
        return inverse_from_factor(self._L)

    @cached_property
    def _lost(self) -> Matrix:
        """``G' T``, shape (R, p): what is lost to the fixed effects."""
        return self._side.transposed_times(self.T)

    @cached_property
    def _given_slopes(self) -> list[Matrix]:
        """``A Phi`` of each term, given beta: the blocks of ``G'G Phi M^-1``, traced."""
        half = self._scaled(self._side.cross)
        return [
            np.einsum(
                "kaj,kbj->ab",
                half[:, part].reshape(len(half), len(F), -1),
                self._inverse[:, part].reshape(len(half), len(F), -1),
            )
            for F, part in zip(self.factors, self._side.parts, strict=True)
        ]

    def expected_slope(self, term: int, *, given_beta: bool) -> Matrix:
        """``A Phi``."""
        A = self._given_slopes[term]
        if not given_beta:
            F, lost = self.factors[term], self._lost[self._side.parts[term]]
            wide = lost.reshape(len(F), lost.size // len(F))
            A = A - wide @ wide.T @ F
        return A

    @cached_property
    def _variance(self) -> Matrix:
        """``Var(b | y)``: M^-1, and what the uncertainty of beta adds; shape (R, R)."""
        lost = self._scaled(self._lost)
        if not lost.size:
            return self._inverse
        return np.asarray(dgemm(1.0, lost, lost, trans_b=1, beta=1.0, c=self._inverse))

    def errors(
        self, terms: Sequence[int], levels: NDArray[np.intp], *, given_beta: bool
    ) -> NDArray[np.float64]:
        """By ``Var(b | y)``, and what the levels with records do not tell of the others."""
        columns, variances = [], []
        for i in terms:
            F, part = self.factors[i], self._side.parts[i]
            loadings, rest = self._side.loadings(i, levels)
            for row in F:
                E = np.zeros((len(self._inverse), len(levels)))
                E[part] = np.kron(row[:, None], loadings.T)
                columns.append(E)
            variances.append(np.multiply.outer(rest, F @ F.T))
        E = np.concatenate(columns, axis=1)
        variance = self._inverse if given_beta else self._variance
        solved = dgemm(1.0, variance, E) if E.size else E
        shape = (len(E), len(columns), len(levels))
        errors = np.einsum("naj,nbj->jab", E.reshape(shape), solved.reshape(shape))
        return np.asarray(side_by_side(variances) + errors)

    def complete_covariance(self, *, given_beta: bool) -> Matrix:
        """By ``Var(b | y)``."""
        variance = self._inverse if given_beta else self._variance
        parts = list(zip(self._side.parts, self.factors, strict=True))
        return np.block(
            [
                [_traces(self._side.cross[i, j], variance[i, j], len(F), len(E)) for j, E in parts]
                for i, F in parts
            ]
        )


def effects_bytes(n_effects: int) -> float:
    """Memory of G'G, M^-1/2, Var(b | y) twice and what they are made of, as measured."""
    return 6 * 8.0 * n_effects**2


def _traces(C: Matrix, V: Matrix, t: int, s: int) -> Matrix:
    """``tr(C_ac V_bd')`` by rows (a, b) and columns (c, d), shape (t^2, s^2)."""
    r, m = C.shape[0] // t, C.shape[1] // s
    blocks = np.einsum(
        "ajck,bjdk->abcd", C.reshape(t, r, s, m), V.reshape(t, r, s, m), optimize=False
    )
    return np.asarray(blocks.reshape(t * t, s * s))


def _product(L: Root, right: Root) -> Matrix:
    """``L' right``, by BLAS where both are dense."""
    if isinstance(L, np.ndarray) and isinstance(right, np.ndarray) and L.size and right.size:
        return np.asarray(dgemm(1.0, L, right, trans_a=1))
    return dense(L.T @ right)
