"""Time pedigrees: reading, sorting, inbreeding, A^-1, and blocks of A; prints tables.

``python benchmarks/pedigrees.py [largest]``; all rows in one run. Pedigrees of more than `largest`
animals, 1,100,000 by default, are left out.
"""

from __future__ import annotations

import heapq
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

import animalmm
from animalmm.pedigree.descent import inbreeding
from animalmm.pedigree.descent.additive import Parents, additive_flow
from animalmm.pedigree.descent.lineage import most_ancestors
from animalmm.pedigree.descent.parents import parent_weights
from animalmm.pedigree.sorting import generations, sorted_order

MOST_ENTRIES = 3e8  # of rows of T, beyond which one of the two ways is not tried alone
MOST_COLUMNS = 3e9  # entries of columns, the same for the other
MOST_LEVELS = 400  # the same for both


def discrete(generations, size, sires, dams, rng):
    """Equal generations; sires and dams chosen at random from the last one."""
    sire = np.full((generations, size), -1)
    dam = np.full((generations, size), -1)
    for g in range(1, generations):
        chosen = rng.permutation(np.arange((g - 1) * size, g * size))
        sire[g] = rng.choice(chosen[:sires], size)
        dam[g] = rng.choice(chosen[sires : sires + dams], size)
    return sire.ravel(), dam.ravel()


def overlapping(animals, window, share_sires, rng):
    """Parents from the last `window` animals before each, some of them males that are used."""
    here = np.arange(animals)
    male = rng.random(animals) < share_sires
    last_male = np.maximum.accumulate(np.where(male, here, -1))
    last_female = np.maximum.accumulate(np.where(male, -1, here))
    back = [np.maximum(here - rng.integers(1, window + 1, animals), -1) for _ in range(2)]
    sire, dam = np.append(last_male, -1)[back[0]], np.append(last_female, -1)[back[1]]
    dam[rng.random(animals) < 0.05] = -1
    return sire, dam


def lines(cycles, lines, crosses, selfings, rng):
    """Crosses among lines, each selfed by single seed; some of the new lines are the next ones."""
    sire, dam, pool = [-1] * lines, [-1] * lines, list(range(lines))
    for _ in range(cycles):
        new = []
        for _ in range(crosses):
            pair = rng.choice(pool, 2, replace=False)
            sire.append(pair[0])
            dam.append(pair[1])
            for _ in range(selfings):
                plant = len(sire) - 1
                sire.append(plant)
                dam.append(plant)
            new.append(len(sire) - 1)
        pool = rng.choice(new, lines, replace=False)
    return np.array(sire), np.array(dam)


def pedigrees(rng):
    """Name, size and how to make each pedigree."""
    yield "10 generations, 10 sires, 100 dams", 10_000, lambda: discrete(10, 1000, 10, 100, rng)
    yield (
        "10 generations, 100 sires, 1,000 dams",
        100_000,
        lambda: discrete(10, 10_000, 100, 1000, rng),
    )
    yield (
        "10 generations, 1,000 sires, 10,000 dams",
        1_020_000,
        lambda: discrete(10, 102_000, 1000, 10_000, rng),
    )
    yield (
        "10 generations, 4,000 sires, 6,000 dams",
        100_000,
        lambda: discrete(10, 10_000, 4000, 6000, rng),
    )
    yield (
        "10 generations, all animals may be parents",
        1_000_000,
        lambda: discrete(10, 100_000, 50_000, 50_000, rng),
    )
    yield "1,000 generations of full sibs", 2000, lambda: discrete(1000, 2, 1, 1, rng)
    yield "200 generations, 10 sires, 50 dams", 20_000, lambda: discrete(200, 100, 10, 50, rng)
    yield "overlapping, 10 % sires", 20_000, lambda: overlapping(20_000, 100, 0.1, rng)
    yield "overlapping, 2 % sires", 20_000, lambda: overlapping(20_000, 2000, 0.02, rng)
    yield "overlapping, 2 % sires", 100_000, lambda: overlapping(100_000, 10_000, 0.02, rng)
    yield (
        "overlapping, 2 % sires",
        1_000_000,
        lambda: overlapping(1_000_000, 100_000, 0.02, rng),
    )
    yield "10 cycles of lines, 5 selfings", 60_050, lambda: lines(10, 50, 1000, 5, rng)


def meuwissen_luo(sire, dam):
    """F by Meuwissen & Luo (1992), animal by animal: the plain method."""
    n = len(sire)
    F, d = [0.0] * n + [-1.0], [0.0] * n  # the last: the unknown parent
    for i, parents in enumerate(zip(sire.tolist(), dam.tolist(), strict=True)):
        d[i] = 0.5 - 0.25 * (F[parents[0]] + F[parents[1]])
        if min(parents) < 0:
            continue
        share, waiting, total = {i: 1.0}, [-i], 0.0
        while waiting:
            k = -heapq.heappop(waiting)
            genes = share.pop(k)
            total += genes * genes * d[k]
            for parent in (sire[k], dam[k]):
                if parent >= 0:
                    if parent not in share:
                        heapq.heappush(waiting, -parent)
                    share[parent] = share.get(parent, 0.0) + 0.5 * genes
        F[i] = total - 1.0
    return np.array(F[:-1])


def seconds(job):
    """Seconds by the clock, and what the job returns."""
    clock = time.perf_counter()
    value = job()
    return time.perf_counter() - clock, value


NEVER = -1
WAYS = {
    "table": {"COST_OF_TABLE": 0.0},
    "common ancestors": {"LARGEST_TABLE": NEVER, "COST_OF_ROWS": 0.0},
    "columns": {"LARGEST_TABLE": NEVER, "COST_OF_ROWS": 1e9},
}


