"""``Lambda' C Lambda + P`` on a fixed sparsity pattern.

C = Z'WZ and the prior precision P never change; Lambda = blockdiag(I ⊗ T_k) does, at every
evaluation. The pattern of the sum is therefore found once, from the structure and not from the
values (a T that starts at zero must not lose its fill), and an evaluation only fills in numbers:
for the blocks of terms k and l, ``T_k' C_jm T_l`` for every pair of levels (j, m) that meet in a
record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from animalmm.core import Matrix, Vector

__all__ = ["Block", "PatternedSystem"]

_DENSE = 0.1  # above this density of both sides a BLAS product is faster than a sparse one


@dataclass(frozen=True, eq=False)
class Block:
    """The columns of one term (or of the fixed effects) in the equations.

    Attributes
    ----------
    Z : csr_array, shape (n, q * t)
        Incidence, level-major.
    t : int
        Effects of a level.
    prior : csc_array, shape (q, q), or None
        K^-1 (both triangles) of ``b ~ N(0, K ⊗ I_t)``; None for fixed effects, which have no prior.
    """

    Z: sparse.csr_array
    t: int
    prior: sparse.csc_array | None

    @property
    def size(self) -> int:
        """Number of equations, q * t."""
        return int(self.Z.shape[1])


@dataclass(frozen=True, eq=False)
class _Piece:
    """The cross-product of two blocks and where its elements go."""

    k: int
    m: int
    values: NDArray[np.float64]  # (pairs of levels, t_k, t_m)
    keep: NDArray[np.bool_] | None  # which elements are in the lower triangle; None: all
    at: NDArray[np.intp]


class PatternedSystem:
    """Assembles the lower triangle of ``Lambda' Z'WZ Lambda + P``.

    Parameters
    ----------
    blocks : sequence of Block
        In the order of the equations.
    weights : ndarray, shape (n,)
        W.
    """

    def __init__(self, blocks: Sequence[Block], weights: Vector) -> None:
        self.widths = [b.t for b in blocks]
        self.starts = np.cumsum([0, *(b.size for b in blocks)])
        n = self.size = int(self.starts[-1])
        crosses = [
            _lower_cross(blocks, k, m, self.starts, weights)
            for k in range(len(blocks))
            for m in range(k + 1)
        ]
        priors = [_lower_prior(b, int(s), n) for b, s in zip(blocks, self.starts, strict=False)]
        keys = [c[0] for c in crosses] + [p[0] for p in priors]
        unique, where = np.unique(np.concatenate(keys), return_inverse=True)
        columns, rows = np.divmod(unique, n)
        index = np.int32 if len(unique) < 2**31 else np.int64
        self._indices: NDArray[Any] = rows.astype(index)
        self._indptr: NDArray[Any] = np.searchsorted(columns, np.arange(n + 1)).astype(index)
        at = np.split(where, np.cumsum([len(k) for k in keys])[:-1])
        self._pieces = [
            _Piece(k, m, values, keep, place)
            for (_, k, m, values, keep), place in zip(crosses, at, strict=False)
        ]
        self._constant = np.zeros(len(unique))
        for (_, values), place in zip(priors, at[len(crosses) :], strict=True):
            np.add.at(self._constant, place, values)  # a precision may hold an entry in parts

    def assemble(self, factors: Sequence[Matrix]) -> sparse.csc_array:
        """The lower triangle for one T per block, shape (size, size)."""
        data = self._constant.copy()
        for piece in self._pieces:
            left, right = factors[piece.k], factors[piece.m]
            if left.size == right.size == 1:
                data[piece.at] += piece.values.ravel() * (left.item() * right.item())
            else:
                filled = left.T @ piece.values @ right
                data[piece.at] += filled.ravel() if piece.keep is None else filled[piece.keep]
        shape = (self.size, self.size)
        return sparse.csc_array((data, self._indices, self._indptr), shape=shape)


def _lower_cross(
    blocks: Sequence[Block], k: int, m: int, starts: NDArray[np.intp], weights: Vector
) -> tuple[NDArray[np.int64], int, int, NDArray[np.float64], NDArray[np.bool_] | None]:
    """Keys and values of Z_k'WZ_m in the lower triangle, by pairs of levels."""
    t_k, t_m = blocks[k].t, blocks[m].t
    values, level_k, level_m = _level_pairs(blocks[k], blocks[m], weights)
    if k == m:
        below = level_k >= level_m
        values, level_k, level_m = values[below], level_k[below], level_m[below]
    rows = starts[k] + (level_k * t_k)[:, None, None] + np.arange(t_k)[:, None]
    columns = starts[m] + (level_m * t_m)[:, None, None] + np.arange(t_m)
    keys = columns.astype(np.int64) * int(starts[-1]) + rows
    if k == m and t_k > 1:
        keep = np.broadcast_to(rows >= columns, keys.shape)
        return keys[keep], k, m, values, keep
    return keys.ravel(), k, m, values, None


def _level_pairs(
    left: Block, right: Block, weights: Vector
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """``Z_k' W Z_m`` as (pairs, t_k, t_m) with the two levels of each pair."""
    shape = (left.t, right.t)
    if min(_density(left.Z), _density(right.Z)) > _DENSE:
        cross = left.Z.toarray().T @ (weights[:, None] * right.Z.toarray())
        q_k, q_m = cross.shape[0] // left.t, cross.shape[1] // right.t
        blocks = cross.reshape(q_k, left.t, q_m, right.t).transpose(0, 2, 1, 3)
        level_k, level_m = np.divmod(np.arange(q_k * q_m), q_m)
        return np.ascontiguousarray(blocks).reshape(-1, *shape), level_k, level_m
    weighted = sparse.diags_array(weights) @ right.Z
    bsr = sparse.csr_array(left.Z.T @ weighted).tobsr(blocksize=shape)
    level_k = np.repeat(np.arange(len(bsr.indptr) - 1), np.diff(bsr.indptr))
    return bsr.data, level_k.astype(np.int64), bsr.indices.astype(np.int64)


def _lower_prior(block: Block, start: int, n: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Keys and values of the lower triangle of ``K^-1 ⊗ I_t``.

    The t x t blocks are full: elimination fills most of them anyway, the order of elimination is
    better for it, and the selected inverse has every block of two levels that meet in K^-1.
    """
    if block.prior is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0)
    lower = sparse.tril(block.prior, format="coo")
    effect = np.arange(block.t)
    rows = start + (lower.row.astype(np.int64) * block.t)[:, None, None] + effect[:, None]
    columns = start + (lower.col.astype(np.int64) * block.t)[:, None, None] + effect
    values = lower.data[:, None, None] * np.eye(block.t)
    below = rows >= columns
    return (columns * n + rows)[below], values[below]


def _density(Z: sparse.csr_array) -> float:
    return float(Z.nnz / max(Z.shape[0] * Z.shape[1], 1))
