"""The flow of genes through a pedigree, K = T D T', and every form of K that follows from it.

Each value is the weighted sum of its parents' values and a term of its own, `u = P u + m` with
`Var(m) = D` diagonal, hence `u = T m` with `T = (I - P)^-1` and `K = T D T'`. With 1/2 at each
known parent K is the numerator relationship matrix A, and `T[i, k]` the share of the genes of
animal i that descends from k (Henderson 1976, Biometrics 32, 69-83; Thompson 1977, Biometrics 33,
705-712).
Other weights give the relationships of a sex chromosome or of sires and maternal grandsires.

Columns of K need no matrix: `T (D (T' e))` passes genes up from e to its ancestors, then down
(Colleau 2002, Genetics Selection Evolution 34, 409-421). Here many columns go at once, up by
sparse products, down level by level through the ancestors that matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["GeneFlow", "block"]

COLUMNS_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class GeneFlow:
    """K = T D T' among n units, parents before progeny.

    Attributes
    ----------
    P : csr_array, shape (n, n)
        Weights of the parents, strictly lower triangular.
    d : ndarray, shape (n,)
        Variances of the units' own terms, the diagonal of D.
    level : ndarray of intp, shape (n,)
        Higher for a unit than for each of its parents.
    diagonal : ndarray, shape (n,)
        K_ii.
    """

    P: sparse.csr_array[np.float64]
    d: npt.NDArray[np.float64]
    level: npt.NDArray[np.intp]
    diagonal: npt.NDArray[np.float64]

    def block(
        self, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.float64]:
        """K[rows, columns], shape (r, c), without forming the rest.

        Parameters
        ----------
        rows, columns : ndarray of intp, shapes (r,) and (c,)
            Positions.
        """
        K = np.empty((len(rows), len(columns)))
        for start in range(0, len(columns), COLUMNS_AT_ONCE):
            these = slice(start, start + COLUMNS_AT_ONCE)
            K[:, these] = block(self.P, self.level, self.d, rows, columns[these])
        return K

    def inverse(self) -> sparse.csc_array[np.float64]:
        """K^-1 = (I - P)' D^-1 (I - P), shape (n, n), symmetric to the last bit; d > 0."""
        M = sparse.eye_array(len(self.d), format="csr") - self.P
        inverse = sparse.csc_array(M.T @ sparse.diags_array(1.0 / self.d) @ M)
        inverse.sort_indices()
        return inverse

    def factor(self) -> sparse.csc_array[np.float64]:
        """L = T D^(1/2) with K = L L', shape (n, n), lower triangular.

        It has one entry for every unit and ancestor.
        """
        L = sparse.csc_array(_descent(self.P, self.level) @ sparse.diags_array(np.sqrt(self.d)))
        L.sort_indices()
        return L

    def logdet(self) -> float:
        """log|K|, the sum of log d; -inf where K is singular."""
        with np.errstate(divide="ignore"):
            return float(np.log(self.d).sum())


def block(
    P: sparse.csr_array[np.float64],
    level: npt.NDArray[np.intp],
    d: npt.NDArray[np.float64],
    rows: npt.NDArray[np.intp],
    columns: npt.NDArray[np.intp],
) -> npt.NDArray[np.float64]:
    """K[rows, columns], all columns at once.

    Parameters
    ----------
    P, level, d
        As in `GeneFlow`; d is read only at `columns` and their ancestors.
    rows, columns : ndarray of intp, shapes (r,) and (c,)
        Positions.

    Returns
    -------
    ndarray, shape (r, c)
    """
    n, m = len(d), len(columns)
    starts = np.arange(m + 1, dtype=np.int32)
    pick = sparse.csr_array((np.ones(m), columns.astype(np.int32), starts), shape=(m, n))
    up = _gene_shares(P, pick).tocoo()
    family = _with_ancestors(P, rows)
    family = family[np.argsort(level[family], kind="stable")]
    place = np.full(n, len(family), dtype=np.intp)
    place[family] = np.arange(len(family))
    x = np.zeros((len(family) + 1, m))  # the last row takes what falls outside the family
    x[place[up.col], up.row] = up.data * d[up.col]
    _pass_down(x[:-1], P[family][:, family], level[family])
    return x[place[rows]]


def _gene_shares(
    P: sparse.csr_array[np.float64], X: sparse.csr_array[np.float64]
) -> sparse.csr_array[np.float64]:
    """X T = X + X P + X P^2 + ..., which ends since P is nilpotent."""
    total = step = X
    while (step := step @ P).nnz:
        total = total + step
    return total


def _pass_down(
    x: npt.NDArray[np.float64], P: sparse.csr_array[np.float64], level: npt.NDArray[np.intp]
) -> None:
    """Replace x by T x in place; `level` does not decrease."""
    ends = np.searchsorted(level, np.unique(level), side="right")
    for start, end in pairwise(ends):
        x[start:end] += P[start:end] @ x


def _with_ancestors(
    P: sparse.csr_array[np.float64], units: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """Positions of the units and of all their ancestors, ascending."""
    inside = np.zeros(P.shape[0], dtype=bool)
    while units.size:
        inside[units] = True
        parents = np.unique(P[units].indices)
        units = parents[~inside[parents]]
    return np.flatnonzero(inside)


def _descent(
    P: sparse.csr_array[np.float64], level: npt.NDArray[np.intp]
) -> sparse.csr_array[np.float64]:
    """T = (I - P)^-1, level by level: a unit's own term, and the weighted rows of its parents.

    Rows of earlier levels are kept as blocks and never copied until the end: T is the largest
    matrix that a pedigree gives.
    """
    n = len(level)
    order = np.argsort(level, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(level[order])) + 1)
    own = sparse.eye_array(n, format="csr")
    blocks: list[sparse.csr_array[np.float64]] = []
    for group in groups:
        rows = P[group]
        T = own[group]
        for earlier, units in zip(blocks, groups, strict=False):
            if (step := rows[:, units]).nnz:
                T = T + step @ earlier
        blocks.append(T)
    back = np.empty(n, dtype=np.intp)
    back[order] = np.arange(n)
    return sparse.vstack(blocks, format="csr")[back]
