import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse as sp

from animalmm.design.coding import SPARSE_COLUMNS, code
from animalmm.errors import ArgumentError, DataError
from animalmm.formula.parse import parse_formula


@pytest.fixture
def data():
    rng = np.random.default_rng(3)
    n = 60
    return pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "my col": rng.uniform(1, 2, n),
            "sex": rng.choice(["M", "F"], n),
            "recipe": rng.choice(list("ABC"), n),
            "temp": pd.Categorical(rng.choice([175, 185, 195, 205, 215], n), ordered=True),
            "size": pd.Categorical(rng.choice(["s", "m"], n), categories=["s", "m", "xl"]),
            "old": rng.random(n) > 0.5,
            "year": rng.integers(3, 6, n),
        }
    )


# names as model.matrix of R gives them
NAMES = [
    ("1 + sex + x", "(Intercept) sexM x"),
    ("0 + sex + recipe", "sexF sexM recipeB recipeC"),
    ("0 + x + sex", "x sexF sexM"),
    ("1 + sex:x", "(Intercept) sexF:x sexM:x"),
    ("1 + x*sex", "(Intercept) x sexM x:sexM"),
    (
        "1 + recipe:sex + recipe",
        "(Intercept) recipeB recipeC recipeA:sexM recipeB:sexM recipeC:sexM",
    ),
    ("1 + recipe*temp", None),
    ("1 + size", "(Intercept) sizem"),
    ("1 + old", "(Intercept) oldTRUE"),
    ("0 + old", "oldFALSE oldTRUE"),
    ("1 + factor(year)", "(Intercept) factor(year)4 factor(year)5"),
    ("1 + poly(x, 2) + I(x ** 2)", "(Intercept)|poly(x, 2)1|poly(x, 2)2|I(x^2)"),
    ("1 + poly(x, 1)", "(Intercept)|poly(x, 1)"),
    ("1 + log(`my col`)", "(Intercept)|log(`my col`)"),
    ("1 + I(x > 0)", "(Intercept)|I(x > 0)TRUE"),
    ("0", ""),
]


@pytest.mark.parametrize(("rhs", "names"), NAMES)
def test_names_are_those_of_r(data, rhs, names):
    X, coding = code(rhs, data)
    assert X.shape == (60, len(coding.names))
    assert len(coding.assign) == len(coding.names)
    if rhs == "1 + recipe*temp":
        powers = [".L", ".Q", ".C", "^4"]
        wanted = ["(Intercept)", "recipeB", "recipeC", *(f"temp{p}" for p in powers)]
        wanted += [f"recipe{r}:temp{p}" for p in powers for r in "BC"]
        np.testing.assert_array_equal(coding.assign, [0, 1, 1, *[2] * 4, *[3] * 8])
        assert coding.terms == ("recipe", "temp", "recipe:temp")
    else:
        wanted = names.split("|" if "|" in names else None)
    assert list(coding.names) == wanted


def test_values(data):
    X, coding = code("1 + recipe:sex + x:recipe", data)
    assert X.flags.c_contiguous
    for name, column in zip(coding.names[1:], X.T[1:], strict=True):
        left, right = name.split(":")
        recipe = left if left.startswith("recipe") else right
        other = right if recipe == left else left
        wanted = (data.recipe == recipe.removeprefix("recipe")).to_numpy(float)
        wanted = wanted * (data.x if other == "x" else data.sex == other.removeprefix("sex"))
        np.testing.assert_array_equal(column, wanted)


def test_polynomial_contrasts_are_those_of_r(data):
    X, coding = code("1 + temp", data)
    row = X[np.flatnonzero(data.temp == 175)[0], 1:]
    np.testing.assert_allclose(row, [-0.6324555, 0.5345225, -0.3162278, 0.1195229], atol=1e-7)
    assert coding.levels == {"temp": (175, 185, 195, 205, 215)}


