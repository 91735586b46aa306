"""Sparse Cholesky factorisation behind one interface, whatever library does the work.

CHOLMOD (through scikit-sparse, whose 0.4 and 0.5 have different APIs) is the fastest; SciPy's
SuperLU stands in where it is absent, and LAPACK takes matrices that are small or hardly sparse.
No other module imports scikit-sparse.

>>> import numpy as np
>>> from scipy.sparse import csc_array
>>> lower = csc_array(np.array([[4.0, 0.0], [2.0, 3.0]]))
>>> factor = analyze(lower).factorize(lower)
>>> round(float(np.exp(factor.logdet())), 6)
8.0
"""

from __future__ import annotations

import re
import warnings
from abc import abstractmethod
from functools import cache
from typing import Any, Literal, get_args

import numpy as np
from scipy.sparse import csc_array, csc_matrix

from animalmm.errors import ArgumentError, FallbackWarning, MissingDependencyError, warn
from animalmm.linalg.dense import DenseSymbolic
from animalmm.linalg.fill import both_triangles, with_fill
from animalmm.linalg.interface import (
    Factor,
    FloatArray,
    IndexArray,
    NotPositiveDefiniteError,
    Ordering,
    Pattern,
    Symbolic,
)
from animalmm.linalg.prediction import LARGE
from animalmm.linalg.superlu import SuperLUSymbolic

sk: Any
try:
    import sksparse.cholmod  # type: ignore[import-untyped, import-not-found, unused-ignore]
except ImportError as error:  # absent, or built against a SuiteSparse that is no longer there
    sk, NAME, WHY_ABSENT = None, "", str(error)
else:
    sk, NAME, WHY_ABSENT = sksparse.cholmod, f"CHOLMOD (scikit-sparse {sksparse.__version__})", ""

__all__ = ["Factor", "NotPositiveDefiniteError", "Symbolic", "analyze", "backend"]

# Measured on 2 cores, factorise + logdet + solve: order 100 takes LAPACK 55 us at any density, and
# CHOLMOD 55 us (diagonal) to 370 us; above a density of 0.3 the factor is all but full and the two
# cost the same, while SuperLU is far behind.
DENSE_ORDER = 100
DENSE_SHARE = 0.3

# CHOLMOD takes supernodes from 40 multiplications for an entry of L on, and joins small ones with
# zeros. In the trees of pedigrees, wide and low, most are tiny: column by column, 100,000 animals
# take 0.4 of the time and 0.3 of the entries (benchmarks/ordering.py).
SMALL_NODE = 3_000  # multiplications for a supernode below which it does not pay
Mode = Literal["auto", "simplicial"]

INSTALL = (
    'scikit-sparse cannot be imported ({}); `pip install "animalmm[cholmod]"` installs it, and '
    "needs a C++ compiler and the SuiteSparse headers (Debian, Ubuntu: libsuitesparse-dev; with "
    "conda: `conda install -c conda-forge scikit-sparse`)"
)


def analyze(
    lower: csc_array, *, ordering: Ordering = "amd", backend: str | None = None
) -> Symbolic:
    """Find a fill-reducing order for a symmetric pattern, once for many factorisations.

    Parameters
    ----------
    lower : (n, n) csc_array
        Lower triangle with the whole diagonal, rows sorted, no duplicates. Its values are not
        used: store an explicit entry wherever some later matrix may have one.
    ordering : {"amd", "metis", "nesdis", "natural", "best"}, default "amd"
        CHOLMOD's ordering method; AMD leaves the least work on pedigrees
        (benchmarks/ordering.py). The other libraries have one of their own.
    backend : {"cholmod", "superlu", "dense"}, optional
        Which library to use; by default the fastest there is for this pattern.

    Returns
    -------
    Symbolic
        Its ``factorize(lower)`` makes a `Factor`, which has ``solve(b)`` and ``logdet()``.

    Raises
    ------
    ArgumentError
        When the matrix or an option is not of this form.
    MissingDependencyError
        When `backend` is "cholmod" and scikit-sparse is absent.
    """
    if ordering not in get_args(Ordering):
        raise ArgumentError(f"ordering must be one of {get_args(Ordering)}, not {ordering!r}")
    pattern = Pattern.of(lower)
    choice = backend or _fastest(pattern)
    if choice not in ("cholmod", "superlu", "dense"):
        raise ArgumentError(f"backend must be 'cholmod', 'superlu' or 'dense', not {choice!r}")
    if choice == "cholmod" and sk is None:
        raise MissingDependencyError(INSTALL.format(WHY_ABSENT))
    if choice == "dense" or pattern.n == 0:
        return DenseSymbolic(pattern)
    if choice == "superlu":
        return SuperLUSymbolic(pattern, ordering)
    api = CholeskyFactorAPI if hasattr(sk, "CholeskyFactor") else AnalyzeAPI
    return api(pattern, ordering)


