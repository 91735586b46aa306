"""How genes descend: inbreeding, A and other relationships as flows of genes, on integer arrays.

- `parents`: a sorted pedigree as arrays;
- `inbreeding`, by `tabular` or walks along `lineage`; `additive`: A;
- `gene_flow`: K = T D T', its blocks, products, inverse and factor;
- `dominance`, `sex_linked`, `grandsires`, `unknown_parents`: other relationships.
"""
