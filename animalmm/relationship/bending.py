"""Make an indefinite matrix positive definite, and say by how much it changed."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from animalmm.errors import ArgumentError, MatrixChangedWarning

__all__ = ["bend"]


def bend(K: pd.DataFrame, smallest: float = 1e-6) -> pd.DataFrame:
    """Raise the eigenvalues of K that are below a limit to that limit.

    Parameters
    ----------
    K : DataFrame, shape (q, q)
        Symmetric, ids as index and columns.
    smallest : float, default 1e-6
        The limit, relative to the mean of the eigenvalues.

    Returns
    -------
    DataFrame, shape (q, q)
        The bent matrix, labelled as `K`; `K` itself when no eigenvalue was below the limit.

    Warns
    -----
    MatrixChangedWarning
        How many eigenvalues were raised and the largest change of an element.

    Raises
    ------
    ArgumentError
        `K` is not a square DataFrame of finite numbers.

    References
    ----------
    Hayes, J.F. & Hill, W.G. (1981). Modification of estimates of parameters in the construction of
    genetic selection indices ('bending'). Biometrics 37: 483-493.
    """
    if not isinstance(K, pd.DataFrame) or K.shape[0] != K.shape[1]:
        raise ArgumentError("bend() takes a square DataFrame with ids as index and columns")
    values = K.to_numpy(dtype=float)
    if not np.isfinite(values).all():
        raise ArgumentError("bend() takes finite numbers; this matrix has NaN or infinite ones")
    eigenvalues, Q = np.linalg.eigh((values + values.T) / 2)
    limit = smallest * eigenvalues.mean()
    low = eigenvalues < limit
    if not low.any():
        return K
    bent = (Q * np.maximum(eigenvalues, limit)) @ Q.T
    warnings.warn(
        f"{low.sum()} of {len(K)} eigenvalues were below {limit:.3g} (smallest "
        f"{eigenvalues[0]:.3g}) and were raised to it; no element changed by more than "
        f"{abs(bent - values).max():.3g}",
        MatrixChangedWarning,
        stacklevel=2,
    )
    return pd.DataFrame((bent + bent.T) / 2, index=K.index, columns=K.columns)
