"""One relationship in every accepted form gives one fit."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import animalmm

from . import compare
from .models import COURSE, ENGINES, METHODS, SIMULATED, boundary_warning, pedigree, records
from .references import references

MEASURES = (
    compare.variance_components,
    compare.criteria,
    compare.fixed_effects,
    compare.standard_errors,
    compare.blups,
    compare.prediction_error_variances,
)
REPEATABILITY = SIMULATED[0]


@cache
def a_matrix() -> np.ndarray:
    return pedigree("s2_course").a_matrix()


def labels() -> pd.Index:
    return pedigree("s2_course").labels


def frame() -> pd.DataFrame:
    return pd.DataFrame(a_matrix(), index=labels(), columns=labels())


def shuffled_frame() -> pd.DataFrame:
    return frame().loc[labels()[::-1], labels()[::-1]]


def inverse() -> sparse.csc_array:
    return pedigree("s2_course").a_inverse()


FORMS = {
    "pedigree": lambda: {"relmat": {"animal": pedigree("s2_course")}},
    "frame": lambda: {"relmat": {"animal": frame()}},
    "shuffled_frame": lambda: {"relmat": {"animal": shuffled_frame()}},
    "matrix_and_index": lambda: {"relmat": {"animal": (a_matrix(), labels())}},
    "matrix_and_list": lambda: {"relmat": {"animal": (a_matrix(), list(labels()))}},
    "sparse_matrix": lambda: {"relmat": {"animal": (sparse.csc_array(a_matrix()), labels())}},
    "sparse_inverse": lambda: {"relmat": None, "precision": {"animal": (inverse(), labels())}},
    "dense_inverse": lambda: {
        "relmat": None,
        "precision": {"animal": (inverse().toarray(), labels())},
    },
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("model", "engine"),
    [(COURSE[0], "auto"), *((COURSE[1], engine) for engine in ENGINES)],
    ids=str,
)
def test_every_form_of_a_gives_the_reference(model, form, engine):
    fit = model.fit(engine=engine, **FORMS[form]())
    (reference,) = references(model, "REML")
    for measure in MEASURES:
        found = measure(fit, reference)
        assert max(found.values()) <= 1, found


@pytest.mark.parametrize("method", METHODS)
def test_copied_column_is_permanent_environment(method):
    """``(1 | pe)`` on a copy of the column is ``(1 | ide(animal))``."""
    data = records(REPEATABILITY.case).assign(pe=lambda table: table["animal"])
    with boundary_warning(False):
        fit = animalmm.fit(
            "y ~ x + (1 | animal) + (1 | pe) + (1 | block)",
            data,
            {"animal": pedigree(REPEATABILITY.case)},
            method=method,
        )
    reference = replace(references(REPEATABILITY, method)[0], names={})
    for measure in MEASURES:
        found = measure(fit, reference)
        assert max(found.values()) <= 1, found
