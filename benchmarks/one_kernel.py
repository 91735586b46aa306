"""One dense kernel, y ~ sex + (1 | animal): `python benchmarks/one_kernel.py [n ...]`.

Everything is given in units of one `scipy.linalg.cholesky` of K in the same run: the whole `fit`
from DataFrames to estimates, its parts, and what was tried against it: LAPACK's reduction to a
tridiagonal form (dsytrd) and widths of the band.

One run, one BLAS thread, in units of the Cholesky factor (in seconds in the first row):

| n | 1000 | 2000 | 3000 |
|---|---|---|---|
| Cholesky of K, seconds | 0.00978 | 0.0673 | 0.206 |
| whole fit | 12.6 | 7.51 | 7.61 |
| checks of K and the design | 0.684 | 0.459 | 0.334 |
| preparation of the engine | 7.48 | 6.37 | 6.08 |
| one evaluation | 0.132 | 0.035 | 0.0178 |
| BLUPs of all | 0.195 | 0.0876 | 0.0555 |
| PEV of all | 6.52 | 6.9 | 7.27 |
| band of 32 | 5.65 | 5.59 | 6.4 |
| band of 48 | 6.06 | 5.62 | 6.04 |
| band of 64 | 6.92 | 5.9 | 5.98 |
| band of 96 | 8.94 | 6.54 | 6.41 |
| dsytrd | 4.28 | 5.06 | 8.79 |

The whole fit of n = 6,000: 8.2. Up to 2,000 animals the matrix stays in the cache and dsytrd is as
good or better; beyond, it works at the speed of memory and the band is faster. The 13 to 15
evaluations of a fit cost half a Cholesky factor together from n = 2,000 on. Against the engine
`whitened` the whole fit takes as long at n = 200, a third at 500, a fifth at 1,500. With two
BLAS threads, on a quiet machine, the whole fit is 15.3, 11.3 and 9.5 at 1,000, 2,000 and 3,000 (of
a Cholesky factor of 0.007, 0.041 and 0.12 s). All products had to be SciPy's for that: mixed with
NumPy's, whose BLAS has threads of its own, the fit of 3,000 animals took 3.9 s in place of 1.3. In
seconds, `one_kernel` against `whitened`, two threads: 0.03 / 0.14 at 300 levels, 0.11 / 0.17 at
600, 0.13 / 0.36 at 1,000, 0.38 / 2.1 at 2,000; hence the limit of 300 for `auto`.
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
