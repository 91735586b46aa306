"""One evaluation of the engine for one dense kernel.

Below, N = I + gamma E H E' is the covariance of the weighted records relative to the residual
variance, and M = I + gamma B the part of it that is not the identity, in the coordinates of the
band.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg.blas import dgemm, dtrsm

from animalmm.core import Direction, Matrix, Psi, Vector
from animalmm.engines.dense_point import DensePoint
from animalmm.engines.fixed import solve_information
from animalmm.engines.kernel import Columns, Reduced
from animalmm.linalg.band import BandCholesky

__all__ = ["OneKernelPoint"]

_TOGETHER = 512  # levels whose errors are computed together: enough for BLAS-3
_MANY = 0.25  # share of levels from which on a dense Cholesky factor pays for their errors


class OneKernelPoint(DensePoint):
    """The likelihood at one psi. See `animalmm.core.Point`."""

    def __init__(self, reduced: Reduced, psi: Psi, gamma: float, cholesky: BandCholesky) -> None:
        self.psi = psi
        self._reduced = reduced
        self._gamma = gamma
        self._cholesky = cholesky

    def scaled(self, variance: float) -> OneKernelPoint:
        """The point with all variances times `variance`."""
        psi = self.psi.scaled(variance)
        point = OneKernelPoint(self._reduced, psi, self._gamma, self._cholesky)
        point.__dict__.update(_fixed=self._fixed, _residual=self._residual)
        return point

    @property
    def _model(self) -> Reduced:
        return self._reduced

    @property
    def _logdet_N(self) -> float:
        return self._cholesky.logdet()

    def _half(self, columns: Columns) -> Columns:
        """``N^-1/2 v``: inner products of such are those by N^-1."""
        return Columns(self._cholesky.forward(columns.inside), columns.outside)

    @cached_property
    def _fixed(self) -> Columns:
        return self._half(self._reduced.fixed)

    @cached_property
    def _response(self) -> Columns:
        return self._half(self._reduced.response)

    @cached_property
    def _information(self) -> Matrix:
        """Lower Cholesky factor of ``B'N^-1B``, B the basis of the fixed effects."""
        return np.asarray(linalg.cholesky(_cross(self._fixed, self._fixed), lower=True))

    def _projected(self, half: Columns) -> Columns:
        """What is left of ``N^-1/2 v`` when the fixed effects are fitted."""
        return half - self._fixed @ self._coefficients(half)

    def _coefficients(self, half: Columns) -> Matrix:
        return solve_information(self._information, _cross(self._fixed, half))

    @property
    def _estimates(self) -> Matrix:
        return self._coefficients(self._response)

    @cached_property
    def _residual(self) -> Columns:
        """``N^-1/2 (y - X beta)``."""
        return self._projected(self._response)

    @cached_property
    def quad(self) -> float:
        """``(y - X beta)' V^-1 (y - X beta)``, a sum of squares."""
        return _cross(self._residual, self._residual).item() / self.psi.sigma2

    @cached_property
    def u(self) -> tuple[Matrix, ...]:
        """BLUP of all levels of K, shape (q, 1)."""
        return (self._gamma * self._reduced.kernel.spread(self._by_response[0]),)

    def error_blocks(
        self,
        terms: Sequence[int],
        levels: NDArray[np.intp] | None = None,
        *,
        given_beta: bool = False,
    ) -> NDArray[np.float64]:
        """``Var(u_hat - u)`` of each level, shape (m, 1, 1); given beta, ``Var(u | y, beta)``.

        It is ``sigma_u^2 (K_jj - gamma c_j' N^-1 c_j)`` for the covariances c of the level with the
        records, plus what the uncertainty of beta adds.
        """
        diagonal = self._reduced.term.relationship.diagonal()
        at = np.arange(len(diagonal)) if levels is None else levels
        many = len(at) > _MANY * len(self._fixed.inside)
        halves, fixed = self._by_factor() if many else self._by_band()
        explained = np.empty(len(at))
        for start in range(0, len(at), _TOGETHER):
            part = slice(start, start + _TOGETHER)
            half = halves(at[part])
            explained[part] = np.square(half).sum(axis=0)
            if not given_beta:
                by_beta = dgemm(1.0, fixed, half, trans_a=1)
                fitted = solve_information(self._information, by_beta)
                explained[part] -= (by_beta * fitted).sum(axis=0)
        errors = self._gamma * self.psi.sigma2 * (diagonal[at] - self._gamma * explained)
        return np.asarray(errors[:, None, None])

    def _by_band(self) -> tuple[Callable[[NDArray[np.intp]], Matrix], Matrix]:
        """``N^-1/2 c`` of levels, and the fixed effects likewise; no work before, much for each."""
        kernel = self._reduced.kernel

        def halves(levels: NDArray[np.intp]) -> Matrix:
            return self._cholesky.forward(kernel.band.rotate(kernel.levels(levels)))

        return halves, self._fixed.inside

    def _by_factor(self) -> tuple[Callable[[NDArray[np.intp]], Matrix], Matrix]:
        """The same by a dense Cholesky factor, a third of the work for each."""
        kernel = self._reduced.kernel
        L = kernel.cholesky(self._gamma)

        def half(v: Matrix) -> Matrix:
            return np.asarray(dtrsm(1.0, L, v.T, side=1, lower=1, trans_a=1, overwrite_b=1).T)

        fixed = kernel.band.rotate_back(self._reduced.fixed.inside)
        return lambda levels: half(kernel.levels(levels)), half(fixed)

    @cached_property
    def _trace(self) -> float:
        """Trace of ``M^-1 B``, which is also that of ``B - gamma B M^-1 B``."""
        return self._reduced.kernel.band.trace_with_inverse(self._cholesky)

    @cached_property
    def _by_response(self) -> tuple[Matrix, Matrix]:
        """``w = Q'E'Py`` and ``B w``, both (m, 1), relative to the residual variance."""
        w = self._cholesky.backward(self._residual.inside)
        return w, self._reduced.kernel.band.times(w)

    @cached_property
    def _by_fixed(self) -> tuple[Matrix, Matrix]:
        """C with ``C C' = Q'E'(N^-1 - P)EQ``, and ``B C``, both (m, p)."""
        fixed = self._fixed.inside
        half = (
            linalg.solve_triangular(self._information, fixed.T, lower=True).T
            if fixed.size
            else fixed
        )
        C = self._cholesky.backward(half)
        return C, self._reduced.kernel.band.times(C)

    def slope(self, term: int, *, given_beta: bool = False) -> Matrix:
        """``(A - Q) F``, shape (1, 1): see `animalmm.core.Point`."""
        w, Bw = self._by_response
        slope = self._trace - _inner(w, Bw) / self.psi.sigma2
        if not given_beta:
            slope -= _inner(*self._by_fixed)
        return np.asarray(self.psi.factors[term] * (slope / self.psi.sigma2))

    def complete_information(self, *, given_beta: bool = False) -> Matrix:
        """``E[D'R^-1D | y]``, shape (1, 1): see `animalmm.core.Point`.

        In the band, ``D = Zb`` has the expectation ``F B w / sigma2`` and, given beta, the variance
        ``B - gamma B M^-1 B``.
        """
        _, Bw = self._by_response
        information = self._trace + self._gamma * _inner(Bw, Bw) / self.psi.sigma2
        if not given_beta:
            _, BC = self._by_fixed
            information += self._gamma * _inner(BC, BC)
        return np.array([[information / self.psi.sigma2]])

    def average_information(self, directions: Sequence[Direction]) -> Matrix:
        """``y'P dV_a P dV_b P y``, shape (m, m): see `animalmm.core.Point`.

        All in the band, where ``dV P y`` is ``dSigma B w + dsigma2 w``.
        """
        w, Bw = self._by_response
        sigma = np.array([direction.sigmas[0].item() for direction in directions])
        residual = np.array([direction.sigma2 for direction in directions])
        f = Columns(Bw * sigma + w * residual, self._residual.outside * residual)
        half = self._projected(self._half(f))
        return _cross(half, half) / self.psi.sigma2**3

    @cached_property
    def Py(self) -> Vector:
        """``P y``, shape (n,)."""
        w, _ = self._by_response
        out = self._reduced.unweighted(Columns(w, self._residual.outside))
        return np.asarray(out[:, 0] / self.psi.sigma2)

    def apply_P(self, v: Matrix) -> Matrix:
        """``P v``, shape of v."""
        wide = v[:, None] if v.ndim == 1 else v
        half = self._projected(self._half(self._reduced.weighted(wide)))
        solved = Columns(self._cholesky.backward(half.inside), half.outside)
        out = self._reduced.unweighted(solved) / self.psi.sigma2
        return out[:, 0] if v.ndim == 1 else out


def _cross(a: Columns, b: Columns) -> Matrix:
    """``a'b``."""
    return np.asarray(a.inside.T @ b.inside + a.outside.T @ b.outside)


def _inner(a: Matrix, b: Matrix) -> float:
    """Sum of the products of their elements."""
    return float((a * b).sum())
