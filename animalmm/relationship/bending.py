"""Make an indefinite matrix positive definite, and say by how much it changed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from animalmm.errors import ArgumentError, MatrixChangedWarning, warn
from animalmm.relationship.coerce import labelled_matrix

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
        `K` is not a DataFrame.
    RelationshipError
        `K` is not symmetric or not finite, or its index and columns hold different ids.

    References
    ----------
    Hayes, J.F. & Hill, W.G. (1981). Modification of estimates of parameters in the construction of
    genetic selection indices ('bending'). Biometrics 37: 483-493.
    """
    if not isinstance(K, pd.DataFrame):
        raise ArgumentError("bend() takes a DataFrame with ids as index and columns")
    matrix, labels = labelled_matrix(K, "the matrix to bend")
    values = np.asarray(matrix)
    eigenvalues, Q = np.linalg.eigh(values)
    limit = smallest * eigenvalues.mean()
    low = eigenvalues < limit
    if not low.any():
        return K
    bent = (Q * np.maximum(eigenvalues, limit)) @ Q.T
    warn(
        f"{low.sum()} of {len(K)} eigenvalues were below {limit:.3g} (smallest "
        f"{eigenvalues[0]:.3g}) and were raised to it; no element changed by more than "
        f"{abs(bent - values).max():.3g}",
        MatrixChangedWarning,
    )
    return pd.DataFrame((bent + bent.T) / 2, index=labels, columns=labels)
