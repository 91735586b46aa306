"""Unknown parents that belong to genetic groups: fixed, random, or related to each other."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from animalmm.errors import ArgumentError, PedigreeError, RelationshipError, listing
from animalmm.pedigree import Pedigree
from animalmm.pedigree.descent.additive import additive_flow
from animalmm.pedigree.descent.unknown_parents import (
    group_flow,
    quaas_westell_inverse,
    with_metafounders,
)
from animalmm.relationship.coerce import labelled_matrix
from animalmm.relationship.gene_flow import (
    GeneFlowRelationship,
    PedigreeRelationship,
    require_pedigree,
)

__all__ = ["genetic_groups", "metafounders", "quaas_westell"]

_NO_GROUPS = "name the labels that stand for them, as in Pedigree(table, groups=['g1', 'g2'])"


def genetic_groups(pedigree: Pedigree, variance: float) -> GeneFlowRelationship:
    """Relationships of groups and animals when the groups of unknown parents are random.

    An animal's effect is ``u* = u + Q g``: its breeding value as a deviation, and the effects of
    the groups, each by the share of the animal's genes that comes from it. Groups are independent
    of each other and of u.

    Parameters
    ----------
    pedigree : Pedigree
        With `groups`. A parent that is unknown and of no group counts as one of a group with
        effect zero.
    variance : float
        Variance of a group's effect, relative to the additive variance. Where it grows, predictions
        go to those of fixed groups.

    Returns
    -------
    GeneFlowRelationship
        Levels are the groups, then the animals; predictions of animals are u*.

    Raises
    ------
    ArgumentError
        A variance that is not positive and finite.
    PedigreeError
        A pedigree without groups.

    See Also
    --------
    quaas_westell : the inverse for fixed groups, which is singular.
    metafounders : groups whose animals are related within and across groups.

    Notes
    -----
    Quaas (1988), Journal of Dairy Science 71, 1338-1345, for fixed groups; Sullivan &
    Schaeffer (1994), Proceedings of the 5th World Congress on Genetics Applied to Livestock
    Production 18, 483-486, for random ones. The inverse is A*^-1 of `quaas_westell` with
    ``1 / variance`` added for every group.
    """
    if not (isinstance(variance, Real) and 0 < variance < np.inf):
        raise ArgumentError(
            f"variance must be positive and finite, not {variance!r}. For fixed groups give "
            "their shares as covariates: pedigree.group_shares()"
        )
    _require_groups(pedigree)
    plain = pedigree.without_groups()
    shares = pedigree.group_shares().to_numpy()
    flow = group_flow(plain.flow, pedigree.sire_group, pedigree.dam_group, shares, variance)
    history = (
        f"{len(pedigree.groups)} random groups of unknown parents ({listing(pedigree.groups)}), "
        f"{variance:.4g} times the additive variance"
    )
    return GeneFlowRelationship(_units(pedigree), flow, "the groups and animals", (history,))


def quaas_westell(pedigree: Pedigree) -> tuple[sparse.csc_array, pd.Index[Any]]:
    """Inverse relationship matrix A*^-1 of animals and fixed groups, for other programs.

    In `fit`, which takes proper covariance matrices, fixed groups are covariates: the shares
    ``pedigree.group_shares()`` as columns of the data, with ``pedigree.without_groups()`` for the
    animals.

    Parameters
    ----------
    pedigree : Pedigree
        With `groups`.

    Returns
    -------
    csc_array, shape (g + n, g + n)
        Singular, of rank n.
    Index
        Its labels: the groups, then the animals.

    Raises
    ------
    PedigreeError
        A pedigree without groups.
    RelationshipError
        Animals without Mendelian sampling of their own, such as clones: A has no inverse.

    Notes
    -----
    Quaas (1988), Journal of Dairy Science 71, 1338-1345; Westell, Quaas & Van Vleck (1988), Journal
    of Dairy Science 71, 1310-1318. With inbreeding.
    """
    _require_groups(pedigree)
    plain = PedigreeRelationship(pedigree.without_groups())
    plain.logdet()  # an error where A is singular
    inverse = quaas_westell_inverse(
        plain.flow, pedigree.sire_group, pedigree.dam_group, len(pedigree.groups)
    )
    return inverse, _units(pedigree)


def metafounders(pedigree: Pedigree, gamma: pd.DataFrame | float) -> GeneFlowRelationship:
    """Relationships A^Gamma of metafounders and animals.

    Each group of unknown parents is a metafounder, a parent like others but for its relationship
    ``gamma_gg`` with itself, between 0 (a large, unrelated base population) and 2 (a fully inbred
    one), and its relationships gamma_gh with other metafounders. Founders are then inbred and
    related.

    Parameters
    ----------
    pedigree : Pedigree
        With `groups`; every unknown parent must be of one.
    gamma : DataFrame or float
        Relationships among the metafounders, groups as index and columns in any order; a number
        where there is one group. From markers: 8 times the covariances over loci of the groups'
        allele frequencies in the base (Garcia-Baccino et al. 2017).

    Returns
    -------
    GeneFlowRelationship
        A^Gamma and its inverse. Levels are the metafounders, then the animals. The genetic variance
        is that of the population in which alleles have frequency 0.5: with one group, of unrelated
        founders' variance the ``1 / (1 - gamma / 2)``-fold.

    Raises
    ------
    PedigreeError
        A pedigree without groups, or with unknown parents of no group.
    RelationshipError
        gamma is not a positive definite matrix for just these groups, or not between 0 and 2.

    Notes
    -----
    Legarra, Christensen, Vitezica, Aguilar & Misztal (2015), Genetics 200, 455-468; Garcia-Baccino
    et al. (2017), Genetics Selection Evolution 49, 34. With one metafounder
    ``A^Gamma = (1 - gamma/2) A + gamma 11'`` among the animals.
    """
    _require_groups(pedigree)
    _require_all_grouped(pedigree)
    G = _gamma(gamma, pedigree.groups)
    parents = with_metafounders(
        pedigree.without_groups().parents, pedigree.sire_group, pedigree.dam_group, G
    )
    history = (
        f"{len(G)} metafounders ({listing(pedigree.groups)}), gamma_gg from "
        f"{G.diagonal().min():.4g} to {G.diagonal().max():.4g}"
    )
    flow = additive_flow(parents)
    return GeneFlowRelationship(_units(pedigree), flow, "A with metafounders", (history,))


def _units(pedigree: Pedigree) -> pd.Index[Any]:
    """Labels of groups and animals, which `Pedigree` keeps apart."""
    groups, labels = pedigree.groups.astype(object), pedigree.labels.astype(object)
    return groups.append(labels).infer_objects()


def _require_groups(pedigree: Pedigree) -> None:
    require_pedigree(pedigree)
    if not len(pedigree.groups):
        raise PedigreeError(f"the pedigree has no groups of unknown parents: {_NO_GROUPS}")


def _require_all_grouped(pedigree: Pedigree) -> None:
    plain = ((pedigree.sire < 0) & (pedigree.sire_group < 0)) | (
        (pedigree.dam < 0) & (pedigree.dam_group < 0)
    )
    if plain.any():
        raise PedigreeError(
            "with metafounders every unknown parent is of a group, which is not so for "
            f"{listing(pedigree.labels[plain])}: write the label of a group in its place"
        )


def _gamma(gamma: pd.DataFrame | float, groups: pd.Index[Any]) -> npt.NDArray[np.float64]:
    """Gamma as a matrix in the order of the groups, checked."""
    if not isinstance(gamma, pd.DataFrame):
        if len(groups) > 1 or not isinstance(gamma, Real):
            raise RelationshipError(
                f"gamma must be a DataFrame with the groups as index and columns: "
                f"{listing(groups)}. A number serves for one group only"
            )
        gamma = pd.DataFrame([[float(gamma)]], index=groups, columns=groups)
    matrix, labels = labelled_matrix(gamma, "gamma")
    odd = labels.symmetric_difference(groups)
    if len(odd):
        raise RelationshipError(
            f"gamma is for {listing(labels)}, the groups of the pedigree are {listing(groups)}: "
            f"{listing(odd)} are in one of them only"
        )
    at = labels.get_indexer(groups)
    G = np.asarray(matrix, dtype=float)[np.ix_(at, at)]
    smallest = float(np.linalg.eigvalsh(G)[0])
    if smallest <= 1e-12 or G.diagonal().max() > 2.0:
        raise RelationshipError(
            f"gamma must be positive definite with a diagonal up to 2; its smallest eigenvalue is "
            f"{smallest:.3g}, its largest diagonal element {G.diagonal().max():.3g}. Where base "
            "animals are not related, gamma is 0: use pedigree.without_groups()"
        )
    return G
