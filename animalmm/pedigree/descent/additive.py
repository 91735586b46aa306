"""The additive relationships of a pedigree, A = T D T'."""

from __future__ import annotations

from animalmm.pedigree.descent.gene_flow import GeneFlow
from animalmm.pedigree.descent.inbreeding import zygote_inbreeding
from animalmm.pedigree.descent.parents import CLONE, Parents, parent_weights, variances

__all__ = ["CLONE", "Parents", "additive_flow"]


def additive_flow(parents: Parents) -> GeneFlow:
    """Inbreeding and variances of Mendelian sampling: A = T D T', exact.

    Parameters
    ----------
    parents : Parents
        n animals, parents before progeny.

    Returns
    -------
    GeneFlow
        `diagonal` is 1 + F; `d` as `variances` says.

    Notes
    -----
    Henderson (1976), Biometrics 32, 69-83; Quaas (1976), Biometrics 32, 949-953; with metafounders
    Legarra et al. (2015), Genetics 200, 455-468.
    """
    F, d = variances(parents, zygote_inbreeding(parents))
    diagonal = 1.0 + F
    d.flags.writeable = diagonal.flags.writeable = False  # the pedigree keeps them
    return GeneFlow(parent_weights(parents), d, parents.level, diagonal)
