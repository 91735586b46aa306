"""The models that are compared: formula, data and relationships of each case."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import animalmm
from animalmm import datasets
from animalmm.errors import BoundaryWarning

from ..corpus import CORPUS

HERE = Path(__file__).resolve()
DATA = HERE.parents[1] / "data"
PUBLISHED = ("sleepstudy", "cake", "dyestuff", "dyestuff2", "pastes", "penicillin")
METHODS = ("REML", "ML")
ENGINES = ("auto", "mme", "whitened")


@dataclass(frozen=True)
class Model:
    """One model of a case.

    Attributes
    ----------
    case, name : str
        As in the corpus.
    formula : str
        What is fitted.
    weights : str, optional
        Column of prior weights.
    keep : str, optional
        Query that selects the records.
    names : mapping
        Our names of terms by those of the reference, where they differ.
    singular : bool
        Whether the optimum lies on the boundary.
    """

    case: str
    name: str
    formula: str
    weights: str | None = None
    keep: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    singular: bool = False

    def __str__(self) -> str:
        return f"{self.case}-{self.name}"

    def data(self) -> pd.DataFrame:
        """The records used."""
        table = records(self.case)
        return table if self.keep is None else table.query(self.keep)

    def fit(self, **arguments: Any) -> animalmm.Fit:
        """Fit, expecting a warning exactly when the optimum lies on the boundary."""
        arguments = {"relmat": relationship(self.case)} | arguments
        with boundary_warning(self.singular):
            return animalmm.fit(self.formula, self.data(), weights=self.weights, **arguments)


@contextmanager
def boundary_warning(expected: bool) -> Iterator[None]:
    """Require a BoundaryWarning; without it every warning is an error."""
    if expected:
        with pytest.warns(BoundaryWarning):
            yield
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield


def folder(case: str) -> Path:
    """Where the numbers of a case lie; the test is skipped when they are not there."""
    for place in (DATA / case, CORPUS / case):
        if place.is_dir():
            return place
    return pytest.skip(f"the reference corpus is not beside the repository ({case})")


def read_text(path: Path, numbers: tuple[str, ...] = ()) -> pd.DataFrame:
    """A table with labels as text, named columns as numbers, nothing but the empty cell missing."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    return table.astype(dict.fromkeys(numbers, float))


@cache
def records(case: str) -> pd.DataFrame:
    """All records of a case; the animals are in the column ``animal``."""
    if case == "s1_gist1859":
        return datasets.load("gist").data
    if case == "s2_course":
        return datasets.load("course").data
    if case == "s3_sleepstudy":
        table = datasets.load("sleepstudy").data
        return table.assign(w=1 + (table["Days"] % 3) / 2)
    if (name := case.removeprefix("s4_")) in PUBLISHED:
        return datasets.load(name).data
    numbers = {
        "s6_bluetit": ("tarsus", "back"),
        "s8b_repeatability": ("x", "w", "y"),
        "s8e_random_regression": ("x", "y"),
        "s8f_zero_variance": ("y",),
    }
    return read_text(folder(case) / "data.csv", numbers[case]).rename(columns={"id": "animal"})


@cache
def pedigree(case: str) -> animalmm.Pedigree:
    """The pedigree of a case."""
    if case == "s2_course":
        return animalmm.Pedigree(datasets.load("course").pedigree)
    return animalmm.Pedigree(read_text(folder(case) / "pedigree.csv"))


@cache
def gist_kernel() -> pd.DataFrame:
    """The dense marker-based relationship of s1."""
    return datasets.load("gist").relationship()


def relationship(case: str) -> dict[str, Any] | None:
    """What a case gives as `relmat`."""
    if case == "s1_gist1859":
        return {"animal": gist_kernel()}
    if case in ("s2_course", "s6_bluetit") or case.startswith("s8"):
        return {"animal": pedigree(case)}
    return None


def sleepstudy(name: str, formula: str) -> tuple[Model, Model]:
    """A model of sleepstudy, without and with weights."""
    return (
        Model("s3_sleepstudy", name, formula),
        Model("s3_sleepstudy", f"{name}_weighted", formula, weights="w"),
    )


REPEATABILITY = "y ~ x + (1 | animal) + (1 | ide(animal)) + (1 | block)"
PE = {"pe": "ide(animal)"}

GIST = Model("s1_gist1859", "animal", "response ~ 1 + fix + (1 | animal)")
COURSE = (
    Model("s2_course", "all_recorded", "y ~ sex + protein + (1 | animal)"),
    Model(
        "s2_course",
        "base_unrecorded",
        "y ~ sex + protein + (1 | animal)",
        keep="generation > 0",
    ),
)
SLEEPSTUDY = (
    *sleepstudy("slopes_correlated", "Reaction ~ Days + (Days | Subject)"),
    *sleepstudy("slopes_uncorrelated", "Reaction ~ Days + (Days || Subject)"),
    *sleepstudy("intercepts", "Reaction ~ Days + (1 | Subject)"),
)
CLASSICAL = (
    Model("s4_cake", "factorial", "angle ~ recipe * temperature + (1 | recipe:replicate)"),
    Model("s4_cake", "linear_temp", "angle ~ recipe + temp + (1 | recipe:replicate)"),
    Model("s4_dyestuff", "oneway", "Yield ~ 1 + (1 | Batch)"),
    Model("s4_dyestuff2", "oneway", "Yield ~ 1 + (1 | Batch)", singular=True),
    Model("s4_pastes", "nested", "strength ~ 1 + (1 | batch/cask)"),
    Model("s4_pastes", "sample_and_batch", "strength ~ 1 + (1 | sample) + (1 | batch)"),
    Model("s4_pastes", "sample_only", "strength ~ 1 + (1 | sample)"),
    Model("s4_penicillin", "crossed", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
)
SIMULATED = (
    Model("s8b_repeatability", "repeatability", REPEATABILITY, names=PE),
    Model("s8b_repeatability", "no_pe", "y ~ x + (1 | animal) + (1 | block)"),
    Model("s8b_repeatability", "repeatability_weighted", REPEATABILITY, weights="w", names=PE),
    Model(
        "s8e_random_regression",
        "genetic_and_pe",
        "y ~ x + (1 + x | animal) + (1 + x | ide(animal))",
        names=PE,
    ),
    Model("s8e_random_regression", "genetic_only", "y ~ x + (1 + x | animal)"),
    Model(
        "s8e_random_regression",
        "genetic_slopes_uncorrelated",
        "y ~ x + (1 + x || animal) + (1 | ide(animal))",
        names=PE,
    ),
    Model("s8f_zero_variance", "animal", "y ~ sex + (1 | animal)", singular=True),
)
CORPUS_ONLY = (
    Model("s6_bluetit", "tarsus", "tarsus ~ sex + (1 | animal) + (1 | fosternest)"),
    Model("s6_bluetit", "back", "back ~ sex + (1 | animal) + (1 | fosternest)"),
)
MODELS = (GIST, *COURSE, *SLEEPSTUDY, *CLASSICAL, *SIMULATED, *CORPUS_ONLY)
