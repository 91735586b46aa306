"""Time genomic relationship matrices against the BLAS product they need; prints a table.

``python benchmarks/markers.py [animals markers]``; all rows in one run.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import bed_reader
import numpy as np
from scipy.linalg.blas import dsyrk

from animalmm.markers import gaussian_kernel, grm, read_plink
from animalmm.markers.genotypes import BLOCK


def simulated(animals, markers, rng):
    """Genotypes of one byte in Hardy-Weinberg equilibrium."""
    M = np.empty((animals, markers), dtype=np.int8)
    for j in range(markers):
        M[:, j] = rng.binomial(2, rng.uniform(0.05, 0.95), animals)
    return M


def product_alone(animals, markers):
    """The symmetric products of float blocks that are there already."""
    width = max(1, BLOCK // animals)
    W = np.random.default_rng(2).normal(size=(animals, width))
    K = np.zeros((animals, animals), order="F")
    for start in range(0, markers, width):
        block = np.ascontiguousarray(W[:, : min(width, markers - start)])
        K = dsyrk(1.0, block.T, beta=1.0, c=K, trans=1, lower=1, overwrite_c=1)


def seconds(job):
    """Seconds by the clock and of all processors."""
    clock, work = time.perf_counter(), time.process_time()
    job()
    return time.perf_counter() - clock, time.process_time() - work


def with_missing(M, share, rng):
    """The same with a share missing, coded -9."""
    M = M.copy()
    for j in range(M.shape[1]):
        M[rng.random(len(M)) < share, j] = -9
    return M


def row(name, job, animals, markers):
    """Print one row; the product is timed again right before the job, as machines get busy."""
    base = seconds(lambda: product_alone(animals, markers))
    took = seconds(job)
    cells = [f"{b:.1f} | {t:.1f} | {t / b:.2f}" for b, t in zip(base, took, strict=True)]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main():
    """Print the table."""
    animals, markers = map(int, sys.argv[1:3]) if len(sys.argv) > 2 else (5_000, 50_000)
    rng = np.random.default_rng(1)
    M = simulated(animals, markers, rng)
    ids = np.arange(animals)
    product_alone(animals, BLOCK // animals)  # threads started
    print(f"{animals:,} animals, {markers:,} markers, {M.nbytes / 2**20:.0f} MiB of genotypes\n")
    print("| job | dsyrk alone, s | job, s | ratio | dsyrk, CPU s | job, CPU s | ratio |")
    print("|---|---|---|---|---|---|---|")
    for kind in KINDS:
        row(f"`{kind}`", lambda kind=kind: grm(M, ids, kind), animals, markers)
    row("`gaussian_kernel`", lambda: gaussian_kernel(M, ids), animals, markers)
    lost = with_missing(M, 0.02, rng)
    job = "`vanraden1`, 2 % missing"
    row(job, lambda: grm(lost, ids, missing_code=-9), animals, markers)
    with tempfile.TemporaryDirectory() as folder:
        bed = Path(folder) / "simulated.bed"
        bed_reader.to_bed(bed, M)
        row("`vanraden1`, read from PLINK", lambda: grm(read_plink(bed)), animals, markers)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\nPeak memory {peak:.2f} GiB; a result is {8 * animals**2 / 2**30:.2f}.")


KINDS = ("vanraden1", "vanraden2", "yang", "su", "vitezica")


if __name__ == "__main__":
    main()
