"""Relationships: from a pedigree, from markers, from both.

Run it: python vignettes/relationships.py
"""

# %% A pedigree is read, sorted and checked
# Any order, any labels. What cannot be true is refused with the animals named.
import io

import numpy as np
import pandas as pd

import animalmm
from animalmm.simulation import simulate_course, simulate_genotypes

rng = np.random.default_rng(2008)
population = simulate_course(rng)
pedigree = animalmm.Pedigree(population.pedigree)
print(pedigree)

try:
    animalmm.Pedigree.read_csv(io.StringIO("id,sire,dam\nrex,fido,luna\nfido,rex,bella\n"))
except animalmm.errors.PedigreeError as error:
    print(error)

# %% What is known of it: founders, completeness, inbreeding, effective size
print(pedigree.describe())

# %% Relationships of a few animals, without forming the whole matrix
youngest = pedigree.labels[-3:]
print(pedigree.a_matrix(youngest).round(4))
print(animalmm.dominance(pedigree, youngest).to_frame().round(4))

# %% Genetic groups: founders of different origin
# Unknown parents carry the label of a group. As covariates, the share of the genes that come from
# each group; or as random levels beside the animals.
table = pd.read_csv(
    io.StringIO(
        "id,sire,dam\n1,A,B\n2,A,B\n3,B,B\n4,1,B\n5,1,2\n6,3,2\n7,4,5\n8,6,5\n",
    ),
    dtype=str,
)
grouped = animalmm.Pedigree(table, groups=["A", "B"])
print(grouped.group_shares())
print(
    animalmm.metafounders(grouped, pd.DataFrame([[0.6, 0.2], [0.2, 0.5]], list("AB"), list("AB")))
)

# %% Markers
# Genes dropped through the pedigree; the last four generations, 800 animals, are genotyped. Markers
# that are too rare are left out, and the matrix remembers what was done to get it.
everybody = simulate_genotypes(pedigree, 500, rng)
generation = population.data.set_index("animal")["generation"]
genotyped = generation.index[generation >= 2]
G = animalmm.grm(everybody.loc[genotyped], min_maf=0.01)
print(G.describe().to_string())
print(G.markers["reason"].value_counts().to_string())

# %% Pedigree and markers agree, as far as chance lets them
A22 = pedigree.a_matrix(genotyped).to_numpy()
below = np.tril_indices(len(A22), -1)
print(f"correlation of G and A off the diagonal: {np.corrcoef(G.K[below], A22[below])[0, 1]:.2f}")

# %% Single step: all animals, related by pedigree and, where there are, by markers
H = animalmm.single_step(pedigree, G)
for line in H.history:
    print("-", line)

# %% Is it better? The last generation has markers, but no records yet
# Every marker has a small effect, so that G sees what A can only expect: which half of its parents'
# genes an animal got.
a = everybody @ rng.normal(size=everybody.shape[1])
a = 10.0 * (a - a.mean()) / a.std()
data = pd.DataFrame({"animal": a.index, "y": a.to_numpy() + rng.normal(0.0, 12.0, len(a))})
candidates = generation.index[generation == generation.max()]
records = data[~data["animal"].isin(candidates)]
for name, K in {"pedigree": pedigree, "single step": H}.items():
    fit = animalmm.fit("y ~ 1 + (1 | animal)", records, relmat={"animal": K})
    blup = fit.ranef("animal").loc[candidates].iloc[:, 0]
    print(f"{name}: correlation of predicted and true value {blup.corr(a[candidates]):.2f}")
