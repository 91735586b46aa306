"""Sums of W W' over blocks of markers, in place, by the symmetric BLAS product."""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import dsyrk

from animalmm.core import Matrix
from animalmm.linalg import require_memory

__all__ = ["add_product", "empty_product", "symmetric"]

_STRIP = 512  # columns mirrored at a time: both triangles of a strip stay in the cache


def empty_product(n: int, what: str, matrices: int = 1) -> Matrix:
    """Zeros (n, n) for `add_product`, if the machine can hold as many such matrices as needed."""
    require_memory(
        8.0 * matrices * n**2,
        f"{what} of {n:,} animals",
        "Leave out animals, or fit the markers themselves; for single step with many genotyped "
        "animals, use APY with core animals.",
    )
    return np.zeros((n, n), order="F")


def add_product(K: Matrix, W: Matrix) -> Matrix:
    """Add W W' to the lower triangle of K, in place.

    Parameters
    ----------
    K : ndarray, shape (n, n), in Fortran order
        The sum so far.
    W : ndarray, shape (n, k)
        A block.

    Returns
    -------
    ndarray, shape (n, n)
        `K` itself.
    """
    W = np.ascontiguousarray(W)
    return np.asarray(dsyrk(1.0, W.T, beta=1.0, c=K, trans=1, lower=1, overwrite_c=1))


def symmetric(K: Matrix) -> Matrix:
    """Copy the lower triangle of K to the upper one, in place, and return K in C order."""
    n = len(K)
    for start in range(0, n, _STRIP):
        stop = min(start + _STRIP, n)
        K[start:stop, stop:] = K[stop:, start:stop].T
        corner = np.tril(K[start:stop, start:stop])
        K[start:stop, start:stop] = corner + np.tril(corner, -1).T
    return K.T
