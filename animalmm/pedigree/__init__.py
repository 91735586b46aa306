"""Pedigrees: who descends from whom, and the relationships that follow.

`Pedigree` is the whole public face. It is built in three layers: `base` (arrays), `statistics`
(figures of a population), `pedigree` (sources and relationships). The other modules are functions
on arrays.

From a table to arrays:

- `columns`, `files`: which column holds what; text files;
- `labels`: labels of any kind to integers, losslessly;
- `details`, `sexes`, `clones`: what a table may say beside parents;
- `checks`: everything that can be wrong;
- `reading`: the way from a table to `animals`, the arrays; `tables`: the way back;
- `sorting`: parents before progeny, loops, generations; `pruning`: fewer animals.

Relationships:

- `parents`, `inbreeding`, `tabular`, `additive`: inbreeding coefficients, A as a flow of genes;
- `gene_flow`, `lineage`: K = T D T', its blocks, products, inverse and factor;
- `dominance`, `sex_linked`, `grandsires`, `unknown_parents`: other relationships.

Populations:

- `genealogy`: sums over ancestors and progeny;
- `completeness`, `contributions`, `effective`, `describing`: depth, origins, effective size.
"""

from animalmm.pedigree.pedigree import Pedigree

__all__ = ["Pedigree"]
