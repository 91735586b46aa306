"""Everything that can be wrong in a pedigree as a table, and what to do about it."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import ArgumentError, PedigreeError, listing, nearest
from animalmm.pedigree.animals import Animals
from animalmm.pedigree.records.labels import Coded

__all__ = [
    "require_ids",
    "require_inbreeding_of_founders",
    "require_known_parents",
    "require_parents_born_before",
    "require_sound_parents",
    "require_unique",
    "require_usable_ids",
    "require_used_groups",
]

SUSPECTS = {
    *("*", "**", "?", "??", "-", "--", "---", "_", "#", "n/a", "#n/a", "<na>", "na", "nan"),
    *("0", "00", "000", "0000", "0.0", "."),
    *("none", "null", "nil", "unknown", "unk", "missing", "founder"),
}
"""What people write for an unknown parent, in small letters without blanks, beside negative
numbers; codes for 'unknown' among them, which may have blanks about them. Such a label needs a row
of its own to be an animal."""


def require_ids(ids: pd.Series[Any]) -> None:
    """Refuse an animal without a label."""
    missing = np.flatnonzero(ids.isna())
    if missing.size:
        raise PedigreeError(
            f"{missing.size} row(s) have no id; counted from 0, rows {listing(missing)}. "
            "Give these animals a label or leave the rows out"
        )


def require_usable_ids(coded: Coded, groups: pd.Index[Any]) -> None:
    """Refuse a label that would mean an unknown parent where it stands as a parent."""
    is_id = _mask(coded.codes["id"], len(coded.distinct))
    unknown = coded.distinct[is_id & coded.unknown]
    if len(unknown):
        raise PedigreeError(
            f"{len(unknown)} animal(s) have an id that means 'unknown' where it stands as a "
            f"parent: {listing(unknown)}. Give them another label"
        )
    group = groups[_mask(coded.groups_in("id"), len(groups))]
    if len(group):
        raise PedigreeError(
            f"{len(group)} genetic group(s) have a row of their own: {listing(group)}. A group "
            "stands for unknown parents and is no animal: leave its row out, or out of groups="
        )


def require_unique(coded: Coded) -> None:
    """Refuse an animal with two rows; say whether the rows agree."""
    ids = pd.Series(coded.codes["id"])
    repeated = ids.duplicated(keep=False)
    if not repeated.any():
        return
    rows = pd.DataFrame(coded.codes)[repeated.to_numpy()]
    without_parent = np.append(coded.unknown, True)
    for role in rows.columns.drop("id"):
        rows[role] = rows[role].mask(without_parent[rows[role]], -1)
    distinct = rows.drop_duplicates()["id"]
    contradictory = distinct[distinct.duplicated()].unique()
    if len(contradictory):
        raise PedigreeError(
            f"{len(contradictory)} animal(s) have several rows with different parents: "
            f"{listing(coded.distinct[contradictory])}. Find out which row is right and remove the "
            "others"
        )
    raise PedigreeError(
        f"{len(distinct)} animal(s) are listed more than once, each time with the same parents: "
        f"{listing(coded.distinct[distinct])}. Keep one row of each, as in "
        "table.drop_duplicates(subset='id')"
    )


def require_used_groups(coded: Coded, groups: pd.Index[Any]) -> None:
    """Refuse groups that mean nothing: unused ones, doubled ones, codes for unknown."""
    if groups.has_duplicates or groups.hasnans:
        raise ArgumentError(f"groups={groups.tolist()} names a group twice, or a missing value")
    used = _mask(coded.groups_in("sire"), len(groups)) | _mask(coded.groups_in("dam"), len(groups))
    idle = groups[~used]
    if len(idle):
        raise ArgumentError(
            f"{len(idle)} of the groups are nobody's parent: {listing(idle)}."
            f"{nearest(idle[0], coded.distinct[coded.animal])} Leave them out of groups=; a group "
            "is a label that stands in the place of an unknown sire or dam, other than the codes "
            "for 'unknown'"
        )


def require_known_parents(animals: Animals) -> None:
    """Refuse parents without a row that are more likely a code, or another label misspelt.

    Raises
    ------
    PedigreeError
        When such a label is one of `SUSPECTS`, blank or a negative number, or equals the label of
        an animal after blanks, case, leading zeros and an ending ".0" are left out.
    """
    added = animals.labels[~animals.listed]
    suspects = [label for label in added if _is_suspect(label)]
    if suspects:
        raise PedigreeError(
            f"{listing(suspects)} stand(s) as a parent, has no row of its own and looks like a "
            f"code for 'unknown'. If it is one, pass unknown={suspects[:5]!r}; if it is an animal, "
            "give it a row (for a genetic group, name it in groups=)"
        )
    parents = [label for label in added if isinstance(label, str)]
    if not parents:
        return
    simple = {_simplified(label): label for label in animals.labels[animals.listed]}
    pairs = [
        f"{label!r} (the animal: {simple[_simplified(label)]!r})"
        for label in parents
        if _simplified(label) in simple
    ]
    if pairs:
        raise PedigreeError(
            f"{len(pairs)} parent(s) without a row are written almost as an animal that has one: "
            f"{_first(pairs)}. Write both alike or, where they are two animals, give the parent a "
            "row of its own"
        )


def _is_suspect(label: object) -> bool:
    if isinstance(label, str):
        text = label.strip()
        return text.casefold() in SUSPECTS or text == "" or _is_number_below_zero(text)
    return isinstance(label, Real) and label < 0


def _is_number_below_zero(text: str) -> bool:
    return text.startswith("-") and text[1:].replace(".", "", 1).isdecimal()


def _simplified(label: object) -> str:
    return str(label).strip().casefold().removesuffix(".0").lstrip("0")


def _first(pairs: list[str]) -> str:
    """As `listing`, of texts that are not to be quoted."""
    shown = ", ".join(pairs[:5])
    return shown if len(pairs) <= 5 else f"{shown}, ... ({len(pairs)} in all)"


def require_sound_parents(animals: Animals) -> None:
    """Refuse animals that are their own parent, or both a father and a mother."""
    here = np.arange(len(animals.labels))
    own = animals.labels[(animals.sire == here) | (animals.dam == here)]
    if len(own):
        raise PedigreeError(
            f"{len(own)} animal(s) are their own parent: {listing(own)}. "
            "Correct these rows or leave the parent unknown"
        )
    if animals.allow_selfing:
        return
    n = len(here)
    both = animals.labels[_mask(animals.sire, n) & _mask(animals.dam, n)]
    if len(both):
        raise PedigreeError(
            f"{len(both)} animal(s) are a sire in one place and a dam in another: {listing(both)}. "
            "Correct the rows or, where an individual can be both (as in most plants), pass "
            "allow_selfing=True"
        )


def require_parents_born_before(animals: Animals) -> None:
    """Refuse progeny that are not born after a parent; a copy may be born at any time."""
    pairs = []
    for parent, places in (("sire", animals.sire), ("dam", animals.dam)):
        known = np.flatnonzero((places >= 0) & ~animals.clone)
        child, at = animals.birth[known], animals.birth[places[known]]
        for i in known[child <= at]:  # never so where one of them is missing
            p = places[i]
            pairs.append(
                f"{_plain(animals.labels[i])!r} ({_when(animals.birth[i])}) of {parent} "
                f"{_plain(animals.labels[p])!r} ({_when(animals.birth[p])})"
            )
    if pairs:
        raise PedigreeError(
            f"{len(pairs)} time(s) an animal is not born after its parent: {_first(pairs)}. "
            "Correct these births or parents, or leave the births unknown; where two generations "
            "share a year, give dates"
        )


def require_inbreeding_of_founders(animals: Animals) -> None:
    """Refuse an initial inbreeding of animals whose parents say what it is."""
    known = (animals.sire >= 0) | (animals.dam >= 0)
    wrong = animals.labels[known & (animals.founder_inbreeding > 0)]
    if len(wrong):
        raise PedigreeError(
            f"{len(wrong)} animal(s) have an inbreeding coefficient as founders and known parents: "
            f"{listing(wrong)}. Leave it empty for them; for selfings after the cross use selfed="
        )


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label


def _when(birth: Any) -> str:
    return str(birth)[:10] if isinstance(birth, np.datetime64) else f"{birth:g}"


def _mask(places: npt.NDArray[np.intp], size: int) -> npt.NDArray[np.bool_]:
    """Which of `size` places are among these, -1 being none of them."""
    mask = np.zeros(size + 1, dtype=bool)
    mask[places] = True
    return mask[:-1]
