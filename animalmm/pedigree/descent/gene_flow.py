"""The flow of genes through a pedigree, K = T D T', and every form of K that follows from it.

Each value is the weighted sum of its parents' values and a term of its own, `u = P u + m` with
`Var(m) = D` diagonal, hence `u = T m` with `T = (I - P)^-1` and `K = T D T'`. With 1/2 at each
known parent K is the numerator relationship matrix A, and `T[i, k]` the share of the genes of
animal i that descends from k (Henderson 1976, Biometrics 32, 69-83). Other weights give the
relationships of a sex chromosome or of sires and maternal grandsires.

Products with K need no matrix: `T (D (T' v))` passes genes up from v to the ancestors, then down
(Colleau 2002, Genetics Selection Evolution 34, 409-421). A block of K is such a product with
columns of the identity, walked only through the ancestors of its rows and columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

from animalmm.linalg import require_memory
from animalmm.pedigree.descent.lineage import Lineage, most_ancestors

__all__ = ["GeneFlow"]

COLUMNS_AT_ONCE = 128
"""More of them share a walk, and need more memory (8 bytes times units times columns)."""

BYTES_PER_ENTRY = 12  # of a sparse matrix: a value and a 32-bit index


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
        Higher for a unit than for each of its parents, 0 at least.
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
            Positions. `d` is read only at `columns` and their ancestors.
        """
        K = np.empty((len(rows), len(columns)))
        below = Lineage.of(rows, self.P, self.level)
        for start in range(0, len(columns), COLUMNS_AT_ONCE):
            chosen = columns[start : start + COLUMNS_AT_ONCE]
            above = Lineage.of(chosen, self.P, self.level)
            x = np.zeros((len(above), len(chosen)))
            x[above.place[chosen], np.arange(len(chosen))] = 1.0
            above.pass_up(x)
            x *= self.d[above.units, None]
            y = np.zeros((len(below) + 1, len(chosen)))  # the last takes those of `above` alone
            y[below.place[above.units]] = x
            below.pass_down(y[:-1])
            K[:, start : start + len(chosen)] = y[below.place[rows]]
        return K

    def multiply(self, V: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """K V, without forming K.

        Parameters
        ----------
        V : ndarray, shape (n,) or (n, m)

        Returns
        -------
        ndarray, as V
        """
        line = self._everyone
        x = V.reshape(len(V), -1)[line.units].astype(np.float64)
        line.pass_up(x)
        x *= self.d[line.units, None]
        line.pass_down(x)
        return x[line.place].reshape(V.shape)

    def inverse(self) -> sparse.csc_array[np.float64]:
        """K^-1 = (I - P)' D^-1 (I - P), shape (n, n), symmetric to the last bit; d > 0.

        Row by row of (I - P) these are the rules of Henderson (1976).
        """
        M = sparse.eye_array(len(self.d), format="csr") - self.P
        # Half of D^-1 on either side, so that entries (i, j) and (j, i) are the same products.
        M.data /= np.repeat(np.sqrt(self.d), np.diff(M.indptr))
        inverse = sparse.csc_array(M.T @ M)
        inverse.sort_indices()
        return inverse

    def factor(self) -> sparse.csc_array[np.float64]:
        """L = T D^(1/2) with K = L L', shape (n, n), lower triangular.

        It has one entry for every unit and ancestor.

        Raises
        ------
        ArgumentError
            When the entries may not fit into memory.
        """
        most = self.factor_entries()
        require_memory(
            2.0 * BYTES_PER_ENTRY * most,
            f"the sparse factor of the relationships of {len(self.d)} animals, one entry for every "
            "animal and ancestor,",
            "Use the inverse, which has a few entries for each animal (in a model engine='auto' or "
            "'mme'), or products with the matrix",
        )
        line = self._everyone
        T = _descent(line, most)
        T.data *= np.sqrt(self.d[line.units])[T.indices]
        columns = line.units.astype(T.indices.dtype)[T.indices]
        rows = sparse.csr_array((T.data, columns, T.indptr), shape=T.shape)
        return sparse.csc_array(rows[line.place])

    def matrix(self) -> sparse.csc_array[np.float64]:
        """K itself, shape (n, n), without its zeros: sparse where few are related.

        Raises
        ------
        ArgumentError
            When the entries, estimated from a sample of columns, would not fit into memory.
        """
        n = len(self.d)
        some = np.unique(np.linspace(0, n - 1, min(n, COLUMNS_AT_ONCE)).astype(np.intp))
        share = np.count_nonzero(self.block(np.arange(n), some)) / max(n * len(some), 1)
        require_memory(
            3.0 * BYTES_PER_ENTRY * share * n**2,
            f"the relationships of {n} animals, {share:.1%} of them not zero,",
            "Use the inverse, products with the matrix, or a block of fewer animals",
        )
        L = self.factor()
        K = sparse.csc_array(L @ L.T)
        K.sort_indices()
        return K

    def factor_entries(self) -> float:
        """At most how many entries `factor` has, from a count of paths and of parents."""
        return float(most_ancestors(self.P, self.level).sum())

    def logdet(self) -> float:
        """log|K|, the sum of log d; -inf where K is singular."""
        with np.errstate(divide="ignore"):
            return float(np.log(self.d).sum())

    @cached_property
    def _everyone(self) -> Lineage:
        return Lineage.of(np.arange(len(self.d)), self.P, self.level)


def _descent(line: Lineage, most: float) -> sparse.csr_array[np.float64]:
    """T = (I - P)^-1 of a lineage, in its order, of at most so many entries.

    Level by level: a unit's own term, and the weighted rows of its parents. T is the largest matrix
    that a pedigree gives, so its rows are written to where they stay.
    """
    n, P = len(line), line.P
    index: npt.DTypeLike = np.int32 if most < np.iinfo(np.int32).max else np.int64
    data, indices, ends = np.empty(int(most)), np.empty(int(most), index), np.zeros(n + 1, index)
    for start, end in pairwise(line.cuts):
        filled = ends[start]
        T = sparse.csr_array((data[:filled], indices[:filled], ends[: start + 1]), shape=(start, n))
        own = sparse.eye_array(end - start, n, k=start, format="csr")
        rows = sparse.csr_array(P[start:end, :start] @ T + own)
        ends[start + 1 : end + 1] = filled + rows.indptr[1:]
        data[filled : ends[end]] = rows.data
        indices[filled : ends[end]] = rows.indices
    return sparse.csr_array((data[: ends[n]], indices[: ends[n]], ends), shape=(n, n))
