"""All variance parameters of a model in one vector.

With nothing fixed, theta is on lme4's scale: every Sigma relative to the residual variance, which is
profiled out of the criterion. As soon as a component is fixed the scale is no longer free; theta is
then on the scale of the data and the residual standard deviation is its last element, unless it too is
fixed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from animalmm.core import CovStruct, Matrix, Psi, Vector
from animalmm.covariance.structures import semidefinite_cholesky

RESIDUAL = "Residual"


@dataclass(frozen=True)
class ParameterSpace:
    """Packs the free parameters of all terms.

    Attributes
    ----------
    structures : sequence of CovStruct
        One for each random term.
    fixed : mapping of int to ndarray
        Known Sigma (t x t, scale of the data) by number of term.
    fixed_sigma2 : float, optional
        Known residual variance.
    """

    structures: Sequence[CovStruct]
    fixed: Mapping[int, Matrix] = field(default_factory=dict)
    fixed_sigma2: float | None = None

    @property
    def profiled(self) -> bool:
        """Whether the residual variance is profiled out."""
        return not self.fixed and self.fixed_sigma2 is None

    @property
    def _free_residual(self) -> bool:
        return not self.profiled and self.fixed_sigma2 is None

    @property
    def _free(self) -> list[tuple[int, CovStruct]]:
        return [(i, s) for i, s in enumerate(self.structures) if i not in self.fixed]

    @property
    def size(self) -> int:
        """Number of free elements of theta."""
        return len(self.lower)

    @property
    def n_variance_parameters(self) -> int:
        """Number of variance parameters that the fit estimates, the residual variance included."""
        return self.size + self.profiled

    def _stack(self, parts: list[Vector], residual: float) -> Vector:
        return np.concatenate([*parts, [residual] if self._free_residual else []])

    @property
    def lower(self) -> Vector:
        """Lower bounds of theta."""
        return self._stack([s.lower for _, s in self._free], 0.0)

    @property
    def upper(self) -> Vector:
        """Upper bounds of theta."""
        return self._stack([s.upper for _, s in self._free], np.inf)

    def start(self, scale: float) -> Vector:
        """Where to start when nothing better is known.

        Parameters
        ----------
        scale : float
            A variance of the size of the residual variance; used when it is not profiled out.
        """
        if self.profiled:
            return self._stack([s.start() for _, s in self._free], 1.0)
        identities = [s.from_matrix(scale * _sigma(s)) for _, s in self._free]
        return self._stack(identities, float(np.sqrt(scale)))

    def theta(self, psi: Psi) -> Vector:
        """The theta of a given psi (scale of the data)."""
        unit = psi.sigma2 if self.profiled else 1.0
        sigmas = psi.sigmas
        parts = [s.from_matrix(sigmas[i] / unit) for i, s in self._free]
        return self._stack(parts, float(np.sqrt(psi.sigma2)))

    def psi(self, theta: Vector) -> Psi:
        """The psi of a theta; relative to the residual variance when that is profiled out."""
        factors: list[Matrix] = []
        at = 0
        for i, s in enumerate(self.structures):
            if i in self.fixed:
                factors.append(semidefinite_cholesky(self.fixed[i]))
                continue
            k = len(s.lower)
            factors.append(s.factor(theta[at : at + k]))
            at += k
        if self.profiled:
            return Psi(tuple(factors))
        sigma2 = float(theta[-1] ** 2) if self._free_residual else self.fixed_sigma2
        return Psi(tuple(factors), float(sigma2 or 0.0))

    def on_boundary(self, theta: Vector, tolerance: float) -> NDArray[np.bool_]:
        """Which elements of theta make a Sigma singular."""
        flags: list[NDArray[np.bool_]] = []
        at = 0
        for _, s in self._free:
            k = len(s.lower)
            flags.append(s.on_boundary(theta[at : at + k], tolerance))
            at += k
        if self._free_residual:
            flags.append(np.array([False]))
        return np.concatenate(flags) if flags else np.zeros(0, dtype=bool)

    def owners(self) -> NDArray[np.intp]:
        """Number of the term that each element of theta belongs to; the residual comes last."""
        counts = [len(s.lower) for _, s in self._free]
        owner = np.repeat([i for i, _ in self._free], counts).astype(np.intp)
        return np.append(owner, len(self.structures)) if self._free_residual else owner


def _sigma(s: CovStruct) -> Matrix:
    T = s.factor(s.start())
    return T @ T.T
