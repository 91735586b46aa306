"""Stacks of the matrices of several terms, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["side_by_side"]


def side_by_side(blocks: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Stacks of square matrices (k, t, t) as one stack of block diagonal ones."""
    ends = np.cumsum([0, *(block.shape[1] for block in blocks)])
    out = np.zeros((len(blocks[0]), ends[-1], ends[-1]))
    for block, start, end in zip(blocks, ends[:-1], ends[1:], strict=True):
        out[:, start:end, start:end] = block
    return out
