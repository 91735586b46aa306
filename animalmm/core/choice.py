"""An object by its name in a table, or the object itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from animalmm.errors import ArgumentError, listing, nearest

__all__ = ["named"]

T = TypeVar("T")


def named(value: Any, table: Mapping[str, T], what: str, method: str) -> T:
    """Look a name up, or take an object that does the job.

    Parameters
    ----------
    value : str or object
        What the user gave.
    table : mapping
        Objects by name.
    what : str
        The argument, for messages: ``"engine"``.
    method : str
        What an object must have.

    Raises
    ------
    ArgumentError
        Nothing has this name, or the object lacks the method.
    """
    if isinstance(value, str):
        if value not in table:
            raise ArgumentError(
                f"there is no {what} {value!r}; there are {listing(table)}.{nearest(value, table)}"
            )
        return table[value]
    if isinstance(value, type):
        raise ArgumentError(f"{what} takes an object, not its class: {value.__name__}()")
    if not hasattr(value, method):
        raise ArgumentError(
            f"{what} takes a name ({listing(table)}) or an object with {method}(); this is a "
            f"{type(value).__name__}"
        )
    found: T = value
    return found
