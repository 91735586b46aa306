"""Several dense relationships on the side of the records: V is factorised.

The covariance of each term is spread over the records once; after that N is a sum of matrices, and
the slopes are traces of their products with N^-1, elementwise: no cubic work but a Cholesky factor
and an inverse. Dense matrices are packed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.linalg.blas import daxpy, dsyrk

from animalmm.core import Matrix, Vector
from animalmm.engines.blocks import side_by_side
from animalmm.engines.many_kernels_system import KernelsSystem
from animalmm.engines.many_kernels_terms import KernelTerm, WeightedModel
from animalmm.linalg.packed import (
    PackedCholesky,
    pack,
    packed_places,
    product_trace,
    subtract_outer,
)

__all__ = ["RecordsSide", "RecordsSystem", "dense_kernels", "records_bytes"]

_SPARSE = 0.1  # of the elements: fewer are added one by one
_TOGETHER = 256  # columns of a kernel worked on together: enough for BLAS-3


@dataclass(frozen=True, eq=False)
class DenseKernel:
    """The covariance that two effects of a term give the records, packed.

    Attributes
    ----------
    values : ndarray, shape (n (n + 1) / 2,)
        ``Z_a K Z_b' + Z_b K Z_a'``, or ``Z_a K Z_a'``.
    """

    values: Vector

    def add_to(self, N: Vector, scale: float) -> Vector:
        """``N + scale S``; N is overwritten."""
        return np.asarray(daxpy(self.values, N, a=scale))

    def trace(self, n: int, A: Vector) -> float:
        """``tr(A S)`` for a packed A."""
        return product_trace(n, self.values, A)


@dataclass(frozen=True, eq=False)
class SparseKernel:
    """The same with few elements.

    Attributes
    ----------
    places : ndarray, shape (m,)
        Where the elements of the lower triangle stand in a packed matrix.
    values : ndarray, shape (m,)
        The elements.
    times : ndarray, shape (m,)
        How often each stands in the whole matrix: twice but for the diagonal.
    """

    places: NDArray[np.intp]
    values: Vector
    times: NDArray[np.intp]

    def add_to(self, N: Vector, scale: float) -> Vector:
        """``N + scale S``; N is overwritten."""
        N[self.places] += scale * self.values
        return N

    def trace(self, n: int, A: Vector) -> float:
        """``tr(A S)`` for a packed A."""
        return float((self.times * self.values) @ A[self.places])


class RecordsSide:
    """The covariance of the records, term by term.

    Parameters
    ----------
    model : WeightedModel
        The problem.
    """

    def __init__(self, model: WeightedModel) -> None:
        self.model = model
        n = model.problem.n
        self.kernels = [
            {ab: _kernel(term, n, *ab) for ab in _pairs(term.t)} for term in model.terms
        ]

    def system(self, factors: Sequence[Matrix]) -> RecordsSystem:
        """Factorise N; a NotPositiveDefiniteError when that fails."""
        n = self.model.problem.n
        diagonal = np.arange(n)
        N = np.zeros(n * (n + 1) // 2)
        N[packed_places(n, diagonal, diagonal)] = 1.0
        for kernels, F in zip(self.kernels, factors, strict=True):
            sigma = F @ F.T
            for (a, b), kernel in kernels.items():
                N = kernel.add_to(N, sigma[a, b])
        return RecordsSystem(self, factors, PackedCholesky.of(N, n))


class RecordsSystem(KernelsSystem):
    """One evaluation by the Cholesky factor of N."""

    def __init__(
        self, side: RecordsSide, factors: Sequence[Matrix], cholesky: PackedCholesky
    ) -> None:
        super().__init__(side.model, factors)
        self._side = side
        self._cholesky = cholesky

    def half(self, v: Matrix) -> Matrix:
        """``L^-1 v``."""
        return self._cholesky.forward(v)

    def half_back(self, v: Matrix) -> Matrix:
        """``L'^-1 v``."""
        return self._cholesky.backward(v)

    def logdet(self) -> float:
        """log|N|."""
        return self._cholesky.logdet()

    @cached_property
    def _traces(self) -> dict[bool, list[Matrix]]:
        """A of each term, given beta or not: one inverse serves both."""
        n = self.model.problem.n
        inverse = self._cholesky.inverse()
        given = self._traces_with(inverse)
        return {True: given, False: self._traces_with(subtract_outer(n, inverse, self.T))}

    def _traces_with(self, inverse: Vector) -> list[Matrix]:
        """``tr(inverse Z_a K Z_b')`` of all effects of each term."""
        traces = []
        for term, kernels in zip(self.model.terms, self._side.kernels, strict=True):
            A = np.empty((term.t, term.t))
            for (a, b), kernel in kernels.items():
                share = 1.0 if a == b else 0.5
                A[a, b] = A[b, a] = share * kernel.trace(self.model.problem.n, inverse)
            traces.append(A)
        return traces

    def expected_slope(self, term: int, *, given_beta: bool) -> Matrix:
        """``A Phi``."""
        return np.asarray(self._traces[given_beta][term] @ self.factors[term])

    def errors(
        self, terms: Sequence[int], levels: NDArray[np.intp], *, given_beta: bool
    ) -> NDArray[np.float64]:
        """``K_jj Sigma - c_j' P c_j``, c_j the covariances of the level with the records."""
        columns, sigmas, variances = [], [], []
        for i in terms:
            term = self.model.terms[i]
            rows, diagonal = term.rows(levels)
            columns += [Z @ rows.T for Z in term.Z]
            sigmas.append(self.factors[i] @ self.factors[i].T)
            variances.append(np.multiply.outer(diagonal, sigmas[-1]))
        half = self.half(np.concatenate(columns, axis=1))
        if not given_beta:
            half = self.projected(half)
        half = half.reshape(len(half), len(columns), len(levels))
        explained = np.einsum("naj,nbj->jab", half, half)
        sigma = linalg.block_diag(*sigmas)
        return np.asarray(side_by_side(variances) - sigma @ explained @ sigma)

    def complete_covariance(self, *, given_beta: bool) -> Matrix:
        """By ``Var(b | y) = K ⊗ I - C P C'``, C the covariance of b with the records."""
        n = self.model.problem.n
        sizes = [term.t**2 for term in self.model.terms]
        explained = np.zeros((sum(sizes), sum(sizes)))
        for start in range(0, n, _TOGETHER):
            columns = list(self._explained_columns(slice(start, start + _TOGETHER)))
            half = self.half(np.concatenate(columns, axis=1))
            if not given_beta:
                half = self.projected(half)
            flat = np.reshape(half, (-1, sum(sizes)), order="F")
            explained = dsyrk(1.0, flat, trans=1, lower=1, beta=1.0, c=explained)
        covariance = -(np.tril(explained) + np.tril(explained, -1).T)
        at = 0
        for term, size in zip(self.model.terms, sizes, strict=True):
            covariance[at : at + size, at : at + size] += np.kron(term.traces(), np.eye(term.t))
            at += size
        return covariance

    def _explained_columns(self, records: slice) -> Iterator[Matrix]:
        """``sum_e F_eb Z_e K Z_a'`` at some columns, for all a and b of all terms."""
        for term, F in zip(self.model.terms, self.factors, strict=True):
            for a in range(term.t):
                columns = np.array([term.cross(e, a, records) for e in range(term.t)])
                yield from np.einsum("eb,enk->bnk", F, columns)


