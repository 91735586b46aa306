"""The inverse and the sparse factor of A, straight from the pedigree.

With A = T D T' and T^-1 = I - P, both follow from the parents and the inbreeding alone
(Henderson 1976, Biometrics 32, 69-83; Quaas 1976, Biometrics 32, 949-953).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from animalmm.pedigree.gene_flow import Parents, parent_matrix

__all__ = ["a_inverse", "factor"]


def a_inverse(parents: Parents, d: npt.NDArray[np.float64]) -> sparse.csc_array[np.float64]:
    """A^-1 = (I - P)' D^-1 (I - P).

    Parameters
    ----------
    parents : Parents
        n animals.
    d : ndarray, shape (n,)
        Variances of Mendelian sampling, positive.

    Returns
    -------
    csc_array, shape (n, n)
        Symmetric to the last bit, indices sorted.
    """
    M = sparse.eye_array(len(d), format="csr") - parent_matrix(parents)
    inverse = sparse.csc_array(M.T @ sparse.diags_array(1.0 / d) @ M)
    inverse.sort_indices()
    return inverse


def factor(parents: Parents, d: npt.NDArray[np.float64]) -> sparse.csc_array[np.float64]:
    """L = T D^(1/2), with A = L L'.

    Parameters
    ----------
    parents : Parents
        n animals.
    d : ndarray, shape (n,)
        Variances of Mendelian sampling.

    Returns
    -------
    csc_array, shape (n, n)
        Lower triangular, one entry for every animal and ancestor, indices sorted.
    """
    T = _descent(parents)
    L = sparse.csc_array(T @ sparse.diags_array(np.sqrt(d)))
    L.sort_indices()
    return L


def _descent(parents: Parents) -> sparse.csr_array[np.float64]:
    """T = (I - P)^-1, generation by generation: own gene, and the mean of the parents' rows.

    Rows of earlier generations are kept as blocks and never copied until the end: T is the
    largest matrix that a pedigree gives.
    """
    n = len(parents.sire)
    order = np.argsort(parents.generation, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(parents.generation[order])) + 1)
    P = parent_matrix(parents)
    own = sparse.eye_array(n, format="csr")
    blocks: list[sparse.csr_array[np.float64]] = []
    for group in groups:
        rows = P[group]
        block = own[group]
        for earlier, animals in zip(blocks, groups, strict=False):
            if (step := rows[:, animals]).nnz:
                block = block + step @ earlier
        blocks.append(block)
    back = np.empty(n, dtype=np.intp)
    back[order] = np.arange(n)
    return sparse.vstack(blocks, format="csr")[back]
