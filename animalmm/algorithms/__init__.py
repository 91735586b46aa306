"""Algorithms that maximise the likelihood over any engine."""

from __future__ import annotations

from animalmm.algorithms.derivative_free import DerivativeFree
from animalmm.core import Algorithm
from animalmm.errors import ArgumentError, listing, nearest

__all__ = ["DerivativeFree", "algorithm_named"]

_NAMES: dict[str, Algorithm] = {"auto": DerivativeFree(), "df": DerivativeFree()}


def algorithm_named(algorithm: str | Algorithm) -> Algorithm:
    """The algorithm of a name, or the configured algorithm itself.

    Raises
    ------
    ArgumentError
        No algorithm has this name.
    """
    if not isinstance(algorithm, str):
        if not hasattr(algorithm, "minimise"):
            raise ArgumentError(
                f"algorithm takes a name ({listing(_NAMES)}) or an object with minimise(); this is "
                f"a {type(algorithm).__name__}"
            )
        return algorithm
    if algorithm not in _NAMES:
        raise ArgumentError(
            f"there is no algorithm {algorithm!r}; there are {listing(_NAMES)}."
            f"{nearest(algorithm, _NAMES)}"
        )
    return _NAMES[algorithm]
