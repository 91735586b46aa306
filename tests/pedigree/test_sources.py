"""Where a pedigree may come from, and what happens to its labels on the way."""

import gzip

import numpy as np
import pandas as pd
import pytest

from animalmm.errors import ArgumentError
from animalmm.pedigree import Pedigree

PEOPLE = "id,sire,dam\n{}\n"


def write(folder, text, name="ped.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_mapping_and_arrays_are_as_good_as_a_table():
    columns = {"id": ["c", "a", "b"], "sire": ["a", None, None], "dam": ["b", None, None]}
    want = Pedigree(pd.DataFrame(columns)).to_frame()
    pd.testing.assert_frame_equal(Pedigree(columns).to_frame(), want)
    pd.testing.assert_frame_equal(Pedigree.from_arrays(*columns.values()).to_frame(), want)


def test_arrays_are_matched_by_position_not_by_index():
    shifted = pd.Series([0, 0, 1], index=[7, 8, 9])
    ped = Pedigree.from_arrays(np.array([1, 2, 3]), shifted, [0, 0, 2], birth=[1.0, 2.0, 3.0])
    assert ped.sire.tolist() == [-1, -1, 0]
    assert ped.birth.tolist() == [1.0, 2.0, 3.0]


def test_arrays_of_different_lengths():
    with pytest.raises(ArgumentError, match=r"lengths: 'id' 2, 'sire' 1, 'dam' 2. Give one value"):
        Pedigree.from_arrays(["a", "b"], [None], [None, "a"])
    with pytest.raises(ArgumentError, match="no sequence of values"):
        Pedigree.from_arrays(["a"], np.zeros((1, 2)), [None])


def test_whole_numbers_in_a_file_are_integers_like_those_of_the_data(tmp_path):
    path = write(tmp_path, PEOPLE.format("3,1,2\n1,0,\n2,NA,."))
    ped = Pedigree.read_csv(path)
    assert ped.labels.dtype == np.int64
    assert ped.labels.tolist() == [1, 2, 3]
    assert ped.labels.equals(Pedigree(pd.read_csv(path, na_values=["."])).labels)


@pytest.mark.parametrize(
    "odd", ["01", "1e5", "TRUE", "1.0", "+1", "1_0", "９", "9223372036854775808"]
)
def test_one_label_that_is_no_usual_number_keeps_all_as_text(tmp_path, odd):
    path = write(tmp_path, PEOPLE.format(f"5,0,0\n{odd},5,0"))
    assert list(Pedigree.read_csv(path).labels) == ["5", odd]


def test_text_of_a_table_stays_text():
    assert list(Pedigree({"id": ["1", "2"], "sire": ["0", "1"], "dam": ["", ""]}).labels) == [
        "1",
        "2",
    ]


def test_groups_and_codes_do_not_hinder_whole_numbers(tmp_path):
    path = write(tmp_path, PEOPLE.format("1,G1,*\n2,1,-2\n3,1,2"))
    ped = Pedigree.read_csv(path, groups=["G1", -2], unknown=["*"])
    assert ped.labels.tolist() == [1, 2, 3]
    assert list(ped.groups) == ["G1", -2]
    assert ped.sire_group.tolist() == [0, -1, -1]
    assert ped.dam_group.tolist() == [-1, 1, -1]


def test_separators_headers_and_compression(tmp_path):
    text = "7 0 0 M\n8 0 0 F\n9 7 8 F\n"
    path = tmp_path / "ped.txt.gz"
    path.write_bytes(gzip.compress(text.encode()))
    ped = Pedigree.read_csv(path, sep=r"\s+", header=False, sex=3)
    assert ped.sire.tolist() == [-1, -1, 0]
    assert ped.sex.tolist() == [1, 2, 2]


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ArgumentError, match=r"'.*none\.csv' cannot be read: .*No such file"):
        Pedigree.read_csv(tmp_path / "none.csv")
    with pytest.raises(ArgumentError, match="cannot be read: No columns"):
        Pedigree.read_csv(write(tmp_path, ""))
    with pytest.raises(ArgumentError, match=r"one column, 'id;sire;dam', when cut at ','.*sep=';'"):
        Pedigree.read_csv(write(tmp_path, "id;sire;dam\na;;\n"))
    with pytest.raises(ArgumentError, match=r"one column.*as in sep="):
        Pedigree.read_csv(write(tmp_path, "id\na\n"))