CONTRASTS = [
    # what contr.sum(3), contr.helmert(3), MASS::contr.sdif(3) give
    ("sum", ["1", "2"], [[1, 0], [0, 1], [-1, -1]]),
    ("helmert", ["1", "2"], [[-1, -1], [1, -1], [0, 2]]),
    ("sdif", ["B-A", "C-B"], np.array([[-2, -1], [1, -1], [1, 2]]) / 3),
    ("treatment", ["B", "C"], [[0, 0], [1, 0], [0, 1]]),
    (np.array([[1.0], [0], [-1]]), ["1"], [[1], [0], [-1]]),
    (pd.DataFrame({"lin": [1, -1, 0]}, index=list("CAB")), ["lin"], [[-1], [0], [1]]),
]


@pytest.mark.parametrize(("kind", "ends", "table"), CONTRASTS)
@pytest.mark.parametrize("sparse", [False, True])
def test_contrasts(data, kind, ends, table, sparse):
    X, coding = code("1 + recipe", data, contrasts={"recipe": kind}, sparse=sparse)
    assert coding.names == ("(Intercept)", *(f"recipe{end}" for end in ends))
    X = X.toarray() if sparse else X
    wanted = np.asarray(table)[data.recipe.map({"A": 0, "B": 1, "C": 2})]
    np.testing.assert_allclose(X[:, 1:], wanted, atol=1e-12)


def test_contrasts_in_the_formula(data):
    X, coding = code('1 + C(recipe, "sum")', data)
    wanted, _ = code("1 + recipe", data, contrasts={"recipe": "sum"})
    np.testing.assert_array_equal(X, wanted)
    X, coding = code("1 + C(recipe, contr.treatment(base='B'))", data)
    assert [name[-1] for name in coding.names[1:]] == ["A", "C"]
    _, coding = code("1 + factor(recipe, levels=['C', 'B', 'A'])", data)
    assert [name[-1] for name in coding.names[1:]] == ["B", "A"]


@pytest.mark.parametrize(
    ("rhs", "contrasts", "message"),
    [
        ("1 + recipe", {"recip": "sum"}, "no column of the model. Did you mean 'recipe'"),
        ("1 + recipe", {"recipe": "summ"}, "'summ' for recipe are not known"),
        ("1 + x", {"x": "sum"}, r"numeric: write factor\(x\)"),
        ("1 + recipe", {"recipe": np.eye(2)}, "finite with 3 rows"),
        ("1 + recipe", {"recipe": pd.DataFrame({"a": [1, 2]}, index=list("AB"))}, "no row for 'C'"),
        ("1 + recipe", {"recipe": object()}, "not a matrix of numbers"),
    ],
)
def test_contrasts_of_no_use(data, rhs, contrasts, message):
    with pytest.raises(ArgumentError, match=message):
        code(rhs, data, contrasts=contrasts)


RIGHT_SIDES = [
    "1 + recipe*temp*x",
    "0 + sex:recipe + poly(x, 3)",
    "1 + bs(x, df=5) + scale(x):sex + center(`my col`)",
    "1 + old*recipe + factor(year):x",
    "1 + C(recipe, 'sum'):temp",
    "1 + sqrt(`my col`) + abs(x) + np.sin(x) + log10(`my col`)",
]


@pytest.mark.parametrize("rhs", RIGHT_SIDES)
def test_sparse_dense_and_new_data_agree(data, rhs):
    X, coding = code(rhs, data)
    S, sparse_coding = code(rhs, data, sparse=True)
    assert isinstance(S, sp.csc_array)
    np.testing.assert_allclose(S.toarray(), X, atol=1e-14)
    assert coding.names == sparse_coding.names
    copy = pickle.loads(pickle.dumps(coding))
    some = data.iloc[[4, 2, 2]].astype({"temp": object})
    np.testing.assert_allclose(copy.matrix(some), X[[4, 2, 2]], atol=1e-14)
    np.testing.assert_allclose(sparse_coding.matrix(some).toarray(), X[[4, 2, 2]], atol=1e-14)


@pytest.mark.parametrize("sparse", [False, True])
def test_new_data_with_missing_values(data, sparse):
    X, coding = code("1 + recipe*x", data, sparse=sparse)
    new = data.iloc[:4].copy()
    new.loc[1, "x"] = np.nan
    new.loc[2, "recipe"] = None
    out = coding.matrix(new)
    out, X = (out.toarray(), X.toarray()) if sparse else (out, X)
    assert np.isnan(out[[1, 2]]).all()
    np.testing.assert_array_equal(out[[0, 3]], X[[0, 3]])
    assert np.isnan(coding.matrix(new.iloc[1:3]).sum())


