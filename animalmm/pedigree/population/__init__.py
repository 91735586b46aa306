"""What a pedigree says of a population, on integer arrays.

- `genealogy`: sums over ancestors and progeny;
- `completeness`, `contributions`, `effective`: depth, origins, effective size;
- `describing`: all of it in tables.
"""
