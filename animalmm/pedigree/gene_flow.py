"""The flow of genes through a pedigree, A = T D T', and any block of A.

`T = (I - P)^-1` where row i of P has 1/2 at each known parent of i: `T[i, k]` is the share of the
genes of animal i that descends from k. `D` is diagonal, the variances of Mendelian sampling
(Henderson 1976, Biometrics 32, 69-83; Thompson 1977, Biometrics 33, 705-712).

Columns of A need no matrix: `T (D (T' e))` passes genes up from e to its ancestors, then down
(Colleau 2002, Genetics Selection Evolution 34, 409-421). Here many columns go at once, up by
sparse products, down generation by generation through the ancestors that matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["Parents", "gene_shares", "parent_matrix", "pass_down", "relationships"]


@dataclass(frozen=True)
class Parents:
    """A sorted pedigree as arrays.

    Attributes
    ----------
    sire, dam : ndarray of intp, shape (n,)
        Positions of the parents, each before its progeny; -1 where unknown.
    generation : ndarray of intp, shape (n,)
        Length of the longest path from a founder.
    """

    sire: npt.NDArray[np.intp]
    dam: npt.NDArray[np.intp]
    generation: npt.NDArray[np.intp]


def parent_matrix(parents: Parents) -> sparse.csr_array[np.float64]:
    """P, n x n and strictly lower triangular: 1/2 at each known parent, 1 at that of a self."""
    n = len(parents.sire)
    # 32-bit indices halve the memory, and sparse solvers ask for them.
    progeny = np.tile(np.arange(n, dtype=np.int32), 2)
    parent = np.concatenate([parents.sire, parents.dam]).astype(np.int32)
    known = parent >= 0
    halves = np.full(int(known.sum()), 0.5)
    # Entries at the same place, the two of a selfed animal, are added up.
    return sparse.csr_array((halves, (progeny[known], parent[known])), shape=(n, n))


def gene_shares(
    P: sparse.csr_array[np.float64], X: sparse.csr_array[np.float64]
) -> sparse.csr_array[np.float64]:
    """Rows of X T, the shares that descend from each ancestor.

    Parameters
    ----------
    P : csr_array, shape (n, n)
        From `parent_matrix`.
    X : csr_array, shape (m, n)
        Rows of the identity, or weights of animals.

    Returns
    -------
    csr_array, shape (m, n)
        X + X P + X P^2 + ..., which ends since P is nilpotent.
    """
    total = step = X
    while (step := step @ P).nnz:
        total = total + step
    return total


def pass_down(x: npt.NDArray[np.float64], parents: Parents) -> None:
    """Replace x by T x in place: each row gains the mean of its parents' rows.

    Parameters
    ----------
    x : ndarray, shape (n + 1,) or (n + 1, m)
        Own terms, with a last row of zeros that stands for the unknown parent.
    parents : Parents
        n animals in the order of their generations.
    """
    ends = np.searchsorted(parents.generation, np.arange(1, parents.generation.max(initial=0) + 2))
    for start, end in pairwise(ends):
        x[start:end] += 0.5 * (x[parents.sire[start:end]] + x[parents.dam[start:end]])


def relationships(
    parents: Parents,
    P: sparse.csr_array[np.float64],
    d: npt.NDArray[np.float64],
    rows: npt.NDArray[np.intp],
    columns: npt.NDArray[np.intp],
) -> npt.NDArray[np.float64]:
    """Compute the block A[rows, columns].

    Parameters
    ----------
    parents : Parents
        n animals.
    P : csr_array, shape (n, n)
        From `parent_matrix`.
    d : ndarray, shape (n,)
        Variances of Mendelian sampling; read only at `columns` and their ancestors.
    rows, columns : ndarray of intp, shapes (r,) and (c,)
        Positions.

    Returns
    -------
    ndarray, shape (r, c)
    """
    n, m = len(d), len(columns)
    starts = np.arange(m + 1, dtype=np.int32)
    pick = sparse.csr_array((np.ones(m), columns.astype(np.int32), starts), shape=(m, n))
    up = gene_shares(P, pick).tocoo()
    family, place = _with_ancestors(parents, rows)
    x = np.zeros((len(family.sire) + 1, m))
    x[place[up.col], up.row] = up.data * d[up.col]
    x[-1] = 0.0  # what fell on animals outside the family
    pass_down(x, family)
    return x[place[rows]]


def _with_ancestors(
    parents: Parents, animals: npt.NDArray[np.intp]
) -> tuple[Parents, npt.NDArray[np.intp]]:
    """Cut out animals and all their ancestors, in the order of generations.

    Returns
    -------
    family : Parents
        f animals.
    place : ndarray of intp, shape (n + 1,)
        Where each animal stands in the family; f for those outside it and for the unknown parent.
    """
    n = len(parents.sire)
    inside = np.zeros(n + 1, dtype=bool)
    inside[-1] = True  # the unknown parent (position -1) is never a new one
    while animals.size:
        inside[animals] = True
        found = np.concatenate([parents.sire[animals], parents.dam[animals]])
        animals = np.unique(found[~inside[found]])
    members = np.flatnonzero(inside[:-1])
    members = members[np.argsort(parents.generation[members], kind="stable")]
    place = np.full(n + 1, len(members), dtype=np.intp)
    place[members] = np.arange(len(members))
    family = Parents(
        sire=place[parents.sire[members]],
        dam=place[parents.dam[members]],
        generation=parents.generation[members],
    )
    return family, place
