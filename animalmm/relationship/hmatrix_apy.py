"""The inverse of G by the algorithm for proven and young (APY), sparse for many animals.

The genotyped animals are parted into a core and the others. Given the core, the others are taken
as independent, ``u_n = G_nc G_cc^-1 u_c + e`` with a diagonal ``Var(e) = M``, so that only G_cc,
G_cn and the diagonal of G_nn matter (Misztal, Legarra & Aguilar 2014, Journal of Dairy Science 97:
3943-3952; Misztal 2016, Genetics 202: 401-409)::

    G_APY^-1 = [G_cc^-1 + T M^-1 T'   -T M^-1]      T = G_cc^-1 G_cn
               [      -M^-1 T'          M^-1 ]      M = diag(G_nn - G_nc T)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.linalg import solve_triangular

from animalmm.core import Matrix, Vector
from animalmm.errors import ArgumentError, RelationshipError, listing
from animalmm.linalg import inverse_from_factor, require_memory
from animalmm.relationship.hmatrix_arrays import (
    REMEDY,
    Inverse,
    definite_factor,
)
from animalmm.relationship.labels import places

__all__ = ["apy_inverse", "choose_core"]

UNEXPLAINED = 1e-8  # share of the variance of an animal that its regression on the core must leave


def choose_core(
    core: int | Iterable[Any], genotyped: pd.Index, rng: np.random.Generator | None
) -> npt.NDArray[np.bool_]:
    """Mark the core animals.

    Parameters
    ----------
    core : int or iterable of labels
        How many to draw at random, or which.
    genotyped : Index
        Labels of the n2 genotyped animals.
    rng : Generator, optional
        Draws them; needed when `core` is a number.

    Returns
    -------
    ndarray of bool, shape (n2,)

    Raises
    ------
    ArgumentError
        No `rng`, a number out of range, labels that are unknown, repeated or none.
    """
    chosen = np.zeros(len(genotyped), dtype=bool)
    if isinstance(core, Iterable):
        chosen[places(core, genotyped, "G, among whose animals the core is chosen")] = True
    else:
        chosen[_drawn(core, len(genotyped), rng)] = True
    if not chosen.any():
        raise ArgumentError("core has no animals: give ids or a number, or None for no APY")
    return chosen


def _drawn(core: int, n: int, rng: np.random.Generator | None) -> npt.NDArray[np.intp]:
    if not isinstance(rng, np.random.Generator):
        raise ArgumentError(
            f"core={core} is drawn at random and needs a generator: "
            "rng=numpy.random.default_rng(seed); or give the ids of the core"
        )
    if not (isinstance(core, int | np.integer) and 1 <= core <= n):
        raise ArgumentError(
            f"core={core} must be a whole number between 1 and {n}, the genotyped animals"
        )
    return np.asarray(rng.choice(n, size=core, replace=False))


def apy_inverse(G: Matrix, core: npt.NDArray[np.bool_], labels: pd.Index, what: str) -> Inverse:
    """G_APY^-1, in the order of `G`, and log|G_APY|.

    Parameters
    ----------
    G : ndarray, shape (n2, n2)
        Only the rows of the core and the diagonal are read.
    core : ndarray of bool, shape (n2,)
        Which c animals are core.
    labels : Index
        Labels of `G`.
    what : str
        Name of `G`, for messages.

    Returns
    -------
    Inverse
        Of ``c (2 n2 - c) + n2 - c`` elements.

    Raises
    ------
    RelationshipError
        G_cc is singular or indefinite, or the core explains an animal wholly.
    ArgumentError
        It does not fit into memory.
    """
    c, n = int(core.sum()), int((~core).sum())
    require_memory(
        4 * 12.0 * (c**2 + 2 * c * n),
        f"the APY inverse with {c} core and {n} other animals",
        "Take a smaller core.",
    )
    rows = G[core]
    L = definite_factor(rows[:, core], f"{what} among the core animals")
    half = solve_triangular(L, rows[:, ~core], lower=True)
    left = _unexplained(G.diagonal()[~core], half, labels[~core], what)
    T = solve_triangular(L, half, lower=True, trans="T")
    across = -T / left
    among = inverse_from_factor(L) - across @ T.T
    corner, side = sparse.csr_array((among + among.T) / 2), sparse.csr_array(across)
    rest = sparse.csr_array(sparse.diags_array(1.0 / left))
    parts = sparse.block_array([[corner, side], [side.T, rest]], format="csr")
    back = np.argsort(np.concatenate([np.flatnonzero(core), np.flatnonzero(~core)]))
    P = sparse.csc_array(parts[back][:, back])
    P.sort_indices()
    return Inverse(P, 2.0 * float(np.log(L.diagonal()).sum()) + float(np.log(left).sum()))


def _unexplained(variances: Vector, half: Matrix, labels: pd.Index, what: str) -> Vector:
    """M: what of the variance of each other animal the core leaves unexplained."""
    left: Vector = variances - np.square(half).sum(axis=0)
    none = left <= UNEXPLAINED * variances
    if none.any():
        raise RelationshipError(
            f"{what} is not positive definite: the core explains {listing(labels[none])} wholly, "
            f"as copies or combinations of core animals. {REMEDY}"
        )
    return left
