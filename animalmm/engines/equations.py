"""The mixed model equations of one evaluation, with X apart or joined.

Both solve

    [ B'WB    B'WZL         ] [gamma]   [r_x]
    [ L'Z'WB  L'Z'WZL + P   ] [b    ] = [r_b]

for the basis B of X, Z with whatever was multiplied into it, L = Lambda and the prior precision P.
`ApartEquations` eliminates b first and keeps the p x p rest dense (lme4's RZX and RX); that is best
for few columns. `JoinedEquations` factors everything together, which keeps thousands of
herd-year-season columns sparse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dpotrf, dtrtri

from animalmm.core import Matrix, Vector
from animalmm.engines.errors import FEW, Errors
from animalmm.engines.system import System
from animalmm.errors import EstimationError
from animalmm.linalg import Factor, SelectedInverse

__all__ = ["ApartEquations", "Equations", "JoinedEquations"]

_TOGETHER = 256  # right sides solved together: enough for BLAS-3


@dataclass(frozen=True, eq=False)
class ApartEquations:
    """X dense and apart.

    Attributes
    ----------
    system : System
        The equations of b.
    random : Factor
        Of ``M = L'Z'WZL + P``.
    ZX : ndarray, shape (Q, p)
        ``L'Z'WB``.
    """

    system: System
    random: Factor
    ZX: Matrix

    @cached_property
    def _solved(self) -> Matrix:
        """``M^-1 L'Z'WB``, shape (Q, p)."""
        return self.random.solve(self.ZX)

    @cached_property
    def _half(self) -> Matrix:
        """Upper triangular G, the inverse of the Schur complement ``I - ZX' M^-1 ZX`` is GG'."""
        p = self.ZX.shape[1]
        if not p:  # LAPACK refuses a leading dimension of zero
            return np.zeros((0, 0))
        L, info = dpotrf(np.eye(p) - self.ZX.T @ self._solved, lower=1)
        if info:
            raise EstimationError(
                "the random effects explain the response completely: beside them the residual "
                "variance is zero to rounding. Check for a term with a level for nearly every "
                "record, and for a response that is a function of the grouping columns"
            )
        return np.asarray(dtrtri(L, lower=1)[0].T)

    def solve(self, r_x: Matrix, r_b: Matrix) -> tuple[Matrix, Matrix]:
        """Solution (gamma, b) for right sides of shapes (p, k) and (Q, k)."""
        b = self.random.solve(r_b)
        if not len(r_x):
            return r_x, b
        gamma = self._half @ (self._half.T @ (r_x - self.ZX.T @ b))
        return gamma, b - self._solved @ gamma

    def solve_random(self, r_b: Matrix) -> Matrix:
        """``M^-1 r_b``."""
        return self.random.solve(r_b)

    def fixed_covariance(self) -> Matrix:
        """Covariance of gamma, shape (p, p)."""
        return np.asarray(self._half @ self._half.T)

    def fixed_variances(self) -> Vector:
        """Diagonal of `fixed_covariance`, shape (p,)."""
        return np.diag(self.fixed_covariance())

    @cached_property
    def _selected(self) -> SelectedInverse:
        return self.system.selected_inverse(self.random)

    def errors(self, *, given_beta: bool) -> Errors:
        """Covariance of the errors of b, where the pattern has it."""
        H = self.ZX[:, :0] if given_beta else self.beside[1]
        return Errors(self._selected, 0, H)

    @cached_property
    def beside(self) -> tuple[Matrix, Matrix]:
        """G (p, p) and H (Q, p): the covariance of the errors of b is ``M^-1 + H H'``.

        H are the solutions b, gamma being zero, for the responses ``B G``.
        """
        # C^bb = M^-1 + M^-1 L'Z'WB S^-1 B'WZL M^-1, S = Schur complement (Henderson 1975)
        return self._half, self._solved @ self._half

    @cached_property
    def _information(self) -> Matrix:
        return self.system.information(self._selected)

    def information(self, *, given_beta: bool) -> Matrix:
        """J of the equations of b alone, also where beta is not given: see `beside`."""
        return self._information

    def logdet_random(self) -> float:
        """log|M|."""
        return self.random.logdet()

    def logdet_all(self) -> float:
        """Of the whole left side."""
        return self.random.logdet() - 2.0 * float(np.log(self._half.diagonal()).sum())


@dataclass(frozen=True, eq=False)
class JoinedEquations:
    """X sparse, in one system with the random effects; its equations come first.

    Attributes
    ----------
    system : System
        The whole of it.
    whole : Factor
        Of the whole left side.
    p : int
        Number of fixed effects.
    alone : callable
        Makes the system of b alone and the factor of M; called only when something needs M itself
        (ML, conditional variances).
    """

    system: System
    whole: Factor
    p: int
    alone: Callable[[], tuple[System, Factor]]

    @cached_property
    def _alone(self) -> tuple[System, Factor]:
        return self.alone()

    @property
    def _random(self) -> Factor:
        return self._alone[1]

    def solve(self, r_x: Matrix, r_b: Matrix) -> tuple[Matrix, Matrix]:
        """Solution (gamma, b) for right sides of shapes (p, k) and (Q, k)."""
        solution = self.whole.solve(np.concatenate([r_x, r_b]))
        return solution[: self.p], solution[self.p :]

    def solve_random(self, r_b: Matrix) -> Matrix:
        """``M^-1 r_b``."""
        return self._random.solve(r_b)

    def fixed_covariance(self) -> Matrix:
        """Covariance of gamma, shape (p, p)."""
        covariance = np.empty((self.p, self.p))
        for start in range(0, self.p, _TOGETHER):
            part = np.arange(start, min(start + _TOGETHER, self.p))
            unit = np.zeros((self.whole.n, len(part)))
            unit[part, part - start] = 1.0
            covariance[:, part] = self.whole.solve(unit)[: self.p]
        return covariance

    def fixed_variances(self) -> Vector:
        """Diagonal of `fixed_covariance`, shape (p,)."""
        if self.p <= FEW:
            return np.diag(self.fixed_covariance())
        fixed = np.arange(self.p)
        return self._selected.at(fixed, fixed)

    @cached_property
    def _selected(self) -> SelectedInverse:
        return self.system.selected_inverse(self.whole)

    @cached_property
    def _selected_random(self) -> SelectedInverse:
        system, random = self._alone
        return system.selected_inverse(random)

    def errors(self, *, given_beta: bool) -> Errors:
        """Covariance of the errors of b, where the pattern has it."""
        nothing = self.beside[1]
        if given_beta:
            return Errors(self._selected_random, 0, nothing)
        return Errors(self._selected, self.p, nothing)

    @property
    def beside(self) -> tuple[Matrix, Matrix]:
        """Nothing: the equations have the fixed effects among them."""
        return np.empty((self.p, 0)), np.empty((self.whole.n - self.p, 0))

    @cached_property
    def _information(self) -> Matrix:
        return self.system.information(self._selected)

    @cached_property
    def _information_alone(self) -> Matrix:
        return self._alone[0].information(self._selected_random)

    def information(self, *, given_beta: bool) -> Matrix:
        """J of the equations: of b alone, or of all, which begins with the fixed effects."""
        return self._information_alone if given_beta else self._information

    def logdet_random(self) -> float:
        """log|M|."""
        return self._random.logdet()

    def logdet_all(self) -> float:
        """Of the whole left side."""
        return self.whole.logdet()


Equations = ApartEquations | JoinedEquations
