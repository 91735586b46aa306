"""Checks of arguments that the simulations share; each raises `ArgumentError`."""

from __future__ import annotations

import math
from numbers import Integral

import numpy as np

from animalmm.errors import ArgumentError

__all__ = ["check_between", "check_count", "check_rng"]


def check_rng(rng: object) -> None:
    """Refuse a seed where a generator is needed."""
    if not isinstance(rng, np.random.Generator):
        raise ArgumentError(
            f"rng must be a numpy.random.Generator, not {type(rng).__name__}; "
            f"write numpy.random.default_rng({rng if isinstance(rng, int) else 1})"
        )


def check_count(least: int, **values: object) -> None:
    """Refuse what is not a whole number of at least `least`."""
    for name, value in values.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
            raise ArgumentError(f"{name} must be a whole number of at least {least}, not {value!r}")


def check_between(
    low: float = -math.inf, high: float = math.inf, *, closed: str = "", **values: object
) -> None:
    """Refuse what is not a finite number between two bounds.

    Parameters
    ----------
    low, high : float
        Bounds.
    closed : str
        Which bounds are allowed themselves: any of "low" and "high".
    **values : object
        Values by the name of their argument.
    """
    for name, value in values.items():
        inside = (
            isinstance(value, (int, float, np.number))
            and math.isfinite(value)
            and low <= value <= high
        )
        at_open_bound = (value == low and "low" not in closed) or (
            value == high and "high" not in closed
        )
        if not inside or at_open_bound:
            left = "[" if "low" in closed else "("
            right = "]" if "high" in closed else ")"
            raise ArgumentError(
                f"{name} must be a number in {left}{low:g}, {high:g}{right}, not {value!r}"
            )
