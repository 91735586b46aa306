"""Which engine: by name, or the cheaper one, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import sparse

from animalmm.core import Engine, EngineSpec, Problem, named
from animalmm.engines.one_kernel import OneKernelEngine, has_dense_kernel, refusal
from animalmm.engines.sparse import SparseEngine

__all__ = ["MME", "Auto", "OneKernel", "Whitened", "engine_spec"]

WORTH = 300  # levels of a dense kernel from which its reduction pays, see benchmarks/one_kernel.py


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
        forms, why = self._forms(problem)
        joined = bool(sparse.issparse(problem.X)) if self.join is None else self.join
        joined = joined and problem.p > 0
        place = "X in the sparse system" if joined else "X dense and apart"
        return SparseEngine(problem, forms, joined=joined, description=f"{why}; {place}")


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
class Auto(_Sparse):
    """For each term the form that its relationship has at hand, so that nothing is inverted.

    A pedigree or a given precision is used by its inverse, a given covariance by its Cholesky
    factor. A single term of one effect with a dense covariance of 300 levels or more goes, when
    X is dense, to the engine for one kernel.
    """

    def prepare(self, problem: Problem) -> Engine:
        """Bind to a problem."""
        if refusal(problem) or self.join or sparse.issparse(problem.X):
            return super().prepare(problem)
        term = problem.terms[0]
        if term.q < WORTH or not has_dense_kernel(term.relationship):
            return super().prepare(problem)
        why = f"'{term.name}' alone, by its dense relationship of {term.q} levels"
        return OneKernelEngine(problem, description=f"one_kernel: {why}, reduced once to a band")

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
    "mme": MME(),
    "one_kernel": OneKernel(),
    "whitened": Whitened(),
}


def engine_spec(engine: str | EngineSpec) -> EngineSpec:
    """The engine of a name, or the configured engine itself; else an ArgumentError."""
    return named(engine, _NAMES, "engine", "prepare")
