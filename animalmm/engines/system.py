"""Equations of one pattern: analysed once, factorised at each psi; what their inverse tells.

Let C be the inverse of ``Lambda'Z'WZ Lambda + P`` (X standing among the Z, if it is there), and

    J[(a, c), (b, d)] = sum over pairs of levels (j, l) of  (Z_i'WZ_k)_{ja, lb}  C_{jc, ld}

for terms i and k. C is the covariance of the errors of b, so J is what these errors add to the
information ``D'WD`` on all elements of all F, D their derivatives of ``Z Lambda b``. And as
``W Z Lambda C = P Z Lambda (K ⊗ I)``, ``J vec(F)`` is the trace A F in the slope of the log
determinants, with no inverse of F or of K. All elements of C that it needs are on the pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from animalmm.core import Matrix, Vector
from animalmm.engines.pattern import Block, Cross, PatternedSystem
from animalmm.errors import EstimationError
from animalmm.linalg import (
    Factor,
    NotPositiveDefiniteError,
    SelectedInverse,
    Symbolic,
    analyze,
    require_memory,
)
from animalmm.linalg.prediction import LARGE
from animalmm.linalg.selected_inverse import InversePattern

__all__ = ["System"]


class System:
    """The equations of some blocks.

    Parameters
    ----------
    blocks : sequence of Block
        In the order of the equations.
    weights : ndarray, shape (n,)
        W.

    Attributes
    ----------
    memory : Memory
        What it takes to evaluate at one psi after the other, predicted.

    Raises
    ------
    ArgumentError
        The factors do not fit into memory.
    """

    def __init__(self, blocks: Sequence[Block], weights: Vector) -> None:
        self._equations = PatternedSystem(blocks, weights)
        widths = self._equations.widths
        self._random = [block.prior is not None for block in blocks]
        self._elements = np.cumsum([0, *(width**2 for width in widths)])
        self._symbolic = analyze(self._equations.assemble([np.eye(width) for width in widths]))
        self._known: tuple[InversePattern, list[_Pairs]] | None = None
        self.memory = Memory.of(self._symbolic)
        self.memory.require_factors()

    def factor(self, factors: Sequence[Matrix]) -> Factor:
        """Assemble and factorise for one F per block.

        Raises
        ------
        EstimationError
            The equations are not positive definite in floating point.
        """
        try:
            return self._symbolic.factorize(self._equations.assemble(factors))
        except NotPositiveDefiniteError as error:
            sizes = ", ".join(f"{np.abs(F).max():.3g}" for F in factors)
            raise EstimationError(
                "the mixed model equations are not positive definite in floating point "
                f"({error}); the standard deviations relative to the residual are {sizes}. Check "
                "the scale of the relationship matrices and of the covariates of random slopes"
            ) from None

    def selected_inverse(self, factor: Factor) -> SelectedInverse:
        """The elements of the inverse on the pattern of a factor.

        Raises
        ------
        ArgumentError
            They do not fit into memory.
        """
        self.memory.require_inverse()
        return factor.selected_inverse()

    def information(self, C: SelectedInverse) -> Matrix:
        """J, shape (m, m) for the ``m = sum t^2`` elements of all F, row by row.

        Fixed effects are a block like the others, but among themselves.
        """
        J, at = np.zeros((self._elements[-1],) * 2), self._elements
        for pairs in self._located(C.pattern):
            k, m = slice(*at[pairs.k : pairs.k + 2]), slice(*at[pairs.m : pairs.m + 2])
            J[k, m] = pairs.information(C.values)
            J[m, k] = J[k, m].T
        return J

    def _located(self, pattern: InversePattern) -> list[_Pairs]:
        """All cross-products but those of fixed effects, located once for a pattern."""
        if self._known is None or self._known[0] != pattern:
            crosses = (cross for cross in self._equations.crosses if self._random[cross.k])
            starts = self._equations.starts
            self._known = pattern, [_locate(cross, starts, pattern) for cross in crosses]
        return self._known[1]


@dataclass(frozen=True)
class Memory:
    """Predicted bytes, at least, where two points are held: the last one and the next.

    Attributes
    ----------
    size : int
        Equations.
    factors : float
        Of their factors: what the likelihood takes; 0 for a small system, which is not predicted.
    inverse : float
        Of the factors and the selected inverses: what its derivatives take.
    """

    size: int
    factors: float = 0.0
    inverse: float = 0.0

    @classmethod
    def of(cls, symbolic: Symbolic) -> Memory:
        """Of a system that is analysed and not yet factorised."""
        if symbolic.n < LARGE:
            return cls(symbolic.n)
        fill = symbolic.fill
        factors = 2 * fill.factor_bytes
        return cls(symbolic.n, factors, factors + fill.factor_bytes + fill.inverse_bytes)

    def require_factors(self) -> None:
        """Refuse a factor that the machine cannot hold, with an ArgumentError."""
        require_memory(
            self.factors,
            f"the Cholesky factor of {self.size:,} mixed model equations",
            "Take fewer random terms or levels; Pedigree.prune leaves out animals without use",
        )

    def require_inverse(self) -> None:
        """The same for the derivatives of the likelihood."""
        require_memory(
            self.inverse,
            f"the inverse of {self.size:,} mixed model equations on the pattern of their factor, "
            "for the derivatives of the likelihood and the errors of all levels,",
            f"algorithm='df' needs the factor alone ({self.factors / 2**30:.1f} GiB); or "
            "take fewer random terms or levels",
        )


@dataclass(frozen=True, eq=False)
class _Pairs:
    """A cross-product and the places of the same elements in the inverse.

    Attributes
    ----------
    k, m : int
        The blocks.
    values : ndarray, shape (pairs, t_k, t_m)
        Of the cross-product; half of it where a level meets itself.
    places : ndarray, shape (pairs, t_k, t_m)
        Among the values of the inverse.
    """

    k: int
    m: int
    values: NDArray[np.float64]
    places: NDArray[np.int64]

    def information(self, C: NDArray[np.float64]) -> Matrix:
        """J of the two blocks, shape (t_k^2, t_m^2)."""
        pairs, t, s = self.values.shape
        flat = self.values.reshape(pairs, -1).T @ C.take(self.places.reshape(pairs, -1))
        J = flat.reshape(t, s, t, s).transpose(0, 2, 1, 3).reshape(t * t, s * s)
        return J + J.T if self.k == self.m else J


def _locate(cross: Cross, starts: NDArray[np.int64], pattern: InversePattern) -> _Pairs:
    values = cross.values
    if cross.k == cross.m:
        values = np.where(cross.level_k == cross.level_m, 0.5, 1.0)[:, None, None] * values
    places = pattern.places(*cross.equations(starts))
    assert (places >= 0).all()  # the pattern of the equations is part of that of their factor
    return _Pairs(cross.k, cross.m, values, places)
