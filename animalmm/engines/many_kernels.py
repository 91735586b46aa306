"""The engine for several dense relationships: additive and dominance, markers and a pedigree.

The covariance of the records is dense, so LAPACK factorises it as it is; or, where the effects are
fewer than the records (few markers, many records of an animal), the equations of the effects. Both
sides give the same likelihood; the smaller one is taken.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from animalmm.core import Problem, Psi
from animalmm.engines.many_kernels_effects import EffectsSide, Root, effects_bytes
from animalmm.engines.many_kernels_point import KernelsPoint
from animalmm.engines.many_kernels_records import RecordsSide, dense_kernels, records_bytes
from animalmm.engines.many_kernels_terms import WeightedModel, weighted_model
from animalmm.errors import ArgumentError, EstimationError
from animalmm.linalg import NotPositiveDefiniteError, require_memory
from animalmm.linalg.memory import memory_in_words
from animalmm.linalg.packed import LARGEST
from animalmm.relationship.base import rank_of

__all__ = ["ManyKernelsEngine", "smaller_side"]

_SIDES = (None, "records", "effects")
_CHEAPER = "Use engine='whitened', or 'mme' where the inverses of the relationships are sparse."


class ManyKernelsEngine:
    """A problem with dense relationships, on its smaller side.

    Parameters
    ----------
    problem : Problem
        The model.
    description : str
        What was chosen and why, in words; the side is added.
    side : {"records", "effects"}, optional
        What is factorised: V, or the equations of the effects. By default the smaller.

    Raises
    ------
    ArgumentError
        An unknown side, or more than memory holds.
    RelationshipError
        A K that is not positive semi-definite.
    """

    def __init__(self, problem: Problem, *, description: str, side: str | None = None) -> None:
        if side not in _SIDES:
            raise ArgumentError(f"side must be 'records', 'effects' or None, not {side!r}")
        self._terms = problem.terms
        model = weighted_model(problem)
        roots = None if side == "records" else _roots(model, always=side == "effects")
        self._side: RecordsSide | EffectsSide
        if roots is None:
            n_bytes = _require_records(model)
            self._side, what = RecordsSide(model), "V"
        else:
            size = _effects(model, [L.shape[1] for L in roots])
            n_bytes = _require_effects(size)
            self._side, what = EffectsSide(model, roots), f"the equations of {size:,} effects"
        words = f"{problem.n:,} records; {what} factorised by LAPACK"
        self.description = ", ".join(filter(None, [description, words, memory_in_words(n_bytes)]))

    def at(self, psi: Psi) -> KernelsPoint:
        """Factorise V or the equations of the effects.

        Raises
        ------
        EstimationError
            V is not positive definite in floating point.
        """
        root = float(np.sqrt(psi.sigma2))
        factors = [F / root for F in psi.factors]
        try:
            return KernelsPoint(self._side.system(factors), psi)
        except NotPositiveDefiniteError:
            sizes = ", ".join(f"{np.abs(F).max():.3g}" for F in factors)
            raise EstimationError(
                "the covariance of the records is not positive definite in floating point; the "
                f"standard deviations relative to the residual are {sizes}. Check the scale of "
                "the relationship matrices, or bend them: animalmm.bend"
            ) from None

    def rank(self, term: int) -> int:
        """Rank of K of a term."""
        return rank_of(self._terms[term].relationship)


def smaller_side(problem: Problem) -> tuple[int, float]:
    """At most so many rows of V or of the equations of the effects, and bytes, before any work."""
    effects = sum(len(np.unique(term.Z.indices // term.t)) * term.t for term in problem.terms)
    if effects < problem.n:
        return effects, effects_bytes(effects)
    kernels = sum(term.t * (term.t + 1) // 2 for term in problem.terms)
    return problem.n, records_bytes(problem.n, kernels)


def _effects(model: WeightedModel, ranks: Iterable[int]) -> int:
    """How many independent effects there are."""
    return sum(rank * term.t for rank, term in zip(ranks, model.terms, strict=True))


def _roots(model: WeightedModel, *, always: bool) -> list[Root] | None:
    """L of each term; None where the effects are not fewer than the records."""
    n = model.problem.n
    guess = _effects(model, [term.largest_rank for term in model.terms])
    if guess >= n and not always:
        return None
    _require_effects(guess)
    roots = [term.root() for term in model.terms]
    return roots if always or _effects(model, [L.shape[1] for L in roots]) < n else None


def _require_effects(size: int) -> float:
    n_bytes = effects_bytes(size)
    require_memory(n_bytes, f"the equations of {size:,} effects of dense relationships", _CHEAPER)
    return n_bytes


def _require_records(model: WeightedModel) -> float:
    n = model.problem.n
    n_bytes = records_bytes(n, dense_kernels(model))
    require_memory(n_bytes, f"the covariance matrix of {n:,} records, by terms", _CHEAPER)
    if n > LARGEST:
        raise ArgumentError(
            f"engine='many_kernels' takes at most {LARGEST:,} records when the effects are not "
            f"fewer, and this model has {n:,}. {_CHEAPER}"
        )
    return n_bytes
