"""``Lambda' C Lambda + P`` on a fixed sparsity pattern.

C = Z'WZ and the prior precision P never change; Lambda = blockdiag(I ⊗ F_k) does, at every
evaluation. The pattern of the sum is therefore found once, from the structure and not from the
values (an F that starts at zero must not lose its fill), and an evaluation only fills in numbers:
for the blocks of terms k and m, ``F_k' C_jl F_m`` for every pair of levels (j, l) that meet in a
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

__all__ = ["Block", "Cross", "PatternedSystem"]

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
class Cross:
    """The cross-product ``Z_k'WZ_m`` of two blocks, by pairs of levels that meet in a record.

    Attributes
    ----------
    k, m : int
        The blocks, m <= k; of a block with itself each pair is there once, level_k >= level_m.
    values : ndarray, shape (pairs, t_k, t_m)
        The elements.
    level_k, level_m : ndarray, shape (pairs,)
        The two levels.
    """

    k: int
    m: int
    values: NDArray[np.float64]
    level_k: NDArray[np.integer]
    level_m: NDArray[np.integer]

    def equations(self, starts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows (pairs, t_k, 1) and columns (pairs, 1, t_m), the blocks beginning at `starts`."""
        _, t_k, t_m = self.values.shape
        rows = starts[self.k] + self.level_k[:, None].astype(np.int64) * t_k + np.arange(t_k)
        columns = starts[self.m] + self.level_m[:, None].astype(np.int64) * t_m + np.arange(t_m)
        return rows[:, :, None], columns[:, None, :]

    def lower(self, starts: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Which elements are in the lower triangle of the equations; None: all."""
        if self.k != self.m or self.values.shape[1] == 1:
            return None
        rows, columns = self.equations(starts)
        return np.asarray(rows >= columns)


class PatternedSystem:
    """Assembles the lower triangle of ``Lambda' Z'WZ Lambda + P``.

    Parameters
    ----------
    blocks : sequence of Block
        In the order of the equations.
    weights : ndarray, shape (n,)
        W.

    Attributes
    ----------
    widths : list of int
        Effects of a level of each block.
    starts : ndarray
        First equation of each block, and the end.
    crosses : list of Cross
        Of every block with itself and with those before it.
    """

    def __init__(self, blocks: Sequence[Block], weights: Vector) -> None:
        self.widths = [b.t for b in blocks]
        self.starts = np.cumsum([0, *(b.size for b in blocks)], dtype=np.int64)
        n = self.size = int(self.starts[-1])
        self.crosses = [
            _lower_cross(blocks, k, m, weights) for k in range(len(blocks)) for m in range(k + 1)
        ]
        self._lower = [cross.lower(self.starts) for cross in self.crosses]
        priors = [_lower_prior(b, int(s), n) for b, s in zip(blocks, self.starts, strict=False)]
        keys = [
            _keys(cross.equations(self.starts), lower, n)
            for cross, lower in zip(self.crosses, self._lower, strict=True)
        ]
        keys += [p[0] for p in priors]
        unique, where = np.unique(np.concatenate(keys), return_inverse=True)
        columns, rows = np.divmod(unique, n)
        index = _small(len(unique))
        self._indices: NDArray[Any] = rows.astype(index)
        self._indptr: NDArray[Any] = np.searchsorted(columns, np.arange(n + 1)).astype(index)
        at = np.split(where, np.cumsum([len(k) for k in keys])[:-1])
        self._at = at[: len(self.crosses)]
        self._constant = np.zeros(len(unique))
        for (_, values), place in zip(priors, at[len(self.crosses) :], strict=True):
            np.add.at(self._constant, place, values)  # a precision may hold an entry in parts

    def assemble(self, factors: Sequence[Matrix]) -> sparse.csc_array:
        """The lower triangle for one F per block, shape (size, size)."""
        data = self._constant.copy()
        for cross, lower, at in zip(self.crosses, self._lower, self._at, strict=True):
            left, right = factors[cross.k], factors[cross.m]
            if left.size == right.size == 1:
                data[at] += cross.values.ravel() * (left.item() * right.item())
            else:
                filled = left.T @ cross.values @ right
                data[at] += filled.ravel() if lower is None else filled[lower]
        shape = (self.size, self.size)
        return sparse.csc_array((data, self._indices, self._indptr), shape=shape)


def _lower_cross(blocks: Sequence[Block], k: int, m: int, weights: Vector) -> Cross:
    values, level_k, level_m = _level_pairs(blocks[k], blocks[m], weights)
    if k == m:
        below = level_k >= level_m
        values, level_k, level_m = values[below], level_k[below], level_m[below]
    return Cross(k, m, values, level_k, level_m)


def _keys(
    equations: tuple[NDArray[np.int64], NDArray[np.int64]],
    lower: NDArray[np.bool_] | None,
    n: int,
) -> NDArray[np.int64]:
    """Column and row of each element in one number."""
    rows, columns = equations
    keys = columns * n + rows
    return keys.ravel() if lower is None else keys[lower]


def _level_pairs(
    left: Block, right: Block, weights: Vector
) -> tuple[NDArray[np.float64], NDArray[np.integer], NDArray[np.integer]]:
    """``Z_k' W Z_m`` as (pairs, t_k, t_m) with the two levels of each pair."""
    shape = (left.t, right.t)
    if min(_density(left.Z), _density(right.Z)) > _DENSE:
        cross = left.Z.toarray().T @ (weights[:, None] * right.Z.toarray())
        q_k, q_m = cross.shape[0] // left.t, cross.shape[1] // right.t
        blocks = cross.reshape(q_k, left.t, q_m, right.t).transpose(0, 2, 1, 3)
        level_k, level_m = np.divmod(np.arange(q_k * q_m, dtype=_small(q_k * q_m)), q_m)
        return np.ascontiguousarray(blocks).reshape(-1, *shape), level_k, level_m
    weighted = sparse.diags_array(weights) @ right.Z
    bsr = sparse.csr_array(left.Z.T @ weighted).tobsr(blocksize=shape)
    levels = np.arange(len(bsr.indptr) - 1, dtype=bsr.indices.dtype)
    return bsr.data, np.repeat(levels, np.diff(bsr.indptr)), bsr.indices


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


def _small(size: int) -> type[np.signedinteger[Any]]:
    """The narrowest index that can count so far."""
    return np.int32 if size < 2**31 else np.int64
