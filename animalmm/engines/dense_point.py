"""What follows from the fixed effects in the same way for all engines of dense relationships."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from typing import Protocol

import numpy as np

from animalmm.core import Matrix, Problem, Psi, Vector
from animalmm.engines.fixed import FixedBasis, solve_information

__all__ = ["DensePoint"]


class _Weighted(Protocol):
    """A problem in weighted records."""

    @property
    def problem(self) -> Problem:
        """The model."""

    @property
    def basis(self) -> FixedBasis:
        """``X = B R``."""

    @property
    def logdet_weights(self) -> float:
        """log|W|."""


class DensePoint(ABC):
    """The likelihood at one psi, by the covariance N of the weighted records.

    N is relative to the residual variance; what leaves is on the scale of the data.
    """

    psi: Psi

    @property
    @abstractmethod
    def _model(self) -> _Weighted:
        """The problem."""

    @property
    @abstractmethod
    def _logdet_N(self) -> float:
        """log|N|."""

    @property
    @abstractmethod
    def _information(self) -> Matrix:
        """Lower Cholesky factor of ``B'N^-1B``."""

    @property
    @abstractmethod
    def _estimates(self) -> Matrix:
        """Coefficients of B, shape (p, 1)."""

    @cached_property
    def logdet_V(self) -> float:
        """log|V|."""
        scale = self._model.problem.n * float(np.log(self.psi.sigma2))
        return self._logdet_N + scale - self._model.logdet_weights

    @cached_property
    def logdet_XVX(self) -> float:
        """log|X'V^-1X|."""
        information = float(np.log(np.diag(self._information)).sum())
        scale = self._model.problem.p * float(np.log(self.psi.sigma2))
        return 2.0 * (information + self._model.basis.logdet) - scale

    @property
    def logdet_reml(self) -> float:
        """log|V| + log|X'V^-1X|."""
        return self.logdet_V + self.logdet_XVX

    @cached_property
    def beta(self) -> Vector:
        """BLUE, shape (p,)."""
        return self._model.basis.beta(self._estimates[:, 0])

    def beta_covariance(self) -> Matrix:
        """``(X'V^-1X)^-1``, shape (p, p)."""
        inverse = solve_information(self._information, np.eye(self._model.problem.p))
        return self.psi.sigma2 * self._model.basis.beta_covariance(inverse)

    def beta_variances(self) -> Vector:
        """Diagonal of `beta_covariance`, shape (p,)."""
        return np.diag(self.beta_covariance())
