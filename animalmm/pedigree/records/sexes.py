"""The sex of each animal: as given, by its role as a parent, by that of its copies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from animalmm.errors import PedigreeError, listing
from animalmm.pedigree.animals import FEMALE, MALE, UNKNOWN_SEX, Animals, sex_by_role
from animalmm.pedigree.records.clones import originals

__all__ = ["with_sexes"]

_Sexes = npt.NDArray[np.int8]


def with_sexes(animals: Animals) -> Animals:
    """Sires are male, dams are female, and copies of one animal are of one sex.

    Parameters
    ----------
    animals : Animals
        Of each the sex as given. With `allow_selfing` a role implies no sex.

    Raises
    ------
    PedigreeError
        When a sire is female or a dam male, or copies of one animal differ in sex.
    """
    role = sex_by_role(animals)
    _require_agreement(animals, role)
    sex = np.where(animals.sex == UNKNOWN_SEX, role, animals.sex)
    return replace(animals, sex=_shared_by_copies(animals, sex))


def _require_agreement(animals: Animals, role: _Sexes) -> None:
    wrong = (animals.sex != UNKNOWN_SEX) & (role != UNKNOWN_SEX) & (animals.sex != role)
    said = [
        f"{len(names)} {parent}(s) are {sex}: {listing(names)}"
        for parent, sex, code in (("sire", "female", MALE), ("dam", "male", FEMALE))
        if len(names := animals.labels[wrong & (role == code)])
    ]
    if said:
        raise PedigreeError(
            f"{'; '.join(said)}. Correct the sex or the parents or, where an individual can be "
            "both (as in most plants), pass allow_selfing=True"
        )


def _shared_by_copies(animals: Animals, sex: _Sexes) -> _Sexes:
    """Every copy of an animal has the sex that is known of one of them."""
    if not animals.clone.any():
        return sex
    root = originals(animals.clone, animals.sire)
    is_known = np.zeros((3, len(sex)), dtype=bool)
    is_known[sex, root] = True
    both = is_known[MALE] & is_known[FEMALE]
    if both.any():
        raise PedigreeError(
            f"clones have another sex than their original, or are sires while it is a dam: the "
            f"copies of {listing(animals.labels[both])}. Correct the sex, the parents or clone_of"
        )
    found = MALE * is_known[MALE] + FEMALE * is_known[FEMALE]
    return np.asarray(found, dtype=np.int8)[root]