@contextmanager
def only(way):
    """Take one of the ways to inbreeding."""
    usual = {name: getattr(inbreeding, name) for name in WAYS[way]}
    vars(inbreeding).update(WAYS[way])
    try:
        yield
    finally:
        vars(inbreeding).update(usual)


def alone(parents, way, work, limit):
    """Seconds of one way alone, or a dash where it would take too long."""
    if work > limit or (parents.level.max() > MOST_LEVELS and way != "table"):
        return "-"
    with only(way):
        return f"{seconds(lambda: additive_flow(parents))[0]:.2f}"


def work_of(parents):
    """How many entries rows of T for all matings have, and columns for all sires, at most."""
    ancestors = np.append(most_ancestors(parent_weights(parents), parents.level), 0.0)
    sires = np.unique(parents.sire)
    is_parent = np.isin(np.arange(len(parents.sire)), [*sires, *np.unique(parents.dam)])
    below = np.cumsum(np.bincount(parents.level, weights=is_parent))
    return (
        ancestors[parents.sire].sum() + ancestors[parents.dam].sum(),
        below[parents.level[sires[sires >= 0]]].sum(),
    )


def from_csv(sire, dam):
    """Seconds to read and check a file of the pedigree, and to do so when it is shuffled."""
    table = pd.DataFrame({"id": np.arange(1, len(sire) + 1), "sire": sire + 1, "dam": dam + 1})
    shuffled = table.sample(frac=1.0, random_state=1)
    with tempfile.TemporaryDirectory() as folder:
        for rows in (table, shuffled):
            path = Path(folder) / "pedigree.csv"
            rows.to_csv(path, index=False)
            yield seconds(lambda p=path: animalmm.Pedigree.read_csv(p, allow_selfing=True))[0]


def row(name, sire, dam):
    """Print one row of the table of pedigrees."""
    parents = Parents(sire, dam, generations(sire, dam), np.ones(len(sire)))
    took, flow = seconds(lambda: additive_flow(parents))
    inverting = seconds(flow.inverse)[0] if flow.d.min() > 0 else np.nan
    entries, columns = work_of(parents)
    alone_cells = [
        "-" if len(sire) > 200_000 else alone(parents, "table", 0, 1),
        alone(parents, "common ancestors", entries, MOST_ENTRIES),
        alone(parents, "columns", columns, MOST_COLUMNS),
    ]
    plain, ratio = "-", "-"
    if len(sire) == 10_000:
        slow, F = seconds(lambda: meuwissen_luo(sire, dam))
        plain, ratio = f"{slow:.1f}", f"{slow / took:.0f}"
        assert np.allclose(1.0 + F, flow.diagonal, rtol=0.0, atol=1e-13)
    cells = [
        name,
        f"{len(sire):,}",
        f"{parents.level.max() + 1}",
        f"{flow.diagonal.mean() - 1:.4f}",
        *(f"{t:.2f}" for t in (*from_csv(sire, dam), took, inverting)),
        *alone_cells,
        plain,
        ratio,
    ]
    print(f"| {' | '.join(cells)} |", flush=True)


def blocks(flow, rng):
    """Seconds of blocks, products and the factor of one pedigree."""
    n = len(flow.d)
    some = np.sort(rng.choice(np.arange(n // 2, n), min(5000, n // 2), replace=False))
    v = rng.normal(size=n)
    print(f"| A22 of {len(some):,} | {seconds(lambda: flow.block(some, some))[0]:.2f} |")
    print(f"| A v, first | {seconds(lambda: flow.multiply(v))[0]:.3f} |")
    print(f"| A v, again | {seconds(lambda: flow.multiply(v))[0]:.3f} |")
    took, bound = seconds(flow.factor_entries)
    print(f"| entries of the factor: at most {bound:,.0f} | {took:.3f} |")
    took, L = seconds(flow.factor)
    print(f"| factor, {L.nnz:,} entries | {took:.2f} |")


def main():
    """Print the tables."""
    largest = int(sys.argv[1]) if len(sys.argv) > 1 else 1_100_000
    rng = np.random.default_rng(1)
    print(
        "| pedigree | animals | levels | mean F | read and check | the same, shuffled | F | A^-1 | "
        "F by a table | F by common ancestors | F by columns | F plain | ratio |\n|" + "---|" * 13
    )
    for name, size, made in pedigrees(rng):
        if size <= largest:
            row(name, *made())
    print("\n| 100,000 animals, 10 generations, 100 sires, 1,000 dams | seconds |\n|---|---|")
    sire, dam = discrete(10, 10_000, 100, 1000, rng)
    blocks(additive_flow(Parents(sire, dam, generations(sire, dam), np.ones(len(sire)))), rng)
    sire, dam = discrete(10, 500, 20, 100, rng)
    flow = additive_flow(Parents(sire, dam, generations(sire, dam), np.ones(len(sire))))
    everyone = np.arange(len(sire))
    print(f"| A of all of 5,000 | {seconds(lambda: flow.block(everyone, everyone))[0]:.2f} |")
    sire, dam = discrete(10, 102_000, 1000, 10_000, rng)
    shuffled = rng.permutation(len(sire))
    place = np.append(np.argsort(shuffled), -1)
    sire, dam = place[sire[shuffled]], place[dam[shuffled]]
    labels = pd.RangeIndex(len(sire))
    print(f"| sorting 1,020,000 | {seconds(lambda: sorted_order(labels, sire, dam))[0]:.2f} |")


if __name__ == "__main__":
    main()
