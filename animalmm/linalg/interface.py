"""What every sparse Cholesky backend is: a `Symbolic` that makes `Factor` after `Factor`.

A backend is one subclass of each of the two abstract classes below. They are given checked input,
so that a backend holds numerical code only, and a problem of a few dozen rows pays microseconds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array

from animalmm.errors import ArgumentError
from animalmm.linalg.prediction import Fill, predicted_fill
from animalmm.linalg.selected_inverse import FactorPattern, SelectedInverse

__all__ = ["Factor", "FloatArray", "NotPositiveDefiniteError", "Ordering", "Pattern", "Symbolic"]

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[Any]
Ordering = Literal["amd", "metis", "nesdis", "natural", "best"]


class NotPositiveDefiniteError(ArithmeticError):
    """A matrix that has no Cholesky factor.

    Parameters
    ----------
    message : str
        What was being factorised, and what went wrong.
    column : int, optional
        The column, in the order of the given matrix, whose pivot is not positive.
    smallest_eigenvalue : float, optional
        The smallest eigenvalue, where it was computed.
    """

    def __init__(
        self,
        message: str = "the matrix is not positive definite",
        *,
        column: int | None = None,
        smallest_eigenvalue: float | None = None,
    ) -> None:
        self.column = column
        self.smallest_eigenvalue = smallest_eigenvalue
        super().__init__(message if column is None else f"{message} (at column {column})")


@dataclass(frozen=True)
class Pattern:
    """Where the entries of the lower triangle of a symmetric matrix stand, in CSC order.

    Rows are sorted within each column, and every column begins with its diagonal.
    """

    n: int
    indptr: IndexArray  # (n + 1,)
    indices: IndexArray  # (nnz,)

    @classmethod
    def of(cls, lower: csc_array) -> Pattern:
        """Check a lower triangle and take its pattern.

        Raises
        ------
        ArgumentError
            When `lower` is not square, sorted, lower triangular and with a full diagonal.
        """
        if lower.format != "csc" or lower.ndim != 2 or lower.shape[0] != lower.shape[1]:
            raise ArgumentError(
                f"a square csc_array is needed, not {type(lower).__name__} {lower.shape}"
            )
        n, indptr, indices = lower.shape[0], lower.indptr, lower.indices
        starts = indptr[:-1]
        # Sorted rows that begin with the diagonal cannot lie above it.
        if not (
            lower.has_canonical_format
            and (np.diff(indptr) > 0).all()
            and (indices[starts] == np.arange(n)).all()
        ):
            raise ArgumentError(
                "a lower triangle with every diagonal entry, sorted rows and no duplicates is "
                "needed; scipy.sparse.tril(A, format='csc') and sum_duplicates() give one"
            )
        small = np.int32 if indptr[-1] <= np.iinfo(np.int32).max else np.int64
        return cls(n, indptr.astype(small, copy=False), indices.astype(small, copy=False))

    @property
    def density(self) -> float:
        """Share of the lower triangle that is stored."""
        return len(self.indices) / max(self.n * (self.n + 1) / 2, 1)

    @property
    def columns(self) -> IndexArray:
        """Column of each entry."""
        return np.repeat(np.arange(self.n), np.diff(self.indptr))

    def widened(self) -> Pattern:
        """Return the pattern with 64-bit indices."""
        return Pattern(self.n, self.indptr.astype(np.int64), self.indices.astype(np.int64))

    def writeable(self) -> Pattern:
        """Return the pattern with arrays that may be written to."""
        indptr, indices = (np.require(a, requirements="W") for a in (self.indptr, self.indices))
        return Pattern(self.n, indptr, indices)

    def matrix(self, values: FloatArray) -> csc_array:
        """Give values to the pattern; its index arrays are shared, in their width."""
        lower = csc_array((self.n, self.n))
        # Set one by one, since the constructor may narrow the indices.
        lower.data, lower.indices, lower.indptr = values, self.indices, self.indptr
        return lower

    def check(self, lower: csc_array) -> None:
        """Refuse a matrix of another pattern, at next to no cost for one that shares its arrays."""
        if lower.indices is self.indices:
            return
        if not (
            lower.shape == (self.n, self.n)
            and np.array_equal(lower.indptr, self.indptr)
            and np.array_equal(lower.indices, self.indices)
        ):
            raise ArgumentError("the matrix has another pattern than the one that was analysed")


class KnownPattern:
    """The pattern of the last factor whose inverse was asked for: that of all, as a rule."""

    def __init__(self) -> None:
        self._pattern: FactorPattern | None = None

    def of(self, L: csc_array, order: IndexArray) -> FactorPattern:
        """Pattern of a factor, analysed only if it is another one."""
        if self._pattern is None or not self._pattern.fits(L, order):
            # The indices may be a view of memory that holds the values too; they are kept.
            own = csc_array((L.data, L.indices.copy(), L.indptr.copy()), shape=L.shape)
            self._pattern = FactorPattern(own, order)
        return self._pattern


class Factor(ABC):
    """A numerical Cholesky factorisation of one symmetric positive definite matrix.

    It shares no numbers with other factors of the same `Symbolic`, but `known_pattern`.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.known_pattern = KnownPattern()

    @property
    @abstractmethod
    def nnz(self) -> int:
        """Entries stored in the factor."""

    @abstractmethod
    def logdet(self) -> float:
        """Natural logarithm of the determinant of the matrix."""

    @abstractmethod
    def lower(self) -> tuple[csc_array, IndexArray]:
        """A copy of L, lower triangular, and the order with ``A[order][:, order] = L L'``.

        Its pattern is that of a symbolic factorisation: a zero that numbers have made is stored.
        """

    def selected_inverse(self) -> SelectedInverse:
        """Elements of the inverse on the pattern of L: the diagonal, that of A, and its fill.

        It takes as much memory as L, and one to two times as long as the factorisation.
        """
        L, order = self.lower()
        L.sort_indices()
        return self.known_pattern.of(L, order).inverse(L)

    def solve(self, b: FloatArray) -> FloatArray:
        """Solve ``A x = b`` for ``b`` of shape (n,) or (n, k); `b` is left unchanged."""
        b = np.asarray(b, dtype=np.float64)
        if b.ndim not in (1, 2) or b.shape[0] != self.n:
            raise ArgumentError(f"a right-hand side of {self.n} rows is needed, not {b.shape}")
        if b.size == 0:
            return b.copy()
        return self._solve(b) if b.ndim == 2 else self._solve(b[:, None])[:, 0]

    @abstractmethod
    def _solve(self, b: FloatArray) -> FloatArray:
        """Solve for `b` of shape (n, k) with neither of them zero."""


