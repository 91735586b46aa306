"""Five algorithms, five engines, one optimum; and how precise the variance components are.

Run it: python vignettes/algorithms.py
"""

# %% The course of animal breeding: EM-REML as it is taught there, step by step
import warnings

import numpy as np
import pandas as pd

import animalmm
from animalmm.errors import BoundaryWarning

course = animalmm.datasets.load("course")
pedigree = animalmm.Pedigree(course.pedigree)


def fit(formula="y ~ sex + protein + (1 | animal)", **arguments):
    """A model of the course's data."""
    return animalmm.fit(formula, course.data, relmat={"animal": pedigree}, **arguments)


em = fit(algorithm="em", start={"animal": 100.0, "Residual": 500.0})
print(em.history.loc[[0, 1, 2, 3, 50], ["criterion", "animal", "Residual"]])
assert abs(em.history.loc[1, "animal"] - 115.7316) < 1e-4  # the course's first step

# %% The same by parameter-expanded EM, by average information, and without derivatives
fits = {name: fit(algorithm=name) for name in ("auto", "ai", "px-em", "df")} | {"em": em}
table = pd.DataFrame(
    {
        name: [f.convergence.iterations, f.convergence.evaluations, f.estimate.criterion]
        for name, f in fits.items()
    },
    index=["iterations", "evaluations", "-2 log likelihood"],
)
print(table.T)
assert np.ptp(table.loc["-2 log likelihood"]) < 1e-6

# %% How average information got there; verbose=1 prints this while it runs
print(fits["ai"].history.round(5))

# %% The engine does not matter to the numbers, only to the time
engines = {name: fit(engine=name) for name in ("mme", "whitened", "one_kernel", "many_kernels")}
for name, f in engines.items():
    print(f"{name:13} {f.estimate.criterion:.6f}  {f.provenance['engine']}")

# %% Standard errors of variances and of what is computed from them
best = fits["auto"]
print(best.varcorr())
print(best.h2())
print(best.vpredict("animal / (animal + Residual)"))  # ASReml's vpredict
print(best.vpredict(lambda v: np.sqrt(v["animal"]) / 100, information="observed"))
print(best.vcov_varcorr())

# %% A variance of zero is said, and has no standard error
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always", BoundaryWarning)
    zero = animalmm.fit("Yield ~ 1 + (1 | Batch)", animalmm.datasets.load("dyestuff2").data)
print(caught[0].message)
print(zero.varcorr())
