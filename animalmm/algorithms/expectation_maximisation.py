"""EM and parameter-expanded EM: sure steps, many of them.

How far the optimum still is, is told by the average information, since small steps are no sign of
it; a variance that goes to zero, which would take for ever, is put there as soon as that is better;
and what is left after many steps is done by AI.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from animalmm.algorithms.average_information import AverageInformation
from animalmm.algorithms.boundary import downhill_off_boundary, onto_boundary
from animalmm.algorithms.model import model_of
from animalmm.algorithms.recorder import Recorder
from animalmm.core import Iteration, Objective, Optimum, Update, Vector

__all__ = ["EM", "PXEM"]

_ENOUGH = 1e-9  # gain of a Newton step: how far the criterion is above its minimum


@dataclass(frozen=True)
class EM:
    """EM-REML and EM-ML, as Henderson (1984) and Dempster, Laird & Rubin (1977) have it.

    Attributes
    ----------
    max_iterations : int, default 500
        Steps.
    finish : bool, default True
        Whether AI finishes what so many steps have left. Otherwise the fit says that it has not
        converged.
    """

    max_iterations: int = 500
    finish: bool = True
    name: ClassVar[str] = "em"

    def step(self, objective: Objective, theta: Vector) -> Update:
        """One step."""
        return objective.em(theta)

    def minimise(
        self, objective: Objective, start: Vector, watch: Callable[[Iteration], None]
    ) -> Optimum:
        """Find a minimum from `start` within the domain. See `animalmm.core.Algorithm`."""
        f, domain = Recorder(objective, watch), objective.domain
        theta, how, sigma2 = domain.clip(start), "start", None
        for _ in range(self.max_iterations):
            theta = onto_boundary(f, theta, domain)
            local = objective.local(theta)
            model = model_of(local, theta, domain)
            f.tell(how, theta, local.gradient, sigma2)
            if model.gain() > _ENOUGH:
                update = self.step(objective, theta)
                theta, how, sigma2 = update.theta, self.name.upper(), update.sigma2
                continue
            moved = downhill_off_boundary(f, objective, theta)
            if moved is None:
                break
            theta, how, sigma2 = moved, "off the boundary", None
        found = Optimum(theta, f(theta), f.evaluations, model.gain(), model.gradient, model.flat)
        if self.finish and found.gain > _ENOUGH:
            return _finished(found, objective, watch)
        return found


@dataclass(frozen=True)
class PXEM(EM):
    """Parameter-expanded EM (Liu, Rubin & Wu 1998; Foulley & van Dyk 2000): fewer steps."""

    name: ClassVar[str] = "px-em"

    def step(self, objective: Objective, theta: Vector) -> Update:
        """One step."""
        return objective.px_em(theta)


def _finished(found: Optimum, objective: Objective, watch: Callable[[Iteration], None]) -> Optimum:
    """What AI makes of it."""
    end = AverageInformation().minimise(objective, found.theta, watch)
    message = f"AI finished what was left, {found.value - end.value:.2g} of the criterion"
    evaluations = found.evaluations + end.evaluations
    return replace(end, evaluations=evaluations, messages=(message,))
