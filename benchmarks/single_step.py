"""How to invert A22, and what single step costs: `python benchmarks/single_step.py`.

Two ways to A22^-1: the dense block A22 and its Cholesky inverse, which is kept, or sparse solutions
by A^11, `A^22 - A^21 (A^11)^-1 A^12` (Stranden & Mantysaari 2014). Genotyped are the youngest
animals, half as many sires with the youngest, or the last generations whole.
"""

from __future__ import annotations

import resource
import time

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm import Pedigree
from animalmm.linalg import analyze
from animalmm.relationship.hmatrix import single_step
from animalmm.relationship.hmatrix_arrays import dense_inverse


def population(n, generations, rng):
    """Random mating of the generation before: one parent in twenty a sire."""
    size = n // generations
    sire, dam = np.full((2, n), -1)
    for start in range(size, n, size):
        before = np.arange(start - size, start)
        progeny = slice(start, min(start + size, n))
        count = progeny.stop - progeny.start
        sire[progeny] = rng.choice(before[: size // 20], count)
        dam[progeny] = rng.choice(before[size // 20 :], count)
    ids = np.arange(1, n + 1)
    return Pedigree(pd.DataFrame({"id": ids, "sire": sire + 1, "dam": dam + 1}))


def seconds(job):
    start = time.perf_counter()
    result = job()
    return time.perf_counter() - start, result


def by_solutions(precision, given):
    """`A^22 - A^21 (A^11)^-1 A^12`: solutions for the genotyped animals that border on others."""
    rows = sparse.csr_array(precision)
    others, these = sparse.csc_array(rows[~given]), sparse.csc_array(rows[given])
    P11, P12, P22 = others[:, ~given], others[:, given], these[:, given]
    lower = sparse.csc_array(sparse.tril(P11, format="csc"))
    factor = analyze(lower).factorize(lower)
    out = P22.toarray()
    border = np.flatnonzero(np.diff(P12.indptr))
    for start in range(0, len(border), 256):
        columns = border[start : start + 256]
        out[:, columns] -= P12.T @ factor.solve(P12[:, columns].toarray())
    return out


def choices(pedigree, q):
    """Which animals are genotyped."""
    n = pedigree.n
    sires = np.unique(pedigree.sire[pedigree.sire >= 0])
    some = sires[np.linspace(0, len(sires) - 1, min(len(sires), q // 2)).astype(int)]
    yield "youngest", np.arange(n - q, n)
    yield "sires and youngest", np.union1d(some, np.arange(n - (q - len(some)), n))


def ways_to_invert(rng):
    """Seconds of both ways, and how much of the inverse is not zero."""
    print("animals | genotyped | dense, s | solutions, s | stored | largest difference")
    for n, q in ((20_000, 2_000), (100_000, 2_000), (100_000, 5_000)):
        pedigree = population(n, 10, rng)
        precision = pedigree.a_inverse()
        for how, at in choices(pedigree, q):
            ids, given = pedigree.labels[at], np.isin(np.arange(n), at)
            one, dense = seconds(
                lambda ids=ids, ped=pedigree: dense_inverse(ped.a_matrix(ids).to_numpy(), "A22").P
            )
            two, solved = seconds(lambda P=precision, given=given: by_solutions(P, given))
            differ, stored = abs(dense - solved).max(), dense.nnz / len(ids) ** 2
            print(f"{n} | {q} {how} | {one:.2f} | {two:.2f} | {stored:.1%} | {differ:.0e}")


def whole(rng, n=20_000, q=4_000):
    """Seconds, elements and memory of `single_step`; a process of its own shows the memory."""
    pedigree = population(n, 10, rng)
    ids = pedigree.labels[-q:]
    M = rng.normal(size=(q, q))
    G = pd.DataFrame(M @ M.T / q, index=ids, columns=ids)
    del M
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    took, H = seconds(lambda: single_step(pedigree, G))
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / q**2
    print(f"single_step: {n} animals, {q} genotyped, {took:.2f} s, {more:.0f} bytes per G_ij")
    took, _ = seconds(H.diagonal)
    print(f"its diagonal: {took:.2f} s")
    for core in (q // 8, q // 2):
        took, H = seconds(lambda core=core: single_step(pedigree, G, core=core, rng=rng))
        print(f"APY, core of {core}: {took:.2f} s, {H.P.nnz / 1e6:.1f} M elements")


if __name__ == "__main__":
    whole(np.random.default_rng(1))
    ways_to_invert(np.random.default_rng(2))
