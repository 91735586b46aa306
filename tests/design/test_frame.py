import numpy as np
import pandas as pd
import pytest

from animalmm.design.frame import build_frame
from animalmm.errors import ArgumentError, DataError, DroppedRowsWarning, FormulaError
from animalmm.formula import parse_formula

SPEC = parse_formula("y ~ x + s + (1 | g)")


@pytest.fixture
def data():
    return pd.DataFrame(
        {
            "y": [1.0, 2.0, 4.0, 3.0, 5.0],
            "x": [0.5, 0.1, 0.2, 0.9, 0.4],
            "s": list("abaab"),
            "g": list("pqpqp"),
            "w": [1, 2, 1, 2, 1],
            "idle": [np.nan] * 5,
        },
        index=list("vwxyz"),
    )


def test_all_rows(data):
    frame = build_frame(SPEC, data)
    assert set(frame.data) == {"y", "x", "s", "g"}
    assert list(frame.data.index) == list("vwxyz")
    np.testing.assert_array_equal(frame.rows, range(5))
    np.testing.assert_array_equal(frame.weights, np.ones(5))
    np.testing.assert_array_equal(frame.offset, np.zeros(5))
    assert frame.n_given == 5
    assert frame.dropped == {}


def test_dict_of_columns(data):
    assert len(build_frame(SPEC, data.to_dict("list")).data) == 5


def test_missing_values_are_counted_by_cause(data):
    data.loc["w", ["x", "g"]] = [np.nan, None]
    data.loc["z", "x"] = np.nan
    with pytest.warns(DroppedRowsWarning, match="3 of 5 rows dropped: .*x missing in 2") as caught:
        frame = build_frame(SPEC, data, weights=[1, 2, 3, np.nan, 5])
    assert len(caught) == 1
    assert frame.dropped == {"g": 1, "x": 2, "weights": 1}
    np.testing.assert_array_equal(frame.rows, [0, 2])
    np.testing.assert_array_equal(frame.weights, [1, 3])
    with pytest.raises(DataError, match="2 of 5 rows have missing values"):
        build_frame(SPEC, data, na_action="fail")
    with pytest.raises(ArgumentError, match="na_action"):
        build_frame(SPEC, data, na_action="omit")


def test_numbers_stored_as_objects_are_numbers_once_none_is_gone(data):
    data["y"] = pd.Series([1, None, 3, 4, 5], dtype=object, index=data.index)
    with pytest.warns(DroppedRowsWarning):
        assert build_frame(SPEC, data).data["y"].dtype.kind == "i"


@pytest.mark.parametrize("kind", ["Int64", "Float64", "float32"])
def test_extension_types(data, kind):
    data["y"] = data["y"].astype(kind)
    assert len(build_frame(SPEC, data).data) == 5


def test_weights_and_offsets(data):
    spec = parse_formula("y ~ 1 + offset(log(w)) + offset(x) + (1 | g)")
    frame = build_frame(spec, data, weights="w", offset=data["x"].iloc[::-1])
    np.testing.assert_allclose(frame.offset, np.log(data.w) + 2 * data.x)  # aligned by labels
    np.testing.assert_array_equal(frame.weights, data.w)
    by_position = pd.Series(range(1, 6))
    np.testing.assert_array_equal(build_frame(SPEC, data, weights=by_position).weights, by_position)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 2], "2 values and the data have 5 rows"),
        ([1, 1, 1, 1, -1], "1 negative"),
        ([1, 1, 0, 0, 1], "2 zeros: remove those rows"),
        ([1, 1, 1, 1, np.inf], "1 infinite"),
        (list("abcde"), "must be numbers"),
        (list("12345"), "must be numbers, not string"),
        ([True] * 5, "must be numbers"),
        ("ww", "no column 'ww' for weights. Did you mean 'w'"),
        ([np.nan] * 5, "weights is missing in all"),
    ],
)
def test_weights_of_no_use(data, weights, message):
    with pytest.raises(DataError, match=message):
        build_frame(SPEC, data, weights=weights)


def test_unknown_names_point_into_the_formula(data):
    with pytest.raises(FormulaError, match=r"no column 'anmal'.*'animal'") as caught:
        build_frame(parse_formula("y ~ (1|anmal)"), data.rename(columns={"g": "animal"}))
    assert caught.value.position == 7
    with pytest.raises(FormulaError, match=r"no function 'lg'.*'log'") as caught:
        build_frame(parse_formula("y ~ lg(x)"), data)
    assert caught.value.position == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.nan}, "x is missing in all 5 rows"),
        ({"x": [np.inf, 1, 2, 3, 4]}, "x is infinite in 1 of 5"),
        ({"y": 3.0}, "y is 3 in all 5 rows: there is nothing to estimate"),
        ({"y": list("abcde")}, "response y is not numeric"),
        ({"y": pd.Categorical([1, 2, 3, 4, 5])}, "response y is not numeric"),
        ({"y": [True, False, True, False, True]}, "response y is not numeric"),
        ({"y": pd.date_range("2020-01-01", periods=5)}, "neither numbers nor categories"),
    ],
)
def test_columns_of_no_use(data, change, message):
    with pytest.raises(DataError, match=message):
        build_frame(SPEC, data.assign(**change))


def test_no_row_left(data):
    data.loc[["v", "w", "x"], "x"] = np.nan
    data.loc[["y", "z"], "s"] = None
    with pytest.raises(DataError, match=r"no row is left: .*s missing in 2"):
        build_frame(SPEC, data)
    with pytest.raises(DataError, match="have no rows"):
        build_frame(SPEC, data.iloc[:0])


def test_tables_of_no_use(data):
    twice = pd.concat([data, data[["x"]]], axis=1)
    with pytest.raises(DataError, match="2 columns of the data are called 'x'"):
        build_frame(SPEC, twice)
    assert len(build_frame(parse_formula("y ~ s"), twice).data) == 5
    with pytest.raises(DataError, match="not a list"):
        build_frame(SPEC, [1, 2])
    with pytest.raises(DataError, match="makes no table"):
        build_frame(SPEC, {"y": [1, 2], "x": [1]})


def test_log_of_a_negative_response(data):
    data["x"] -= 0.3
    with pytest.raises(DataError, match=r"log\(x\) is not finite in 2 of 5 rows"):
        build_frame(parse_formula("log(x) ~ 1"), data)
