"""How each kind of relationship codes a genotype; to add a kind, add a function and a line.

With x copies of the counted allele of frequency p and q = 1 - p, every kind is
``K = W D W' / sum_j d_j c_j`` with codes W (zero expectation under Hardy-Weinberg equilibrium, so
that a missing genotype counts as zero), scales c and weights of the markers d.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from animalmm.core import Matrix, Vector
from animalmm.errors import ArgumentError, nearest

__all__ = ["CODINGS", "Coding", "coding_named"]


@dataclass(frozen=True)
class Coding:
    """One kind of relationship.

    Attributes
    ----------
    code : callable
        Genotypes x (n, k) and frequencies p (k,) -> W (n, k), a new array; NaN stays NaN.
    scale : callable
        p (k,) -> c (k,), what each marker adds to the divisor.
    inbreeding : callable, optional
        W (n, k) and p (k,) -> what each genotype adds to ``K_ii - 1``, for a kind whose diagonal
        is not that of W W'.
    """

    code: Callable[[npt.NDArray[Any], Vector], Matrix]
    scale: Callable[[Vector], Vector]
    inbreeding: Callable[[Matrix, Vector], Matrix] | None = None


def heterozygosity(p: Vector) -> Vector:
    """2pq, expected under Hardy-Weinberg equilibrium; also the variance of x."""
    return 2.0 * p * (1.0 - p)


def centred(x: npt.NDArray[Any], p: Vector) -> Matrix:
    """``x - 2p``: VanRaden (2008), method 1."""
    return np.asarray(x - 2.0 * p, dtype=float)


def standardised(x: npt.NDArray[Any], p: Vector) -> Matrix:
    """``(x - 2p) / sqrt(2pq)``: VanRaden (2008), method 2."""
    W = centred(x, p)
    W /= np.sqrt(heterozygosity(p))
    return W


def from_heterozygote(x: npt.NDArray[Any]) -> Matrix:
    """``|x - 1| = 1 - h``, h = 1 in a heterozygote and linear in a dosage between."""
    W: Matrix = np.subtract(x, 1.0, dtype=float)
    return np.abs(W, out=W)


def heterozygous(x: npt.NDArray[Any], p: Vector) -> Matrix:
    """``h - 2pq``: Su et al. (2012)."""
    W = from_heterozygote(x)
    np.subtract(1.0 - heterozygosity(p), W, out=W)
    return W


def dominance_deviation(x: npt.NDArray[Any], p: Vector) -> Matrix:
    """-2p^2, 2pq, -2q^2 for x = 0, 1, 2: Vitezica et al. (2013).

    The dominance deviations of the breeding value parameterisation, orthogonal to x under
    Hardy-Weinberg equilibrium; ``h - (1 - 2p) x - 2p^2`` passes through the three.
    """
    W = from_heterozygote(x)
    np.subtract(1.0 - 2.0 * p**2, W, out=W)
    W -= (1.0 - 2.0 * p) * x
    return W


def uniting_gametes(W: Matrix, p: Vector) -> Matrix:
    """``(x^2 - (1 + 2p) x + 2p^2) / 2pq``: Yang et al. (2010), the diagonal less one.

    Written with the standardised w: ``w^2 - (1 - 2p) / sqrt(2pq) w - 1``.
    """
    slope = (1.0 - 2.0 * p) / np.sqrt(heterozygosity(p))
    return W * (W - slope) - 1.0


CODINGS = {
    "vanraden1": Coding(centred, heterozygosity),
    "vanraden2": Coding(standardised, np.ones_like),
    "yang": Coding(standardised, np.ones_like, uniting_gametes),
    "su": Coding(heterozygous, lambda p: heterozygosity(p) * (1.0 - heterozygosity(p))),
    "vitezica": Coding(dominance_deviation, lambda p: heterozygosity(p) ** 2),
}


def coding_named(kind: str) -> Coding:
    """Look a kind up, or say which there are."""
    if kind not in CODINGS:
        raise ArgumentError(
            f"there is no kind={kind!r} of genomic relationship; there are "
            f"{', '.join(map(repr, CODINGS))}.{nearest(kind, CODINGS)}"
        )
    return CODINGS[kind]
