"""Start values by the method of moments.

Squares and products of the residuals of records are linear in the variance components (Haseman &
Elston 1972, Behav. Genet. 2: 3-19). Weighted by the matrices of the components themselves they are
the equations of MINQUE with the residual alone as a prior (Rao 1972, J. Am. Stat. Assoc. 67:
112-115): with M the projection off X, r = M y and V_k the derivative of V by component k,
``r'V_k r = sum_l sigma_l tr(M V_k M V_l)``. The traces are means over random signs (Girard 1989,
Numer. Math. 56: 1-23), so that products with Z and with K are all that is needed, and nothing is
factorised. Their noise matters little: the optimum does not depend on where the search begins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from animalmm.core import Matrix, Problem, Psi, Relationship, Vector
from animalmm.covariance import ParameterSpace, semidefinite_cholesky
from animalmm.engines.fixed import fixed_basis
from animalmm.linalg import NotPositiveDefiniteError, analyze
from animalmm.relationship.base import LabelledRelationship, product_with

__all__ = ["moment_start"]

_PROBES = (8, 64)  # the fewest, for many records, and the most
_SIGNS = 5_000  # about how many signs to draw
_SEED = 1972  # the same signs for every fit, so that fits repeat
_AT_ONCE = 2**24  # numbers in memory
_RANGE = (0.05, 20.0)  # of the variance that an effect gives a record, relative to the residual
_LEAST_RESIDUAL = 0.02  # of the variance of a record
_CONFOUNDED = 1e-2  # eigenvalue of the scaled equations below which components share their sum

Product = Callable[[Matrix], Matrix]


def moment_start(problem: Problem, space: ParameterSpace) -> Psi | None:
    """Start values for all components that are not known, by the method of moments.

    Each Sigma is moved to where it gives a record between a twentieth and twenty times the
    residual variance, whatever the estimate.

    Parameters
    ----------
    problem : Problem
        The model.
    space : ParameterSpace
        Its parameters.

    Returns
    -------
    Psi or None
        On the scale of the data, of the form that the structures ask for. None where no parameter
        is free; where a relationship is given by its inverse, which would have to be factorised;
        where the fixed effects are too nearly collinear for this; and where next to nothing is
        left for the residual, as with a trend in the data that the fixed effects do not have.
    """
    relationships = [term.relationship for term in problem.terms]
    if not space.size or problem.n <= problem.p or not all(map(_is_cheap, relationships)):
        return None
    project = _projection(problem)
    if project is None:
        return None
    parts = [_Part.of(problem, space, i) for i in range(len(problem.terms))]
    equations, moments = _equations(problem, parts, project)
    values, free = _known(space, parts)
    values[free] = _solved(
        equations[np.ix_(free, free)], (moments - equations[:, ~free] @ values[~free])[free]
    )
    if free[-1] and values[-1] <= _LEAST_RESIDUAL * moments[-1] / equations[-1, -1]:
        return None
    return _psi(space, parts, values)


@dataclass(frozen=True, eq=False)
class _Part:
    """A term in whose ``Sigma = S G S'`` the symmetric G (t x t) is linear in the components.

    Attributes
    ----------
    Z : csr_array, shape (n, q * t)
        Incidence.
    scale : ndarray, shape (t, t)
        S.
    basis : ndarray, shape (m, t, t)
        The derivative of G by each component.
    product : callable
        ``K v``.
    """

    Z: sparse.csr_array
    scale: Matrix
    basis: NDArray[np.float64]
    product: Product

    @classmethod
    def of(cls, problem: Problem, space: ParameterSpace, i: int) -> _Part:
        """Of a term: one component where Sigma is known, each element of G where it is not."""
        Z, product = problem.terms[i].Z, product_with(problem.terms[i].relationship)
        form, scale = space.structures[i], space.scales[i]
        if i in space.fixed:
            return cls(Z, semidefinite_cholesky(space.fixed[i]), np.eye(form.size)[None], product)
        some = form.factor(0.9 * form.start() + 0.1)
        rows, columns = np.nonzero(np.tril(some @ some.T))
        basis = np.zeros((len(rows), form.size, form.size))
        basis[np.arange(len(rows)), rows, columns] = 1.0
        basis[np.arange(len(rows)), columns, rows] = 1.0
        return cls(Z, np.diag(scale) if scale.ndim == 1 else scale, basis, product)

    def halves(self, v: Matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """A = ``(I ⊗ S') Z' v`` and ``(K ⊗ I) A``, shape (q, t, k), for v of shape (n, k)."""
        t, k = len(self.scale), v.shape[1]
        A = self.scale.T @ np.asarray(self.Z.T @ v).reshape(-1, t, k)
        return A, self.product(A.reshape(-1, t * k)).reshape(A.shape)

    def applied(self, KA: NDArray[np.float64]) -> Matrix:
        """``V_k v`` for each component, shape (n, m * k), from the second of the halves of v."""
        spread = np.tensordot(KA, self.scale @ self.basis, (1, 2))  # (q, k, m, t)
        return np.asarray(self.Z @ spread.transpose(0, 3, 2, 1).reshape(self.Z.shape[1], -1))

    def forms(self, A: NDArray[np.float64], KA: NDArray[np.float64]) -> Matrix:
        """``v'V_k v`` for each component and column, shape (m, k), from the halves of v."""
        products = np.einsum("qck,qdk->cdk", A, KA)
        return np.tensordot(self.basis, products, 2)


def _is_cheap(K: Relationship) -> bool:
    """Whether a product with K takes no factorisation: not where K is given by its inverse."""
    return K.knows_diagonal if isinstance(K, LabelledRelationship) else not K.prefers_precision


def _projection(problem: Problem) -> Product | None:
    """M v, for weighted records; None where X'WX is not positive definite to rounding."""
    root = np.sqrt(problem.weights)
    basis = fixed_basis(problem.X, problem.weights).B
    if isinstance(basis, np.ndarray):
        Q = root[:, None] * basis
        return lambda v: v - Q @ (Q.T @ v)
    B = sparse.csr_array(sparse.diags_array(root) @ basis)
    lower = sparse.csc_array(sparse.tril(B.T @ B, format="csc"))
    try:
        factor = analyze(lower).factorize(lower)
    except NotPositiveDefiniteError:
        return None
    return lambda v: v - B @ factor.solve(np.asarray(B.T @ v))


def _equations(problem: Problem, parts: Sequence[_Part], project: Product) -> tuple[Matrix, Vector]:
    """The left- and right-hand sides for all components, the residual variance the last."""
    n, df = problem.n, problem.n - problem.p
    root = np.sqrt(problem.weights)
    count = int(np.clip(_SIGNS // n, *_PROBES))
    signs = 2.0 * np.random.default_rng(_SEED).integers(2, size=(n, count)) - 1.0
    v = project(np.column_stack([root * (problem.y - problem.offset), signs]))
    halves = [part.halves(root[:, None] * v) for part in parts]
    forms = np.concatenate([part.forms(*own) for part, own in zip(parts, halves, strict=True)])
    m = len(forms)
    equations = np.zeros((m + 1, m + 1))
    equations[-1, :-1] = equations[:-1, -1] = forms[:, 1:].mean(axis=1)
    equations[-1, -1] = df
    batches = min(count, 1 + n * m * count // _AT_ONCE)
    for some in np.array_split(np.arange(1, count + 1), batches):
        columns = np.hstack(
            [part.applied(KA[:, :, some]) for part, (_, KA) in zip(parts, halves, strict=True)]
        )
        U = project(root[:, None] * columns).reshape(n, m, -1).transpose(1, 0, 2).reshape(m, -1)
        equations[:-1, :-1] += U @ U.T / count
    return equations, np.append(forms[:, 0], v[:, 0] @ v[:, 0])


def _known(space: ParameterSpace, parts: Sequence[_Part]) -> tuple[Vector, NDArray[np.bool_]]:
    """The components, those that are not known not yet filled in, and which ones these are."""
    unknown = [np.full(len(part.basis), i not in space.fixed) for i, part in enumerate(parts)]
    free = np.append(np.concatenate(unknown), space.fixed_sigma2 is None)
    values = np.ones(len(free))  # of a known Sigma = S S'
    if space.fixed_sigma2 is not None:
        values[-1] = space.fixed_sigma2
    return values, free


def _solved(equations: Matrix, moments: Vector) -> Vector:
    """The solution; what cannot be told apart shares its sum."""
    squares = np.diag(equations)
    size = np.sqrt(np.where(squares > 0, squares, 1.0))
    scaled = equations / np.outer(size, size)
    return np.asarray(np.linalg.lstsq(scaled, moments / size, rcond=_CONFOUNDED)[0] / size)


def _psi(space: ParameterSpace, parts: Sequence[_Part], values: Vector) -> Psi:
    """The psi of components, those of a Sigma moved to where it is positive definite."""
    sigma2 = float(values[-1])
    ends = np.cumsum([len(part.basis) for part in parts])
    least, most = (sigma2 * x for x in _RANGE)
    moments = {}
    for i in space.free_terms:
        own = values[ends[i] - len(parts[i].basis) : ends[i]]
        size, axes = np.linalg.eigh(np.tensordot(own, parts[i].basis, 1))
        half = parts[i].scale @ (axes * np.sqrt(np.clip(size, least, most)))
        moments[i] = half @ half.T
    psi = space.psi(space.maximised(moments, sigma2, space.start()))
    return psi.scaled(sigma2) if space.profiled else psi