def test_new_data_of_no_use(data):
    _, coding = code("1 + recipe + x + factor(year)", data)
    with pytest.raises(DataError, match=r"recipe has levels that were not in the fit: 'Z'\."):
        coding.matrix(data.assign(recipe="Z"))
    with pytest.raises(DataError, match="differ only in type"):
        coding.matrix(data.assign(year=data.year.astype(str)))
    with pytest.raises(DataError, match=r"lack the column 'recipe'\. Did you mean 'recip'"):
        coding.matrix(data.rename(columns={"recipe": "recip"}))
    with pytest.raises(DataError, match="x holds"):
        coding.matrix(data.assign(x="high"))
    with pytest.raises(DataError, match="not finite in 60 of 60"):
        code("1 + log(0 * x)", data)[1]


@pytest.mark.parametrize(
    ("rhs", "message"),
    [
        ("1 + size", r"size has only one level \('s'\)"),
        ("1 + when", "when holds datetime"),
        ("1 + log(x)", "not finite"),
        ("1 + poly(x, 'a')", "cannot be computed from x"),
        ("1 + nofun(x)", "no function 'nofun'"),
        ("1 + log(nocol)", "no column 'nocol'"),
        ("1 + I(3)", "one value for each"),
    ],
)
def test_columns_of_no_use(data, rhs, message):
    data = data[data["size"] == "s"].assign(when=pd.Timestamp("2020-01-01"))
    with pytest.raises(DataError, match=message):
        code(rhs, data)


NARROW = ["I(n + n)", "I(n - 201)", "I(n^6)", "I(n^-1)", "log(n)", "poly(n, 2)", "ns(n, df=2)"]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "Int64", "float32"])
@pytest.mark.parametrize("rhs", [*NARROW, "factor(n)", "factor(I(n + n))"])
def test_narrow_types_are_computed_in_double_precision(rhs, dtype):
    data = pd.DataFrame({"n": [200.0, 100, 3, 4, 50, 7]})
    rhs = parse_formula(f"y ~ {rhs}").fixed
    X, coding = code(rhs, data.astype(dtype))
    wanted, in_double = code(rhs, data)
    assert coding.names == in_double.names
    np.testing.assert_array_equal(X, wanted)


def test_a_column_whose_name_holds_operators():
    data = pd.DataFrame({"a / b": [1.0, 2, 4], "c ** d": [3.0, 1, 1]})
    _, coding = code("1 + `a / b` + I(`a / b` / `c ** d`)", data)
    assert coding.names == ("(Intercept)", "`a / b`", "I(`a / b`/`c ** d`)")


def test_caller_variables_are_out_of_reach(data):
    secret = 3.0
    with pytest.raises(DataError, match="no column 'secret'"):
        code("1 + I(x * secret)", data)
    assert secret == 3.0


def test_a_column_named_like_a_function(data):
    X, coding = code("1 + log + log(`my col`)", data.rename(columns={"x": "log"}))
    assert coding.names == ("(Intercept)", "log", "log(`my col`)")
    np.testing.assert_allclose(X[:, 2], np.log(data["my col"]))


def test_many_levels_are_sparse():
    rng = np.random.default_rng(1)
    n = 100_000
    data = pd.DataFrame({"h": rng.integers(0, 5000, n).astype(str), "x": rng.normal(size=n)})
    X, coding = code("1 + h + x", data)
    assert isinstance(X, sp.csc_array)
    assert coding.is_sparse
    assert X.shape == (n, 5001)
    assert coding.names[:3] == ("(Intercept)", "h1", "h10")


def test_many_columns_without_zeros_are_dense(data):
    knots = SPARSE_COLUMNS + 5
    X, coding = code(f"1 + poly(x, {knots})", data)
    assert isinstance(X, np.ndarray)
    assert not coding.is_sparse
    assert isinstance(coding.matrix(data), np.ndarray)
