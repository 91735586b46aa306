"""Genes dropped through a pedigree, locus by locus."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import ArgumentError
from animalmm.pedigree import Pedigree
from animalmm.simulation.checks import check_count, check_rng

__all__ = ["drop_genes", "simulate_genotypes"]


def drop_genes(pedigree: Pedigree, loci: int, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """Drop the genes of the founders through a pedigree, at unlinked autosomal loci.

    Parameters
    ----------
    pedigree : Pedigree
        n animals.
    loci : int
        How many loci.
    rng : numpy.random.Generator
        Source of the segregation.

    Returns
    -------
    ndarray of int32, shape (n, loci, 2)
        The founder gene that each animal got from its sire and its dam. An unknown parent of the
        animal at position i gives genes 2i (sire) and 2i + 1 (dam), so that equal numbers are
        identical by descent.

    Raises
    ------
    ArgumentError
        When an argument is of the wrong kind.

    Notes
    -----
    MacCluer, J.W., VandeBerg, J.L., Read, B. & Ryder, O.A. (1986). Pedigree analysis by computer
    simulation. Zoo Biology 5, 147-160.
    """
    _check(pedigree, rng)
    check_count(1, loci=loci)
    own = np.arange(2 * pedigree.n, dtype=np.int32).reshape(-1, 1, 2)
    genes = np.repeat(own, loci, axis=1)
    _descend(pedigree, genes, rng)
    return genes


def simulate_genotypes(
    pedigree: Pedigree,
    markers: int,
    rng: np.random.Generator,
    frequencies: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Genotypes at unlinked markers of all animals of a pedigree.

    Parameters
    ----------
    pedigree : Pedigree
        n animals.
    markers : int
        How many markers m.
    rng : numpy.random.Generator
        Source of the frequencies, of the founders' alleles and of the segregation.
    frequencies : array_like, shape (m,), optional
        Frequencies of the counted allele among the founders; uniform between 0.05 and 0.95 by
        default.

    Returns
    -------
    pandas.DataFrame of int8, shape (n, m)
        Counts 0, 1, 2 of one allele; ids as index, marker names as columns.

    Raises
    ------
    ArgumentError
        When an argument is of the wrong kind, or a frequency is not between 0 and 1.
    """
    _check(pedigree, rng)
    check_count(1, markers=markers)
    p = rng.uniform(0.05, 0.95, markers) if frequencies is None else np.asarray(frequencies, float)
    if p.shape != (markers,) or not np.all((p >= 0.0) & (p <= 1.0)):
        raise ArgumentError(f"frequencies must be {markers} numbers between 0 and 1")
    alleles = (rng.random((pedigree.n, markers, 2)) < p[:, None]).astype(np.int8)
    _descend(pedigree, alleles, rng)
    names = [f"m{k}" for k in range(1, markers + 1)]
    return pd.DataFrame(alleles.sum(axis=2, dtype=np.int8), pedigree.labels, names)


def _check(pedigree: Pedigree, rng: np.random.Generator) -> None:
    if not isinstance(pedigree, Pedigree):
        raise ArgumentError(f"pedigree must be a Pedigree, not {type(pedigree).__name__}")
    check_rng(rng)


def _descend(
    pedigree: Pedigree,
    genes: npt.NDArray[np.int32] | npt.NDArray[np.int8],
    rng: np.random.Generator,
) -> None:
    """Replace genes (n, loci, 2) in place by those that come from known parents."""
    parents = pedigree.parents
    for g in range(int(parents.generation.max(initial=0)) + 1):
        now = np.flatnonzero(parents.generation == g)
        for side, parent in enumerate((parents.sire, parents.dam)):
            known = now[parent[now] >= 0]
            genes[known, :, side] = _one_of_two(genes[parent[known]], rng)
        _lose_heterozygosity(parents.retained, now, genes, rng)
        copies = now[parents.retained[now] > 1.0]
        genes[copies] = genes[parents.sire[copies]]


def _one_of_two(
    genes: npt.NDArray[np.int32] | npt.NDArray[np.int8], rng: np.random.Generator
) -> npt.NDArray[np.int32] | npt.NDArray[np.int8]:
    """One of the two genes at each locus, shape (m, loci)."""
    return np.where(rng.random(genes.shape[:2]) < 0.5, genes[..., 0], genes[..., 1])


def _lose_heterozygosity(
    retained: npt.NDArray[np.float64],
    animals: npt.NDArray[np.intp],
    genes: npt.NDArray[np.int32] | npt.NDArray[np.int8],
    rng: np.random.Generator,
) -> None:
    """Make loci of selfed animals and of inbred founders homozygous, in place."""
    inbred = animals[retained[animals] < 1.0]
    if not inbred.size:
        return
    fixed = rng.random((len(inbred), genes.shape[1])) >= retained[inbred, None]
    kept = _one_of_two(genes[inbred], rng)
    genes[inbred] = np.where(fixed[..., None], kept[..., None], genes[inbred])
