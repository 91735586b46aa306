"""The same models by animalmm and by lme4, in one run: `python benchmarks/lme4.py`.

Needs Rscript with lme4 on the path. Each is timed within its own process, after one fit that is
not counted, from data frames to the summary with standard errors.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from run import median_seconds

import animalmm
from animalmm.datasets import load

R = """
suppressMessages(library(lme4))
data <- read.csv("{path}", stringsAsFactors = FALSE)
for (g in strsplit("{groups}", " ")[[1]]) data[[g]] <- factor(data[[g]])
run <- function() {{ m <- lmer({formula}, data); s <- summary(m); m }}
m <- run()
times <- replicate({runs}, system.time(run())[["elapsed"]])
cat(sprintf("%.5f %.6f %s\\n", median(times), REMLcrit(m), packageVersion("lme4")))
"""


def ratings(rng):
    """As large as lme4's InstEval: 73,421 records by 2,972 students of 1,128 teachers."""
    n, students, teachers, departments = 73_421, 2_972, 1_128, 14
    s, d = rng.integers(0, students, n), rng.integers(0, teachers, n)
    department = rng.integers(0, departments, teachers)[d]
    service = rng.integers(0, 2, n)
    y = (
        3.2
        - 0.09 * service
        + rng.normal(0, 0.32, students)[s]
        + rng.normal(0, 0.51, teachers)[d]
        + rng.normal(0, 0.1, departments)[department]
        + rng.normal(0, 1.17, n)
    )
    return pd.DataFrame({"y": y, "service": service, "s": s, "d": d, "dept": department})


CASES = (
    ("sleepstudy", "Reaction ~ Days + (Days | Subject)", "Subject", 25),
    ("penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)", "plate sample", 25),
    ("ratings", "y ~ service + (1 | s) + (1 | d) + (1 | dept)", "s d dept", 3),
)


def by_lme4(data, formula, groups, runs):
    """Median seconds, REML criterion and version."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data.to_csv(path, index=False)
        code = R.format(path=path, groups=groups, formula=formula, runs=runs)
        done = subprocess.run(
            ["Rscript", "-e", code], check=True, capture_output=True, text=True
        ).stdout.split()
    return float(done[0]), float(done[1]), done[2]


def main():
    """Print a table."""
    if shutil.which("Rscript") is None:
        print("left out: this benchmark needs R with lme4 (apt install r-cran-lme4)")
        return
    print(
        "| model | lme4, s | animalmm, s | lme4 / animalmm | criteria differ by |\n"
        "|---|---|---|---|---|"
    )
    for name, formula, groups, runs in CASES:
        data = ratings(np.random.default_rng(1)) if name == "ratings" else load(name).data
        theirs, criterion, _ = by_lme4(data, formula, groups, runs)

        def job(formula=formula, data=data):
            fit = animalmm.fit(formula, data)
            fit.coefficients()
            fit.varcorr()
            return fit

        ours = median_seconds(job, runs)
        difference = job().estimate.criterion - criterion
        print(
            f"| {name}, `{formula}` | {theirs:.4f} | {ours:.4f} | {theirs / ours:.1f} | "
            f"{difference:.1e} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
