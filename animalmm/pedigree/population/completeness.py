"""How deep and how complete the pedigree of each animal is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animalmm.pedigree.population.genealogy import Genealogy

__all__ = ["complete_generations", "completeness_index", "equivalent_generations"]

_Floats = npt.NDArray[np.float64]


def equivalent_generations(genealogy: Genealogy) -> _Floats:
    """Equivalent complete generations: the sum over known ancestors of 1/2^n, n generations back.

    Returns
    -------
    ndarray, shape (n,)

    Notes
    -----
    Maignel, Boichard & Verrier (1996), Interbull Bulletin 14, 49-54.
    """
    return genealogy.down(np.array([1.0, 0.5, 0.0])[genealogy.unknown_parents])


def complete_generations(genealogy: Genealogy) -> npt.NDArray[np.intp]:
    """Generations back in which every ancestor is known, shape (n,)."""
    complete = np.zeros(len(genealogy.sire) + 1, dtype=np.intp)
    complete[-1] = -1  # the unknown parent
    for level in genealogy.levels[1:]:
        complete[level] = 1 + np.minimum(
            complete[genealogy.sire[level]], complete[genealogy.dam[level]]
        )
    return complete[:-1]


def completeness_index(genealogy: Genealogy, depth: int) -> _Floats:
    """Index of pedigree completeness over some generations of ancestors, between 0 and 1.

    ``2 C_s C_d / (C_s + C_d)`` with C the mean over the generations of the share of ancestors that
    is known on the side of the sire, and of the dam: 0 where a parent is unknown.

    Parameters
    ----------
    genealogy : Genealogy
        n animals.
    depth : int
        Number of generations, that of the parents included.

    Returns
    -------
    ndarray, shape (n,)

    Notes
    -----
    MacCluer et al. (1983), Journal of Heredity 74, 394-399.
    """
    n = len(genealogy.sire)
    known = np.append(np.ones(n), 0.0)  # the last: the unknown parent
    line = np.zeros(n + 1)  # the animal itself and its ancestors, as a line of its progeny
    for _ in range(depth):
        line += known / depth
        known[:-1] = 0.5 * (known[genealogy.sire] + known[genealogy.dam])
    paternal, maternal = line[genealogy.sire], line[genealogy.dam]
    both = paternal + maternal
    return np.divide(2.0 * paternal * maternal, both, out=np.zeros(n), where=both > 0)
