"""Time the main jobs: `make bench`. Prints the tables that stand in README.md of this folder."""

from __future__ import annotations

import platform
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import searches

import animalmm
from animalmm.datasets import load
from animalmm.linalg import backend
from animalmm.simulation import breeding_values


def median_seconds(job, runs):
    """Median of some runs after one that is not counted."""
    job()
    times = []
    for _ in range(runs):
        clock = time.perf_counter()
        job()
        times.append(time.perf_counter() - clock)
    return statistics.median(times)


def least_seconds(job, runs=3):
    """The shortest of some runs, and what the last one returns."""
    times = []
    for _ in range(runs):
        clock = time.perf_counter()
        found = job()
        times.append(time.perf_counter() - clock)
    return min(times), found


def import_seconds():
    """`import animalmm` in a new process, less the start of the interpreter."""

    def run(code):
        subprocess.run([sys.executable, "-c", code], check=True)

    return median_seconds(lambda: run("import animalmm"), 7) - median_seconds(
        lambda: run("pass"), 7
    )


def selected_population(animals, generations, rng):
    """A pedigree of equal generations, a hundredth of the animals sires, a tenth dams."""
    size = animals // generations
    sire = np.full(animals, -1)
    dam = np.full(animals, -1)
    for g in range(1, generations):
        parents = rng.permutation(np.arange((g - 1) * size, g * size))
        own = slice(g * size, (g + 1) * size)
        sire[own] = rng.choice(parents[: size // 100], size)
        dam[own] = rng.choice(parents[size // 100 : size // 100 + size // 10], size)
    ids = np.array([f"a{i}" for i in range(animals)])
    table = pd.DataFrame(
        {
            "id": ids,
            "sire": np.where(sire >= 0, ids[sire], None),
            "dam": np.where(dam >= 0, ids[dam], None),
        }
    )
    return animalmm.Pedigree(table), size


def large_pedigree(animals=102_000):
    """Seconds and evaluations of the animal model, without and with herds."""
    rng = np.random.default_rng(1)
    pedigree, size = selected_population(animals, 10, rng)
    herd = rng.integers(0, 550, animals)
    a = breeding_values(pedigree, 0.4, rng)
    effect = rng.normal(0, 0.3, 550)
    data = pd.DataFrame(
        {
            "animal": a.index,
            "sex": rng.choice(["F", "M"], animals),
            "herd": herd.astype(str),
            "y": a.to_numpy() + effect[herd] + rng.normal(0, 0.77, animals),
        }
    ).iloc[size:]
    for formula in (
        "y ~ sex + (1 | animal)",
        "y ~ sex + herd + (1 | animal)",
        "y ~ sex + (1 | animal) + (1 | herd)",
    ):
        clock = time.perf_counter()
        fit = animalmm.fit(formula, data, relmat={"animal": pedigree})
        yield formula, time.perf_counter() - clock, fit.convergence.evaluations


def main():
    """Print all tables."""
    print(
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, ",
        end="",
    )
    print(f"NumPy {np.__version__}, {backend()}\n")
    print("| job | seconds |\n|---|---|")
    print(f"| import animalmm | {import_seconds():.3f} |")
    sleepstudy = load("sleepstudy").data
    job = "Reaction ~ Days + (Days | Subject)"
    print(
        f"| sleepstudy, `{job}` | {median_seconds(lambda: animalmm.fit(job, sleepstudy), 9):.3f} |"
    )
    course = load("course")
    pedigree = animalmm.Pedigree(course.pedigree)
    formula = "y ~ sex + protein + (1 | animal)"
    for engine in ("mme", "whitened"):
        seconds = median_seconds(
            lambda e=engine: animalmm.fit(formula, course.data, {"animal": pedigree}, engine=e), 5
        )
        print(f"| course, 1,200 animals, `{engine}` | {seconds:.3f} |")
    gist = load("gist")
    K = gist.relationship()
    for engine in ("mme", "whitened"):
        seconds = median_seconds(
            lambda e=engine: animalmm.fit(gist.formula, gist.data, {"animal": K}, engine=e), 3
        )
        print(f"| gist, 1,000 animals, dense K, `{engine}` | {seconds:.2f} |")
    for formula, seconds, evaluations in large_pedigree():
        print(f"| 102,000 animals, `{formula}`, {evaluations} evaluations | {seconds:.1f} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\nPeak memory of all this: {peak:.2f} GiB.\n")
    searches.main()


if __name__ == "__main__":
    import warnings

    from animalmm.errors import BoundaryWarning, IllConditionedWarning

    warnings.simplefilter("ignore", IllConditionedWarning)
    warnings.simplefilter("ignore", BoundaryWarning)
    main()
