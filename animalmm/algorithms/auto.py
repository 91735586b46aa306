"""What a user should get: average information, and a second opinion where it is in doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from animalmm.algorithms.average_information import AverageInformation
from animalmm.algorithms.derivative_free import DerivativeFree
from animalmm.core import Iteration, Objective, Optimum, Vector
from animalmm.errors import EstimationError

__all__ = ["Auto"]

_DOUBTFUL = 1e-6  # what another step would gain


@dataclass(frozen=True)
class Auto:
    """AI; from where it stops the derivative-free search, when another step would still gain.

    Not where there is a direction in which nothing changes: no search finds an end there.
    """

    name = "auto"

    def minimise(
        self, objective: Objective, start: Vector, watch: Callable[[Iteration], None]
    ) -> Optimum:
        """Find a minimum from `start` within the domain. See `animalmm.core.Algorithm`."""
        first = AverageInformation().minimise(objective, start, watch)
        if first.gain <= _DOUBTFUL or first.flat:
            return first
        try:
            second = DerivativeFree().minimise(objective, first.theta, watch)
        except EstimationError as error:
            return replace(first, messages=(f"the search without derivatives failed: {error}",))
        message = f"searched without derivatives where AI stopped, at {first.value:.6f}"
        return replace(
            second,
            evaluations=first.evaluations + second.evaluations,
            messages=(message, *second.messages),
        )
