"""The linear mixed model by its definition: V built in full, everything from its inverse."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse


def relative_error(found, expected):
    """Largest difference, relative to the largest element of what is expected."""
    found, expected = np.asarray(found, dtype=float), np.asarray(expected, dtype=float)
    assert found.shape == expected.shape
    if not expected.size:
        return 0.0
    return float(np.abs(found - expected).max() / (np.abs(expected).max() or 1.0))


def assert_near(found, expected, tolerance=1e-10):
    error = relative_error(found, expected)
    assert error <= tolerance, f"off by {error:.2g} of the largest element"


@dataclass(frozen=True)
class BruteForce:
    """A `Point` by dense algebra; `kernels` are the dense K of the terms."""

    problem: object
    kernels: tuple
    psi: object

    @cached_property
    def X(self):
        X = self.problem.X
        return X.toarray() if sparse.issparse(X) else X

    @cached_property
    def Z(self):
        return [term.Z.toarray() for term in self.problem.terms]

    @cached_property
    def G(self):
        """Var(u_i), (q t, q t), of each term."""
        return [np.kron(K, F @ F.T) for K, F in zip(self.kernels, self.psi.factors, strict=True)]

    @cached_property
    def V(self):
        V = np.diag(self.psi.sigma2 / self.problem.weights)
        for Z, G in zip(self.Z, self.G, strict=True):
            V = V + Z @ G @ Z.T
        return V

    @cached_property
    def Vi(self):
        return np.linalg.inv(self.V)

    @cached_property
    def XVX(self):
        return self.X.T @ self.Vi @ self.X

    @cached_property
    def P(self):
        ViX = self.Vi @ self.X
        return self.Vi - ViX @ np.linalg.solve(self.XVX, ViX.T)

    @cached_property
    def y(self):
        return self.problem.y - self.problem.offset

    @property
    def logdet_V(self):
        return np.linalg.slogdet(self.V)[1]

    @property
    def logdet_XVX(self):
        return np.linalg.slogdet(self.XVX)[1] if self.problem.p else 0.0

    @property
    def logdet_reml(self):
        return self.logdet_V + self.logdet_XVX

    @property
    def quad(self):
        return self.y @ self.P @ self.y

    @property
    def beta(self):
        return np.linalg.solve(self.XVX, self.X.T @ self.Vi @ self.y)

    def beta_covariance(self):
        return np.linalg.inv(self.XVX)

    def beta_variances(self):
        return np.diag(self.beta_covariance())

    @cached_property
    def u(self):
        Py = self.P @ self.y
        return tuple(
            (G @ Z.T @ Py).reshape(term.q, term.t)
            for G, Z, term in zip(self.G, self.Z, self.problem.terms, strict=True)
        )

    def errors(self, i, k, *, given_beta=False):
        """Cov(u_hat_i - u_i, u_hat_k - u_k) of two whole terms, (q_i, t_i, q_k, t_k)."""
        C_i, C_k = (self.G[term] @ self.Z[term].T for term in (i, k))
        errors = -C_i @ (self.Vi if given_beta else self.P) @ C_k.T
        if i == k:
            errors = errors + self.G[i]
        shapes = [(self.problem.terms[term].q, self.problem.terms[term].t) for term in (i, k)]
        return errors.reshape(*shapes[0], *shapes[1])

    def error_blocks(self, terms, levels=None, *, given_beta=False):
        """Blocks of levels, the effects of several terms side by side."""
        blocks = np.block(
            [
                [np.einsum("jajb->jab", self.errors(i, k, given_beta=given_beta)) for k in terms]
                for i in terms
            ]
        )
        return blocks if levels is None else blocks[levels]

    def columns(self, term):
        """Incidence of each effect of a term, t arrays (n, q)."""
        t = self.problem.terms[term].t
        return [self.Z[term][:, a::t] for a in range(t)]

    def slope(self, term, *, given_beta=False):
        """(A - Q) F."""
        K, Z, Py = self.kernels[term], self.columns(term), self.P @ self.y
        P = self.Vi if given_beta else self.P
        A = [[np.trace(P @ Za @ K @ Zb.T) for Zb in Z] for Za in Z]
        Q = [[Py @ Za @ K @ Zb.T @ Py for Zb in Z] for Za in Z]
        return (np.array(A) - np.array(Q)) @ self.psi.factors[term]

    def complete_information(self, *, given_beta=False):
        """E[D'R^-1D | y], from all second moments of the standardised effects."""
        terms = range(len(self.kernels))
        return np.block(
            [[self._information(i, k, given_beta=given_beta) for k in terms] for i in terms]
        )

    def _information(self, i, k, *, given_beta):
        t, s = (self.problem.terms[term].t for term in (i, k))
        moments = self._moments(i, k, given_beta=given_beta).reshape(-1, t, len(self.kernels[k]), s)
        out = np.empty((t, t, s, s))
        for a, Za in enumerate(self.columns(i)):
            for b, Zb in enumerate(self.columns(k)):
                N = Za.T @ (self.problem.weights[:, None] * Zb) / self.psi.sigma2
                out[a, :, b] = np.einsum("jl,jcld->cd", N, moments)
        return out.reshape(t * t, s * s)

    def _moments(self, i, k, *, given_beta):
        """E[b_i b_k' | y] of the standardised effects, b ~ N(0, K ⊗ I)."""
        C_i, C_k = (
            np.kron(self.kernels[term], self.psi.factors[term].T) @ self.Z[term].T
            for term in (i, k)
        )
        Py = self.P @ self.y
        moments = np.outer(C_i @ Py, C_k @ Py) - C_i @ (self.Vi if given_beta else self.P) @ C_k.T
        if i == k:
            moments = moments + np.kron(self.kernels[i], np.eye(self.problem.terms[i].t))
        return moments

    def rank(self, term):
        """Rank of K."""
        return np.linalg.matrix_rank(self.kernels[term], hermitian=True, tol=1e-8)

    def S(self, term):
        """E[U' K^- U | y], with the Moore-Penrose inverse of a singular K."""
        Ki = np.linalg.pinv(self.kernels[term], rcond=1e-10, hermitian=True)
        expected = np.einsum("jk,jakb->ab", Ki, self.errors(term, term))
        return self.u[term].T @ Ki @ self.u[term] + expected

    @property
    def Py(self):
        return self.P @ self.y

    def apply_P(self, v):
        return self.P @ v

    def along(self, direction):
        """Derivative of V along a direction of the variance parameters."""
        pairs = enumerate(direction.sigmas)
        return sum(
            (self.dV(i, D) for i, D in pairs), np.diag(direction.sigma2 / self.problem.weights)
        )

    def dV(self, term, D):
        """Derivative of V along Sigma + h D."""
        return self.Z[term] @ np.kron(self.kernels[term], D) @ self.Z[term].T
