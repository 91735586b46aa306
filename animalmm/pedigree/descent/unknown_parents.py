"""Flows in which the groups of unknown parents are units themselves, before the animals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from animalmm.pedigree.descent.additive import Parents
from animalmm.pedigree.descent.gene_flow import GeneFlow

__all__ = ["group_flow", "quaas_westell_inverse", "with_metafounders"]


def group_flow(
    flow: GeneFlow,
    sire_group: npt.NDArray[np.intp],
    dam_group: npt.NDArray[np.intp],
    shares: npt.NDArray[np.float64],
    variance: float,
) -> GeneFlow:
    """K = T D T' of groups g and animals ``u* = u + Q g``, ``Var(g) = I variance``.

    Parameters
    ----------
    flow : GeneFlow
        A of n animals, whose unknown parents are unrelated and not inbred.
    sire_group, dam_group : ndarray of intp, shape (n,)
        Positions of the groups of unknown parents, -1 where known or of no group.
    shares : ndarray, shape (n, m)
        Q: the share of each animal's genes that comes from each of the m groups.
    variance : float
        Variance of a group, in units of the additive variance.

    Returns
    -------
    GeneFlow
        m + n units, groups first.
    """
    m, n = shares.shape[1], len(flow.d)
    down = sparse.hstack([_halves(sire_group, dam_group, m), flow.P])
    P = sparse.vstack([sparse.csr_array((m, m + n)), down], format="csr")
    d = np.concatenate([np.full(m, variance), flow.d])
    level = np.concatenate([np.zeros(m, dtype=np.intp), flow.level + 1])
    within = flow.diagonal + variance * np.einsum("ij,ij->i", shares, shares)
    return GeneFlow(P, d, level, np.concatenate([np.full(m, variance), within]))


def quaas_westell_inverse(
    flow: GeneFlow,
    sire_group: npt.NDArray[np.intp],
    dam_group: npt.NDArray[np.intp],
    n_groups: int,
) -> sparse.csc_array[np.float64]:
    """A*^-1 of fixed groups and animals, the limit of K^-1 where the variance is infinite.

    Parameters
    ----------
    flow : GeneFlow
        A of n animals, every d positive.
    sire_group, dam_group : ndarray of intp, shape (n,)
        Positions of the groups of unknown parents, -1 where known or of no group.
    n_groups : int
        Number of groups, m.

    Returns
    -------
    csc_array, shape (m + n, m + n)
        ``M' D^-1 M`` with ``M = [-P0, I - P]`` for groups and animals: of rank n.

    Notes
    -----
    Quaas (1988), Journal of Dairy Science 71, 1338-1345; Westell, Quaas & Van Vleck (1988), Journal
    of Dairy Science 71, 1310-1318.
    """
    identity = sparse.eye_array(len(flow.d), format="csr")
    M = sparse.hstack([-_halves(sire_group, dam_group, n_groups), identity - flow.P], format="csr")
    inverse = sparse.csc_array(M.T @ sparse.diags_array(1.0 / flow.d) @ M)
    inverse.sort_indices()
    return inverse


def with_metafounders(
    parents: Parents,
    sire_group: npt.NDArray[np.intp],
    dam_group: npt.NDArray[np.intp],
    gamma: npt.NDArray[np.float64],
) -> Parents:
    """The pedigree in which the group of an unknown parent is the parent.

    Parameters
    ----------
    parents : Parents
        n animals.
    sire_group, dam_group : ndarray of intp, shape (n,)
        Positions of the groups of unknown parents, -1 where known or of no group.
    gamma : ndarray, shape (m, m)
        Relationships among the metafounders, positive definite.

    Returns
    -------
    Parents
        m + n units, metafounders first.
    """
    m = len(gamma)
    none = np.full(m, -1, dtype=np.intp)

    def units(parent: npt.NDArray[np.intp], group: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        return np.concatenate([none, np.where(parent >= 0, parent + m, group)])

    return Parents(
        sire=units(parents.sire, sire_group),
        dam=units(parents.dam, dam_group),
        generation=np.concatenate([none + 1, parents.generation + 1]),
        retained=np.concatenate([np.ones(m), parents.retained]),
        base=gamma,
    )


def _halves(
    sire_group: npt.NDArray[np.intp], dam_group: npt.NDArray[np.intp], n_groups: int
) -> sparse.csr_array[np.float64]:
    """1/2 at the group of each unknown parent, shape (n, m)."""
    n = len(sire_group)
    animals = np.tile(np.arange(n, dtype=np.int32), 2)
    groups = np.concatenate([sire_group, dam_group]).astype(np.int32)
    known = groups >= 0
    halves = np.full(int(known.sum()), 0.5)
    return sparse.csr_array((halves, (animals[known], groups[known])), shape=(n, n_groups))
