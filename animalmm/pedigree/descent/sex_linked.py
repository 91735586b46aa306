"""Additive effects on a sex chromosome, as the additive flow of another pedigree.

The one X of a male is a gamete of his dam, of which he has two copies if the single copy counts for
two: on this chromosome he is a doubled haploid of his dam, and of no sire. So the X-linked
relationships of a pedigree are the additive ones of the pedigree in which it says so, and no
algorithm of their own is needed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from animalmm.pedigree.descent.additive import Parents, additive_flow
from animalmm.pedigree.descent.gene_flow import GeneFlow

__all__ = ["sex_linked_flow"]


def sex_linked_flow(parents: Parents, males: npt.NDArray[np.bool_], copies: float) -> GeneFlow:
    """S = T D T' of a chromosome of which one sex has two, the other ("males") one from its dam.

    Parameters
    ----------
    parents : Parents
        n animals; no selfing, inbred founder or clone. For birds, sires and dams are exchanged.
    males : ndarray of bool, shape (n,)
        The animals with one copy, among them all sires and no dam.
    copies : float
        For how many copies of a female the single copy counts, above 0: 1 without dosage
        compensation, 2 with full compensation.

    Returns
    -------
    GeneFlow
        In units of the variance of a female that is not inbred: `diagonal` is ``1 + F`` of a
        female, F the inbreeding on this chromosome, and ``copies^2 / 2`` of a male.
    """
    flow = additive_flow(
        Parents(
            sire=np.where(males, parents.dam, parents.sire),
            dam=parents.dam,
            generation=parents.generation,
            retained=np.where(males, 0.0, 1.0),  # a doubled haploid keeps no heterozygosity
        )
    )
    scale = np.where(males, copies / 2.0, 1.0)
    P = sparse.diags_array(scale) @ flow.P @ sparse.diags_array(1.0 / scale)
    return GeneFlow(sparse.csr_array(P), scale**2 * flow.d, flow.level, scale**2 * flow.diagonal)
