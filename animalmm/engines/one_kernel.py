"""The engine for one random term with a dense relationship: GBLUP, rrBLUP, EMMA.

With gamma = sigma_u^2 / sigma_e^2 and the records multiplied by the root of their weights,
``V = sigma_e^2 (I + gamma E H E')``: E has orthonormal columns, one for each level with records,
and H is K among these levels, scaled by their numbers of records. H is reduced to a band once,
``H = Q B Q'``, and every likelihood after that is one of the small matrix ``I + gamma B``. The idea
is that of EMMA (Kang et al. 2008), which takes all eigenvectors; none are needed here, only Q'
times y and X.
"""

from __future__ import annotations

from animalmm.core import Problem, Psi, Relationship
from animalmm.engines.kernel import Reduced, reduce_kernel
from animalmm.engines.one_kernel_point import OneKernelPoint
from animalmm.errors import ArgumentError, EstimationError
from animalmm.linalg import NotPositiveDefiniteError
from animalmm.relationship.base import LabelledRelationship

__all__ = ["OneKernelEngine", "has_dense_kernel", "refusal"]


class OneKernelEngine:
    """A problem with one term of one effect, its covariance reduced to a band.

    Parameters
    ----------
    problem : Problem
        The model.
    description : str
        What was chosen and why, in words.

    Raises
    ------
    ArgumentError
        A problem with several terms or with several effects of one level, or one that memory does
        not hold.
    RelationshipError
        K is not positive semi-definite.
    """

    def __init__(self, problem: Problem, *, description: str) -> None:
        if why := refusal(problem):
            raise ArgumentError(f"engine='one_kernel' takes one random intercept or slope; {why}")
        self.description = description
        self._reduced = Reduced(problem, reduce_kernel(problem.terms[0], problem.weights))

    def at(self, psi: Psi) -> OneKernelPoint:
        """Factorise ``I + gamma B``.

        Raises
        ------
        EstimationError
            It is not positive definite in floating point.
        """
        gamma = psi.factors[0].item() ** 2 / psi.sigma2
        band, term = self._reduced.kernel.band, self._reduced.term
        try:
            return OneKernelPoint(self._reduced, psi, gamma, band.cholesky(gamma, 1.0))
        except NotPositiveDefiniteError:
            raise EstimationError(
                "the covariance of the records is not positive definite in floating point at a "
                f"variance of '{term.name}' of {gamma:.3g} times the residual one. Check the "
                "scale of the relationship matrix, or bend it: animalmm.bend"
            ) from None

    def rank(self, term: int) -> int:
        """Rank of the relationship."""
        return self._reduced.kernel.rank


def refusal(problem: Problem) -> str:
    """Why a problem is not one of a single kernel, in words; empty when it is."""
    if len(problem.terms) > 1:
        names = ", ".join(f"'{term.name}'" for term in problem.terms)
        return f"this model has {len(problem.terms)} terms: {names}. Leave the engine to 'auto'"
    term = problem.terms[0]
    if term.t > 1:
        return f"'{term.name}' has {term.t} effects of each level. Leave the engine to 'auto'"
    return ""


def has_dense_kernel(relationship: Relationship) -> bool:
    """Whether K itself is at hand, and dense."""
    if not isinstance(relationship, LabelledRelationship) or relationship.prefers_precision:
        return False
    return relationship.form[0] == "K, dense"
