"""Copies of one genotype: clones, identical twins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from animalmm.errors import PedigreeError, listing
from animalmm.pedigree.animals import Animals

__all__ = ["originals", "with_clones"]

_Places = npt.NDArray[np.intp]


def with_clones(animals: Animals, clone_of: _Places) -> Animals:
    """Make both parents of a clone its original; see `Parents.retained`.

    Parameters
    ----------
    animals : Animals
        With the parents of all animals as given.
    clone_of : ndarray of intp, shape (n,)
        Positions of the originals, -1 for an animal that is no clone.

    Raises
    ------
    PedigreeError
        When an animal is its own clone, or a clone has other parents than its original or
        inbreeding of its own.
    """
    clone = clone_of >= 0
    own = animals.labels[clone_of == np.arange(len(clone_of))]
    if len(own):
        raise PedigreeError(
            f"{len(own)} animal(s) are a clone of themselves: {listing(own)}. Leave clone_of empty "
            "for the original and name it for its copies"
        )
    _require_same_parents(animals, clone, clone_of)
    inbred = clone & ((animals.selfed > 0) | (animals.founder_inbreeding > 0))
    if inbred.any():
        raise PedigreeError(
            f"{inbred.sum()} clone(s) are given selfings or inbreeding of their own: "
            f"{listing(animals.labels[inbred])}. Give these to the original only"
        )
    return replace(
        animals,
        clone=clone,
        sire=np.where(clone, clone_of, animals.sire),
        dam=np.where(clone, clone_of, animals.dam),
        sire_group=np.where(clone, -1, animals.sire_group),
        dam_group=np.where(clone, -1, animals.dam_group),
    )


def originals(clone: npt.NDArray[np.bool_], clone_of: _Places) -> _Places:
    """The first original of each animal, itself where it is no clone, shape (n,)."""
    root = np.where(clone, clone_of, np.arange(len(clone)))
    for _ in range(int(clone.sum())):  # copies of copies; in a loop there would be no end
        if not clone[root].any():
            break
        root = np.where(clone[root], root[root], root)
    return root


def _require_same_parents(
    animals: Animals, clone: npt.NDArray[np.bool_], clone_of: _Places
) -> None:
    parents = np.stack([animals.sire, animals.dam, animals.sire_group, animals.dam_group])
    given = clone & (parents >= 0).any(axis=0)
    root = originals(clone, clone_of)
    wrong = given & (parents != parents[:, root]).any(axis=0)
    if wrong.any():
        raise PedigreeError(
            f"{wrong.sum()} clone(s) have other parents than their original: "
            f"{listing(animals.labels[wrong])}. Leave the parents of a clone empty, or give it "
            "those of its original"
        )