def test_shuffled_rows_and_renamed_animals_change_nothing():
    rng = np.random.default_rng(5)
    n = 200
    table = pd.DataFrame({"id": [f"x{i}" for i in range(n)], "sire": None, "dam": None})
    for i in range(20, n):
        table.loc[i, ["sire", "dam"]] = [
            f"x{2 * rng.integers(i // 2)}",
            f"x{2 * rng.integers(i // 2) + 1}",
        ]
    F = Pedigree(table).inbreeding()
    shuffled = Pedigree(table.sample(frac=1.0, random_state=1)).inbreeding()
    pd.testing.assert_series_equal(shuffled[F.index], F)
    numbers = table.apply(lambda column: column.str.slice(1).astype("Int64") + 1)
    renamed = Pedigree(numbers).inbreeding()
    np.testing.assert_array_equal(renamed[[int(x[1:]) + 1 for x in F.index]], F)


@pytest.mark.parametrize("code", ["*", -9, "-9", 99])
def test_further_codes_for_unknown(code):
    table = pd.DataFrame({"id": [1, 2], "sire": [code, 1], "dam": [code, code]}, dtype=object)
    ped = Pedigree(table, unknown=[code])
    assert ped.sire.tolist() == [-1, 0]
    assert ped.dam.tolist() == [-1, -1]


@pytest.mark.parametrize(
    "names",
    [("IID", "Father_ID", "mother id"), ("Individual", "dadid", "momid"), ("ind", "PAT", "MAT")],
)
def test_more_usual_column_names(names):
    table = pd.DataFrame([("a", None, None), ("b", "a", None)], columns=list(names))
    assert Pedigree(table).sire.tolist() == [-1, 0]


def test_ids_of_another_type_are_told():
    ped = Pedigree({"id": ["1", "2"], "sire": ["0", "1"], "dam": ["0", "0"]})
    with pytest.raises(ArgumentError, match="look alike but are string, these are integer"):
        ped.a_matrix([1, 2])


def test_a_file_with_accents_in_another_encoding(tmp_path):
    path = tmp_path / "ped.csv"
    path.write_bytes(PEOPLE.format("José,,\nb,José,").encode("latin-1"))
    assert list(Pedigree.read_csv(path, encoding="latin-1").labels) == ["José", "b"]
    with pytest.raises(ArgumentError, match=r"is not utf-8 text: .*encoding='latin-1'"):
        Pedigree.read_csv(path)
    with pytest.raises(ArgumentError, match="cannot be read: unknown encoding: latin-99"):
        Pedigree.read_csv(path, encoding="latin-99")


@pytest.mark.parametrize("rows", ["x,a,c,\ny,b,c,", "1,x,a,c\n2,y,b,c"])
def test_rows_longer_than_the_names_are_not_shifted_by_a_column(tmp_path, rows):
    path = write(tmp_path, PEOPLE.format(rows))
    with pytest.raises(ArgumentError, match=r"more values.*'id', 'sire', 'dam'.*row.names=FALSE"):
        Pedigree.read_csv(path)


def test_a_file_without_names_says_how_to_read_it(tmp_path):
    path = write(tmp_path, "1,0,0\n2,1,0\n")
    with pytest.raises(ArgumentError, match=r"first line is an animal.*header=False"):
        Pedigree.read_csv(path)


def test_a_categorical_column_of_integers_with_missing_values():
    columns = {"id": [1, 2], "sire": [None, 1], "dam": [None, None]}
    table = pd.DataFrame({name: pd.Categorical(values) for name, values in columns.items()})
    ped = Pedigree(table)
    assert ped.labels.dtype == np.int64
    assert ped.sire.tolist() == [-1, 0]
