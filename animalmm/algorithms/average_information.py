"""Average-information (AI) maximisation of the likelihood.

Newton steps with the average information in place of the second derivatives (Gilmour, Thompson &
Cullis 1995; Johnson & Thompson 1995), along ways on which a singular Sigma is an ordinary point
(`animalmm.core.Domain.moved`). A step that does not pay is damped (Levenberg 1944; Marquardt 1963);
after it comes a step of EM, which always pays. Near the optimum, where the information turns out to
be no good stand-in, the second derivatives themselves are taken, from differences of gradients; so
they are where many steps have not led there. A residual variance that goes to zero is helped on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from animalmm.algorithms.boundary import downhill_off_boundary, onto_boundary
from animalmm.algorithms.model import Model, model_of, with_secant
from animalmm.algorithms.recorder import Recorder
from animalmm.algorithms.vanishing import FAR, boundless, larger, size_of
from animalmm.core import Iteration, Objective, Optimum, Vector

__all__ = ["AverageInformation"]

_ENOUGH = (1e-11, 1e-7)  # gain of a step after which no other is needed, between these:
_ROUNDING = 1e-14  # of the criterion, and of V, of which the residual variance is one
_PAYS = 0.1  # share of the promised gain that a step has to keep
_DAMPED = 8  # times that a step is damped before EM takes its place
_RESTARTS = 4  # besides one for each parameter, as all may begin at zero
_NEAR = 0.1  # gain of a step below which second derivatives are worth their price
_SLOW = 0.25  # share of the gain before that a good Newton step does not leave
_MANY = 12  # steps after which it is no ordinary search
_APART = 1e-3  # of gradients for differences, where the curvature is one


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
        domain = objective.domain
        theta, how = domain.clip(start), "start"
        for _ in range(_RESTARTS + len(start)):
            theta, model = self._descend(f, objective, theta, how)
            if size_of(theta, domain) > FAR:
                break
            moved = downhill_off_boundary(f, objective, theta)
            if moved is None:
                break
            theta, how = moved, "off the boundary"
        flat = model.flat or boundless(f, theta, domain)
        return Optimum(theta, f(theta), f.evaluations, model.gain(), model.gradient, flat)

    def _descend(
        self, f: Recorder, objective: Objective, theta: Vector, how: str
    ) -> tuple[Vector, Model]:
        """Steps, up to and including the first that gains next to nothing."""
        domain, before, damping = objective.domain, None, 0.0
        exact, full = False, np.inf  # the gain of a whole step before this one
        for taken in range(self.max_iterations):
            late, theta = taken >= _MANY, onto_boundary(f, theta, domain)
            theta = larger(f, theta, domain) if late else theta
            local = objective.local(theta)
            f.tell(how, theta, local.gradient)
            if before is not None:
                change, difference = theta - before[0], local.gradient - before[1]
                information = with_secant(local.information, change, difference)
                local = replace(local, information=information)
            before = theta, local.gradient
            model = model_of(local, theta, domain)
            slow = damping > 0 or model.gain() > _SLOW * full
            exact |= late and damping > 0
            exact |= model.gain() < _NEAR and (slow or model.flat)
            if exact:
                model = _refined(f, objective, theta, model)
            elif damping and how != "PX-EM":
                theta, how = objective.px_em(theta).theta, "PX-EM"
                continue
            found = _better(f, objective, theta, model, damping)
            if found is None:
                break
            theta, how, damping = found
            full = np.inf if model.shortened else model.gain()
            size = size_of(theta, domain)
            enough = np.clip(_ROUNDING * (abs(f(theta)) + size**2), *_ENOUGH)
            if model.gain() < enough or size > FAR:
                f.tell(how, theta)
                break
        return theta, model


def _refined(f: Recorder, objective: Objective, theta: Vector, model: Model) -> Model:
    """The model with the second derivatives, from differences of gradients."""
    changes = np.zeros_like(model.natural)
    for j, way in enumerate(model.natural.T):
        beside = theta + _APART * way
        if not np.array_equal(beside, objective.domain.clip(beside)):
            beside = theta - _APART * way
        f(beside)  # for the count
        apart = float((beside - theta) @ way) / float(way @ way)
        changes[:, j] = (objective.local(beside).gradient - model.gradient) / apart
    return model.refined(changes)


def _better(
    f: Recorder, objective: Objective, theta: Vector, model: Model, damping: float
) -> tuple[Vector, str, float] | None:
    """A step that pays, how it was made, and the damping to begin the next one with."""
    for _ in range(_DAMPED):
        candidate = objective.domain.moved(theta, model.step(damping))
        gained, promised = f(theta) - f.trial(candidate), model.gain(damping)
        if gained >= min(_PAYS * promised, 1.0) - f.noise(theta):
            how = "AI, damped" if damping else "AI"
            return candidate, how, damping / 10
        damping = max(10.0 * damping, 1e-3 * model.sharpest)
    candidate = objective.em(theta).theta
    return (candidate, "EM", 0.0) if f(candidate) < f(theta) else None
