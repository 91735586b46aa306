"""Algorithms that maximise the likelihood over any engine."""

from __future__ import annotations

from animalmm.algorithms.derivative_free import DerivativeFree
from animalmm.core import Algorithm, named

__all__ = ["DerivativeFree", "algorithm_named"]

_NAMES: dict[str, Algorithm] = {"auto": DerivativeFree(), "df": DerivativeFree()}


def algorithm_named(algorithm: str | Algorithm) -> Algorithm:
    """The algorithm of a name, or the configured algorithm itself; else an ArgumentError."""
    return named(algorithm, _NAMES, "algorithm", "minimise")
