"""A relationship in a few figures, without forming what is not at hand."""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np
import pandas as pd
from scipy.linalg import eigvalsh
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from animalmm.core import Matrix, Vector
from animalmm.errors import RelationshipError, listing

__all__ = ["describe"]

EXACT = 1000  # levels up to which all eigenvalues are computed, in half a second
PROBES = 64
TOLERANCE = 1e-3  # relative, of estimated eigenvalues
USUAL = (0.5, 2.0)  # mean diagonal of a relationship matrix


class _Described(Protocol):
    """What a description asks of a relationship K (q x q); see `LabelledRelationship`."""

    @property
    def labels(self) -> pd.Index: ...
    @property
    def source(self) -> str: ...
    @property
    def history(self) -> tuple[str, ...]: ...
    @property
    def size(self) -> int: ...
    @property
    def rank(self) -> int: ...
    @property
    def form(self) -> tuple[str, float]: ...
    @property
    def knows_diagonal(self) -> bool: ...
    def diagonal(self) -> Vector: ...
    def matvec(self, v: Matrix) -> Matrix: ...
    def solve(self, v: Matrix) -> Matrix: ...
    def to_frame(self) -> pd.DataFrame: ...


def describe(K: _Described) -> pd.Series:
    """The figures of `LabelledRelationship.describe`."""
    form, stored = K.form
    estimated: list[str] = []
    diagonal, off_diagonal = _mean_elements(K, estimated)
    rank, smallest, largest = _spectrum(K, estimated)
    figures = {
        "kind": type(K).__name__,
        "levels": K.size,
        "labels": listing(K.labels, limit=3),
        "form": form,
        "density": stored / K.size**2,
        "rank": rank,
        "mean diagonal": diagonal,
        "mean off-diagonal": off_diagonal,
        "smallest eigenvalue": smallest,
        "largest eigenvalue": largest,
        "condition": largest / smallest if smallest > 0 else np.inf,
        "estimated": "; ".join(estimated),
        "remarks": "; ".join(_remarks(K, diagonal, rank, smallest)),
        "history": "; ".join(K.history),
    }
    return pd.Series(figures, name=K.source, dtype=object)


def _mean_elements(K: _Described, estimated: list[str]) -> tuple[float, float]:
    """Mean of the diagonal and of the other elements of K (0 where there are none)."""
    q = K.size
    total = float(K.matvec(np.ones(q)).sum())
    if K.knows_diagonal or q <= EXACT:
        trace = float(K.diagonal().sum())
    else:  # the mean of z'Kz over random signs z (Hutchinson 1989)
        signs = np.random.default_rng(0).choice([-1.0, 1.0], size=(q, PROBES))
        trace = float((signs * K.matvec(signs)).sum()) / PROBES
        estimated.append(f"mean diagonal by {PROBES} random probes")
    return trace / q, (total - trace) / (q * (q - 1)) if q > 1 else 0.0


def _remarks(K: _Described, diagonal: float, rank: float, smallest: float) -> list[str]:
    found = []
    if not USUAL[0] <= diagonal <= USUAL[1]:
        found.append(
            f"the mean diagonal is far from 1: a variance is that of a level with K_jj = 1, the "
            f"levels have {diagonal:.3g} times as much"
        )
    if np.isnan(rank):
        found.append(
            f"not positive semi-definite (an eigenvalue is {smallest:.3g}): see animalmm.bend"
        )
    elif rank < K.size:
        found.append("singular: used by its factor, it has no inverse")
    return found


def _spectrum(K: _Described, estimated: list[str]) -> tuple[float, float, float]:
    """Rank (NaN of an indefinite K), smallest and largest eigenvalue."""
    try:
        rank: float = K.rank
    except RelationshipError:
        rank = np.nan
    if K.size <= EXACT:
        values = eigvalsh(K.to_frame())
        return rank, 0.0 if rank < K.size else float(values[0]), float(values[-1])
    estimated.append("eigenvalues by Lanczos iterations")
    largest = _outermost(K, K.matvec, "LA")
    if np.isnan(rank):
        return rank, _outermost(K, K.matvec, "SA"), largest
    return rank, 0.0 if rank < K.size else 1.0 / _outermost(K, K.solve, "LA"), largest


def _outermost(K: _Described, product: Any, which: Literal["LA", "SA"]) -> float:
    """The largest (LA) or smallest (SA) eigenvalue of an operator; NaN where it is not found."""
    operator = LinearOperator((K.size, K.size), matvec=product, matmat=product, dtype=float)
    start = np.random.default_rng(0).normal(size=K.size)  # the same figures every time
    try:
        found = eigsh(
            operator, k=1, which=which, v0=start, tol=TOLERANCE, return_eigenvectors=False
        )
    except ArpackNoConvergence:
        return np.nan
    return float(found[0])
