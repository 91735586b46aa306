"""The boundary of the covariance structures, for optimisers.

On the boundary some parameters of a structure mean nothing (the correlation of an effect without
variance), and some ways off it change several of them at once. A `Domain` that knows this keeps an
optimiser from calling a singular Sigma undetermined, and from staying at one that is not the
optimum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from animalmm.core import BESIDE, NEAR, STEPS_OFF, Domain, Matrix, Vector, changed, grown
from animalmm.covariance.cholesky import lower_root, semidefinite_cholesky

__all__ = ["CholeskyDomain", "CorrelationDomain", "ProductDomain"]

_FELT = 1e-4  # slope along which a step gains something, where the curvature is one
_RHO = (-1.0, -0.5, 0.0, 0.5, 1.0)  # correlations to try for an effect that gets a variance


@dataclass(frozen=True, eq=False)
class CholeskyDomain(Domain):
    """Of a lower triangular T, its elements in the order of `rows` and `columns`.

    Where T_jj = 0 the whole column j is put to zero (T has a turned twin of the same Sigma), so
    that no parameter is left that does nothing.
    """

    rows: NDArray[np.intp]
    columns: NDArray[np.intp]

    def _matrix(self, theta: Vector) -> Matrix:
        t = int(self.rows.max()) + 1
        T = np.zeros((t, t))
        T[self.rows, self.columns] = theta
        return T

    def _theta(self, T: Matrix) -> Vector:
        return np.asarray(T[self.rows, self.columns])

    def held(self, theta: Vector) -> NDArray[np.bool_]:
        """Columns whose diagonal is zero."""
        return np.asarray((np.diag(self._matrix(theta)) == 0.0)[self.columns])

    def frame(self, theta: Vector) -> Matrix:
        """Orthonormal as changes of the square root of Sigma, its rows in units of their size.

        Of all square roots ``T Q`` the one is taken that changes least. The triangle is not it:
        where T_jj is small, a small change of Sigma turns the later rows of T by much.
        """
        free = np.flatnonzero(~self.held(theta))
        root = _Root.of(self._matrix(theta))
        units = np.eye(len(theta))[free]
        changes = [(root.generator(self._matrix(unit)) * root.s).ravel() for unit in units]
        frame = np.zeros((len(theta), len(free)))
        frame[free] = np.linalg.inv(np.linalg.qr(np.reshape(changes, (len(free), root.U.size)).T).R)
        return frame

    def moved(self, theta: Vector, step: Vector) -> Vector:
        """``phi(X) T`` for the change ``X T`` of the square root, X symmetric: `_Root.after`."""
        T = self._matrix(theta)
        F = _Root.of(T).after(self._matrix(step))
        if (np.diag(T) == 0.0).any():
            return self._theta(semidefinite_cholesky(F @ F.T))
        return self._theta(lower_root(F) * np.where(np.diag(T) < 0.0, -1.0, 1.0))

    def edges(self, theta: Vector) -> Iterator[Vector]:
        """A small diagonal element put to zero, the rest turned into the lower triangle.

        Beside it the covariances with a later effect can hardly be told from a variance of that
        effect alone; so that variance is also put to zero, and the column of j takes it over.
        """
        T = self._matrix(theta)
        diagonal = np.abs(np.diag(T))
        for j in np.flatnonzero((diagonal > 0.0) & (diagonal < NEAR)):
            flat = T.copy()
            flat[j, j] = 0.0
            yield self._theta(semidefinite_cholesky(flat @ flat.T))
            for k in np.flatnonzero(diagonal):
                if k > j:
                    turned = T.copy()
                    cosine, sine = T[k, [j, k]] / np.hypot(T[k, j], T[k, k])
                    turned[:, j] = cosine * T[:, j] + sine * T[:, k]
                    turned[:, k] = cosine * T[:, k] - sine * T[:, j]
                    turned[j, k] = 0.0
                    yield self._theta(semidefinite_cholesky(turned @ turned.T))

    def beside(self, theta: Vector) -> Vector:
        """``Sigma + h^2 N N'``, N the directions in which Sigma has no variance."""
        T = self._matrix(theta)
        return self._theta(lower_root(np.hstack([T, BESIDE * _without_variance(T)])))

    def ways_off(self, theta: Vector, gradient: Vector) -> Iterator[Vector]:
        """Sigma turned towards the directions N without variance, or with variance in one of them.

        At the optimum the slope M of the criterion by Sigma has ``N'M T = 0``, and ``N'M N`` has no
        negative eigenvalue.
        """
        N = _without_variance(T := self._matrix(theta))
        if not N.size:
            return
        M = _slope_of_sigma(self._matrix(self.beside(theta)), self._matrix(gradient))
        turn, (slopes, ways) = N @ (N.T @ M @ T), np.linalg.eigh(N.T @ M @ N)
        way, length = N @ ways[:, :1], np.linalg.norm(turn)
        roots = [np.hstack([T, step * way]) for step in STEPS_OFF if slopes[0] < -_FELT]
        roots += [T - step / length * turn for step in STEPS_OFF if length > _FELT]
        for F in roots:
            yield self._theta(semidefinite_cholesky(F @ F.T))

    def escapes(self, theta: Vector) -> Iterator[Vector]:
        """A variance for effect j: of its own, or shared with a later effect, of either sign."""
        T = self._matrix(theta)
        for j in np.flatnonzero(np.diag(T) == 0.0):
            for step in STEPS_OFF:
                alone = T.copy()
                alone[j, j] = step
                yield self._theta(alone)
                for k in range(j + 1, len(T)):
                    for sign in (0.6, -0.6):  # 0.6^2 + 0.8^2 = 1: the variance of k stays
                        shared = alone.copy()
                        shared[k:, j] += sign * T[k:, k]
                        shared[k:, k] = 0.8 * T[k:, k]
                        yield self._theta(shared)