def backend() -> str:
    """Name the library, with its version, that factorises large sparse matrices here."""
    return NAME or SuperLUSymbolic.backend


def _fastest(pattern: Pattern) -> str:
    if pattern.n <= DENSE_ORDER or pattern.density > DENSE_SHARE:
        return "dense"
    if sk is None:
        _announce_fallback()
        return "superlu"
    return "cholmod"


@cache  # once per process
def _announce_fallback() -> None:
    why = INSTALL.format(WHY_ABSENT)
    message = f"SciPy's SuperLU serves in place of CHOLMOD, correct but slower: {why}"
    warn(message, FallbackWarning)


class CholmodSymbolic(Symbolic):
    """CHOLMOD's analysis; each child asks for it through one API of scikit-sparse."""

    backend = NAME
    _template: Pattern

    def __init__(self, pattern: Pattern, ordering: Ordering) -> None:
        super().__init__(pattern)
        overflow = getattr(sk, "CholmodOverflowError", None) or sk.CholmodTooLargeError
        try:
            self._analyze(pattern, ordering, "auto")
        except overflow:  # over 2^31 entries in the factor: 64-bit indices
            self._analyze(pattern.widened(), ordering, "auto")
        if self.n >= LARGE and self._nodes_are_small():
            self._analyze(self._template, ordering, "simplicial")

    def _nodes_are_small(self) -> bool:
        nodes = len(self.fill.fronts[0])
        return self.fill.multiplications < SMALL_NODE * nodes

    @abstractmethod
    def _analyze(self, pattern: Pattern, ordering: Ordering, mode: Mode) -> None:
        """Let CHOLMOD analyse `pattern`, with indices of its width; keep both."""


class AnalyzeAPI(CholmodSymbolic):
    """``sksparse.cholmod.analyze`` of scikit-sparse 0.4."""

    def _analyze(self, pattern: Pattern, ordering: Ordering, mode: Mode) -> None:
        self._template = pattern
        ones = _as_matrix(pattern, np.ones(len(pattern.indices)))
        wide = pattern.indices.dtype == np.int64
        self._analysis = sk.analyze(ones, mode, ordering, use_long=wide)

    def order(self) -> IndexArray:
        """The order that CHOLMOD chose."""
        return self._analysis.P()  # type: ignore[no-any-return]

    def _factorize(self, values: FloatArray) -> AnalyzeAPIFactor:
        try:
            factor = self._analysis.cholesky(_as_matrix(self._template, values))
        except sk.CholmodNotPositiveDefiniteError as error:
            raise self._failed_at(error.column) from error
        pivots = factor.D()
        positive = pivots > 0  # CHOLMOD itself may go on after a negative one
        if not positive.all():
            raise self._failed_at(positive.argmin())
        return AnalyzeAPIFactor(self.n, factor, float(np.log(pivots).sum()))

    def _failed_at(self, position: int) -> NotPositiveDefiniteError:
        return NotPositiveDefiniteError(column=int(self.order()[position]))


