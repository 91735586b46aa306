"""Relationships of sire models and of sire and maternal grandsire models."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import ArgumentError, PedigreeError, listing, nearest
from animalmm.pedigree import Pedigree
from animalmm.pedigree.descent.grandsires import grandsire_flow
from animalmm.relationship.gene_flow import GeneFlowRelationship
from animalmm.relationship.labels import places

__all__ = ["sires"]


def sires(
    source: pd.DataFrame | Pedigree,
    ids: Iterable[object] | None = None,
    *,
    id: Hashable = "id",
    sire: Hashable = "sire",
    mgs: Hashable | None = "mgs",
) -> GeneFlowRelationship:
    """Additive relationships among bulls by their sires and maternal grandsires.

    Parameters
    ----------
    source : DataFrame or Pedigree
        A table with one row per bull, or a whole pedigree, of which the sires of bulls and the
        sires of their dams are taken. What relates bulls by other females (granddams, a common
        dam) is then lost: A of the whole pedigree has it.
    ids : iterable of labels, optional
        Which bulls; their sires and maternal grandsires are added as far back as they are known.
        By default all of a table, and all sires of a pedigree.
    id, sire, mgs : str
        Columns of a table: bull, its sire, its maternal grandsire; ``mgs=None`` where no
        grandsires are known.

    Returns
    -------
    GeneFlowRelationship
        A and A^-1 among the bulls, with inbreeding: exact where every bull has a dam of his own and
        dams are related by their sires only. The effects of a sire model are half the breeding
        values, so the variance of the term is a quarter of the additive variance.

    Raises
    ------
    ArgumentError
        A column that is not there; ids that are unknown or repeated; no bull at all.
    PedigreeError
        What `Pedigree` refuses (a bull listed twice, or among his own ancestors); clones, selfed
        animals and inbred founders.

    Notes
    -----
    Henderson (1975), Journal of Dairy Science 58, 1917-1921; Mrode (2014), Linear Models for the
    Prediction of Animal Breeding Values, 3rd ed., sections 2.5 and 3.4. Without inbreeding the
    inverse is built of 16/11 (both known), 4/3 (sire), 16/15 (grandsire) and 1.
    """
    if isinstance(source, Pedigree):
        labels, fathers = source.labels, source.sire
        grandfathers = _grandsires(source)
        chosen = np.unique(fathers[fathers >= 0])
    else:
        bulls = _read(source, id, sire, mgs)
        labels, fathers, grandfathers = bulls.labels, bulls.sire, bulls.dam
        chosen = np.arange(bulls.n)
    if ids is not None:
        chosen = places(ids, labels, "the pedigree")
    if not len(chosen):
        raise ArgumentError("there is no bull: name them, as in sires(pedigree, ids=bulls)")
    at = _with_ancestors(chosen, fathers, grandfathers)
    rank = np.full(len(labels) + 1, -1, dtype=np.intp)  # the last: unknown stays unknown
    rank[at] = np.arange(len(at))
    father, grandfather = rank[fathers[at]], rank[grandfathers[at]]
    history = (
        f"A of {len(at)} bulls, by the sires of {(father >= 0).sum()} and the maternal grandsires "
        f"of {(grandfather >= 0).sum()} of them"
    )
    flow = grandsire_flow(father, grandfather)
    return GeneFlowRelationship(labels[at], flow, "the relationship of sires", (history,))


def _grandsires(pedigree: Pedigree) -> npt.NDArray[np.intp]:
    """Positions of the sires of dams, -1 where unknown."""
    odd = pedigree.labels[pedigree.parents.retained != 1.0]
    if len(odd):
        raise PedigreeError(
            "a pedigree of bulls is of animals with a sire and a dam; clones, selfed animals and "
            f"inbred founders are not: {listing(odd)}"
        )
    return np.append(pedigree.sire, -1)[pedigree.dam]


def _read(table: Any, id: Hashable, sire: Hashable, mgs: Hashable | None) -> Pedigree:
    """A table of bulls as a pedigree with the maternal grandsires in the place of the dams."""
    if not isinstance(table, pd.DataFrame):
        raise ArgumentError(
            "sires() takes a DataFrame with the columns id, sire and mgs, or a Pedigree, not a "
            f"{type(table).__name__}"
        )
    for name, what in ((id, "id"), (sire, "sire"), (mgs, "mgs")):
        if name is not None and name not in table.columns:
            raise ArgumentError(
                f"there is no column {name!r}; the columns are {listing(table.columns, limit=20)}."
                f"{nearest(name, table.columns)} Name it, as in sires(table, {what}=...)"
                + (", or mgs=None where no grandsires are known" if what == "mgs" else "")
            )
    unknown = pd.Series(None, index=table.index, dtype=object)
    columns = {"id": table[id], "sire": table[sire], "dam": unknown if mgs is None else table[mgs]}
    return Pedigree(columns, allow_selfing=True)  # a male may be one bull's sire, another's "dam"


def _with_ancestors(
    bulls: npt.NDArray[np.intp], sire: npt.NDArray[np.intp], grandsire: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """Positions of the bulls and all their sires and maternal grandsires, ascending."""
    inside = np.zeros(len(sire), dtype=bool)
    while bulls.size:
        inside[bulls] = True
        before = np.unique(np.concatenate([sire[bulls], grandsire[bulls]]))
        before = before[before >= 0]
        bulls = before[~inside[before]]
    return np.flatnonzero(inside)
