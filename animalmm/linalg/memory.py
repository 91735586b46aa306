"""Refuse an allocation that the machine cannot hold before it is tried."""

from __future__ import annotations

import os

from animalmm.errors import ArgumentError

__all__ = ["require_memory"]

_SHARE = 0.8  # of the physical memory: the rest is for the system and for temporaries


def physical_memory() -> int | None:
    """Physical memory in bytes, or None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def require_memory(n_bytes: float, what: str, instead: str) -> None:
    """Raise before a big dense allocation that cannot succeed.

    Parameters
    ----------
    n_bytes : float
        What the allocation needs.
    what : str
        What is to be allocated, for the message.
    instead : str
        The cheaper way, for the message.

    Raises
    ------
    ArgumentError
        More than 80 % of the physical memory would be needed.
    """
    have = physical_memory()
    if have is not None and n_bytes > _SHARE * have:
        raise ArgumentError(
            f"{what} needs {n_bytes / 2**30:.1f} GiB of memory and this machine has "
            f"{have / 2**30:.1f} GiB. {instead}"
        )
