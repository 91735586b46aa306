"""Parents before progeny; loops; generations."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import PedigreeError

__all__ = ["generations", "sorted_order"]

LONGEST_LOOP_SHOWN = 20

_Places = npt.NDArray[np.intp]


def sorted_order(labels: pd.Index, sire: _Places, dam: _Places) -> _Places:
    """Order the animals so that parents come before their progeny.

    The given order is kept where it is valid: an animal is moved only to stand right before the
    first of its descendants that would precede it; those that move there together are in the order
    of their generations.

    Parameters
    ----------
    labels : pandas.Index, length n
        Used in the error message only.
    sire, dam : ndarray of intp, shape (n,)
        Positions of the parents, -1 where unknown.

    Returns
    -------
    ndarray of intp, shape (n,)
        Positions in sorted order.

    Raises
    ------
    PedigreeError
        When an animal is its own ancestor; the message walks round the loop.
    """
    n = len(labels)
    here = np.arange(n, dtype=np.intp)
    if np.all(sire < here) and np.all(dam < here):
        return here
    generation = generations(sire, dam)
    endless = generation == n
    if endless.any():
        raise _loop_error(labels, sire, dam, endless)
    target = _first_of_descendants(sire, dam, generation)
    return np.lexsort((here, generation, target))


def generations(sire: _Places, dam: _Places) -> _Places:
    """Length of the longest path from a founder; 0 for founders.

    Parameters
    ----------
    sire, dam : ndarray of intp, shape (n,)
        Positions of the parents, in any order; -1 where unknown.

    Returns
    -------
    ndarray of intp, shape (n,)
        n for an animal that is its own ancestor, or descends from one.
    """
    n = len(sire)
    found = np.full(n + 1, n, dtype=np.intp)
    found[-1] = -1  # the unknown parent, at position -1
    waiting = np.arange(n, dtype=np.intp)
    generation = 0
    while waiting.size:
        ready = np.maximum(found[sire[waiting]], found[dam[waiting]]) < generation
        if not ready.any():
            break
        found[waiting[ready]] = generation
        waiting = waiting[~ready]
        generation += 1
    return found[:-1]


def _first_of_descendants(sire: _Places, dam: _Places, generation: _Places) -> _Places:
    """The first position among each animal and its descendants."""
    first = np.arange(len(sire) + 1, dtype=np.intp)  # the last: the unknown parent
    order = np.argsort(generation, kind="stable")
    starts = np.flatnonzero(np.diff(generation[order])) + 1
    for group in reversed(np.split(order, starts)):
        np.minimum.at(first, sire[group], first[group])
        np.minimum.at(first, dam[group], first[group])
    return first[:-1]


def _loop_error(
    labels: pd.Index, sire: _Places, dam: _Places, endless: npt.NDArray[np.bool_]
) -> PedigreeError:
    """Walk up from a descendant of a loop until an animal comes again, then print the loop down."""
    path: dict[int, None] = {}
    animal = int(np.argmax(endless))
    while animal not in path:
        path[animal] = None
        parents = (int(sire[animal]), int(dam[animal]))
        animal = next(p for p in parents if p >= 0 and endless[p])
    progeny_to_parent = list(path)[list(path).index(animal) :]
    loop = progeny_to_parent[:1] + progeny_to_parent[:0:-1]
    shown = [str(labels[i]) for i in loop[:LONGEST_LOOP_SHOWN]]
    if len(loop) > LONGEST_LOOP_SHOWN:
        shown.append("...")
    walk = " -> ".join([*shown, str(labels[loop[0]])])
    return PedigreeError(
        f"{len(loop)} animals descend from themselves: {walk} (each a parent of the next). "
        "Correct one of these parents or make it unknown"
    )
