"""Algorithms that maximise the likelihood over any engine."""

from __future__ import annotations

from animalmm.algorithms.auto import Auto
from animalmm.algorithms.average_information import AverageInformation
from animalmm.algorithms.derivative_free import DerivativeFree
from animalmm.algorithms.expectation_maximisation import EM, PXEM
from animalmm.core import Algorithm, named

__all__ = ["EM", "PXEM", "Auto", "AverageInformation", "DerivativeFree", "algorithm_named"]

_ALL: tuple[Algorithm, ...] = (Auto(), AverageInformation(), EM(), PXEM(), DerivativeFree())
_NAMES = {algorithm.name: algorithm for algorithm in _ALL}


def algorithm_named(algorithm: str | Algorithm) -> Algorithm:
    """The algorithm of a name, or the configured algorithm itself; else an ArgumentError."""
    return named(algorithm, _NAMES, "algorithm", "minimise")