@dataclass(frozen=True, eq=False)
class CorrelationDomain(Domain):
    """Of standard deviations followed by one correlation.

    Attributes
    ----------
    needed : int
        Number of effects with variance below which the correlation means nothing.
    """

    needed: int

    def held(self, theta: Vector) -> NDArray[np.bool_]:
        """Vanished standard deviations, and a correlation at its limit or without meaning."""
        held = self.singular(theta)
        held[-1] |= np.count_nonzero(theta[:-1]) < self.needed
        return held

    def beside(self, theta: Vector) -> Vector:
        """Theta itself: off the boundary the correlation matters, so that no gradient tells."""
        return theta

    def ways_off(self, theta: Vector, gradient: Vector) -> Iterator[Vector]:
        """All that there are."""
        return self.escapes(theta)

    def escapes(self, theta: Vector) -> Iterator[Vector]:
        """As for any domain, with several correlations beside each new standard deviation."""
        for candidate in super().escapes(theta):
            yield candidate
            if candidate[-1] == theta[-1]:
                for rho in _RHO:
                    yield self.clip(changed(candidate, -1, rho))


@dataclass(frozen=True, eq=False)
class ProductDomain(Domain):
    """Of several structures side by side.

    Attributes
    ----------
    parts : sequence of (slice, Domain)
        The elements of theta and the domain of each structure.
    """

    parts: Sequence[tuple[slice, Domain]]

    def held(self, theta: Vector) -> NDArray[np.bool_]:
        """Those of each part."""
        held = self.singular(theta)
        for where, domain in self.parts:
            held[where] = domain.held(theta[where])
        return held

    @cached_property
    def _alone(self) -> NDArray[np.bool_]:
        """Elements of theta that belong to no structure: the residual variance."""
        alone = np.ones(len(self.lower), dtype=bool)
        for where, _ in self.parts:
            alone[where] = False
        return alone

    def frame(self, theta: Vector) -> Matrix:
        """Those of each part, side by side."""
        frames = [np.eye(len(theta))[:, self._alone & ~self.held(theta)]]
        for where, domain in self.parts:
            own = domain.frame(theta[where])
            wide = np.zeros((len(theta), own.shape[1]))
            wide[where] = own
            frames.append(wide)
        return np.hstack(frames)

    def moved(self, theta: Vector, step: Vector) -> Vector:
        """Each part by its own way."""
        out = self.clip(theta + step)
        for where, domain in self.parts:
            out[where] = domain.moved(theta[where], step[where])
        return out

    def edges(self, theta: Vector) -> Iterator[Vector]:
        """Those of each part, the others unchanged."""
        for where, domain in self.parts:
            for piece in domain.edges(theta[where]):
                yield _replaced(theta, where, piece)

    def beside(self, theta: Vector) -> Vector:
        """Each part beside its own boundary."""
        out = super().beside(theta)
        for where, domain in self.parts:
            out[where] = domain.beside(theta[where])
        return out

    def ways_off(self, theta: Vector, gradient: Vector) -> Iterator[Vector]:
        """Those of each part, the others unchanged."""
        for where, domain in self.parts:
            for piece in domain.ways_off(theta[where], gradient[where]):
                yield _replaced(theta, where, piece)
        yield from self._of_alone(theta, super().ways_off(theta, gradient))

    def escapes(self, theta: Vector) -> Iterator[Vector]:
        """Those of each part, the others unchanged."""
        for where, domain in self.parts:
            for piece in domain.escapes(theta[where]):
                yield _replaced(theta, where, piece)
        yield from self._of_alone(theta, super().escapes(theta))

    def _of_alone(self, theta: Vector, candidates: Iterator[Vector]) -> Iterator[Vector]:
        """Those that change what belongs to no structure."""
        return (c for c in candidates if (c != theta)[self._alone].any())


