"""What is asked of an engine, as Protocols.

An engine is prepared once for a problem; after that `Engine.at` is a pure function of the variance
parameters. All that the algorithms and the inference need of it is in `Point`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from animalmm.core.arrays import Matrix, Vector
from animalmm.core.types import Direction, Problem, Psi

__all__ = ["Engine", "EngineSpec", "Point"]


class Point(Protocol):
    """The likelihood and what goes with it at one `Psi`.

    The parts of the deviance stand apart, so that the scale can be profiled out.
    """

    @property
    def psi(self) -> Psi:
        """Where this point is."""

    def scaled(self, variance: float) -> Point:
        """The point with all variances times `variance`, for next to nothing."""

    @property
    def logdet_V(self) -> float:
        """log|V|."""

    @property
    def logdet_XVX(self) -> float:
        """log|X' V^-1 X|."""

    @property
    def logdet_reml(self) -> float:
        """log|V| + log|X' V^-1 X|, which can be cheaper than the two apart."""

    @property
    def quad(self) -> float:
        """``(y - X beta)' V^-1 (y - X beta)``."""

    @property
    def beta(self) -> Vector:
        """BLUE (generalised least squares), shape (p,)."""

    @property
    def u(self) -> tuple[Matrix, ...]:
        """BLUP of each term on the scale of its original levels, shape (q, t)."""

    def beta_covariance(self) -> Matrix:
        """``(X' V^-1 X)^-1``, shape (p, p)."""

    def beta_variances(self) -> Vector:
        """Diagonal of `beta_covariance`, shape (p,), which can be much cheaper."""

    def error_blocks(
        self,
        terms: Sequence[int],
        levels: NDArray[np.intp] | None = None,
        *,
        given_beta: bool = False,
    ) -> NDArray[np.float64]:
        """``Var(u_hat - u)`` (PEV) of each level, shape (m, T, T), T the sum of the t of the terms.

        Several terms must have the same levels; their effects stand side by side. With
        `given_beta`, ``Var(u | y, beta)``: lme4's conditional variance, which leaves out the
        uncertainty of beta.
        """

    def slope(self, term: int, *, given_beta: bool = False) -> Matrix:
        """Half the slope of ``log|V| + log|X'V^-1X| + quad`` by the factor F of a term, (t, t).

        It is ``(A - Q) F`` with ``A_ab = tr(P Z_a K Z_b')`` and ``Q_ab = y'P Z_a K Z_b'P y``, Z_a
        the incidence of effect a; given beta, V^-1 stands for P in A, and it is that of
        ``log|V| + quad``. Exact also where F is singular.
        """

    def complete_information(self, *, given_beta: bool = False) -> Matrix:
        """``E[D'R^-1D | y]``: the information on all F that known effects would give, (m, m).

        D are the derivatives of ``sum_i Z_i (I ⊗ F_i) b_i`` by the m = sum t_i^2 elements of all
        F, term by term and row by row, with ``b_i ~ N(0, K_i ⊗ I)``; R = sigma2 W^-1.
        """

    def average_information(self, directions: Sequence[Direction]) -> Matrix:
        """``y'P dV_a P dV_b P y`` for the dV of m directions, shape (m, m).

        Twice the average information of the log likelihood (Gilmour, Thompson & Cullis 1995).
        """

    @property
    def Py(self) -> Vector:
        """``P y``, shape (n,)."""

    def apply_P(self, v: Matrix) -> Matrix:
        """``P v = V^-1 v - V^-1 X (X' V^-1 X)^-1 X' V^-1 v``, shape as `v` (n,) or (n, k)."""


class Engine(Protocol):
    """Evaluates the likelihood of one problem; made by `EngineSpec.prepare`."""

    @property
    def description(self) -> str:
        """What it is and why, in words, for the provenance of a fit."""

    def at(self, psi: Psi) -> Point:
        """Evaluate; the same psi gives the same Point, and no evaluation changes another."""

    def rank(self, term: int) -> int:
        """Rank of the relationship of a term."""


class EngineSpec(Protocol):
    """A configured engine, not yet bound to a problem."""

    def prepare(self, problem: Problem) -> Engine:
        """Do all the work that does not depend on psi."""
