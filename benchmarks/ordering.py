"""What each ordering of CHOLMOD, and its supernodes, leave to do: `python benchmarks/ordering.py`.

Predicted entries and multiplications of the factor of the equations of several models. "panels" are
the elements of its supernodes as full rectangles, "stored" the entries of the L that CHOLMOD hands
out, with the zeros by which it joins small supernodes. The second table is with AMD: with the
supernodes that CHOLMOD chooses by itself, and column by column ("simplicial").
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from lme4 import ratings
from run import least_seconds, median_seconds, selected_population
from scipy import sparse

import animalmm
from animalmm.engines import Auto
from animalmm.linalg import analyze, cholmod
from animalmm.linalg.prediction import predicted_fill

ORDERINGS = ("amd", "metis", "nesdis")


def pedigree_data(animals, herds, generations=10):
    """A pedigree, and records of all but its first generation, in herds at random."""
    rng = np.random.default_rng(1)
    pedigree, size = selected_population(animals, generations, rng)
    table = pedigree.to_frame()
    data = pd.DataFrame(
        {
            "animal": table["id"].to_numpy(),
            "sex": rng.choice(["F", "M"], animals),
            "herd": rng.integers(0, herds, animals).astype(str),
            "mother": table["dam"].to_numpy(),
            "y": rng.normal(size=animals),
        }
    )
    return pedigree, data.iloc[size:]


def equations(formula, data, relmat=None):
    """Lower triangle of the equations of a model."""
    design = animalmm.build_problem(animalmm.parse_formula(formula), data, relmat or {})
    engine = Auto().prepare(design.problem)
    pattern = engine._system._symbolic.pattern
    return pattern.matrix(np.ones(len(pattern.indices)))


def animal_model(formula, animals, herds, generations=10):
    pedigree, data = pedigree_data(animals, herds, generations)
    named = [name for name in ("animal", "mother") if f"| {name})" in formula]
    return equations(formula, data, dict.fromkeys(named, pedigree))


def nested():
    """100,000 records of 20,000 pupils in 1,000 classes of 100 schools."""
    rng = np.random.default_rng(1)
    pupil = rng.integers(0, 20_000, 100_000)
    data = pd.DataFrame({"pupil": pupil, "cls": pupil // 20, "school": pupil // 200})
    data["y"] = rng.normal(size=len(data))
    return equations("y ~ 1 + (1 | school / cls / pupil)", data)


def grid(side):
    """A square grid of side^2 nodes, each with four neighbours."""
    path = sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(side, side))
    eye = sparse.eye_array(side)
    lower = sparse.tril(sparse.kron(path, eye) + sparse.kron(eye, path), format="csc")
    lower.sort_indices()
    return lower


MODELS = {
    "10,000 animals": lambda: animal_model("y ~ sex + (1 | animal)", 10_000, 550),
    "30,000 animals": lambda: animal_model("y ~ sex + (1 | animal)", 30_000, 550),
    "100,000 animals": lambda: animal_model("y ~ sex + (1 | animal)", 100_000, 550),
    "170,000 animals": lambda: animal_model("y ~ sex + (1 | animal)", 170_000, 550),
    "300,000 animals": lambda: animal_model("y ~ sex + (1 | animal)", 300_000, 550),
    "100,000 animals, 50 generations": lambda: animal_model(
        "y ~ sex + (1 | animal)", 100_000, 550, 50
    ),
    "10,000 animals, 550 random herds": lambda: animal_model(
        "y ~ sex + (1 | animal) + (1 | herd)", 10_000, 550
    ),
    "100,000 animals, 550 random herds": lambda: animal_model(
        "y ~ sex + (1 | animal) + (1 | herd)", 100_000, 550
    ),
    "20,000 animals, maternal + permanent environment": lambda: animal_model(
        "y ~ sex + (1 | animal) + (1 | mother) + (1 | ide(mother))", 20_000, 550
    ),
    "100,000 animals, maternal + permanent environment": lambda: animal_model(
        "y ~ sex + (1 | animal) + (1 | mother) + (1 | ide(mother))", 100_000, 550
    ),
    "73,421 crossed ratings": lambda: equations(
        "y ~ service + (1 | s) + (1 | d) + (1 | dept)", ratings(np.random.default_rng(1))
    ),
    "pupils in classes in schools": nested,
    "grid of 100 x 100": lambda: grid(100),
    "grid of 200 x 200": lambda: grid(200),
    "grid of 400 x 400": lambda: grid(400),
}


def measure(lower, ordering):
    """The prediction, and what CHOLMOD then does."""
    analysis, symbolic = least_seconds(
        lambda: analyze(lower, ordering=ordering, backend="cholmod"), 1
    )
    prediction, fill = least_seconds(lambda: predicted_fill(lower, symbolic.order()), 1)
    factorisation, factor = least_seconds(lambda: symbolic.factorize(lower), 1)
    return fill, factor, (analysis, prediction, factorisation)


def orderings(name, lower):
    """Rows of the first table."""
    amd = None
    for ordering in ORDERINGS:
        fill, factor, clock = measure(lower, ordering)
        amd = amd or fill.multiplications
        yield (
            f"{name}: {lower.shape[0]:,}",
            ordering,
            f"{fill.nnz:,}",
            f"{fill.multiplications:.1e}",
            f"{fill.multiplications / amd:.2f}",
            f"{fill.factor_bytes / 8:,.0f}",
            f"{factor.nnz:,}",
            *(f"{one:.2f}" for one in clock),
        )


def numbers(lower):
    """Prediction, entries stored, seconds of a factorisation, of a solution, of the inverse."""
    symbolic = analyze(lower, backend="cholmod")
    factor = symbolic.factorize(lower)
    b = np.ones(lower.shape[0])
    return (
        symbolic.fill,
        factor.nnz,
        median_seconds(lambda: symbolic.factorize(lower), 3),
        median_seconds(lambda: factor.solve(b), 3),
        median_seconds(factor.selected_inverse, 3),
    )


def supernodes(name, lower):
    """Row of the second table: CHOLMOD's own choice, then column by column."""
    chosen = cholmod.LARGE, cholmod.SMALL_NODE
    found = []
    for small in (0.0, np.inf):
        cholmod.LARGE, cholmod.SMALL_NODE = 0, small
        found.append(numbers(lower))
    cholmod.LARGE, cholmod.SMALL_NODE = chosen
    (fill, stored, *times), (_, entries, *columns) = found
    yield (
        f"{name}: {lower.shape[0]:,}",
        f"{fill.multiplications / len(fill.fronts[0]):,.0f}",
        f"{stored / entries:.1f}",
        *(f"{one:.4f} / {other:.4f}" for one, other in zip(times, columns, strict=True)),
    )


TABLES = {
    orderings: "equations | ordering | entries | multiplications | of AMD's | panels | stored "
    "| analysis, s | prediction, s | factorisation, s",
    supernodes: "equations | multiplications of a supernode | stored, ratio "
    "| factorisation, s, supernodes / columns | solve | selected inverse",
}


def main():
    """Print both tables."""
    warnings.simplefilter("ignore")
    for rows, heading in TABLES.items():
        print(f"| {heading} |\n" + "|---" * (heading.count("|") + 1) + "|")
        for name, model in MODELS.items():
            lower = model()
            lower.data[:] = 1e-3
            lower.data[lower.indptr[:-1]] = 1e6  # positive definite, whatever the pattern
            for row in rows(name, lower):
                print(f"| {' | '.join(row)} |", flush=True)
        print()


if __name__ == "__main__":
    main()
