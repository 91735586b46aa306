"""Prediction errors of single levels, read from the selected inverse of the equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from animalmm.core import Matrix
from animalmm.engines.blocks import side_by_side
from animalmm.engines.prepared import Prepared
from animalmm.linalg import SelectedInverse

__all__ = ["FEW", "Errors"]

# Right sides that are rather solved for. With CHOLMOD the selected inverse takes as long as 80
# (102,000 animals) to 170 of them (1,200 animals), see benchmarks/selected_inverse.py.
FEW = 100


@dataclass(frozen=True, eq=False)
class Errors:
    """Covariance of the errors of b, ``Z + H H'``, where the pattern of the equations has it.

    Attributes
    ----------
    selected : SelectedInverse
        Z, in the order of the equations.
    first : int
        The equation of the first element of b.
    H : ndarray, shape (Q, p)
        What fixed effects that stand apart add: nothing if p = 0.
    """

    selected: SelectedInverse
    first: int
    H: Matrix

    def blocks(
        self,
        prepared: Prepared,
        factors: Sequence[Matrix],
        terms: Sequence[int],
        levels: NDArray[np.intp],
    ) -> NDArray[np.float64]:
        """``Var(u_hat - u)`` of levels that are single elements of b, shape (m, T, T).

        NaN for a level whose terms do not meet in the pattern.
        """
        at, turns = [], []
        for i in terms:
            own, F = prepared.terms[i], factors[i]
            level, scale = own.single_levels
            at.append(prepared.starts[i] + level[levels][:, None] * own.t + np.arange(own.t))
            turns.append(scale[levels][:, None, None] * F)
        rows = np.concatenate(at, axis=1)
        turn = side_by_side(turns)
        H = self.H[rows]
        known = self.selected.at(self.first + rows[:, :, None], self.first + rows[:, None, :])
        return np.asarray(turn @ (known + H @ H.transpose(0, 2, 1)) @ turn.transpose(0, 2, 1))
