"""Relationships of additive effects on the sex chromosome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import numpy as np

from animalmm.errors import ArgumentError, PedigreeError, listing, nearest
from animalmm.pedigree import Pedigree
from animalmm.pedigree.animals import FEMALE, MALE, UNKNOWN_SEX
from animalmm.pedigree.descent.sex_linked import sex_linked_flow
from animalmm.relationship.gene_flow import GeneFlowRelationship, require_pedigree

__all__ = ["sex_linked"]

_HETEROGAMETIC = {"male": MALE, "female": FEMALE}
_COPIES = {"none": 1.0, "equal": np.sqrt(2.0), "full": 2.0}


def sex_linked(
    pedigree: Pedigree,
    *,
    heterogametic: Literal["male", "female"] = "male",
    dosage: Literal["none", "equal", "full"] = "none",
) -> GeneFlowRelationship:
    """Relationship matrix S of additive effects on the X (or Z) chromosome.

    An animal of the homogametic sex (XX) has a random one of its mother's two copies and the only
    copy of its father; one of the other sex (XY) has a random one of its mother's and none of its
    father's. (Where females are heterogametic, ZW, the other way round.)

    Parameters
    ----------
    pedigree : Pedigree
        With the sex of every animal: parents' are known by their role, others' by ``sex=``.
    heterogametic : {"male", "female"}, default "male"
        The sex with one copy: male in mammals and flies, female in birds and butterflies.
    dosage : {"none", "equal", "full"}, default "none"
        For how many copies the single one counts. ``"none"``: one, no dosage compensation, half the
        variance of the other sex. ``"full"``: two, whichever way it comes about (one copy doubled,
        two halved, one of two silenced at random in each cell), twice the variance. ``"equal"``:
        sqrt(2), the same variance in both sexes. Silencing always the father's copy, as in
        marsupials, is another model.

    Returns
    -------
    GeneFlowRelationship
        S and S^-1, with inbreeding on this chromosome. The unit is the variance among animals
        of the homogametic sex that are not inbred: their ``S_ii`` is 1, with inbreeding ``1 + F``;
        of the other sex it is 1/2, 1 or 2 by `dosage`.

    Raises
    ------
    ArgumentError
        A value that `heterogametic` or `dosage` cannot have.
    PedigreeError
        Animals of unknown sex, or clones, selfings and inbred founders.

    Notes
    -----
    Fernando & Grossman (1990), Theoretical and Applied Genetics 80, 75-80, without dosage
    compensation; the models "hori", "hedo" and "hoha" of the nadiv package (Wolak 2012, Methods in
    Ecology and Evolution 3, 792-796) with full compensation; Yang et al. (2011), American Journal
    of Human Genetics 88, 76-82, for all three.
    """
    require_pedigree(pedigree)
    _require_one_of(heterogametic, _HETEROGAMETIC, "heterogametic")
    _require_one_of(dosage, _COPIES, "dosage")
    _require_sexes(pedigree)
    parents = pedigree.parents
    if heterogametic == "female":
        parents = replace(parents, sire=parents.dam, dam=parents.sire)
    single = pedigree.sex == _HETEROGAMETIC[heterogametic]
    flow = sex_linked_flow(parents, single, float(_COPIES[dosage]))
    copies = {"none": "no", "equal": "the same variance in both sexes by", "full": "full"}[dosage]
    history = f"sex-linked, {heterogametic}s with one copy, {copies} dosage compensation"
    return GeneFlowRelationship(pedigree.labels, flow, "the sex-linked matrix", (history,))


def _require_one_of(value: object, options: Mapping[str, object], name: str) -> None:
    if value not in options:
        raise ArgumentError(
            f"{name} must be one of {listing(options)}, not {value!r}.{nearest(value, options)}"
        )


def _require_sexes(pedigree: Pedigree) -> None:
    unknown = pedigree.labels[pedigree.sex == UNKNOWN_SEX]
    if len(unknown):
        raise PedigreeError(
            f"sex-linked relationships need the sex of every animal; it is unknown for "
            f"{listing(unknown)}. Name its column: Pedigree(table, sex='sex')"
        )
    odd = pedigree.labels[pedigree.parents.retained != 1.0]
    if len(odd):
        raise PedigreeError(
            "sex-linked relationships are of animals with a sire and a dam; clones, selfed animals "
            f"and inbred founders are not: {listing(odd)}"
        )
