"""Which animals have a part in the relationships of some of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from animalmm.pedigree.animals import Animals

__all__ = ["pruned"]

_Places = npt.NDArray[np.intp]
_Mask = npt.NDArray[np.bool_]


def pruned(animals: Animals, wanted: _Places, informative: bool) -> Animals:
    """The wanted animals and their ancestors, in the same order.

    Parameters
    ----------
    animals : Animals
        n sorted animals.
    wanted : ndarray of intp
        Positions.
    informative : bool
        Whether ancestors go that change no relationship among the wanted: founders, not inbred,
        with one progeny, and what then becomes such a founder.
    """
    keep = _with_ancestors(animals, wanted)
    if informative:
        is_wanted = np.zeros(len(animals.labels), dtype=bool)
        is_wanted[wanted] = True
        animals, keep = _without_uninformative(animals, is_wanted, keep)
    kept = animals.take(np.flatnonzero(keep))
    used = np.zeros(len(kept.groups) + 1, dtype=bool)  # the last: of no group
    used[kept.sire_group] = used[kept.dam_group] = True
    return kept.with_groups(used[:-1])


def _with_ancestors(animals: Animals, wanted: _Places) -> _Mask:
    inside = np.zeros(len(animals.labels) + 1, dtype=bool)
    inside[-1] = True  # the unknown parent, which leads no further
    while wanted.size:
        inside[wanted] = True
        parents = np.concatenate([animals.sire[wanted], animals.dam[wanted]])
        wanted = np.unique(parents[~inside[parents]])
    return inside[:-1]


def _without_uninformative(animals: Animals, wanted: _Mask, keep: _Mask) -> tuple[Animals, _Mask]:
    """Cut founders with one progeny off until none is left; their group passes to the progeny.

    What such a founder gives to its only progeny is as independent of all others as the genes of
    an unknown parent of the same group. A selfed animal or an original counts twice: its progeny
    has it as both parents.
    """
    sire, dam = animals.sire.copy(), animals.dam.copy()
    groups = np.stack([animals.sire_group, animals.dam_group])
    keep = keep.copy()
    outbred = (animals.founder_inbreeding == 0) & (animals.selfed == 0)
    one_group = groups[0] == groups[1]
    while True:
        parents = np.concatenate([sire[keep], dam[keep]])
        progeny = np.bincount(parents[parents >= 0], minlength=len(keep))
        idle = keep & ~wanted & (sire < 0) & (dam < 0) & (progeny <= 1) & outbred & one_group
        if not idle.any():
            return replace(
                animals, sire=sire, dam=dam, sire_group=groups[0], dam_group=groups[1]
            ), keep
        keep &= ~idle
        for parent, group in zip((sire, dam), groups, strict=True):
            cut = np.flatnonzero(np.append(idle, False)[parent])
            group[cut] = groups[0, parent[cut]]
            parent[cut] = -1
        one_group = groups[0] == groups[1]
