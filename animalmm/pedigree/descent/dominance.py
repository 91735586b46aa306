"""Dominance relationships of a pedigree, mating by mating.

Full sibs have the same relationships with everybody, so these are computed among the matings, of
which there are fewer than animals, and only where they are not zero.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from animalmm.linalg import require_memory
from animalmm.pedigree.descent.gene_flow import GeneFlow
from animalmm.pedigree.descent.lineage import Lineage

__all__ = ["dominance_matrix"]

MATINGS_AT_ONCE = 512
_FEWER = "Choose fewer animals, such as those with records: ids=..."


def dominance_matrix(
    flow: GeneFlow,
    sire: npt.NDArray[np.intp],
    dam: npt.NDArray[np.intp],
    F: npt.NDArray[np.float64],
) -> sparse.csc_array[np.float64]:
    """D of m animals: ``d_ij = (a_ss a_dd + a_sd a_ds) / 4`` by parents, and ``d_ii = 1 - F_i``.

    Parameters
    ----------
    flow : GeneFlow
        A of all n animals.
    sire, dam : ndarray of intp, shape (m,)
        Positions of the parents of the animals among the n, -1 where unknown.
    F : ndarray, shape (m,)
        Inbreeding of the animals.

    Returns
    -------
    csc_array, shape (m, m)
        An animal with an unknown parent is related to none but itself.

    Raises
    ------
    ArgumentError
        When D would not fit into memory.

    Notes
    -----
    Cockerham (1954), Genetics 39, 859-882; Henderson (1985), Journal of Animal Science 60, 111-117.
    """
    m = len(sire)
    known = np.flatnonzero((sire >= 0) & (dam >= 0))
    matings, family = np.unique(np.stack([sire[known], dam[known]]), axis=1, return_inverse=True)
    family = family.reshape(-1)
    C = _among_matings(flow, matings[0], matings[1])
    sizes = np.bincount(family, minlength=matings.shape[1]).astype(float)
    _require(float(sizes @ (C.astype(bool) @ sizes)))
    W = sparse.csr_array((np.ones(len(known)), (known, family)), shape=(m, matings.shape[1]))
    D = W @ C @ W.T
    return sparse.csc_array(D + sparse.diags_array(1.0 - F - D.diagonal()))


def _among_matings(
    flow: GeneFlow, sire: npt.NDArray[np.intp], dam: npt.NDArray[np.intp]
) -> sparse.csr_array[np.float64]:
    """Dominance relationships of progeny of f matings, also within a mating, shape (f, f)."""
    parents, place = np.unique(np.concatenate([sire, dam]), return_inverse=True)
    s, d = place.reshape(2, -1)
    L = _factor_rows(flow, parents)
    blocks, stored = [sparse.csr_array((0, len(s)))], 0.0
    for start in range(0, len(s), MATINGS_AT_ONCE):
        these = slice(start, start + MATINGS_AT_ONCE)
        rows, place = np.unique(np.concatenate([s[these], d[these]]), return_inverse=True)
        of_sire, of_dam = place.reshape(2, -1)
        A = L[rows] @ L.T
        A_s, A_d = A[of_sire], A[of_dam]
        both = A_s[:, s].multiply(A_d[:, d]) + A_s[:, d].multiply(A_d[:, s])
        blocks.append(sparse.csr_array(0.25 * both))
        stored += both.nnz
        _require(stored * len(s) / (start + len(of_sire)))
    return sparse.vstack(blocks, format="csr")


def _factor_rows(flow: GeneFlow, units: npt.NDArray[np.intp]) -> sparse.csr_array[np.float64]:
    """Rows of L = T D^(1/2) of some units, by their ancestors: A among the units is L L'."""
    line = Lineage.of(units, flow.P, flow.level)
    at = line.units
    part = GeneFlow(line.P, flow.d[at], flow.level[at], flow.diagonal[at])
    return sparse.csr_array(part.factor())[line.place[units]]


def _require(stored: float) -> None:
    """Refuse to store and to join more elements than memory holds."""
    require_memory(
        3 * 12.0 * stored, f"D with about {stored:.3g} elements or more that are not 0", _FEWER
    )
