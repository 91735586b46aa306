"""Single step: one relationship matrix H for animals with and without genotypes.

Legarra, Aguilar & Misztal (2009), Journal of Dairy Science 92: 4656-4663, define it: genotyped
animals (2) have their genomic relationships G, and the others (1) follow by the pedigree given
the genotyped ones. Its inverse is that of A but for one block (Aguilar et al. 2010, Journal of
Dairy Science 93: 743-752; Christensen & Lund 2010, Genetics Selection Evolution 42: 2)::

    H^-1 = A^-1 + [0                0             ]
                  [0  tau G^-1 - omega A22^-1     ]

Under H the genotyped animals alone have the precision ``M = tau G^-1 + (1 - omega) A22^-1``, which
is G^-1 when tau = omega = 1, and the others follow as they do under A. Hence, for any tau and
omega, H is positive definite where M is, and with ``B = A12 A22^-1``::

    H22 = M^-1      H12 = B M^-1      H11 = A11 + B (M^-1 - A22) B'
    log|H| = log|A| - log|A22| - log|M|
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Vector
from animalmm.errors import ArgumentError, RelationshipError, listing, nearest
from animalmm.linalg import require_memory
from animalmm.pedigree import Pedigree
from animalmm.relationship import blending
from animalmm.relationship.base import LabelledRelationship
from animalmm.relationship.coerce import as_labelled
from animalmm.relationship.hmatrix_apy import apy_inverse, choose_core
from animalmm.relationship.hmatrix_arrays import Inverse, dense_inverse, embed, passed_on
from animalmm.relationship.kinds import CovarianceRelationship, PrecisionRelationship
from animalmm.relationship.labels import kind_of, look_alike

__all__ = ["SingleStepRelationship", "single_step"]

Tuning = Literal["christensen", "vitezica", "mean"]

BYTES_PER_ELEMENT = 60.0  # of G, at the peak: G, A22, a factor, both inverses, the new block


@dataclass(frozen=True, eq=False, repr=False)
class SingleStepRelationship(PrecisionRelationship):
    """H of single step, by its inverse.

    Attributes
    ----------
    labels : Index
        All animals of the pedigree, in its order.
    P : csc_array, shape (n, n)
        H^-1: sparse but for the block of the genotyped animals.
    history : tuple of str
        What was done to A and G and how H^-1 was made, in order, with the figures.
    genotyped : Index
        The n2 genotyped animals, in the order of the pedigree.
    core : Index
        Those whose genomic relationships are kept whole: all, or the core of APY.
    within : LabelledRelationship
        H22, of the genotyped animals alone: G as tuned and blended when tau = omega = 1.
    base : LabelledRelationship
        A, of the pedigree.
    """

    genotyped: pd.Index = field(kw_only=True)
    core: pd.Index = field(kw_only=True)
    within: LabelledRelationship = field(kw_only=True)
    base: LabelledRelationship = field(kw_only=True)
    _logdet: float = field(kw_only=True)

    def logdet(self) -> float:
        """log|H|, exact: known since H^-1 was made."""
        return self._logdet

    @cached_property
    def _diagonal(self) -> Vector:
        given = self.labels.isin(self.genotyped)
        require_memory(
            6 * 8.0 * len(self.genotyped) ** 2,
            f"the diagonal of {self.source}",
            "The mixed model equations do without it: leave the engine to 'auto' or 'mme'.",
        )
        pedigree = _block(self.base, self.genotyped, "A22")
        factors = [np.asarray(K.factor()) for K in (self.within, pedigree)]
        gained, lost = passed_on(self.base.precision(), given, factors)
        out = np.array(self.base.diagonal())
        out[given] = self.within.diagonal()
        out[~given] += gained - lost
        return out

    def diagonal(self) -> Vector:
        """H_jj, H itself not formed: sparse solutions for twice as many columns as genotypes.

        Raises
        ------
        ArgumentError
            A dense matrix of the genotyped animals does not fit into memory.
        """
        return self._diagonal


def single_step(
    pedigree: Pedigree | LabelledRelationship,
    G: Any,
    *,
    tau: float = 1.0,
    omega: float = 1.0,
    blend: float = 0.05,
    tune: Tuning | None = "christensen",
    core: int | Iterable[Any] | None = None,
    rng: np.random.Generator | None = None,
) -> SingleStepRelationship:
    """Join pedigree and genomic relationships, H of single-step GBLUP.

    The defaults are those of BLUPF90 (tunedG 2, AlphaBeta 0.95 0.05, TauOmega 1 1), but G is tuned
    before it is blended, as McWhorter et al. (2023) advise; the two orders hardly differ at 5 %.

    Parameters
    ----------
    pedigree : Pedigree or Relationship
        All n animals. Another relationship that has a precision serves too: A with metafounders,
        for which `tune` is None, G being on their scale when its allele frequencies are 1/2.
    G : DataFrame, (matrix, ids) or Relationship
        Genomic relationships of the n2 genotyped animals, all of them in the pedigree, in any
        order: what `grm` gives.
    tau, omega : float, default 1
        Weights of G^-1 and A22^-1 (Martini et al. 2018); not negative.
        ``omega <= 1`` with ``tau > 0`` is always a covariance matrix.
    blend : float, default 0.05
        Share of A22 in G, for what markers miss and for the inverse to exist; 0 leaves G as it is.
    tune : {"christensen", "vitezica", "mean", None}, default "christensen"
        How G is brought to the base of A22 (see `animalmm.tune`): by the means of the diagonal and
        of all elements, by the mean of all elements, or not at all.
    core : int or iterable of ids, optional
        The core of APY, which makes G^-1 sparse: that many animals drawn by `rng`, or these. By
        default G is inverted as it is. H^-1 becomes sparse only where A22^-1 is, which takes
        whole generations of genotyped animals, parents and progeny.
    rng : numpy.random.Generator, optional
        Draws the core.

    Returns
    -------
    SingleStepRelationship
        Of all n animals; `history` tells what was done, with the figures.

    Raises
    ------
    ArgumentError
        A weight or the core is out of range; H^-1 does not fit into memory.
    RelationshipError
        Genotyped animals are not in the pedigree, G cannot be inverted, or H^-1 is not positive
        definite.

    References
    ----------
    Legarra et al. (2009), Aguilar et al. (2010), Christensen & Lund (2010): as at the top.
    McWhorter, T.M. et al. (2023). Implication of the order of blending and tuning when computing
    the genomic relationship matrix in single-step GBLUP. J. Anim. Breed. Genet. 140: 60-78.
    Martini, J.W.R. et al. (2018). The effect of the H^-1 scaling factors tau and omega on the
    structure of H in the single-step procedure. Genet. Sel. Evol. 50: 16.
    Misztal, I., Legarra, A. & Aguilar, I. (2014). Using recursion to compute the inverse of the
    genomic relationship matrix. J. Dairy Sci. 97: 3943-3952.
    """
    _check_weights(tau, omega)
    base = as_labelled(pedigree, "the pedigree")
    precision = base.precision()
    genomic = _matched(as_labelled(G, "G"), base.labels)
    genotyped = genomic.labels
    pedigree22 = _block(base, genotyped, "A22")
    genomic = _made_compatible(genomic, pedigree22, blend, tune)
    joint, chosen, inverse = _inverted(genomic, core, rng)
    inverse22 = dense_inverse(np.asarray(pedigree22.K), "A22")
    within, logdet = _weighted(joint, inverse, inverse22, tau, omega)
    added = tau * inverse.P - omega * inverse22.P
    places = np.flatnonzero(base.labels.isin(genotyped))
    return SingleStepRelationship(
        base.labels,
        sparse.csc_array(precision + embed(added, places, base.size)),
        "H of single step",
        (
            *base.history,
            *joint.history,
            f"H^-1 of {base.size} animals, {len(genotyped)} of them genotyped, with tau = {tau:g} "
            f"and omega = {omega:g}",
        ),
        genotyped=genotyped,
        core=chosen,
        within=within,
        base=base,
        _logdet=base.logdet() - inverse22.logdet + logdet,
    )


def _check_weights(tau: float, omega: float) -> None:
    for name, value in (("tau", tau), ("omega", omega)):
        if not (isinstance(value, Real) and 0 <= value < np.inf):
            raise ArgumentError(f"{name} must be a number that is not negative, not {value!r}")


def _matched(G: LabelledRelationship, labels: pd.Index) -> CovarianceRelationship:
    """G in the order of the pedigree, with every animal found there."""
    if not G.size:
        raise ArgumentError("G has no animals; without genotypes the pedigree itself serves")
    absent = G.labels[~G.labels.isin(labels)]
    if len(absent):
        raise RelationshipError(
            f"{len(absent)} of {G.size} genotyped animals are not in the pedigree: "
            f"{listing(absent)}. {_remedy(absent, labels)}"
        )
    genotyped = labels[labels.isin(G.labels)]
    require_memory(
        BYTES_PER_ELEMENT * G.size**2,
        f"single step with {G.size} genotyped animals",
        "Give the youngest or most informative of them only.",
    )
    return _block(G, genotyped, "G")


def _block(K: LabelledRelationship, ids: pd.Index, source: str) -> CovarianceRelationship:
    return CovarianceRelationship(ids, K.block(ids).to_numpy(), source, K.history)


def _remedy(absent: pd.Index, labels: pd.Index) -> str:
    if look_alike(absent, labels):
        return (
            "Ids of the pedigree look alike but are of another type "
            f"({kind_of(labels)} there, {kind_of(absent)} in G): make them the same"
        )
    return (
        "Add them as rows of the pedigree, their parents unknown where they are, or leave them "
        f"out of G.{nearest(absent[0], labels)}"
    )


def _made_compatible(
    G: CovarianceRelationship,
    A22: CovarianceRelationship,
    weight: float,
    method: Tuning | None,
) -> CovarianceRelationship:
    """G brought to the base of A22, then blended with it."""
    if method is not None:
        G = blending.tune(G, A22, method)
    return blending.blend(G, A22, weight) if weight else G


def _inverted(
    G: CovarianceRelationship, core: int | Iterable[Any] | None, rng: np.random.Generator | None
) -> tuple[CovarianceRelationship | PrecisionRelationship, pd.Index, Inverse]:
    """G, or what APY puts in its place; the core; the inverse."""
    if core is None:
        return G, G.labels, dense_inverse(np.asarray(G.K), G.source)
    chosen = choose_core(core, G.labels, rng)
    inverse = apy_inverse(np.asarray(G.K), chosen, G.labels, G.source)
    done = f"inverted by APY with {chosen.sum()} core animals of {G.size}"
    joint = PrecisionRelationship(G.labels, inverse.P, "G of APY", (*G.history, done))
    return joint, G.labels[chosen], inverse


def _weighted(
    G: CovarianceRelationship | PrecisionRelationship,
    inverse: Inverse,
    inverse22: Inverse,
    tau: float,
    omega: float,
) -> tuple[LabelledRelationship, float]:
    """H22 and log|H22|; its inverse M decides whether H^-1 is positive definite."""
    if tau == omega == 1.0:
        return G, inverse.logdet
    M = sparse.csc_array(tau * inverse.P + (1.0 - omega) * inverse22.P)
    M.eliminate_zeros()  # omega = 1 leaves zeros where A22^-1 has elements
    within = PrecisionRelationship(G.labels, M, "H22", G.history)
    try:
        return within, within.logdet()
    except RelationshipError:
        raise RelationshipError(
            f"H^-1 is not positive definite with tau = {tau:g} and omega = {omega:g}, since "
            "tau G^-1 + (1 - omega) A22^-1 is not. Any tau > 0 with omega <= 1 serves"
        ) from None
