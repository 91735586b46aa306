"""Whole fits of pedigree models against one factorisation: `python benchmarks/fits.py [n ...]`.

From DataFrames to standard errors of fixed effects and components, and for the largest to the BLUPs
of all animals, in units of one numeric CHOLMOD factorisation of the equations of that very model,
in the same run.
"""

from __future__ import annotations

import resource
import sys
import time

import numpy as np
import pandas as pd
from run import selected_population

import animalmm
from animalmm.engines import Auto
from animalmm.engines.sparse import SparseEngine
from animalmm.simulation import breeding_values

FORMULAS = (
    "y ~ sex + (1 | animal)",
    "y ~ sex + (1 | animal) + (1 | hys)",
    "y ~ sex + (1 | animal) + (1 | ide(animal)) + (1 | hys)",
)
HERDS = 550


def population(animals, rng, records=1):
    """A pedigree of ten generations, and records of all but the first."""
    pedigree, size = selected_population(animals, 10, rng)
    a = breeding_values(pedigree, 0.4, rng).iloc[size:]
    herd = np.array([f"h{k}" for k in range(HERDS)])
    parts = []
    pe = rng.normal(0, 0.4, len(a))
    for _ in range(records):
        own = rng.integers(0, HERDS, len(a))
        y = a.to_numpy() + pe * (records > 1) + rng.normal(0, 0.3, HERDS)[own]
        parts.append(
            pd.DataFrame(
                {
                    "animal": a.index,
                    "sex": rng.choice(["F", "M"], len(a)),
                    "hys": herd[own],
                    "y": y + rng.normal(0, 0.77, len(a)),
                }
            )
        )
    return pedigree, pd.concat(parts, ignore_index=True)


def factorisation(fit, runs=3):
    """Seconds of one numeric factorisation of the equations at the estimate, the best of some."""
    engine = Auto().prepare(fit.design.problem)
    assert isinstance(engine, SparseEngine)
    psi = fit.estimate.psi
    relative = [F / np.sqrt(psi.sigma2) for F in psi.factors]
    system = engine._random_system if not engine._joined else engine._system
    lower = system._equations.assemble(relative)
    times = []
    for _ in range(runs):
        clock = time.perf_counter()
        system._symbolic.factorize(lower)
        times.append(time.perf_counter() - clock)
    return min(times)


def whole(formula, data, pedigree, *, blups):
    """The job: fit, standard errors, and BLUPs where asked for."""
    clock = time.perf_counter()
    fit = animalmm.fit(formula, data, {"animal": pedigree})
    fit.coefficients()
    fit.varcorr()
    if blups:
        fit.ranef("animal")
    return fit, time.perf_counter() - clock


def main(sizes):
    """Print a table."""
    print(
        "| animals | formula | iterations | evaluations | factorisation, s | whole, s | ratio |\n"
        "|---|---|---|---|---|---|---|"
    )
    for animals in sizes:
        large = animals > 200_000
        for formula in FORMULAS[: 1 if large else 3]:
            rng = np.random.default_rng(1)
            pedigree, data = population(animals, rng, 2 if "ide" in formula else 1)
            fit, seconds = whole(formula, data, pedigree, blups=large)
            one = factorisation(fit)
            found = fit.convergence
            print(
                f"| {animals:,} | `{formula}` | {found.iterations} | {found.evaluations} | "
                f"{one:.2f} | {seconds:.1f} | {seconds / one:.1f} |",
                flush=True,
            )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\nPeak memory: {peak:.2f} GiB.")


if __name__ == "__main__":
    main([int(a.replace("_", "")) for a in sys.argv[1:]] or [102_000, 1_020_000])
