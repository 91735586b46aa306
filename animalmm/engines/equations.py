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
from scipy import linalg

from animalmm.core import Matrix
from animalmm.errors import EstimationError
from animalmm.linalg import Factor

__all__ = ["ApartEquations", "Equations", "JoinedEquations"]


@dataclass(frozen=True, eq=False)
class ApartEquations:
    """X dense and apart.

    Attributes
    ----------
    random : Factor
        Of ``M = L'Z'WZL + P``.
    ZX : ndarray, shape (Q, p)
        ``L'Z'WB``.
    """

    random: Factor
    ZX: Matrix

    @cached_property
    def _solved(self) -> Matrix:
        """``M^-1 L'Z'WB``, shape (Q, p)."""
        return self.random.solve(self.ZX)

    @cached_property
    def _cholesky(self) -> Matrix:
        """Lower Cholesky factor of the Schur complement ``I - ZX' M^-1 ZX``."""
        p = self.ZX.shape[1]
        try:
            return np.asarray(linalg.cholesky(np.eye(p) - self.ZX.T @ self._solved, lower=True))
        except linalg.LinAlgError:
            raise EstimationError(
                "the random effects explain the response completely: beside them the residual "
                "variance is zero to rounding. Check for a term with a level for nearly every "
                "record, and for a response that is a function of the grouping columns"
            ) from None

    def solve(self, r_x: Matrix, r_b: Matrix) -> tuple[Matrix, Matrix]:
        """Solution (gamma, b) for right sides of shapes (p, k) and (Q, k)."""
        b = self.random.solve(r_b)
        if not len(r_x):
            return r_x, b
        gamma = linalg.cho_solve((self._cholesky, True), r_x - self.ZX.T @ b)
        return gamma, b - self._solved @ gamma

    def solve_random(self, r_b: Matrix) -> Matrix:
        """``M^-1 r_b``."""
        return self.random.solve(r_b)

    def logdet_random(self) -> float:
        """log|M|."""
        return self.random.logdet()

    def logdet_all(self) -> float:
        """Of the whole left side."""
        return self.random.logdet() + 2.0 * float(np.log(np.diag(self._cholesky)).sum())


@dataclass(frozen=True, eq=False)
class JoinedEquations:
    """X sparse, in one system with the random effects; its equations come first.

    Attributes
    ----------
    whole : Factor
        Of the whole left side.
    p : int
        Number of fixed effects.
    factor_random : callable
        Factors M alone; called only when something needs M itself (ML, conditional variances).
    """

    whole: Factor
    p: int
    factor_random: Callable[[], Factor]

    @cached_property
    def _random(self) -> Factor:
        return self.factor_random()

    def solve(self, r_x: Matrix, r_b: Matrix) -> tuple[Matrix, Matrix]:
        """Solution (gamma, b) for right sides of shapes (p, k) and (Q, k)."""
        solution = self.whole.solve(np.concatenate([r_x, r_b]))
        return solution[: self.p], solution[self.p :]

    def solve_random(self, r_b: Matrix) -> Matrix:
        """``M^-1 r_b``."""
        return self._random.solve(r_b)

    def logdet_random(self) -> float:
        """log|M|."""
        return self._random.logdet()

    def logdet_all(self) -> float:
        """Of the whole left side."""
        return self.whole.logdet()


Equations = ApartEquations | JoinedEquations
