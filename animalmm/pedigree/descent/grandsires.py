"""Relationships among sires by their sires and maternal grandsires."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from animalmm.pedigree.descent.additive import Parents, additive_flow
from animalmm.pedigree.descent.gene_flow import GeneFlow
from animalmm.pedigree.sorting import generations

__all__ = ["grandsire_flow"]


def grandsire_flow(sire: npt.NDArray[np.intp], grandsire: npt.NDArray[np.intp]) -> GeneFlow:
    """A among n bulls, each by a sire out of a daughter of its maternal grandsire.

    Parameters
    ----------
    sire, grandsire : ndarray of intp, shape (n,)
        Positions of the sires and maternal grandsires, each before his progeny; -1 where unknown.

    Returns
    -------
    GeneFlow
        With weights 1/2 of the sire and 1/4 of the grandsire and variances
        ``1 - a_ss/4 - a_gg/16`` (what is unknown left out), 11/16 without inbreeding. `diagonal` is
        1 + F, ``F = a_sg / 4``.

    Notes
    -----
    Exact where the dams are related by their sires only and no two bulls have the same dam: F is
    that of the pedigree in which a dam of his own stands before each bull. Henderson (1975),
    Journal of Dairy Science 58, 1917-1921; Mrode (2014), Linear Models for the Prediction of Animal
    Breeding Values, 3rd ed., section 2.5.
    """
    n = len(sire)
    bull = np.arange(n)
    son, daughter = 2 * bull + 1, 2 * bull  # places of a bull and of its dam
    place = np.append(son, -1)  # the last: unknown stays unknown
    sires = np.full(2 * n, -1, dtype=np.intp)
    dams = np.full(2 * n, -1, dtype=np.intp)
    sires[son], sires[daughter] = place[sire], place[grandsire]
    dams[son] = np.where(grandsire >= 0, daughter, -1)
    level = generations(sires, dams)
    whole = additive_flow(Parents(sires, dams, level, np.ones(2 * n)))
    diagonal = whole.diagonal[son]
    a = np.append(diagonal, 0.0)
    d = 1.0 - a[sire] / 4.0 - a[grandsire] / 16.0
    return GeneFlow(_weights(sire, grandsire), d, level[son], diagonal)


def _weights(
    sire: npt.NDArray[np.intp], grandsire: npt.NDArray[np.intp]
) -> sparse.csr_array[np.float64]:
    """P: 1/2 at the sire, 1/4 at the maternal grandsire; a bull may be both."""
    n = len(sire)
    bulls = np.tile(np.arange(n, dtype=np.int32), 2)
    ancestors = np.concatenate([sire, grandsire]).astype(np.int32)
    weights = np.repeat([0.5, 0.25], n)
    known = ancestors >= 0
    return sparse.csr_array((weights[known], (bulls[known], ancestors[known])), shape=(n, n))
