"""Make an indefinite matrix positive definite, and say by how much it changed."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from animalmm.errors import ArgumentError, MatrixChangedWarning, warn
from animalmm.relationship.coerce import as_labelled
from animalmm.relationship.kinds import BEND_TO, CovarianceRelationship

__all__ = ["bend"]


def bend(K: Any, smallest: float = BEND_TO) -> CovarianceRelationship:
    """Raise the eigenvalues of K that are below a limit to that limit.

    Parameters
    ----------
    K : DataFrame, (matrix, labels) or Relationship, q levels
        Symmetric.
    smallest : float, default 1e-6
        The limit, relative to the mean of the eigenvalues; positive and below 1.

    Returns
    -------
    CovarianceRelationship
        Labelled as `K`; with the elements of `K` when no eigenvalue was below the limit, else
        `history` says what was done.

    Warns
    -----
    MatrixChangedWarning
        How many eigenvalues were raised and the largest change of an element.

    Raises
    ------
    ArgumentError
        `smallest` is out of range.
    RelationshipError
        `K` is not symmetric, not finite, not labelled, or has a negative diagonal element.

    References
    ----------
    Hayes, J.F. & Hill, W.G. (1981). Modification of estimates of parameters in the construction of
    genetic selection indices ('bending'). Biometrics 37: 483-493.
    """
    if not (isinstance(smallest, Real) and 0 < smallest < 1):
        raise ArgumentError(
            f"smallest is relative to the mean eigenvalue, above 0 and below 1, not {smallest!r}"
        )
    given = as_labelled(K, "the matrix to bend")
    values = given.to_frame().to_numpy()
    eigenvalues, Q = np.linalg.eigh(values)
    limit = smallest * eigenvalues.mean()
    low = eigenvalues < limit
    if not low.any():
        return CovarianceRelationship(given.labels, values, given.source, given.history)
    bent = (Q * np.maximum(eigenvalues, limit)) @ Q.T
    done = (
        f"{low.sum()} of {given.size} eigenvalues were below {limit:.3g} (smallest "
        f"{eigenvalues[0]:.3g}) and were raised to it; no element changed by more than "
        f"{abs(bent - values).max():.3g}"
    )
    warn(done, MatrixChangedWarning)
    history = (*given.history, f"bent: {done}")
    return CovarianceRelationship(given.labels, (bent + bent.T) / 2, given.source, history)
