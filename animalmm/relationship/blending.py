"""Make a genomic relationship matrix fit for use beside a pedigree: blend it, tune it."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, Literal

import numpy as np

from animalmm.core import Matrix
from animalmm.errors import ArgumentError, RelationshipError, nearest
from animalmm.relationship.base import dense
from animalmm.relationship.coerce import as_labelled
from animalmm.relationship.kinds import CovarianceRelationship

__all__ = ["blend", "tune"]


def blend(G: Any, A: Any, weight: float = 0.05) -> CovarianceRelationship:
    """``(1 - weight) G + weight A``: what the markers do not explain follows the pedigree.

    Makes a singular G positive definite if A is. To add to the diagonal instead, give
    ``IdentityRelationship(labels)`` as A.

    Parameters
    ----------
    G : DataFrame, (matrix, labels) or Relationship
        Relationships by markers, q ids.
    A : Pedigree, DataFrame, (matrix, labels) or Relationship
        Relationships by pedigree of these ids and of any others, which are not used.
    weight : float, default 0.05
        Share of A, at least 0 and below 1.

    Returns
    -------
    CovarianceRelationship
        Among the ids of G, in their order; `history` holds the figures.

    Raises
    ------
    ArgumentError
        A weight out of range; ids of G that A does not have.

    References
    ----------
    VanRaden, P.M. (2008). Efficient methods to compute genomic predictions. Journal of Dairy
    Science 91: 4414-4423.
    """
    if not (isinstance(weight, Real) and 0 <= weight < 1):
        raise ArgumentError(f"weight is the share of A, at least 0 and below 1, not {weight!r}")
    genomic, before, pedigree = _pair(G, A)
    after = (1 - weight) * before + weight * pedigree
    step = f"blended: {1 - weight:g} G + {weight:g} A ({_change(before, after)})"
    return _altered(genomic, after, step)


def tune(
    G: Any, A22: Any, method: Literal["vitezica", "christensen", "mean"] = "christensen"
) -> CovarianceRelationship:
    """``a + b G``: put genomic relationships on the base of the pedigree.

    Markers count relationships from the genotyped animals themselves, where their allele
    frequencies come from; the pedigree counts them from its founders.

    Parameters
    ----------
    G : DataFrame, (matrix, labels) or Relationship
        Relationships by markers, q ids.
    A22 : Pedigree, DataFrame, (matrix, labels) or Relationship
        Relationships by pedigree of these ids and of any others, which are not used.
    method : {"christensen", "vitezica", "mean"}, default "christensen"
        * ``"christensen"``: the mean of the diagonal and of all elements become those of A22
          (Christensen et al. 2012); hence that of the other elements as well (Chen et al. 2011).
        * ``"vitezica"``: a = mean(A22) - mean(G) and b = 1 - a/2, a/2 being the Fst between the
          two bases (Powell et al. 2010; Vitezica et al. 2011). The mean becomes that of A22 if
          that of G is 0, as it is with observed allele frequencies.
        * ``"mean"``: the same a, and b = 1 (Vitezica et al. 2011).

    Returns
    -------
    CovarianceRelationship
        Among the ids of G, in their order; `history` holds a, b and the means.

    Raises
    ------
    ArgumentError
        An unknown method; ids of G that A22 does not have.
    RelationshipError
        No positive b matches the means.

    References
    ----------
    Chen, C.Y., Misztal, I., Aguilar, I., Legarra, A. & Muir, W.M. (2011). Effect of different
    genomic relationship matrices on accuracy and scale. Journal of Animal Science 89: 2673-2679.

    Christensen, O.F., Madsen, P., Nielsen, B., Ostersen, T. & Su, G. (2012). Single-step methods
    for genomic evaluation in pigs. Animal 6: 1565-1571.

    Powell, J.E., Visscher, P.M. & Goddard, M.E. (2010). Reconciling the analysis of IBD and IBS in
    complex trait studies. Nature Reviews Genetics 11: 800-805.

    Vitezica, Z.G., Aguilar, I., Misztal, I. & Legarra, A. (2011). Bias in genomic predictions for
    populations under selection. Genetics Research 93: 357-366.
    """
    if method not in _METHODS:
        raise ArgumentError(
            f"there is no tuning method {method!r}; there are {', '.join(map(repr, _METHODS))}."
            f"{nearest(method, _METHODS)}"
        )
    genomic, before, pedigree = _pair(G, A22)
    a, b = _METHODS[method](before, pedigree)
    if not (np.isfinite(b) and b > 0):
        raise RelationshipError(
            f"tuning by {method!r} asks for {a:.4g} {b:+.4g} G, which is no relationship matrix: "
            f"the mean diagonal and the mean element are {_means(before)} in G and "
            f"{_means(pedigree)} in A. See whether the ids of both are the same animals, or leave "
            "the tuning out"
        )
    after = a + b * before
    step = f"tuned ({method}): {a:.4g} + {b:.4g} G ({_change(before, after)})"
    return _altered(genomic, after, step)


def _fst(G: Matrix, A: Matrix) -> tuple[float, float]:
    a = float(A.mean() - G.mean())
    return a, 1 - a / 2


def _both_means(G: Matrix, A: Matrix) -> tuple[float, float]:
    spread = float(G.diagonal().mean() - G.mean())
    b = float(A.diagonal().mean() - A.mean()) / spread if spread else np.inf
    return float(A.mean()) - b * float(G.mean()), b


def _shift(G: Matrix, A: Matrix) -> tuple[float, float]:
    return float(A.mean() - G.mean()), 1.0


_METHODS: dict[str, Callable[[Matrix, Matrix], tuple[float, float]]] = {
    "christensen": _both_means,
    "vitezica": _fst,
    "mean": _shift,
}


def _pair(G: Any, A: Any) -> tuple[CovarianceRelationship, Matrix, Matrix]:
    """G, its elements, and those of A among the ids of G."""
    genomic = as_labelled(G, "G")
    K = genomic.to_frame().to_numpy()
    pedigree = as_labelled(A, "A").block(genomic.labels).to_numpy()
    return CovarianceRelationship(genomic.labels, K, genomic.source, genomic.history), K, pedigree


def _altered(G: CovarianceRelationship, K: Matrix, step: str) -> CovarianceRelationship:
    return CovarianceRelationship(G.labels, dense(K), G.source, (*G.history, step))


def _change(before: Matrix, after: Matrix) -> str:
    return f"mean diagonal and mean element {_means(before)} -> {_means(after)}"


def _means(K: Matrix) -> str:
    return f"{K.diagonal().mean():.4g}, {K.mean():.4g}"