class Symbolic(ABC):
    """Fill-reducing analysis of a fixed pattern; made once, by `animalmm.linalg.analyze`."""

    backend: ClassVar[str]

    def __init__(self, pattern: Pattern) -> None:
        self.pattern = pattern
        self.n = pattern.n
        self._known_pattern = KnownPattern()

    def factorize(self, lower: csc_array) -> Factor:
        """Factorise a matrix of the analysed pattern.

        Parameters
        ----------
        lower : (n, n) csc_array
            Lower triangle with the diagonal, of the very pattern that was analysed. Sharing the
            ``indices`` array of the analysed matrix makes the check of the pattern free.

        Returns
        -------
        Factor
            A new object; those made before stay valid.

        Raises
        ------
        NotPositiveDefiniteError
            When a pivot is not positive, or not a number.
        """
        self.pattern.check(lower)
        factor = self._factorize(np.asarray(lower.data, dtype=np.float64))
        factor.known_pattern = self._known_pattern
        return factor

    def order(self) -> IndexArray:
        """The order of the rows in the factor: as given unless a library has one of its own."""
        return np.arange(self.n)

    @cached_property
    def fill(self) -> Fill:
        """The factor, predicted in about half the time of the analysis."""
        values = np.empty(len(self.pattern.indices))
        return predicted_fill(self.pattern.matrix(values), self.order())

    @abstractmethod
    def _factorize(self, values: FloatArray) -> Factor:
        """Factorise the matrix with these `values` at the places of the pattern."""
