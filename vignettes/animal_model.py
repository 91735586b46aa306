"""The animal model, from simulated animals to breeding values.

Run it: python vignettes/animal_model.py
"""

# %% A population under selection
# Five generations of 200 animals; the best tenth of the males and half of the females by phenotype
# become parents. Mean 294, sex +-25, slope 0.75 on protein, residual variance 490, h2 0.30.
import numpy as np

import animalmm
from animalmm.simulation import simulate_course

population = simulate_course(np.random.default_rng(2015))
pedigree = animalmm.Pedigree(population.pedigree)
print(pedigree)
print(population.data.groupby("generation")[["y", "true_a", "true_F"]].mean().round(3))

# %% Selection candidates have no records yet
records = population.data.query("generation < 5")
fit = animalmm.fit("y ~ sex + protein + (1 | animal)", records, relmat={"animal": pedigree})
print(fit.summary())

# %% Heritability and breeding values
# Every animal of the pedigree has a breeding value. For one without a record its reliability comes
# from parents and other relatives alone.
print(fit.h2())
blup = fit.blup("animal").merge(population.data, left_on="level", right_on="animal")
print(blup.groupby("generation")[["reliability", "accuracy", "records"]].mean().round(3))

# %% Was it right? In a simulation the truth is known.
print("correlation of predicted and true breeding values")
by_generation = blup.groupby("generation")[["blup", "true_a"]]
print(by_generation.apply(lambda g: g["blup"].corr(g["true_a"])).round(2).to_string())
print(f"over all generations: {blup['blup'].corr(blup['true_a']):.2f}")

# %% The same numbers by the other engine and from A given as a matrix
same = animalmm.fit(
    "y ~ sex + protein + (1 | animal)",
    records,
    relmat={"animal": pedigree.a_matrix()},
    engine="whitened",
)
difference = np.abs(same.varcorr()["vcov"] / fit.varcorr()["vcov"] - 1).max()
print(f"largest relative difference of a variance component: {difference:.1e}")
assert difference < 1e-6

# %% Known variances: Henderson's BLUP without estimation
known = animalmm.fit(
    "y ~ sex + protein + (1 | animal)",
    records,
    relmat={"animal": pedigree},
    fixed={"animal": 210.0, "Residual": 490.0},
)
print(known.fixef())
print(known.convergence.message)
