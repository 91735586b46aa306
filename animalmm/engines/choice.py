"""Which engine: by name, or the cheaper one, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import sparse

from animalmm.core import EngineSpec, Problem, Term
from animalmm.engines.sparse import SparseEngine
from animalmm.errors import ArgumentError, listing, nearest

__all__ = ["MME", "Auto", "Whitened", "engine_spec"]


@dataclass(frozen=True)
class MME:
    """Henderson's mixed model equations with K^-1 for every term.

    Attributes
    ----------
    join : bool, optional
        Whether X joins the sparse system; by default it does when it is sparse.
    """

    join: bool | None = None

    def prepare(self, problem: Problem) -> SparseEngine:
        """Bind to a problem."""
        return _prepare(problem, ["precision"] * len(problem.terms), self.join, "mme: as asked")


@dataclass(frozen=True)
class Whitened:
    """lme4's trick: Z times the Cholesky factor of K for every term.

    Attributes
    ----------
    join : bool, optional
        Whether X joins the sparse system; by default it does when it is sparse.
    """

    join: bool | None = None

    def prepare(self, problem: Problem) -> SparseEngine:
        """Bind to a problem."""
        forms = ["factor"] * len(problem.terms)
        return _prepare(problem, forms, self.join, "whitened: as asked")


@dataclass(frozen=True)
class Auto:
    """For each term the form that its relationship has at hand.

    A pedigree or a given precision is used by its inverse, a given covariance by its Cholesky
    factor, so that nothing is inverted.
    """

    join: bool | None = None

    def prepare(self, problem: Problem) -> SparseEngine:
        """Bind to a problem."""
        forms = [_cheaper(term) for term in problem.terms]
        known = [(t, f) for t, f in zip(problem.terms, forms, strict=True) if t.known]
        reasons = [
            f"'{t.name}' by its {'inverse' if f == 'precision' else 'Cholesky factor'}"
            for t, f in known
        ]
        name = "whitened" if "factor" in forms else "mme"
        why = "; ".join(reasons) if reasons else "no relationship matrices"
        return _prepare(problem, forms, self.join, f"{name}: {why}")


_NAMES: dict[str, EngineSpec] = {"auto": Auto(), "mme": MME(), "whitened": Whitened()}


def engine_spec(engine: str | EngineSpec) -> EngineSpec:
    """The engine of a name, or the configured engine itself.

    Raises
    ------
    ArgumentError
        No engine has this name.
    """
    if not isinstance(engine, str):
        if isinstance(engine, type):
            raise ArgumentError(f"engine takes an engine object: {engine.__name__}()")
        if not hasattr(engine, "prepare"):
            raise ArgumentError(
                f"engine takes a name ({listing(_NAMES)}) or an engine object with prepare(); "
                f"this is a {type(engine).__name__}"
            )
        return engine
    if engine not in _NAMES:
        raise ArgumentError(
            f"there is no engine {engine!r}; there are {listing(_NAMES)}.{nearest(engine, _NAMES)}"
        )
    return _NAMES[engine]


def _cheaper(term: Term) -> str:
    return "precision" if term.relationship.prefers_precision else "factor"


def _prepare(
    problem: Problem, forms: list[str], join: bool | None, description: str
) -> SparseEngine:
    joined = bool(sparse.issparse(problem.X)) if join is None else join
    if joined and not problem.p:
        joined = False
    place = "X in the sparse system" if joined else "X dense and apart"
    return SparseEngine(problem, forms, joined=joined, description=f"{description}; {place}")
