"""The compact expected numbers are those of the corpus, where it is at hand."""

import importlib.util
import json

import pytest

from ..corpus import CORPUS
from .models import DATA


@pytest.fixture(scope="module")
def condense():
    spec = importlib.util.spec_from_file_location("condense", DATA / "condense.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASES = sorted(path.parent.name for path in DATA.glob("*/expected.json"))


@pytest.mark.parametrize("case", CASES)
def test_numbers_are_those_of_the_corpus(condense, case):
    source = CORPUS / case / "expected.json"
    if not source.is_file():
        pytest.skip("the reference corpus is not beside the repository")
    ours = json.loads((DATA / case / "expected.json").read_text())
    assert ours == condense.condense(json.loads(source.read_text()))


def test_every_case_is_there(condense):
    assert set(condense.CASES) == set(CASES)
