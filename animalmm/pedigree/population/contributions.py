"""Where the genes of a population come from: founders, ancestors, groups of unknown parents.

The genes of an unknown parent are those of a founder; where an animal has one known parent, the
other is a founder without a label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animalmm.pedigree.animals import Animals
from animalmm.pedigree.population.genealogy import Genealogy

__all__ = [
    "Origins",
    "ancestor_contributions",
    "founder_contributions",
    "group_shares",
    "reference_weights",
]

_Places = npt.NDArray[np.intp]
_Floats = npt.NDArray[np.float64]

NOTHING = 1e-12
"""A contribution that is rounding."""


@dataclass(frozen=True, eq=False)
class Origins:
    """Shares of the genes of a reference population by where they come from.

    Attributes
    ----------
    animal : ndarray of intp, shape (k,)
        Positions.
    whose : ndarray of int8, shape (k,)
        0: of the animal itself; 1: of its unknown sire; 2: of its unknown dam.
    share : ndarray, shape (k,)
        Positive; they sum to 1 when all are there.
    """

    animal: _Places
    whose: npt.NDArray[np.int8]
    share: _Floats

    @property
    def effective_number(self) -> float:
        """The number of equal shares with the same sum of squares."""
        return float(1.0 / np.sum(self.share**2))


def founder_contributions(line: Genealogy, reference: _Places) -> Origins:
    """Shares of the founders in the genes of the reference population.

    Parameters
    ----------
    line : Genealogy
        n animals.
    reference : ndarray of intp
        Positions of the reference population.

    Notes
    -----
    Lacy (1989), Zoo Biology 8, 111-123, for the effective number.
    """
    share = line.up(reference_weights(line, reference))
    unknown = line.unknown_parents
    founders = np.flatnonzero((unknown == 2) & (share > NOTHING))
    half = np.flatnonzero((unknown == 1) & (share > NOTHING))
    return Origins(
        animal=np.concatenate([founders, half]),
        whose=np.concatenate([np.zeros(len(founders)), _missing_side(line, half)]).astype(np.int8),
        share=np.concatenate([share[founders], 0.5 * share[half]]),
    )


def ancestor_contributions(line: Genealogy, reference: _Places, at_most: int | None) -> Origins:
    """Marginal contributions of the ancestors that explain most of the reference population.

    One ancestor after the other: that with the largest share of the genes that no ancestor found
    before explains. It is then taken for a founder, so that its own ancestors explain no more what
    passes through it. Of equal shares that of the latest generation is taken, so that the order of
    the animals does not matter.

    Parameters
    ----------
    line : Genealogy
        n animals.
    reference : ndarray of intp
        Positions of the reference population.
    at_most : int, optional
        How many ancestors to find; by default all of them.

    Returns
    -------
    Origins
        By falling share.

    Notes
    -----
    Boichard, Maignel & Verrier (1997), Genetics Selection Evolution 29, 5-23.
    """
    weights = reference_weights(line, reference)
    half = np.flatnonzero((line.unknown_parents == 1) & (line.up(weights) > NOTHING))
    line, animal, whose = _with_unlabelled_founders(line, half)  # a copy, to be cut up below
    weights = np.append(weights, np.zeros(len(half)))
    candidate = line.up(weights) - weights > NOTHING
    candidate |= line.unknown_parents == 2
    found, shares = [], []
    chosen = np.zeros(len(weights))
    for _ in range(len(weights) if at_most is None else at_most):
        explained = line.down(chosen)
        marginal = np.where(candidate, line.up(weights) * (1.0 - explained), 0.0)
        if marginal.max() <= NOTHING:
            break
        equal = np.flatnonzero(marginal > marginal.max() - NOTHING)
        best = int(equal[line.generation[equal].argmax()])
        found.append(best)
        shares.append(marginal[best])
        chosen[best] = 1.0
        line.sire[best] = line.dam[best] = -1
    places = np.array(found, dtype=np.intp)
    return Origins(animal[places], whose[places], np.array(shares))


def group_shares(animals: Animals, line: Genealogy) -> _Floats:
    """Q: the share of each animal's genes that comes from each group, shape (n, groups).

    Rows sum to 1 where every unknown parent has a group.

    Notes
    -----
    Quaas (1988), Journal of Dairy Science 71, 1338-1345.
    """
    own = np.zeros((len(animals.labels), len(animals.groups)))
    for group in (animals.sire_group[line.original], animals.dam_group[line.original]):
        known = np.flatnonzero(group >= 0)
        own[known, group[known]] += 0.5
    return line.down(own)


def reference_weights(line: Genealogy, reference: _Places) -> _Floats:
    """Equal weights of the reference population, shape (n,), those of copies at originals."""
    weights = np.zeros(len(line.sire))
    weights[reference] = 1.0 / len(reference)
    return line.at_originals(weights)


def _missing_side(line: Genealogy, half: _Places) -> npt.NDArray[np.int8]:
    return np.where(line.sire[half] < 0, 1, 2).astype(np.int8)


def _with_unlabelled_founders(
    line: Genealogy, half: _Places
) -> tuple[Genealogy, _Places, npt.NDArray[np.int8]]:
    """A copy of the genealogy in which the unknown parent of a half-known animal is a unit.

    Returns
    -------
    Genealogy
        n + h units.
    animal, whose : ndarray, shape (n + h,)
        As in `Origins`.
    """
    n = len(line.sire)
    side = _missing_side(line, half)
    none = np.zeros(len(half), dtype=np.intp)
    new = n + np.arange(len(half), dtype=np.intp)
    sire = np.append(line.sire, none - 1)
    dam = np.append(line.dam, none - 1)
    sire[half[side == 1]] = new[side == 1]
    dam[half[side == 2]] = new[side == 2]
    extended_line = Genealogy(
        sire=sire,
        dam=dam,
        generation=np.concatenate([line.generation, none]),
        levels=[np.concatenate([line.levels[0], new]), *line.levels[1:]],
        original=np.arange(n + len(half)),
    )
    animal = np.concatenate([np.arange(n), half])
    return extended_line, animal, np.concatenate([np.zeros(n, dtype=np.int8), side])
