"""Pedigrees: who descends from whom, and the relationships that follow.

`Pedigree` is the whole public face. It is built in three layers: `base` (arrays), `statistics`
(figures of a population), `pedigree` (sources and relationships), on `animals`, what is known of
each animal; `sorting`, parents before progeny and loops; `pruning`, fewer animals; and on three
folders of functions:

- `records`: from tables and files to arrays;
- `descent`: inbreeding, A, its inverse and factor, relationships beyond A;
- `population`: completeness, contributions, effective size.
"""

from animalmm.pedigree.pedigree import Pedigree

__all__ = ["Pedigree"]
