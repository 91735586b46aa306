"""Several dense kernels, y ~ x + (1 | G1) + (1 | G2): `python benchmarks/many_kernels.py [n ...]`.

The first table has three kernels and the residual, one record an animal, in units of one
`scipy.linalg.cholesky` of a matrix of n rows in the same run. An iteration is what average
information takes: an evaluation, quad, the slopes of all terms and P times three working variates.
One BLAS thread, others at work on the same two cores:

| n | 500 | 1000 | 2000 | 3000 |
| --- | --- | --- | --- | --- |
| Cholesky, seconds | 0.00174 | 0.0149 | 0.102 | 0.347 |
| preparation | 8.35 | 5.69 | 4.63 | 4.66 |
| one iteration | 3.67 | 3.61 | 3.11 | 2.92 |
| evaluation | 1.03 | 1.07 | 0.681 | 0.886 |
| evaluation and slopes | 3.88 | 3.4 | 3.14 | 2.66 |
| evaluation and complete information | 30.9 | 16.3 | 12.2 | 11.6 |
| evaluation and BLUPs | 1.57 | 1.6 | 1.09 | 1.05 |
| evaluation and PEV of one term | 12.5 | 4.87 | 4.21 | 4.19 |

The second has kernels x animals, with herds beside them, and seconds of the preparation and of one
evaluation with slopes, by this engine and by `whitened`:

| kernels | herds | records | prepare | evaluate | whitened: prepare | evaluate |
| --- | --- | --- | --- | --- | --- | --- |
| 2 x 100 | 0 | 100 | 0.00117 | 0.000436 | 0.0281 | 0.00227 |
| 2 x 150 | 0 | 150 | 0.00704 | 0.000603 | 0.0158 | 0.0031 |
| 2 x 400 | 0 | 400 | 0.00464 | 0.00317 | 0.0911 | 0.0559 |
| 2 x 800 | 0 | 800 | 0.0386 | 0.0244 | 0.609 | 0.219 |
| 2 x 300 | 0 | 20000 | 0.0108 | 0.0154 | 0.728 | 0.108 |
| 2 x 300 | 3000 | 4000 | 0.0939 | 0.69 | 0.302 | 0.928 |
| 1 x 600 | 3000 | 4000 | 0.117 | 0.663 | 0.283 | 0.869 |
| 2 x 600 | 8000 | 6000 | 1.03 | 4.63 | 1.05 | 4.8 |
| 1 x 600 | 8000 | 6000 | 0.252 | 3.43 | 0.47 | 1.61 |

The dense system is the cheaper one at any size where all is dense, and ceases to be where herds
make it five to ten times larger than the kernels; hence what `auto` does. Packed matrices are
factorised and inverted as fast as full ones (n = 2,000: 0.95 and 1.74 units, against 0.95 and
1.85), in half the memory.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from run import least_seconds
from scipy import linalg, sparse

from animalmm.core import Problem, Psi, Term
from animalmm.covariance import structure
from animalmm.engines import ManyKernels, Whitened
from animalmm.relationship import CovarianceRelationship, IdentityRelationship

# animals of each kernel, kernels, levels of a herd, records
CHOICES = [
    (100, 2, 0, 100),
    (150, 2, 0, 150),
    (400, 2, 0, 400),
    (800, 2, 0, 800),
    (300, 2, 0, 20_000),
    (300, 2, 3000, 4000),
    (600, 1, 3000, 4000),
    (600, 2, 8000, 6000),
    (600, 1, 8000, 6000),
]


def term(name, at, relationship):
    """A random intercept of records at some levels."""
    places = (np.ones(len(at)), at, np.arange(len(at) + 1))
    Z = sparse.csr_array(places, shape=(len(at), relationship.size))
    return Term(name, name, ("(Intercept)",), Z, relationship, structure("us", 1), True)


def model(q, kernels, herds, n, rng):
    """Records of q animals with several marker relationships, and of herds if there are any."""
    labels = pd.Index([f"a{i}" for i in range(q)])
    at = rng.permutation(np.arange(n) % q)
    terms = []
    for i in range(kernels):
        M = rng.normal(size=(q, 2 * q))
        K = CovarianceRelationship(labels, M @ M.T / (2 * q))
        terms.append(term(f"G{i + 1}", at, K))
    if herds:
        identity = IdentityRelationship(pd.RangeIndex(herds))
        terms.append(term("herd", rng.integers(0, herds, n), identity))
    problem = Problem(
        y=rng.normal(size=n),
        X=np.column_stack([np.ones(n), rng.normal(size=n)]),
        names=("one", "x"),
        terms=tuple(terms),
        weights=rng.uniform(0.5, 2, n),
        offset=np.zeros(n),
    )
    return problem, Psi(tuple(np.array([[0.5 + 0.1 * i]]) for i in range(len(terms))), 1.0)


def slopes(point):
    """Of all terms."""
    return [point.slope(i) for i in range(len(point.psi.factors))]


def iteration(engine, psi, v):
    """One iteration of average information."""
    point = engine.at(psi)
    return point.quad, slopes(point), point.apply_P(v)


def parts(problem, psi):
    """Jobs by what they are called."""
    engine = ManyKernels().prepare(problem)
    v = np.random.default_rng(0).normal(size=(problem.n, 3))
    yield "preparation", lambda: ManyKernels().prepare(problem)
    yield "one iteration", lambda: iteration(engine, psi, v)
    yield "evaluation", lambda: engine.at(psi).quad
    yield "evaluation and slopes", lambda: slopes(engine.at(psi))
    yield "evaluation and complete information", lambda: engine.at(psi).complete_information()
    yield "evaluation and BLUPs", lambda: engine.at(psi).u
    yield "evaluation and PEV of one term", lambda: engine.at(psi).error_blocks([0])


def column(n):
    """Seconds of the Cholesky factor, then everything else in units of it."""
    problem, psi = model(n, 3, 0, n, np.random.default_rng(n))
    values = problem.terms[0].relationship.K
    before, _ = least_seconds(lambda: linalg.cholesky(values, lower=True))
    times = {name: least_seconds(job)[0] for name, job in parts(problem, psi)}
    after, _ = least_seconds(lambda: linalg.cholesky(values, lower=True))
    unit = min(before, after)
    return {"Cholesky, seconds": unit} | {name: t / unit for name, t in times.items()}


def choice(q, kernels, herds, n):
    """Preparation and evaluation with slopes in seconds, by `many_kernels` and by `whitened`."""
    problem, psi = model(q, kernels, herds, n, np.random.default_rng(1))
    found = [f"{kernels} x {q}", herds, n]
    for spec in (ManyKernels(), Whitened(join=False)):
        prepared, engine = least_seconds(lambda spec=spec: spec.prepare(problem), 1)
        evaluated, _ = least_seconds(lambda engine=engine: slopes(engine.at(psi)), 2)
        found += [f"{prepared:.3g}", f"{evaluated:.3g}"]
    return found


def table(rows, names):
    """As Markdown."""
    lines = [names, ["---"] * len(names), *rows]
    print("\n".join(f"| {' | '.join(map(str, line))} |" for line in lines), end="\n\n")


def main():
    """Print both tables."""
    sizes = [int(n) for n in sys.argv[1:]] or [500, 1000, 2000, 3000]
    found = pd.DataFrame({n: column(n) for n in sizes})
    table([[name, *(f"{x:.3g}" for x in row)] for name, row in found.iterrows()], ["n", *sizes])
    names = ["kernels", "herds", "records", "prepare", "evaluate", "whitened: prepare", "evaluate"]
    table([choice(*size) for size in CHOICES], names)


if __name__ == "__main__":
    main()
