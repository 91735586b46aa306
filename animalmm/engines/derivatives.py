"""The slope of the likelihood along the factors F, and the information of known effects on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from animalmm.core import Matrix, Vector
from animalmm.engines.equations import Equations
from animalmm.engines.prepared import Prepared

__all__ = ["Derivatives"]


@dataclass(frozen=True, eq=False)
class Derivatives:
    """Derivatives by all F at a solution of the equations.

    The equations are relative to the residual variance: with F / sigma for F their A is sigma2
    times that of the data, and so is their Q of ``y / sigma``.

    Attributes
    ----------
    prepared : Prepared
        The problem.
    factors : sequence of ndarray
        F of each term, relative to sigma.
    equations : Equations
        At these factors.
    b : ndarray, shape (Q,)
        The solution.
    load : ndarray, shape (Q,)
        ``Z'W (y - B gamma - Z Lambda b)``.
    sigma2 : float
        Residual variance.
    """

    prepared: Prepared
    factors: Sequence[Matrix]
    equations: Equations
    b: Vector
    load: Vector
    sigma2: float

    @cached_property
    def slopes(self) -> list[Matrix]:
        """``(A - Q) F`` of each term.

        ``A F`` comes from the inverse of the equations (see `animalmm.engines.system`). If that
        has no fixed effects, ``V^-1 - P = sum_x w_x w_x'`` is taken off like the Q of as many
        responses.
        """
        J = self.equations.information(given_beta=False)
        return self._slopes(J, self._explained + self._explained_by_fixed)

    @cached_property
    def slopes_given_beta(self) -> list[Matrix]:
        """The same with V^-1 for P in A."""
        return self._slopes(self.equations.information(given_beta=True), self._explained)

    def _slopes(self, J: Matrix, explained: Vector) -> list[Matrix]:
        F = np.concatenate([np.ravel(F) for F in self.factors])
        fixed = len(J) - len(F)
        slope = (J @ np.concatenate([np.ones(fixed), F]))[fixed:] - explained
        parts = np.split(slope / np.sqrt(self.sigma2), np.cumsum([F.size for F in self.factors]))
        return [part.reshape(F.shape) for part, F in zip(parts, self.factors, strict=False)]

    @cached_property
    def _explained(self) -> Vector:
        """``Q F`` of all terms, for y over sigma, row by row."""
        return self._products(self.load[:, None], self.b[:, None]) / self.sigma2

    @cached_property
    def _explained_by_fixed(self) -> Vector:
        """``(V^-1 - P)`` in place of ``P y y'P``: zero where the equations have X among them."""
        prepared, (G, H) = self.prepared, self.equations.beside
        rest = prepared.basis.B @ G - prepared.Z @ prepared.spread(self.factors, H)
        load = prepared.ZT @ (prepared.problem.weights[:, None] * rest)
        return self._products(load, H)

    def _products(self, load: Matrix, b: Matrix) -> Vector:
        """``sum_x (Z'w_x)' b_x`` of all terms, row by row."""
        pairs = zip(self.prepared.split(load), self.prepared.split(b), strict=True)
        return np.concatenate([np.tensordot(V, B, ((0, 2), (0, 2))).ravel() for V, B in pairs])

    def complete_information(self, *, given_beta: bool) -> Matrix:
        """``E[D'R^-1D | y]``, from the errors of b and from their expectation."""
        J = self.equations.information(given_beta=given_beta)
        fixed = len(J) - sum(F.size for F in self.factors)
        information = J[fixed:, fixed:].copy()
        known = [self.b[:, None] / np.sqrt(self.sigma2)]
        if not given_beta:
            known.append(self.equations.beside[1])
        for b in np.concatenate(known, axis=1).T:
            D = self._derivatives(b)
            information += D.T @ (self.prepared.problem.weights[:, None] * D)
        return information / self.sigma2

    def _derivatives(self, b: Vector) -> Matrix:
        """Of ``Z Lambda b`` by all elements of all F, shape (n, m)."""
        D = []
        for term, F, B in zip(
            self.prepared.terms, self.factors, self.prepared.split(b), strict=True
        ):
            each = np.einsum("ab,jc->jabc", np.eye(len(F)), B)  # effect a of level j times b_jc
            D.append(term.block.Z @ each.reshape(B.size, F.size))
        return np.concatenate(D, axis=1)
