"""Dominance relationships."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from animalmm.errors import ArgumentError, RelationshipError, listing
from animalmm.pedigree import Pedigree
from animalmm.pedigree.descent.dominance import dominance_matrix
from animalmm.relationship.gene_flow import require_pedigree
from animalmm.relationship.kinds import CovarianceRelationship
from animalmm.relationship.labels import places

__all__ = ["dominance"]

FULL = 0.5  # share of elements that are not zero from which a dense matrix is smaller and faster


def dominance(pedigree: Pedigree, ids: Iterable[object] | None = None) -> CovarianceRelationship:
    """Dominance relationship matrix D of a pedigree.

    ``d_ij = (a_ss a_dd + a_sd a_ds) / 4`` from the additive relationships of the sire and dam of i
    with the sire and dam of j, 0 where one of the four is unknown, and ``d_ii = 1 - F_i``. Where
    neither animal is inbred this is the probability that the two have both alleles of a locus in
    common by descent. With inbreeding it leaves out that the two alleles of one animal may be
    alike, and that its dominance effects have another mean and a covariance with additive ones: an
    approximation, and where full sibs are strongly inbred D is not even positive definite.

    Parameters
    ----------
    pedigree : Pedigree
        Genetic groups in it are of no account.
    ids : iterable of labels, optional
        Which animals, each once, such as those with records; all by default. Animals outside have
        no predictions.

    Returns
    -------
    CovarianceRelationship
        D, sparse unless half of it is not zero; full sibs have 1/4, double first cousins 1/16. Its
        inverse is full in each set of connected families, so that fits use its factor. Products
        with others (`hadamard`) make relationships of epistatic effects.

    Raises
    ------
    ArgumentError
        Ids that are unknown, repeated or none; more than memory holds.
    RelationshipError
        Clones among the animals.

    Notes
    -----
    Cockerham (1954), Genetics 39, 859-882; Henderson (1985), Journal of Animal Science 60, 111-117.
    The family effects of Hoeschele & VanRaden (1991), Journal of Dairy Science 74, 557-569, are the
    elements of D between matings, from which it is made.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"id": ["c", "d"], "sire": ["a", "a"], "dam": ["b", "b"]})
    >>> float(dominance(Pedigree(table), ["c", "d"]).to_frame().loc["c", "d"])
    0.25
    """
    require_pedigree(pedigree)
    at = np.arange(pedigree.n) if ids is None else places(ids, pedigree.labels, "the pedigree")
    if not len(at):
        raise ArgumentError("ids is empty: name the animals that have dominance effects")
    clones = pedigree.labels[at][pedigree.clone_of[at] >= 0]
    if len(clones):
        raise RelationshipError(
            f"dominance relationships of clones do not follow from parents: {listing(clones)}. "
            "Leave them out with ids=, and give their records to the originals"
        )
    F = pedigree.flow.diagonal[at] - 1.0
    D = dominance_matrix(pedigree.flow, pedigree.sire[at], pedigree.dam[at], F)
    K = D if D.nnz < FULL * len(at) ** 2 else D.toarray()
    return CovarianceRelationship(pedigree.labels[at], K, "the dominance matrix", _history(F))


def _history(F: np.ndarray) -> tuple[str, ...]:
    made = f"dominance of {len(F)} animals from their parents' relationships"
    inbred = F > 0
    if not inbred.any():
        return (f"{made}, exact without inbreeding",)
    return (
        f"{made}, an approximation for {inbred.sum()} that are inbred (F of all: mean "
        f"{F.mean():.3g}, largest {F.max():.3g})",
    )
