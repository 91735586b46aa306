"""Parents before progeny; loops; generations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import PedigreeError

__all__ = ["generations", "sorted_order"]

LONGEST_LOOP_SHOWN = 20


def sorted_order(
    labels: pd.Index, sire: npt.NDArray[np.intp], dam: npt.NDArray[np.intp]
) -> npt.NDArray[np.intp]:
    """Order the animals so that parents come before their progeny.

    The given order is kept where it is valid: an animal is moved only to stand right before the
    first of its descendants that would precede it.

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
    parents = list(zip(sire.tolist(), dam.tolist(), strict=True))
    placed = [False] * n
    order: list[int] = []
    for start in range(n):
        if not placed[start]:
            _place(start, parents, placed, order, labels)
    return np.array(order, dtype=np.intp)


def _place(
    start: int,
    parents: Sequence[tuple[int, int]],
    placed: list[bool],
    order: list[int],
    labels: pd.Index,
) -> None:
    """Append `start` to the order, its ancestors before it (a walk without recursion)."""
    path = [start]
    on_path = {start}
    while path:
        animal = path[-1]
        waiting = next((p for p in parents[animal] if p >= 0 and not placed[p]), None)
        if waiting is None:
            path.pop()
            on_path.remove(animal)
            placed[animal] = True
            order.append(animal)
        elif waiting in on_path:
            raise _loop_error([labels[i] for i in path[path.index(waiting) :]])
        else:
            path.append(waiting)
            on_path.add(waiting)


def _loop_error(progeny_to_parent: list[object]) -> PedigreeError:
    """Walk round the loop, each animal a parent of the next, back to the first."""
    loop = progeny_to_parent[:1] + progeny_to_parent[:0:-1]
    shown = [str(animal) for animal in loop[:LONGEST_LOOP_SHOWN]]
    if len(loop) > LONGEST_LOOP_SHOWN:
        shown.append("...")
    walk = " -> ".join([*shown, str(loop[0])])
    return PedigreeError(
        f"{len(loop)} animals descend from themselves: {walk} (each a parent of the next). "
        "Correct one of these parents or make it unknown"
    )


def generations(sire: npt.NDArray[np.intp], dam: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Length of the longest path from a founder; 0 for founders.

    Parameters
    ----------
    sire, dam : ndarray of intp, shape (n,)
        Positions of the parents, each before its progeny; -1 where unknown.

    Returns
    -------
    ndarray of intp, shape (n,)
    """
    # The extra last element serves the unknown parent, whose position is -1.
    depth = [-1] * (len(sire) + 1)
    for animal, (s, d) in enumerate(zip(sire.tolist(), dam.tolist(), strict=True)):
        depth[animal] = max(depth[s], depth[d]) + 1
    return np.array(depth[:-1], dtype=np.intp)