@dataclass(frozen=True, eq=False)
class _Root:
    """A square root ``F = size U diag(s) V'`` of Sigma, size the diagonal matrix of its units."""

    size: Vector
    U: Matrix
    s: Vector
    V: Matrix

    @classmethod
    def of(cls, T: Matrix) -> _Root:
        size = np.maximum(np.linalg.norm(T, axis=1), 1.0)
        U, s, Vt = np.linalg.svd(T / size[:, None])
        return cls(size, U, s, Vt.T)

    def generator(self, change: Matrix) -> Matrix:
        """U'XU of the symmetric X for which ``X F``, of all changes, does to Sigma what this does.

        It is the solution of ``X Sigma + Sigma X = change F' + F change'``, nothing where both
        eigenvalues of Sigma are zero.
        """
        half = (self.U.T @ (change / self.size[:, None]) @ self.V) * self.s
        both, squares = half + half.T, np.add.outer(self.s**2, self.s**2)
        return np.asarray(np.divide(both, squares, out=np.zeros_like(both), where=squares > 0.0))

    def after(self, change: Matrix) -> Matrix:
        """``phi(X) F``, phi being `grown`, up to a turn on the right."""
        x, axes = np.linalg.eigh(self.generator(change))
        return np.asarray(self.size[:, None] * (self.U @ ((axes * grown(x)) @ axes.T * self.s)))


def _without_variance(T: Matrix) -> Matrix:
    """Orthonormal directions in which a T with columns of zeros has none, one for each of them."""
    return np.asarray(np.linalg.svd(T).U[:, np.count_nonzero(np.diag(T)) :])


def _slope_of_sigma(T: Matrix, slope: Matrix) -> Matrix:
    """Symmetric M from the lower triangle of ``2 M T``, for a T that is not singular."""
    half = np.tril(T.T @ np.tril(slope) / 2.0)
    turned = half + np.tril(half, -1).T  # T'MT
    return np.asarray(linalg.solve(T.T, linalg.solve(T.T, turned).T))


def _replaced(theta: Vector, where: slice, piece: Vector) -> Vector:
    out = theta.copy()
    out[where] = piece
    return out
