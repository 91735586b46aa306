"""Which engine: by name, or the cheaper one, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import sparse

from animalmm.core import Engine, EngineSpec, Problem, named
from animalmm.engines.many_kernels import ManyKernelsEngine, smaller_side
from animalmm.engines.one_kernel import OneKernelEngine, has_dense_kernel, refusal
from animalmm.engines.sparse import SparseEngine
from animalmm.linalg.memory import fits_memory, memory_in_words

__all__ = ["MME", "Auto", "ManyKernels", "OneKernel", "Whitened", "engine_spec"]

# Levels of dense kernels from which engines of their own pay, see benchmarks/one_kernel.py; and how
# much larger than all of these a dense system may be, see benchmarks/many_kernels.py.
WORTH = 300
FAR = 5
MANY_COLUMNS = 4  # times fewer columns of X than rows of the system: then X may be dense


@dataclass(frozen=True)
class _Sparse:
    """A sparse engine, its coordinates chosen by the subclass.

    Attributes
    ----------
    join : bool, optional
        Whether X joins the sparse system; by default it does when it is sparse.
    """

    join: bool | None = None

    def _forms(self, problem: Problem) -> tuple[list[str], str]:
        """The coordinates of each term, and why."""
        raise AssertionError("a subclass chooses")

    def prepare(self, problem: Problem) -> Engine:
        """Bind to a problem."""
        return self._sparse(problem, "")

    def _sparse(self, problem: Problem, note: str) -> SparseEngine:
        forms, why = self._forms(problem)
        joined = bool(sparse.issparse(problem.X)) if self.join is None else self.join
        joined = joined and problem.p > 0
        place = "X in the sparse system" if joined else "X dense and apart"
        return SparseEngine(problem, forms, joined=joined, description=f"{why}; {place}{note}")


@dataclass(frozen=True)
class MME(_Sparse):
    """Henderson's mixed model equations, with K^-1 for every term."""

    def _forms(self, problem: Problem) -> tuple[list[str], str]:
        return ["precision"] * len(problem.terms), "mme: as asked"


@dataclass(frozen=True)
class Whitened(_Sparse):
    """lme4's trick: Z times the Cholesky factor of K, for every term."""

    def _forms(self, problem: Problem) -> tuple[list[str], str]:
        return ["factor"] * len(problem.terms), "whitened: as asked"


@dataclass(frozen=True)
class OneKernel:
    """One dense relationship, reduced to a band once."""

    def prepare(self, problem: Problem) -> OneKernelEngine:
        """Bind to a problem."""
        return OneKernelEngine(problem, description="one_kernel: as asked")


@dataclass(frozen=True)
class ManyKernels:
    """Dense relationships, by LAPACK on the smaller side: the records or the effects.

    Attributes
    ----------
    side : {"records", "effects"}, optional
        What is factorised: V, or the equations of the effects. By default the smaller.
    """

    side: str | None = None

    def prepare(self, problem: Problem) -> ManyKernelsEngine:
        """Bind to a problem."""
        return ManyKernelsEngine(problem, description="many_kernels: as asked", side=self.side)


@dataclass(frozen=True)
class Auto(_Sparse):
    """For each term the form that its relationship has at hand, so that nothing is inverted.

    A pedigree or a given precision is used by its inverse, a given covariance by its Cholesky
    factor. Dense covariances of 300 levels or more together have engines of their own: that for one
    kernel takes a single term of one effect when X is dense, that for many the other models, unless
    the smaller of its sides is far larger than these covariances, or than memory.
    """

    def prepare(self, problem: Problem) -> Engine:
        """Bind to a problem."""
        found = self._dense(problem)
        return self._sparse(problem, found) if isinstance(found, str) else found

    def _dense(self, problem: Problem) -> Engine | str:
        """An engine for dense covariances where it is the cheaper one, else why it is not."""
        kernels = [term for term in problem.terms if has_dense_kernel(term.relationship)]
        size = sum(term.q * term.t for term in kernels)
        if self.join or size < WORTH:
            return ""
        if not refusal(problem):
            if sparse.issparse(problem.X):
                return ""
            why = f"'{kernels[0].name}' alone, by its dense relationship of {size} levels"
            why = f"one_kernel: {why}, reduced once to a band"
            return OneKernelEngine(problem, description=why)
        side, n_bytes = smaller_side(problem)
        if not fits_memory(n_bytes):
            return f"; many_kernels would need {memory_in_words(n_bytes)}"
        if side > FAR * size or problem.p > side / MANY_COLUMNS:
            return f"; many_kernels would make {side:,} equations dense"
        names = ", ".join(f"'{term.name}'" for term in kernels)
        how = "their dense relationships" if len(kernels) > 1 else "its dense relationship"
        return ManyKernelsEngine(problem, description=f"many_kernels: {names} by {how}")

    def _forms(self, problem: Problem) -> tuple[list[str], str]:
        forms, reasons = [], []
        for term in problem.terms:
            by_inverse = term.relationship.prefers_precision
            forms.append("precision" if by_inverse else "factor")
            if term.known:
                form = "inverse" if by_inverse else "Cholesky factor"
                reasons.append(f"'{term.name}' by its {form}")
        name = "whitened" if "factor" in forms else "mme"
        return forms, f"{name}: {'; '.join(reasons) or 'no relationship matrices'}"


_NAMES: dict[str, EngineSpec] = {
    "auto": Auto(),
    "many_kernels": ManyKernels(),
    "mme": MME(),
    "one_kernel": OneKernel(),
    "whitened": Whitened(),
}


def engine_spec(engine: str | EngineSpec) -> EngineSpec:
    """The engine of a name, or the configured engine itself; else an ArgumentError."""
    return named(engine, _NAMES, "engine", "prepare")
