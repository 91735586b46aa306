"""All variance parameters of a model in one vector.

With nothing fixed every Sigma is relative to the residual variance, which is profiled out of the
criterion (lme4's theta). As soon as a component is fixed the scale is no longer free; theta is then
on the scale of the data and the residual standard deviation is its last element, unless it too is
fixed.

Every element is in units of a typical standard deviation of its effect, so that the optimiser sees
numbers around one whatever the units of a covariate or of K.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from animalmm.core import CovStruct, Domain, Matrix, Psi, Vector
from animalmm.covariance.structures import semidefinite_cholesky

RESIDUAL = "Residual"


class _Part(NamedTuple):
    """A free term: its number, its structure, its elements of theta."""

    term: int
    structure: CovStruct
    where: slice


@dataclass(frozen=True, eq=False)
class ParameterSpace:
    """Packs the free parameters of all terms.

    Attributes
    ----------
    structures : sequence of CovStruct
        One for each random term.
    scales : sequence of ndarray, shape (t,)
        A typical standard deviation of each effect, relative to the residual one.
    fixed : mapping of int to ndarray
        Known Sigma (t x t, scale of the data) by number of term.
    fixed_sigma2 : float, optional
        Known residual variance.
    """

    structures: Sequence[CovStruct]
    scales: Sequence[Vector]
    fixed: Mapping[int, Matrix] = field(default_factory=dict)
    fixed_sigma2: float | None = None

    @property
    def profiled(self) -> bool:
        """Whether the residual variance is profiled out."""
        return not self.fixed and self.fixed_sigma2 is None

    @property
    def _free_residual(self) -> bool:
        return not self.profiled and self.fixed_sigma2 is None

    @cached_property
    def _parts(self) -> list[_Part]:
        parts, at = [], 0
        for i, s in enumerate(self.structures):
            if i not in self.fixed:
                k = len(s.domain.lower)
                parts.append(_Part(i, s, slice(at, at + k)))
                at += k
        return parts

    @property
    def size(self) -> int:
        """Number of free elements of theta."""
        return len(self.domain.lower)

    @property
    def n_variance_parameters(self) -> int:
        """Number of variance parameters that the fit estimates, the residual variance included."""
        return self.size + self.profiled

    def _stack(self, pieces: list[Vector], residual: float) -> Vector:
        return np.concatenate([*pieces, [residual] if self._free_residual else []])

    @cached_property
    def domain(self) -> Domain:
        """Where theta may be."""
        domains = [part.structure.domain for part in self._parts]
        return Domain(
            self._stack([d.lower for d in domains], 0.0),
            self._stack([d.upper for d in domains], np.inf),
            self._stack([d.through_zero.astype(float) for d in domains], 0.0).astype(bool),
        )

    def start(self, sd: float) -> Vector:
        """Where to start when nothing better is known.

        Parameters
        ----------
        sd : float
            A residual standard deviation; used when it is not profiled out.
        """
        unit = 1.0 if self.profiled else sd
        pieces = [
            part.structure.rescale(part.structure.start(), np.full(part.structure.size, unit))
            for part in self._parts
        ]
        return self._stack(pieces, sd)

    def theta(self, psi: Psi) -> Vector:
        """The theta of a given psi (scale of the data)."""
        unit = psi.sigma2 if self.profiled else 1.0
        pieces = [
            part.structure.rescale(
                part.structure.from_matrix(psi.sigmas[part.term] / unit),
                1.0 / self.scales[part.term],
            )
            for part in self._parts
        ]
        return self._stack(pieces, float(np.sqrt(psi.sigma2)))

    def unscaled(self, theta: Vector) -> Vector:
        """Theta in the units of the effects themselves: lme4's theta when all are unstructured."""
        pieces = [
            part.structure.rescale(theta[part.where], self.scales[part.term])
            for part in self._parts
        ]
        return self._stack(pieces, float(theta[-1]) if len(theta) else 0.0)

    def psi(self, theta: Vector) -> Psi:
        """The psi of a theta; relative to the residual variance when that is profiled out."""
        factors = {i: semidefinite_cholesky(sigma) for i, sigma in self.fixed.items()}
        for part in self._parts:
            own = part.structure.rescale(theta[part.where], self.scales[part.term])
            factors[part.term] = part.structure.factor(own)
        ordered = tuple(factors[i] for i in range(len(self.structures)))
        if self.profiled:
            return Psi(ordered)
        return Psi(ordered, self.fixed_sigma2 or float(theta[-1] ** 2))

    def canonical(self, theta: Vector) -> Vector:
        """The same Sigmas without negative standard deviations."""
        pieces = [part.structure.canonical(theta[part.where]) for part in self._parts]
        return self._stack(pieces, float(theta[-1]) if len(theta) else 0.0)

    def singular_terms(self, theta: Vector, tolerance: float) -> list[int]:
        """Numbers of the terms whose Sigma is singular, within a tolerance on theta."""
        flags = self.domain.singular(theta, tolerance)
        return [part.term for part in self._parts if flags[part.where].any()]
