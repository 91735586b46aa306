"""Natural splines: properties and errors; agreement with R is in design/test_against_r.py."""

import pickle

import numpy as np
import pandas as pd
import pytest

from animalmm.design.coding import code
from animalmm.errors import DataError


@pytest.fixture
def data():
    rng = np.random.default_rng(11)
    return pd.DataFrame({"x": rng.normal(size=40), "few": np.repeat([1.0, 2.0], 20)})


def test_natural_splines_are_linear_beyond_the_boundary_knots(data):
    _, coding = code("1 + ns(x, df=4, boundary_knots=[-1, 1.2])", data)
    coding = pickle.loads(pickle.dumps(coding))
    for start, step in ((-1, -0.5), (1.2, 0.7)):
        X = coding.matrix(pd.DataFrame({"x": start + step * np.arange(5)}))
        np.testing.assert_allclose(np.diff(X, n=2, axis=0), 0, atol=1e-12)
        X = coding.matrix(pd.DataFrame({"x": start + 1e-4 * np.array([-1, 0, 1])}))
        # no bend at the knot: of the order of the step cubed
        np.testing.assert_allclose(np.diff(X, n=2, axis=0), 0, atol=1e-10)


@pytest.mark.parametrize("rhs", ["ns(x)", "ns(x, df=3)", "ns(x, knots=c(-0.4, 0.3))"])
def test_straight_lines_are_in_the_span(data, rhs):
    X, _ = code(f"1 + {rhs}", data)
    assert np.linalg.matrix_rank(X) == X.shape[1]
    residual = data.x - X @ np.linalg.lstsq(X, data.x, rcond=None)[0]
    np.testing.assert_allclose(residual, 0, atol=1e-12)


def test_constants_are_in_the_span_when_asked_for(data):
    X, _ = code("0 + ns(x, df=3, intercept=TRUE)", data)
    ones = X @ np.linalg.lstsq(X, np.ones(40), rcond=None)[0]
    np.testing.assert_allclose(ones, 1, atol=1e-12)


@pytest.mark.parametrize(
    ("rhs", "message"),
    [
        ("ns(x, df=0)", "df must be a whole number of at least 1, not 0"),
        ("ns(x, df=1, intercept=TRUE)", "at least 2, not 1"),
        ("ns(x, df=2.5)", "a whole number of at least 1, not 2.5"),
        ("ns(x, df=5, knots=[0])", "1 knots make 2 columns, not df=5"),
        ("ns(x, knots=[0, 99])", r"inner knots \[0.0, 99.0\] are not distinct within"),
        ("ns(few, df=6)", "use fewer"),
        ("ns(x, boundary_knots=[1])", r"the boundary knots are \[1\], not two different"),
        ("ns(x, boundary_knots=[1, 1])", "not two different"),
        ("ns(I(0 * x))", "not two different"),
        ("ns(x, boundary_knots=[50, 60], df=2)", "no value of x lies within"),
    ],
)
def test_arguments_of_no_use(data, rhs, message):
    with pytest.raises(DataError, match=message):
        code(f"1 + {rhs}", data)
