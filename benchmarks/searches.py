"""Which algorithm, and which search for the derivative-free one, over small models.

For the searches the Newton finish and the look at the boundary are the same; only the search
differs.
"""

from __future__ import annotations

import time
import warnings
from functools import partial

import numpy as np
from scipy.optimize import minimize

import animalmm
from animalmm.algorithms import EM, PXEM, AverageInformation, DerivativeFree, derivative_free
from animalmm.datasets import load
from animalmm.engines import engine_spec
from animalmm.estimation import Criterion
from animalmm.estimation.components import parameter_space
from animalmm.pedigree import Pedigree
from animalmm.simulation import breeding_values, simulate_course


def problems():
    """Models with one to six variance parameters."""
    for name, formula in (
        ("sleepstudy", "Reaction ~ Days + (Days | Subject)"),
        ("sleepstudy", "Reaction ~ Days + (Days || Subject)"),
        ("dyestuff", "Yield ~ 1 + (1 | Batch)"),
        ("dyestuff2", "Yield ~ 1 + (1 | Batch)"),
        ("pastes", "strength ~ 1 + (1 | batch/cask)"),
        ("penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
    ):
        yield formula, animalmm.build_problem(formula, load(name).data).problem
    rng = np.random.default_rng(3)
    course = simulate_course(rng)
    pedigree = Pedigree(course.pedigree)
    data = course.data.loc[course.data.index.repeat(3)].reset_index(drop=True)
    slope = breeding_values(pedigree, 60.0, rng)
    data["age"] = np.tile([-1.0, 0.0, 1.0], len(course.data))
    data["y"] += data["age"] * slope.loc[data["animal"]].to_numpy() + rng.normal(0, 9, len(data))
    for formula in (
        "y ~ sex + (1 | animal)",
        "y ~ sex + (1 | animal) + (1 | ide(animal))",
        "y ~ sex + age + (age | animal)",
        "y ~ sex + age + (age | animal) + (age | ide(animal))",
    ):
        yield formula, animalmm.build_problem(formula, data, {"animal": pedigree}).problem


def scipy_search(method, **options):
    """A search by one of SciPy's methods, in the form that the algorithm uses."""

    def search(f, theta, domain):
        bounds = list(zip(domain.lower, domain.upper, strict=True))
        minimize(f, theta, method=method, bounds=bounds, options=options)
        return f.best

    return search


SEARCHES = {
    "SLSQP, scaled forward differences": derivative_free._quasi_newton,
    "L-BFGS-B": scipy_search("L-BFGS-B", ftol=1e-10, gtol=1e-3),
    "COBYQA": scipy_search("COBYQA", final_tr_radius=1e-3),
    "Nelder-Mead": scipy_search("Nelder-Mead", xatol=1e-3, fatol=1e-4, maxfev=5000),
    "Powell": scipy_search("Powell", xtol=1e-3, ftol=1e-8),
}


ALGORITHMS = {a.name: a for a in (AverageInformation(), DerivativeFree(), PXEM(), EM())}


def criteria():
    """The criterion of each model."""
    for _, problem in problems():
        space = parameter_space(problem, None)
        yield Criterion(engine_spec("auto").prepare(problem), problem, space, "REML")


def measure(ways):
    """Evaluations, seconds and the worst criterion above the best, for each way to an optimum."""
    totals = {name: [0, 0.0, 0.0] for name in ways}
    for criterion in criteria():
        found = {}
        for name, way in ways.items():
            clock = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found[name] = way(criterion)
            totals[name][1] += time.perf_counter() - clock
            totals[name][0] += found[name].evaluations
        best = min(o.value for o in found.values())
        for name, optimum in found.items():
            totals[name][2] = max(totals[name][2], optimum.value - best)
    return totals


def minimised(algorithm, criterion):
    """From the plain start."""
    return algorithm.minimise(criterion, criterion.space.start(), lambda iteration: None)


def searched(name, criterion):
    """Derivative-free, with one of the searches."""
    kept, derivative_free._quasi_newton = derivative_free._quasi_newton, SEARCHES[name]
    try:
        return minimised(DerivativeFree(), criterion)
    finally:
        derivative_free._quasi_newton = kept


def main():
    """Print the tables."""
    for what, ways in (
        ("algorithm", {n: partial(minimised, a) for n, a in ALGORITHMS.items()}),
        ("search", {n: partial(searched, n) for n in SEARCHES}),
    ):
        print(f"| {what} | evaluations | seconds | worst criterion above the best |")
        print("|---|---|---|---|")
        for name, (evaluations, seconds, above) in measure(ways).items():
            print(f"| {name} | {evaluations} | {seconds:.2f} | {above:.1e} |")
        print()


if __name__ == "__main__":
    main()
