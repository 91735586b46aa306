"""How time and memory grow with the size of a problem: `python benchmarks/growth.py`.

Each fit runs in a process of its own, so that its peak memory is its own. Draws
`growth_pedigree.png` and `growth_dense.png` beside this file, and prints the numbers.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
PEDIGREE = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
DENSE = (500, 1_000, 2_000, 4_000, 8_000)
TWO_KERNELS = (500, 1_000, 2_000, 4_000)


def pedigree_model(n):
    from fits import population

    pedigree, data = population(n, np.random.default_rng(1))
    return "y ~ sex + (1 | animal)", data, {"animal": pedigree}


def dense_model(n):
    from one_kernel import population

    data, K = population(n, np.random.default_rng(1))
    return "y ~ sex + (1 | animal)", data, {"animal": K}


def two_kernels_model(n):
    _, data, relmat = dense_model(n)
    rng = np.random.default_rng(2)
    M = rng.normal(0.0, (n // 4) ** -0.5, size=(n, n // 4))  # of a quarter of the rank
    data["y"] += M @ rng.normal(size=n // 4)
    names = relmat["animal"].index
    second = pd.DataFrame(M @ M.T, names, names)
    return "y ~ sex + (1 | animal) + (1 | gr(animal, second))", data, relmat | {"second": second}


MODELS = {"pedigree": pedigree_model, "dense": dense_model, "two kernels": two_kernels_model}


def measure(kind, n):
    """Seconds of the fit, and the memory that it needs beside its data, in GiB."""
    import animalmm

    formula, data, relmat = MODELS[kind](n)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    clock = time.perf_counter()
    fit = animalmm.fit(formula, data, relmat)
    fit.varcorr()
    seconds = time.perf_counter() - clock
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "n": n,
        "seconds": seconds,
        "peak": after / 2**20,
        "more": (after - before) / 2**20,
        "evaluations": fit.convergence.evaluations,
    }


def series(kind, sizes):
    """One process for each size."""
    rows = []
    for n in sizes:
        command = [sys.executable, __file__, kind, str(n)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE)
        row = json.loads(done.stdout.splitlines()[-1])
        print(
            f"| {kind} | {n:,} | {row['seconds']:.3f} | {row['peak']:.2f} | {row['evaluations']} |",
            flush=True,
        )
        rows.append(row)
    return rows


def slope(rows, what):
    """Power of n by which the last three sizes grow."""
    last = rows[-3:]
    return np.polyfit(np.log([r["n"] for r in last]), np.log([r[what] for r in last]), 1)[0]


def draw(path, title, curves, axis):
    """Time and memory side by side on logarithmic axes."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter, NullLocator
    from matplotlib.ticker import StrMethodFormatter as Format

    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    labels = {"seconds": "seconds of the whole fit", "peak": "peak memory of the process, GiB"}
    sizes = sorted({r["n"] for rows in curves.values() for r in rows})
    for place, (what, label) in zip(axes, labels.items(), strict=True):
        for name, rows in curves.items():
            n = [r["n"] for r in rows]
            power = slope(rows, what)
            place.loglog(
                n, [r[what] for r in rows], "o-", label=f"{name}: n^{power:.1f} at the end"
            )
        place.xaxis.set_major_locator(FixedLocator(sizes))
        place.xaxis.set_minor_locator(NullLocator())
        place.xaxis.set_major_formatter(Format("{x:,.0f}"))
        place.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        place.yaxis.set_major_formatter(Format("{x:g}"))
        place.yaxis.set_minor_formatter(NullFormatter())
        place.tick_params(axis="x", labelrotation=30)
        place.set_xlabel(axis)
        place.set_ylabel(label)
        place.grid(visible=True, which="both", alpha=0.25)
        place.legend(frameon=False)
    figure.suptitle(title)
    figure.savefig(path, dpi=110)


def main():
    """Measure all, print a table, draw."""
    print("| model | n | seconds | peak, GiB | evaluations |\n|---|---|---|---|---|")
    pedigree = {"animal model": series("pedigree", PEDIGREE)}
    draw(HERE / "growth_pedigree.png", "Pedigrees", pedigree, "animals in the pedigree")
    dense = {
        "one kernel": series("dense", DENSE),
        "two kernels": series("two kernels", TWO_KERNELS),
    }
    draw(HERE / "growth_dense.png", "Dense relationship matrices", dense, "animals")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
    else:
        main()
