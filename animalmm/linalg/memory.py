"""Refuse an allocation that the machine cannot hold before it is tried."""

from __future__ import annotations

import os

from animalmm.errors import ArgumentError

__all__ = ["fits_memory", "memory_in_words", "require_memory"]

_SHARE = 0.8  # of the physical memory: the rest is for the system and for temporaries
_NOTABLE = 100 * 2**20  # bytes: what takes less is not worth a word


def physical_memory() -> int | None:
    """Physical memory in bytes, or None where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def fits_memory(n_bytes: float) -> bool:
    """Whether 80 % of the physical memory suffices; true where the system does not tell."""
    have = physical_memory()
    return have is None or n_bytes <= _SHARE * have


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
    if not fits_memory(n_bytes):
        have = physical_memory() or 0
        raise ArgumentError(
            f"{what} needs {n_bytes / 2**30:.1f} GiB of memory and this machine has "
            f"{have / 2**30:.1f} GiB. {instead}"
        )


def memory_in_words(n_bytes: float) -> str:
    """For a description: ``"about 1.2 GiB"``; empty for what no machine of today lacks."""
    return f"about {n_bytes / 2**30:.1f} GiB" if n_bytes > _NOTABLE else ""
