"""Genes dropped through a pedigree: every founder gene is one of its own.

Parents come before their progeny; -1 is an unknown parent, whose gene is new.
"""

import numpy as np


def autosomes(sire, dam, loci, rng):
    """Genes of n animals at unlinked loci, shape (n, 2, loci): from the sire, from the dam."""
    genes = np.zeros((len(sire), 2, loci), dtype=np.int32)
    for i, parents in enumerate(zip(sire, dam, strict=True)):
        for side, parent in enumerate(parents):
            genes[i, side] = _gamete(genes[parent], rng) if parent >= 0 else -2 * i - side - 1
    return genes


def sex_chromosomes(sire, dam, single, loci, rng):
    """The same on a chromosome of which `single` animals have one copy, from the "dam"."""
    genes = np.zeros((len(sire), 2, loci), dtype=np.int32)
    for i, (s, d) in enumerate(zip(sire, dam, strict=True)):
        genes[i, 1] = _gamete(genes[d], rng) if d >= 0 else -2 * i - 2
        # no gene: a number of its own, which is nobody's gene
        genes[i, 0] = 2 * i + 1 if single[i] else (genes[s, 1] if s >= 0 else -2 * i - 1)
    return genes


def alike(one, other):
    """How many of the four pairs of genes of two animals are alike, per locus."""
    return sum((a == b).astype(np.int8) for a in one for b in other)


def same_genotype(one, other):
    """Whether two animals have both genes in common, per locus."""
    straight = (one[0] == other[0]) & (one[1] == other[1])
    crossed = (one[0] == other[1]) & (one[1] == other[0])
    return straight | crossed


def _gamete(genes, rng):
    return np.where(rng.random(genes.shape[1]) < 0.5, genes[0], genes[1])