def dense_kernels(model: WeightedModel) -> int:
    """How many dense covariance matrices of the records the terms make."""
    n = model.problem.n
    return sum(len(_pairs(term.t)) for term in model.terms if not _is_sparse(term, n))


def records_bytes(n: int, kernels: int) -> float:
    """Memory of dense kernels, of N^-1/2 and N^-1, and of one kernel before it is packed."""
    return 8.0 * n**2 * ((kernels + 2) / 2 + 1)


def _pairs(t: int) -> list[tuple[int, int]]:
    return [(a, b) for a in range(t) for b in range(a + 1)]


def _is_sparse(term: KernelTerm, n: int) -> bool:
    """Whether the records that a term makes alike are few; counted, none is formed."""
    if not sparse.issparse(term.K):
        return False
    levels = np.add.reduce([np.bincount(Z.indices, minlength=Z.shape[1]) for Z in term.Z])
    pattern = sparse.csr_array((np.ones(term.K.nnz), term.K.indices, term.K.indptr))
    return bool(levels @ (pattern @ levels) < _SPARSE * n**2)


def _kernel(term: KernelTerm, n: int, a: int, b: int) -> DenseKernel | SparseKernel:
    """The covariance that effects a and b give the records."""
    if _is_sparse(term, n):
        S = term.Z[a] @ term.K @ term.Z[b].T
        lower = sparse.coo_array(sparse.tril(S if a == b else S + S.T))
        row, column = (np.asarray(at, dtype=np.intp) for at in lower.coords)
        times = np.where(row == column, 1, 2)
        return SparseKernel(packed_places(n, row, column), lower.data, times)
    S = np.empty((n, n), order="F")
    for start in range(0, n, _TOGETHER):
        records = slice(start, start + _TOGETHER)
        S[:, records] = term.cross(a, b, records)
        if a != b:
            S[:, records] += term.cross(b, a, records)
    return DenseKernel(pack(S))
