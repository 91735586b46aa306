"""One dense kernel, y ~ sex + (1 | animal): `python benchmarks/one_kernel.py [n ...]`.

Everything is given in units of one `scipy.linalg.cholesky` of K in the same run: the whole `fit`
from DataFrames to estimates, its parts, and what was tried against it: LAPACK's reduction to a
tridiagonal form (dsytrd) and widths of the band.

The results, and what was learnt, stand in README.md.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from run import least_seconds
from scipy import linalg
from scipy.linalg.lapack import dsytrd, dsytrd_lwork

import animalmm
from animalmm.design import build_problem
from animalmm.engines import OneKernel
from animalmm.formula import parse_formula
from animalmm.linalg.band import reduce_to_band

FORMULA = "y ~ sex + (1 | animal)"
WIDTHS = (32, 48, 64, 96)


def population(n, rng):
    """Records and the marker relationship of n animals, of full rank."""
    M = rng.binomial(2, rng.uniform(0.05, 0.5, 2 * n), size=(n, 2 * n)).astype(float)
    M -= M.mean(axis=0)
    K = M @ M.T
    K *= n / np.trace(K)
    K.flat[:: n + 1] += 0.01
    u = linalg.cholesky(K, lower=True) @ rng.normal(size=n)
    ids = np.array([f"a{i}" for i in range(n)])
    sex = rng.choice(["F", "M"], n)
    y = u + (sex == "F") + rng.normal(size=n)
    return pd.DataFrame({"animal": ids, "sex": sex, "y": y}), pd.DataFrame(K, ids, ids)


def parts(data, K):
    """Jobs by what they are called, each of them run apart."""
    values = K.to_numpy()
    spec = parse_formula(FORMULA)
    problem = build_problem(spec, data, {"animal": K}).problem
    engine = OneKernel().prepare(problem)
    fit = animalmm.fit(FORMULA, data, {"animal": K})
    lwork = int(dsytrd_lwork(len(K), lower=1)[0])

    def evaluation():
        return engine.at(fit.estimate.psi).quad

    yield "whole fit", lambda: animalmm.fit(FORMULA, data, {"animal": K})
    yield "checks of K and the design", lambda: build_problem(spec, data, {"animal": K})
    yield "preparation of the engine", lambda: OneKernel().prepare(problem)
    yield "one evaluation", evaluation
    yield "BLUPs of all", lambda: engine.at(fit.estimate.psi).u
    yield "PEV of all", lambda: engine.at(fit.estimate.psi).error_blocks([0])
    for width in WIDTHS:
        yield f"band of {width}", lambda w=width: reduce_to_band(values.copy(order="F"), w)
    yield "dsytrd", lambda: dsytrd(values, lower=1, lwork=lwork)


def column(n):
    """Seconds of the Cholesky factor, then everything else in units of it."""
    data, K = population(n, np.random.default_rng(n))
    values = K.to_numpy()
    before, _ = least_seconds(lambda: linalg.cholesky(values, lower=True))
    times = {name: least_seconds(job, 2)[0] for name, job in parts(data, K)}
    after, _ = least_seconds(lambda: linalg.cholesky(values, lower=True))
    unit = min(before, after)
    return {"Cholesky of K, seconds": unit} | {name: t / unit for name, t in times.items()}


def main():
    """Print the table."""
    sizes = [int(n) for n in sys.argv[1:]] or [1000, 2000, 3000]
    table = pd.DataFrame({n: column(n) for n in sizes})
    print(f"| n | {' | '.join(map(str, sizes))} |\n|---|{'---|' * len(sizes)}")
    for name, row in table.iterrows():
        print(f"| {name} | {' | '.join(f'{value:.3g}' for value in row)} |")


if __name__ == "__main__":
    main()
