"""Time the selected inverse, and what is read from it: `python benchmarks/selected_inverse.py`."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from run import least_seconds, median_seconds, selected_population
from scipy import sparse

import animalmm
from animalmm.core import Psi
from animalmm.datasets import load
from animalmm.engines import Auto
from animalmm.errors import IllConditionedWarning
from animalmm.linalg import analyze
from animalmm.relationship import PedigreeRelationship
from animalmm.simulation import breeding_values


def seconds(job):
    """Of one run."""
    return least_seconds(job, 1)[0]


def population(animals, herds, rng):
    """A pedigree, and records of all but its first generation."""
    pedigree, size = selected_population(animals, 10, rng)
    a = breeding_values(pedigree, 0.4, rng)
    herd = rng.integers(0, herds, animals)
    data = pd.DataFrame(
        {
            "animal": a.index,
            "sex": rng.choice(["F", "M"], animals),
            "herd": herd.astype(str),
            "y": a.to_numpy() + rng.normal(0, 0.3, herds)[herd] + rng.normal(0, 0.77, animals),
        }
    )
    return pedigree, data.iloc[size:]


def problem_of(formula, data, pedigree):
    return animalmm.build_problem(animalmm.parse_formula(formula), data, {"animal": pedigree})


def engine_and_psi(design):
    """The engine of a model, and the parameters of the simulation."""
    problem = design.problem
    factors = tuple(np.full((1, 1), 0.3 if t.group == "herd" else 0.63) for t in problem.terms)
    return Auto().prepare(problem), Psi(factors, 0.6)


def factors(animals, backend=None):
    """Seconds of the parts for equations of an animal model without fixed effects."""
    pedigree, data = population(animals, 10, np.random.default_rng(1))
    relationship = PedigreeRelationship(pedigree)
    recorded = np.isin(relationship.labels, data["animal"])
    precision = relationship.precision()
    lower = sparse.tril(precision + sparse.diags_array(recorded * 0.66), format="csc")
    lower.sort_indices()
    symbolic = analyze(lower, backend=backend)
    factor = symbolic.factorize(lower)
    unit = np.zeros((animals, 256))
    unit[np.arange(256), np.arange(256)] = 1.0
    return (
        median_seconds(lambda: symbolic.factorize(lower), 5),
        median_seconds(lambda: factor.selected_inverse().diagonal(), 5),
        median_seconds(lambda: factor.solve(unit), 3) / 256,
    )


def main():
    """Print all tables."""
    warnings.simplefilter("ignore", IllConditionedWarning)
    print(
        "| animals | library | factorise | inverse, diagonal | ratio | one solve | worth solves |"
    )
    print("|---|---|---|---|---|---|---|")
    for animals, backend in (
        (1_200, None),
        (12_000, None),
        (102_000, None),
        (12_000, "superlu"),
    ):
        factorise, inverse, solve = factors(animals, backend)
        print(
            f"| {animals:,} | {backend or 'CHOLMOD'} | {factorise:.4f} | {inverse:.4f} "
            f"| {inverse / factorise:.1f} | {solve:.6f} | {inverse / solve:.0f} |"
        )
    print("\n| 102,000 animals, at given variances | seconds |\n|---|---|")
    for formula, herds in (
        ("y ~ sex + (1 | animal)", 550),
        ("y ~ sex + herd + (1 | animal)", 550),
        ("y ~ sex + (1 | animal) + (1 | herd)", 550),
        ("y ~ sex + herd + (1 | animal)", 5_000),
    ):
        pedigree, data = population(102_000, herds, np.random.default_rng(1))
        engine, psi = engine_and_psi(problem_of(formula, data, pedigree))
        point = engine.at(psi)
        print(f"| `{formula}`, {herds} herds: evaluate | {seconds(lambda p=point: p.quad):.2f} |")
        print(f"| variances of fixed effects | {seconds(point.beta_variances):.2f} |")
        point = engine.at(psi)
        animal = [i for i, t in enumerate(point.u) if len(t) == 102_000]
        print(
            f"| PEV of all animals | {seconds(lambda p=point, a=animal: p.error_blocks(a)):.2f} |"
        )
        print(f"| then the slope | {seconds(lambda p=point, a=animal: p.slope(a[0])):.2f} |")
        point = engine.at(psi)
        print(f"| slope of a new evaluation | {seconds(lambda p=point: p.slope(0)):.2f} |")
    course = load("course")
    ped = animalmm.Pedigree(course.pedigree)
    engine, psi = engine_and_psi(problem_of("y ~ sex + protein + (1 | animal)", course.data, ped))
    took = median_seconds(lambda: engine.at(psi).error_blocks([0]), 15)
    print(f"| course, 1,200 animals: evaluation and PEV of all | {took:.4f} |")
    took = median_seconds(lambda: engine.at(psi).slope(0), 15)
    print(f"| evaluation and slope | {took:.4f} |")


if __name__ == "__main__":
    main()
