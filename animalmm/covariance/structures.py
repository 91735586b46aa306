"""The forms of Sigma: unstructured, diagonal, compound symmetry, first-order autoregression.

Each is one class that knows its parameters theta, where they may be, how to turn them into a lower
triangular T with ``Sigma = T T'``, and which of them fit a moment matrix best. Standard deviations
and Cholesky factors are used in place of variances, so that a singular Sigma is an ordinary point
(lme4's coordinates: Bates, Maechler, Bolker & Walker 2015, J. Stat. Softw. 67(1), section 2.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from animalmm.core import CovStruct, Domain, Matrix, Vector
from animalmm.covariance.cholesky import cholesky_derivative, lower_root, semidefinite_cholesky
from animalmm.covariance.domains import CholeskyDomain, CorrelationDomain
from animalmm.covariance.fitting import gram, least_deviance
from animalmm.errors import ArgumentError

__all__ = ["AR1", "CompoundSymmetry", "Diagonal", "Unstructured", "structure"]

_ROUNDING = 1e-13  # beside one it may be a zero


@dataclass(frozen=True)
class Unstructured:
    """Every variance and covariance free; theta is the lower triangle of T, column by column.

    Attributes
    ----------
    size : int
        t; theta has t (t + 1) / 2 elements, in lme4's order.
    """

    size: int
    name = "us"
    any_basis = True

    @cached_property
    def _positions(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        columns, rows = np.triu_indices(self.size)
        return rows, columns

    @cached_property
    def domain(self) -> Domain:
        """No bounds; the diagonal of T may pass zero."""
        rows, columns = self._positions
        k = len(rows)
        free = np.full(k, np.inf)
        return CholeskyDomain(-free, free, rows == columns, rows, columns)

    def start(self) -> Vector:
        """T = I."""
        rows, columns = self._positions
        return np.where(rows == columns, 1.0, 0.0)

    def factor(self, theta: Vector) -> Matrix:
        """T itself."""
        T = np.zeros((self.size, self.size))
        T[self._positions] = theta
        return T

    def jacobian(self, theta: Vector) -> NDArray[np.float64]:
        """Units."""
        return self._units

    @cached_property
    def _units(self) -> NDArray[np.float64]:
        rows, columns = self._positions
        k = len(rows)
        units = np.zeros((k, self.size, self.size))
        units[np.arange(k), rows, columns] = 1.0
        return units

    def fitted(self, moment: Matrix, near: Vector) -> Vector:
        """The moment itself."""
        return self.from_matrix(gram(moment))

    def rescale(self, theta: Vector, scale: Matrix) -> Vector:
        """S T, turned back into a lower triangle by an LQ decomposition where S is not diagonal."""
        if scale.ndim == 1:
            return np.asarray(theta * scale[self._positions[0]])
        turned = scale @ self.factor(theta)
        if self.domain.singular(theta).any():
            return self.from_matrix(turned @ turned.T)
        return np.asarray(lower_root(turned)[self._positions])

    def from_matrix(self, sigma: Matrix) -> Vector:
        """The Cholesky factor of `sigma`."""
        return np.asarray(semidefinite_cholesky(sigma)[self._positions])

    def canonical(self, theta: Vector) -> Vector:
        """Columns of T with a positive diagonal: T and T with a column negated give one Sigma."""
        T = self.factor(theta)
        leading = T[np.argmax(T != 0, axis=0), np.arange(self.size)]
        return np.asarray((T * np.where(leading < 0, -1.0, 1.0))[self._positions])


@dataclass(frozen=True)
class Diagonal:
    """Free variances, no covariances; theta is the t standard deviations."""

    size: int
    name = "diag"
    any_basis = False

    @cached_property
    def domain(self) -> Domain:
        """No bounds; standard deviations may pass zero."""
        free = np.full(self.size, np.inf)
        return Domain(-free, free, np.ones(self.size, dtype=bool))

    def start(self) -> Vector:
        """Standard deviations of one."""
        return np.ones(self.size)

    def factor(self, theta: Vector) -> Matrix:
        """``diag(theta)``."""
        return np.diag(theta)

    def jacobian(self, theta: Vector) -> NDArray[np.float64]:
        """Units."""
        return np.asarray(np.eye(self.size)[:, :, None] * np.eye(self.size))

    def fitted(self, moment: Matrix, near: Vector) -> Vector:
        """Square roots of the diagonal."""
        return _deviations(moment)

    def rescale(self, theta: Vector, scale: Matrix) -> Vector:
        """Each standard deviation times its scale."""
        return np.asarray(theta * scale)

    def from_matrix(self, sigma: Matrix) -> Vector:
        """Square roots of the diagonal."""
        return _checked(self, np.sqrt(np.diag(sigma)), sigma)

    def canonical(self, theta: Vector) -> Vector:
        """Absolute values."""
        return np.abs(theta)


@dataclass(frozen=True)
class CompoundSymmetry:
    """Free variances, one correlation; theta is the t standard deviations and rho.

    Heterogeneous, as ``cs()`` is in lme4 2.x and glmmTMB. ``-1 / (t - 1) <= rho <= 1``.
    """

    size: int
    name = "cs"
    any_basis = False

    @cached_property
    def domain(self) -> Domain:
        """Bounds of rho; standard deviations from zero, as signs matter to covariances."""
        least = -1.0 / max(self.size - 1, 1)
        return CorrelationDomain(
            np.append(np.zeros(self.size), least),
            np.append(np.full(self.size, np.inf), 1.0),
            np.zeros(self.size + 1, dtype=bool),
            needed=2,
        )

    def start(self) -> Vector:
        """Standard deviations of one, rho zero."""
        return np.append(np.ones(self.size), 0.0)

    def factor(self, theta: Vector) -> Matrix:
        """Standard deviations times the Cholesky factor of the correlation."""
        return np.asarray(theta[:-1, None] * self._unit_factor(theta[-1]))

    def _unit_factor(self, rho: float) -> Matrix:
        correlation = np.full((self.size, self.size), rho)
        np.fill_diagonal(correlation, 1.0)
        return semidefinite_cholesky(correlation)

    def jacobian(self, theta: Vector) -> NDArray[np.float64]:
        """Rows of the factor of the correlation, and the derivative of that."""
        L = self._unit_factor(theta[-1])
        by_sd = np.eye(self.size)[:, :, None] * L
        by_rho = np.zeros_like(L)
        if np.diag(L).all():
            by_rho = theta[:-1, None] * cholesky_derivative(L, 1.0 - np.eye(self.size))
        return np.concatenate([by_sd, by_rho[None]])

    def fitted(self, moment: Matrix, near: Vector) -> Vector:
        """By a search from `near`, among the effects that have a variance."""
        sd = _deviations(moment)
        present = np.flatnonzero(sd)
        theta = np.append(sd, near[-1])
        if len(present) > 1:
            units = sd[present]
            correlation = moment[np.ix_(present, present)] / np.outer(units, units)
            start = np.append(near[present] / units, near[-1])
            found = CompoundSymmetry(len(present))._fitted(correlation, start, self.domain)
            theta[present], theta[-1] = found[:-1] * units, found[-1]
        return theta

    def _fitted(self, correlation: Matrix, near: Vector, whole: Domain) -> Vector:
        """Fit a moment with a diagonal of one; `whole` has the bounds of rho with all effects."""
        rho = near[-1]
        values, axes = np.linalg.eigh(correlation)
        if values[0] <= _ROUNDING and not np.diag(self._unit_factor(rho)).all():
            null = axes[:, 0] if rho < 0 else np.ones(self.size)  # that of Sigma stays
            size = 1.0 / np.abs(null)
            return np.append(size * np.sqrt((size**-2).mean()), rho)
        least = max(self.domain.lower[-1], whole.lower[-1])
        return least_deviance(self, correlation, near, (least, 1.0))

    def rescale(self, theta: Vector, scale: Matrix) -> Vector:
        """Each standard deviation times its scale; rho stays."""
        return np.append(theta[:-1] * scale, theta[-1])

    def from_matrix(self, sigma: Matrix) -> Vector:
        """Square roots of the diagonal and the common correlation."""
        sd = np.sqrt(np.diag(sigma))
        product = np.outer(sd, sd)
        pairs = np.tril(product > 0, -1)
        rho = float((sigma[pairs] / product[pairs]).mean()) if pairs.any() else 0.0
        return _checked(self, np.append(sd, rho), sigma)

    def canonical(self, theta: Vector) -> Vector:
        """Theta itself."""
        return theta


@dataclass(frozen=True)
class AR1:
    """One variance and correlation ``rho^|i - j|``; theta is the standard deviation and rho.

    Homogeneous, as ``ar1()`` is in lme4 2.x and glmmTMB; effects are in the order of the columns.
    """

    size: int
    name = "ar1"
    any_basis = False

    @cached_property
    def domain(self) -> Domain:
        """Bounds of rho; the standard deviation may pass zero."""
        return CorrelationDomain(
            np.array([-np.inf, -1.0]),
            np.array([np.inf, 1.0]),
            np.array([True, False]),
            needed=1,
        )

    def start(self) -> Vector:
        """Standard deviation of one, rho zero."""
        return np.array([1.0, 0.0])

    def factor(self, theta: Vector) -> Matrix:
        """``sd`` times the closed-form factor of an AR(1) correlation."""
        sd, rho = theta
        lag = np.subtract.outer(np.arange(self.size), np.arange(self.size))
        T = np.where(lag >= 0, float(rho) ** np.abs(lag), 0.0)
        T[:, 1:] *= np.sqrt(max(1.0 - rho * rho, 0.0))
        return np.asarray(sd * T)

    def jacobian(self, theta: Vector) -> NDArray[np.float64]:
        """Of the closed form."""
        sd, rho = theta
        by_rho = np.zeros((self.size, self.size))
        if (rest := 1.0 - rho * rho) > 0.0:
            lag = np.subtract.outer(np.arange(self.size), np.arange(self.size))
            by_rho = np.where(lag > 0, lag * float(rho) ** np.maximum(lag - 1, 0), 0.0)
            power = np.where(lag >= 0, float(rho) ** np.abs(lag), 0.0)
            by_rho[:, 1:] = np.sqrt(rest) * by_rho[:, 1:] - rho / np.sqrt(rest) * power[:, 1:]
        return np.stack([self.factor(np.array([1.0, rho])), sd * by_rho])

    def fitted(self, moment: Matrix, near: Vector) -> Vector:
        """The root of a cubic in rho, and the variance that goes with it.

        The inverse of the correlation is tridiagonal, so that with the sums `a` of the variances,
        `b` of the covariances of neighbours and `c` of the inner variances the trace is
        ``(a - 2 b rho + c rho^2) / (1 - rho^2)``.
        """
        t, variances = self.size, np.diag(moment)
        a, b, c = variances.sum(), np.diag(moment, 1).sum(), variances[1:-1].sum()
        if a <= 0.0:
            return np.array([0.0, near[1]])
        for rho in (-1.0, 1.0):
            if a - 2.0 * rho * b + c <= _ROUNDING * a:  # neighbours are the same, but for the sign
                return np.array([np.sqrt(a / t), rho])
        cubic = np.array([(1 - t) * c, (t - 2) * b, a + t * c, -t * b]) / a
        rho = optimize.brentq(lambda x: float(np.polyval(cubic, x)), -1.0, 1.0, xtol=1e-15)
        return np.array([np.sqrt((a - 2 * b * rho + c * rho**2) / (t * (1 - rho**2))), rho])

    def rescale(self, theta: Vector, scale: Matrix) -> Vector:
        """The one standard deviation times the geometric mean of the scales; rho stays."""
        return np.array([theta[0] * np.exp(np.log(scale).mean()), theta[1]])

    def from_matrix(self, sigma: Matrix) -> Vector:
        """Square root of the first variance and the correlation of neighbours."""
        variance = sigma[0, 0]
        rho = sigma[1, 0] / variance if self.size > 1 and variance > 0 else 0.0
        return _checked(self, np.array([np.sqrt(variance), rho]), sigma)

    def canonical(self, theta: Vector) -> Vector:
        """A positive standard deviation."""
        return np.array([abs(theta[0]), theta[1]])


_STRUCTURES: dict[str, type[Unstructured | Diagonal | CompoundSymmetry | AR1]] = {
    cls.name: cls for cls in (Unstructured, Diagonal, CompoundSymmetry, AR1)
}


def structure(name: str, size: int) -> CovStruct:
    """Make the structure that a formula names, for t effects.

    One effect has no correlation, so that every structure of it is a variance.
    """
    return Unstructured(1) if size == 1 else _STRUCTURES[name](size)


def _deviations(moment: Matrix) -> Vector:
    """Square roots of the diagonal of a moment matrix."""
    return np.asarray(np.sqrt(np.maximum(np.diag(moment), 0.0)))


def _checked(form: CovStruct, theta: Vector, sigma: Matrix) -> Vector:
    """Give theta back when it reproduces sigma; otherwise sigma does not have this form."""
    T = form.factor(theta)
    if not np.allclose(T @ T.T, sigma, rtol=1e-6, atol=1e-10 * np.abs(sigma).max(initial=0.0)):
        raise ArgumentError(f"the covariance matrix does not have the form {form.name}()")
    return theta
