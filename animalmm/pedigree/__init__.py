"""Pedigrees: who descends from whom, and the relationships that follow.

`Pedigree` is the whole public face. The other modules are functions on integer arrays:

- `reading`: a table of labels to positions, with everything that can be wrong in it;
- `sorting`: parents before progeny, loops, generations;
- `gene_flow`: the factorisation A = T D T' and any block of A;
- `inbreeding`: inbreeding coefficients and Mendelian sampling variances;
- `ainverse`: the inverse and the sparse factor of A.
"""

from animalmm.pedigree.pedigree import Pedigree

__all__ = ["Pedigree"]
