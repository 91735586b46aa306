"""All variance parameters of a model in one vector.

With nothing fixed every Sigma is relative to the residual variance, which is profiled out of the
criterion (lme4's theta). As soon as a component is fixed the scale is no longer free; theta is then
absolute and the logarithm of the residual standard deviation is its last element, unless that too
is fixed.

Every element is in units of a typical standard deviation of its effect, so that the optimiser sees
numbers around one whatever the units of the response, of a covariate or of K. For an unstructured
Sigma the effects are those of an orthonormal basis, so that the origin of a covariate (years, say)
does not matter either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from animalmm.core import CovStruct, Domain, Matrix, Psi, Vector
from animalmm.covariance.cholesky import semidefinite_cholesky
from animalmm.covariance.domains import ProductDomain

RESIDUAL = "Residual"
_LOG_RANGE = 9.0  # of a residual standard deviation: within a factor of 8,000 of its unit


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
    scales : sequence of ndarray, shape (t,) or (t, t)
        A typical standard deviation of each effect, relative to the residual one; for a structure
        of `any_basis` a square root of a typical Sigma, whose effects say different things; for
        any other one deviations that it can have.
    fixed : mapping of int to ndarray
        Known Sigma (t x t, scale of the data) by number of term.
    fixed_sigma2 : float, optional
        Known residual variance.
    unit : float
        A typical residual standard deviation; one when the residual variance is profiled out.
    """

    structures: Sequence[CovStruct]
    scales: Sequence[Matrix]
    fixed: Mapping[int, Matrix] = field(default_factory=dict)
    fixed_sigma2: float | None = None
    unit: float = 1.0

    @property
    def profiled(self) -> bool:
        """Whether the residual variance is profiled out."""
        return not self.fixed and self.fixed_sigma2 is None

    @property
    def free_residual(self) -> bool:
        """Whether the residual variance is an element of theta."""
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
    def free_terms(self) -> list[int]:
        """Numbers of the terms whose Sigma is not known."""
        return [part.term for part in self._parts]

    @cached_property
    def _known_factors(self) -> dict[int, Matrix]:
        return {i: semidefinite_cholesky(sigma) for i, sigma in self.fixed.items()}

    @property
    def size(self) -> int:
        """Number of free elements of theta."""
        return len(self.domain.lower)

    @property
    def n_variance_parameters(self) -> int:
        """Number of variance parameters that the fit estimates, the residual variance included."""
        return self.size + self.profiled

    def _stack(self, pieces: list[Vector], residual: float) -> Vector:
        return np.concatenate([*pieces, [residual] if self.free_residual else []])

    @cached_property
    def domain(self) -> Domain:
        """Where theta may be."""
        domains = [part.structure.domain for part in self._parts]
        return ProductDomain(
            self._stack([d.lower for d in domains], -_LOG_RANGE),
            self._stack([d.upper for d in domains], _LOG_RANGE),
            self._stack([d.through_zero.astype(float) for d in domains], 0.0).astype(bool),
            [(part.where, d) for part, d in zip(self._parts, domains, strict=True)],
        )

    def start(self) -> Vector:
        """Where to start when nothing better is known: every variance about the residual one."""
        return self._stack([part.structure.start() for part in self._parts], 0.0)

    def _scale(self, part: _Part, *, inverse: bool = False) -> Matrix:
        scale = self.scales[part.term] * self.unit
        if not inverse:
            return scale
        return np.asarray(1.0 / scale if scale.ndim == 1 else np.linalg.inv(scale))

    def theta(self, psi: Psi) -> Vector:
        """The theta of a given psi (scale of the data)."""
        unit = psi.sigma2 if self.profiled else 1.0
        pieces = [
            part.structure.rescale(
                part.structure.from_matrix(psi.sigmas[part.term] / unit),
                self._scale(part, inverse=True),
            )
            for part in self._parts
        ]
        return self._stack(pieces, self._log_residual(psi.sigma2))

    def _log_residual(self, sigma2: float) -> float:
        """The element of theta of a free residual variance."""
        return float(np.log(sigma2) / 2 - np.log(self.unit))

    def unscaled(self, theta: Vector) -> Vector:
        """Theta in the units of the effects themselves: lme4's theta when all are unstructured."""
        pieces = [
            part.structure.rescale(theta[part.where], self._scale(part)) for part in self._parts
        ]
        return self._stack(pieces, self._residual_sd(theta))

    def _residual_sd(self, theta: Vector) -> float:
        """Residual standard deviation when it is free."""
        return self.unit * float(np.exp(theta[-1])) if self.free_residual else 0.0

    def psi(self, theta: Vector) -> Psi:
        """The psi of a theta; relative to the residual variance when that is profiled out."""
        factors = dict(self._known_factors)
        for part in self._parts:
            T = part.structure.factor(theta[part.where])
            factors[part.term] = _times(self._scale(part), T)
        ordered = tuple(factors[i] for i in range(len(self.structures)))
        if self.profiled:
            return Psi(ordered)
        return Psi(ordered, self.fixed_sigma2 or self._residual_sd(theta) ** 2)

    def derivatives(self, theta: Vector) -> list[tuple[int, Matrix]]:
        """``(i, dF_i / dtheta_j)`` for each element of theta that belongs to a term i, in order.

        F (t, t) is the factor that `psi` gives; zero where it has no derivative.
        """
        return [
            (part.term, _times(self._scale(part), dT))
            for part in self._parts
            for dT in part.structure.jacobian(theta[part.where])
        ]

    def maximised(self, moments: Mapping[int, Matrix], sigma2: float, theta: Vector) -> Vector:
        """The theta that fits moment matrices best: the M-step of EM.

        For each Sigma it minimises ``log|Sigma| + tr(Sigma^-1 M)``.

        Parameters
        ----------
        moments : mapping of int to ndarray, shape (t, t)
            M of each term that is free, on the scale of the data.
        sigma2 : float
            Residual variance.
        theta : ndarray, shape (k,)
            Where a search may begin.
        """
        unit = sigma2 if self.profiled else 1.0
        pieces = []
        for part in self._parts:
            scale = self._scale(part, inverse=True)
            half = _times(scale, moments[part.term] / unit)
            pieces.append(part.structure.fitted(_times(scale, half.T), theta[part.where]))
        return self._stack(pieces, self._log_residual(sigma2))

    def canonical(self, theta: Vector) -> Vector:
        """The same Sigmas without negative standard deviations."""
        pieces = [part.structure.canonical(theta[part.where]) for part in self._parts]
        return self._stack(pieces, float(theta[-1]) if len(theta) else 0.0)

    def residual_at_limit(self, theta: Vector) -> bool:
        """Whether a residual variance that is estimated has gone as far as it may."""
        return self.free_residual and bool(abs(theta[-1]) >= _LOG_RANGE)

    def singular_terms(self, theta: Vector, tolerance: float) -> list[int]:
        """Numbers of the terms whose Sigma is singular, within a tolerance on theta."""
        flags = self.domain.singular(theta, tolerance)
        return [part.term for part in self._parts if flags[part.where].any()]


def _times(scale: Matrix, T: Matrix) -> Matrix:
    """S T, S given as (t, t), or as the (t,) of a diagonal one."""
    return np.asarray(scale[:, None] * T if scale.ndim == 1 else scale @ T)