class AnalyzeAPIFactor(Factor):
    """``sksparse.cholmod.Factor`` of scikit-sparse 0.4."""

    def __init__(self, n: int, factor: Any, logdet: float) -> None:
        super().__init__(n)
        self._factor = factor
        self._logdet = logdet

    @property
    def nnz(self) -> int:
        """Entries stored, those of supernodes that are zero counted; found by copying L."""
        return int(self._factor.L().nnz)

    def logdet(self) -> float:
        """Natural logarithm of the determinant of the matrix."""
        return self._logdet

    def lower(self) -> tuple[csc_array, IndexArray]:
        """A copy of L and the order that CHOLMOD chose."""
        return csc_array(self._factor.L()), self._factor.P()

    def _solve(self, b: FloatArray) -> FloatArray:
        return self._factor(b)  # type: ignore[no-any-return]


class CholeskyFactorAPI(CholmodSymbolic):
    """``sksparse.cholmod.CholeskyFactor`` of scikit-sparse 0.5 or newer, never numeric itself."""

    def _analyze(self, pattern: Pattern, ordering: Ordering, mode: Mode) -> None:
        self._template = pattern.writeable()  # it refuses arrays that are read-only
        ones = self._template.matrix(np.ones(len(pattern.indices)))
        self._analysis = sk.CholeskyFactor(ones, order=ordering, lower=True, supernodal_mode=mode)
        self._nnz = int(self._analysis.nnz)

    def order(self) -> IndexArray:
        """The order that CHOLMOD chose."""
        return self._analysis.get_perm()  # type: ignore[no-any-return]

    def _factorize(self, values: FloatArray) -> CholeskyFactorAPIFactor:
        factor = self._analysis.copy()  # `factorize` works in place
        try:
            factor.factorize(self._template.matrix(np.require(values, requirements="W")))
        except sk.CholmodNotPositiveDefiniteError as error:
            raise self._failed(error) from error
        if factor.rcond == 0.0:  # pivots that are not numbers pass CHOLMOD
            raise NotPositiveDefiniteError
        return CholeskyFactorAPIFactor(self._template, factor, self._nnz)

    def _failed(self, error: Exception) -> NotPositiveDefiniteError:
        position = re.search(r"column (\d+)", str(error))  # the message alone knows it
        column = int(self.order()[int(position[1])]) if position else None
        return NotPositiveDefiniteError(column=column)


class CholeskyFactorAPIFactor(Factor):
    """A numerical ``CholeskyFactor`` of scikit-sparse 0.5 or newer.

    Its properties `factor`, `perm`, `colcount` and `nnz` are not touched: they make the object
    refer to itself, and its memory would wait for the garbage collector.
    """

    def __init__(self, pattern: Pattern, factor: Any, nnz: int) -> None:
        super().__init__(pattern.n)
        self._pattern = pattern
        self._factor = factor
        self._nnz = nnz

    @property
    def nnz(self) -> int:
        """Entries of L."""
        return self._nnz

    def logdet(self) -> float:
        """Natural logarithm of the determinant of the matrix."""
        return float(self._factor.logdet())

    def lower(self) -> tuple[csc_array, IndexArray]:
        """A copy of L and the order that CHOLMOD chose."""
        own = self._factor.copy()  # what is asked here makes the object refer to itself
        L, order = csc_array(own.get_factor(kind="LL", lower=True)), own.get_perm()
        A = both_triangles(self._pattern, np.ones(len(self._pattern.indices)))
        return with_fill(L, A, np.argsort(order)), order  # scikit-sparse 0.5 leaves zeros out

    def _solve(self, b: FloatArray) -> FloatArray:
        with warnings.catch_warnings():  # "nearly singular" is for the caller to judge
            warnings.simplefilter("ignore", sk.CholmodWarning)
            x: FloatArray = self._factor.solve(np.require(b, requirements=["F", "W"]))
        return x


def _as_matrix(pattern: Pattern, values: FloatArray) -> csc_matrix:
    """Scikit-sparse 0.4 knows matrices only, no sparse arrays."""
    A = csc_matrix((pattern.n, pattern.n))
    A.data, A.indices, A.indptr = values, pattern.indices, pattern.indptr
    return A
