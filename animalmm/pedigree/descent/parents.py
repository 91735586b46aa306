"""A sorted pedigree as arrays, and the flow of genes that it says, apart from inbreeding."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.linalg import solve_triangular

__all__ = ["CLONE", "Parents", "parent_weights", "variances"]

CLONE = 2.0
"""`Parents.retained` of a copy."""

_Floats = npt.NDArray[np.float64]


def _no_base() -> _Floats:
    return np.zeros((0, 0))


@dataclass(frozen=True, eq=False)
class Parents:
    """A sorted pedigree as arrays.

    Attributes
    ----------
    sire, dam : ndarray of intp, shape (n,)
        Positions of the parents, each before its progeny; -1 where unknown.
    generation : ndarray of intp, shape (n,)
        Length of the longest path from a founder.
    retained : ndarray, shape (n,)
        Share of the heterozygosity of the zygote that the animal has kept, so that
        ``1 - F = (1 - F_zygote) retained``: 1 as a rule, 2^-k after k selfings, 1 - F for a founder
        that is inbred, and 2 for a clone, both of whose parents are the original: the copy is twice
        as heterozygous as a selfed progeny.
    base : ndarray, shape (m, m)
        Relationships Gamma among the first m units where these are metafounders, which have no
        parents; positive definite (Legarra et al. 2015, Genetics 200, 455-468). None as a rule.
    """

    sire: npt.NDArray[np.intp]
    dam: npt.NDArray[np.intp]
    generation: npt.NDArray[np.intp]
    retained: _Floats
    base: _Floats = field(default_factory=_no_base)

    @property
    def level(self) -> npt.NDArray[np.intp]:
        """The generation, with the metafounders one after the other before all others."""
        base = len(self.base)
        return np.concatenate([np.arange(base), base + self.generation[base:]])


def parent_weights(parents: Parents) -> sparse.csr_array[np.float64]:
    """P, shape (n, n): 1/2 at each known parent, 1 at that of a selfed animal; see `_base_flow`."""
    n = len(parents.sire)
    # 32-bit indices halve the memory, and sparse solvers ask for them.
    progeny = np.tile(np.arange(n, dtype=np.int32), 2)
    parent = np.concatenate([parents.sire, parents.dam]).astype(np.int32)
    known = parent >= 0
    base = sparse.coo_array(_base_flow(parents.base)[0])
    rows = np.concatenate([base.coords[0].astype(np.int32), progeny[known]])
    columns = np.concatenate([base.coords[1].astype(np.int32), parent[known]])
    weights = np.concatenate([base.data, np.full(int(known.sum()), 0.5)])
    # Entries at the same place, the two of a selfed animal, are added up.
    return sparse.csr_array((weights, (rows, columns)), shape=(n, n))


def variances(parents: Parents, zygote: _Floats) -> tuple[_Floats, _Floats]:
    """F and d, each of shape (n,), from the inbreeding of the zygotes.

    `d` is the variance of Mendelian sampling in units of the additive variance of the founders: 1
    without known parents, 3/4 - F_p/4 with one, 1/2 - (F_s + F_d)/4 with two, and for an animal
    that was selfed, or an inbred founder, as much more as it is more inbred than its zygote was.
    """
    F = 1.0 - (1.0 - zygote) * parents.retained
    # With F = -1 for the unknown parent, at position -1, the three cases are one.
    padded = np.append(F, -1.0)
    d = 0.5 - 0.25 * (padded[parents.sire] + padded[parents.dam]) + (F - zygote)
    d[: len(parents.base)] = _base_flow(parents.base)[1]
    d[parents.retained == CLONE] = 0.0  # nothing of its own, not even rounding
    return F, d


def _base_flow(gamma: _Floats) -> tuple[_Floats, _Floats]:
    """P (m, m) and d (m,) of metafounders: Gamma = (I - P)^-1 diag(d) (I - P')^-1."""
    C = np.linalg.cholesky(gamma)
    own = np.diag(C)
    identity = np.eye(len(gamma))
    unit_inverse = own[:, None] * solve_triangular(C, identity, lower=True)
    return np.tril(identity - unit_inverse, -1), own**2
