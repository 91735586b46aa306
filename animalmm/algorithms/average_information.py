"""Average-information (AI) maximisation of the likelihood.

Newton steps with the average information in place of the second derivatives (Gilmour, Thompson &
Cullis 1995; Johnson & Thompson 1995), in the coordinates of Cholesky factors, so that a singular
Sigma is an ordinary point. A step that does not pay is damped (Levenberg 1944; Marquardt 1963);
when that does not help either, a step of EM, which always pays, is taken in its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from animalmm.algorithms.model import Model, model_of, with_secant
from animalmm.algorithms.recorder import Recorder, off_boundary, onto_boundary
from animalmm.core import Domain, Iteration, Objective, Optimum, Vector

__all__ = ["AverageInformation"]

_ENOUGH = 1e-11  # gain of a step after which no other is needed
_LONGEST = 1.0  # of a step, for a parameter up to one; longer in proportion for larger ones
_PAYS = 0.1  # share of the promised gain that a step has to keep
_DAMPED = 8  # times that a step is damped before EM takes its place
_RESTARTS = 4


@dataclass(frozen=True)
class AverageInformation:
    """AI-REML and AI-ML.

    Attributes
    ----------
    max_iterations : int, default 100
        Steps between two looks at the boundary.
    """

    max_iterations: int = 100
    name = "ai"

    def minimise(
        self, objective: Objective, start: Vector, watch: Callable[[Iteration], None]
    ) -> Optimum:
        """Find a minimum from `start` within the domain. See `animalmm.core.Algorithm`."""
        f = Recorder(objective, watch)
        theta, how = objective.domain.clip(start), "start"
        for _ in range(_RESTARTS):
            theta, model = self._descend(f, objective, theta, how)
            moved = off_boundary(f, theta, objective.domain)
            if moved is None:
                break
            theta, how = moved, "off the boundary"
        return Optimum(theta, f(theta), f.evaluations, model.gain(), model.gradient, model.flat)

    def _descend(
        self, f: Recorder, objective: Objective, theta: Vector, how: str
    ) -> tuple[Vector, Model]:
        """Steps, up to and including the first that gains next to nothing."""
        domain, before, damping = objective.domain, None, 0.0
        for _ in range(self.max_iterations):
            theta = onto_boundary(f, theta, domain)
            local = objective.local(theta)
            f.tell(how, theta, local.gradient)
            if before is not None:
                change, difference = theta - before[0], local.gradient - before[1]
                information = with_secant(local.information, change, difference)
                local = replace(local, information=information)
            before = theta, local.gradient
            model = model_of(local, theta, domain)
            found = _better(f, objective, theta, model, damping)
            if found is None:
                break
            theta, how, damping = found
            if model.gain() < _ENOUGH:
                f.tell(how, theta)
                break
            if damping:
                f.tell(how, theta)
                theta, how = objective.px_em(theta).theta, "PX-EM"
        return theta, model


def _better(
    f: Recorder, objective: Objective, theta: Vector, model: Model, damping: float
) -> tuple[Vector, str, float] | None:
    """A step that pays, how it was made, and the damping to begin the next one with."""
    longest = _LONGEST * np.maximum(np.abs(theta), 1.0)
    for _ in range(_DAMPED):
        step = model.step(damping)
        step = step / max(float((np.abs(step) / longest).max(initial=0.0)), 1.0)
        candidate = _moved(theta, step, objective.domain)
        gained, promised = f(theta) - f(candidate), model.gain(damping)
        if gained >= min(_PAYS * promised, 1.0) - f.noise(theta):
            how = "AI, damped" if damping else "AI"
            return candidate, how, damping / 10
        damping = max(10.0 * damping, 1e-3 * model.sharpest)
    candidate = objective.em(theta).theta
    return (candidate, "EM", 0.0) if f(candidate) < f(theta) else None


def _moved(theta: Vector, step: Vector, domain: Domain) -> Vector:
    """Theta after a step; what may pass zero shrinks in proportion, and so does not.

    A long step down is one of the logarithm: the information grows near zero, where the criterion
    in standard deviations is flat, so that the plain step would pass to the other side.
    """
    moved = theta + step
    down = domain.through_zero & (step * theta < 0)
    moved[down] = theta[down] * np.exp(step[down] / theta[down])
    return domain.clip(moved)
