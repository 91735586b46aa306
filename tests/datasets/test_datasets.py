import json
from importlib import resources

import numpy as np
import pandas as pd
import pytest

from animalmm import datasets
from animalmm.errors import ArgumentError, DataError
from animalmm.pedigree import Pedigree

from ..corpus import CORPUS

SHAPES = {
    "cake": (270, 5),
    "course": (1200, 7),
    "dyestuff": (30, 2),
    "dyestuff2": (30, 2),
    "gist": (1000, 4),
    "pastes": (60, 4),
    "penicillin": (144, 3),
    "sleepstudy": (180, 3),
}
LEVELS = {
    "cake": {"recipe": 3, "replicate": 15, "temperature": 6},
    "course": {"animal": 1200, "sex": 2},
    "dyestuff": {"Batch": 6},
    "dyestuff2": {"Batch": 6},
    "gist": {"animal": 1000},
    "pastes": {"batch": 10, "cask": 3, "sample": 30},
    "penicillin": {"plate": 24, "sample": 6},
    "sleepstudy": {"Subject": 18},
}
FOLDERS = {"gist": "s1_gist1859", "course": "s2_course", "sleepstudy": "s3_sleepstudy"}


@pytest.mark.parametrize("name", datasets.names())
def test_shape_and_kinds_of_columns(name):
    d = datasets.load(name)
    assert d.data.shape == SHAPES[name]
    assert not d.data.isna().any(axis=None)
    for column, levels in LEVELS[name].items():
        assert d.data[column].nunique() == levels
        assert not pd.api.types.is_numeric_dtype(d.data[column])
    others = d.data.drop(columns=list(LEVELS[name]))
    assert all(pd.api.types.is_numeric_dtype(dtype) for dtype in others.dtypes)
    assert f"{len(d.data)} records" in repr(d)


@pytest.mark.parametrize("name", datasets.names())
def test_numbers_are_those_of_the_corpus(name):
    folder = CORPUS / FOLDERS.get(name, f"s4_{name}")
    if not folder.is_dir():
        pytest.skip("the reference corpus is not beside the repository")
    want = pd.read_csv(folder / "data.csv", dtype=str, keep_default_na=False)
    want = want.rename(columns={"id": "animal"})
    mine = datasets.load(name).data
    assert set(mine) <= set(want)
    for column in mine:
        if column in LEVELS[name]:
            assert mine[column].tolist() == want[column].tolist()
        else:
            exact = [float(text) for text in want[column]]
            # pandas 2 is up to 3e-14 off the nearest double where it reads many digits
            np.testing.assert_allclose(mine[column], exact, rtol=1e-13)


def test_every_call_gives_fresh_tables():
    one = datasets.load("dyestuff").data
    one.loc[0, "Yield"] = -1
    assert datasets.load("dyestuff").data.loc[0, "Yield"] == 1545


def test_temperature_is_an_ordered_factor():
    temperature = datasets.load("cake").data["temperature"]
    assert temperature.cat.ordered
    assert list(temperature.cat.categories) == ["175", "185", "195", "205", "215", "225"]


def test_course_pedigree():
    course = datasets.load("course")
    ped = Pedigree(course.pedigree)
    assert ped.labels.tolist() == course.data["animal"].tolist()
    np.testing.assert_allclose(ped.inbreeding(), course.data["true_F"], atol=1e-12)
    np.testing.assert_array_equal(ped.generations(), course.data["generation"])


def test_gist_markers_and_relationship():
    gist = datasets.load("gist")
    K = gist.relationship()
    assert K.index.tolist() == K.columns.tolist() == gist.data["animal"].tolist()
    assert gist.markers.shape == (1000, 1000)
    assert set(np.unique(gist.markers)) == {0, 1, 2}
    assert K.iloc[0, :5].tolist() == pytest.approx([1.715, 1.078, 1.263, 1.264, 1.042])
    assert np.diag(K).mean() == pytest.approx(1.722652)
    expected = CORPUS / "s1_gist1859" / "expected.json"
    if expected.is_file():
        truth = json.loads(expected.read_text())["truth"]
        assert K.to_numpy().mean() == pytest.approx(truth["A_mean"], rel=1e-12)
    with pytest.raises(DataError, match="'course' has no markers; for a pedigree use"):
        datasets.load("course").relationship()


def test_sources_are_stated():
    table = datasets.describe()
    assert tuple(table.index) == datasets.names() == tuple(SHAPES)
    assert table.map(len).gt(10).all(axis=None)
    assert datasets.load("sleepstudy").source == table.loc["sleepstudy", "source"]


def test_misspelt_name():
    with pytest.raises(ArgumentError, match=r"'sleepstdy'\. Did you mean 'sleepstudy'\?.*'cake'"):
        datasets.load("sleepstdy")


def test_the_files_are_small():
    files = list((resources.files("animalmm.datasets") / "data").iterdir())
    assert sum(len(f.read_bytes()) for f in files) < 1.5e6
