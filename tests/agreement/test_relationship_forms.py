"""One relationship in every accepted form gives one fit."""

import pandas as pd
import pytest

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


def labelled_a(ped):
    return pd.DataFrame(ped.a_matrix(), index=ped.labels, columns=ped.labels)


def shuffled_a(ped):
    order = ped.labels[::-1]
    return labelled_a(ped).loc[order, order]


FORMS = {
    "pedigree": lambda ped: {"relmat": {"animal": ped}},
    "frame": lambda ped: {"relmat": {"animal": labelled_a(ped)}},
    "frame in another order": lambda ped: {"relmat": {"animal": shuffled_a(ped)}},
    "matrix and labels": lambda ped: {"relmat": {"animal": (ped.a_matrix(), ped.labels)}},
    "matrix and list of labels": lambda ped: {
        "relmat": {"animal": (ped.a_matrix(), list(ped.labels))}
    },
    "sparse inverse and labels": lambda ped: {
        "relmat": None,
        "precision": {"animal": (ped.a_inverse(), ped.labels)},
    },
    "dense inverse and labels": lambda ped: {
        "relmat": None,
        "precision": {"animal": (ped.a_inverse().toarray(), ped.labels)},
    },
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("model", COURSE, ids=str)
def test_every_form_of_a_gives_the_reference(model, form, engine):
    fit = model.fit(engine=engine, **FORMS[form](pedigree(model.case)))
    (reference,) = references(model, "REML")
    for measure in MEASURES:
        found = measure(fit, reference)
        assert max(found.values()) <= 1, found


@pytest.mark.parametrize("method", METHODS)
def test_copied_column_is_permanent_environment(method):
    """``(1 | pe)`` on a copy of the column is ``(1 | ide(animal))``."""
    import animalmm

    data = records(REPEATABILITY.case).assign(pe=lambda table: table["animal"])
    with boundary_warning(False):
        fit = animalmm.fit(
            "y ~ x + (1 | animal) + (1 | pe) + (1 | block)",
            data,
            {"animal": pedigree(REPEATABILITY.case)},
            method=method,
        )
    reference = references(REPEATABILITY, method)[0]
    for measure in MEASURES:
        found = measure(fit, type(reference)(**(vars(reference) | {"names": {}})))
        assert max(found.values()) <= 1, found
