"""Command line: ``python -m animalmm demo``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from animalmm.datasets import load
from animalmm.pedigree import Pedigree
from animalmm.pipeline import fit

__all__ = ["demo", "main"]


def demo() -> None:
    """Fit the animal model of the course and print its summary and the ten best animals.

    The youngest generation has no records yet, as selection candidates often have none: its
    breeding values come from the pedigree alone.
    """
    course = load("course")
    assert course.pedigree is not None
    pedigree = Pedigree(course.pedigree)
    recorded = course.data[course.data["generation"] < course.data["generation"].max()]

    result = fit("y ~ sex + protein + (1 | animal)", recorded, relmat={"animal": pedigree})

    print(f"Data: {course.title}\n{pedigree!r}\n")
    print(result.summary())
    h2 = result.h2()["share"]["animal"]
    print(f"\nHeritability: {h2:.3f}\n\nThe ten best animals by breeding value:")
    best = result.blup("animal").nlargest(10, "blup")
    shown = best[["level", "blup", "se", "reliability", "records"]]
    print(shown.to_string(index=False, float_format="%.2f"))
    print(f"\n{result.convergence.message}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="animalmm", description=__doc__)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("demo", help="fit the animal model of the course").set_defaults(run=demo)
    parser.parse_args(arguments).run()
    return 0
