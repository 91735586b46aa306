"""The public face of a fit: values, shapes, names and types."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import animalmm
from animalmm import fit
from animalmm.datasets import load
from animalmm.errors import BoundaryWarning, DroppedRowsWarning, RankDeficiencyWarning


def plain(value):
    return type(value) in (int, float, bool, str)


def test_lme4_sleepstudy(sleep):
    """What lme4 gives (fm1 of Bates et al. 2015, J. Stat. Softw. 67(1), and its help pages)."""
    assert sleep.remlcrit == pytest.approx(1743.6283, abs=2e-4)
    assert sleep.llf == pytest.approx(-871.8141, abs=1e-4)
    assert sleep.aic == pytest.approx(1755.6283, abs=2e-4)
    assert sleep.bic == pytest.approx(1774.7860, abs=2e-4)
    assert sleep.sigma == pytest.approx(25.5918, abs=1e-3)
    np.testing.assert_allclose(sleep.fixef(), [251.40510, 10.46729], atol=1e-4)
    np.testing.assert_allclose(sleep.bse, [6.8246, 1.5458], atol=1e-3)
    np.testing.assert_allclose(sleep.coefficients()["t"], [36.838, 6.771], atol=5e-3)
    vcov = sleep.varcorr()["vcov"]
    np.testing.assert_allclose(vcov, [612.10, 35.072, 9.604, 654.94], rtol=1e-3)
    np.testing.assert_allclose(sleep.varcorr()["sdcor"].iloc[2], 0.066, atol=1e-3)
    np.testing.assert_allclose(sleep.ranef().loc["308"], [2.2585, 9.1990], atol=2e-3)
    condvar = sleep.condvar().loc["308"].to_numpy()
    np.testing.assert_allclose(condvar, [[145.705, -21.444], [-21.444, 5.312]], atol=0.02)
    assert (sleep.nobs, sleep.npar, sleep.df_residual) == (180, 6, 174)


def test_ml(sleepstudy):
    found = fit("Reaction ~ Days + (Days | Subject)", sleepstudy, method="ML")
    assert found.method == "ML"
    assert found.deviance == pytest.approx(1751.9393, abs=2e-4)
    assert found.aic == pytest.approx(1763.9393, abs=2e-4)
    assert found.bic == pytest.approx(1783.0971, abs=2e-4)
    assert found.llf == pytest.approx(-found.deviance / 2)
    assert found.remlcrit > 1743.6283


# -- scalars ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sleep", "uncorrelated", "course", "herd"])
def test_types_are_the_same_for_every_model(name, request):
    found = request.getfixturevalue(name)
    types = {
        "formula": str,
        "method": str,
        "nobs": int,
        "npar": int,
        "df_residual": int,
        "sigma": float,
        "llf": float,
        "remlcrit": float,
        "deviance": float,
        "aic": float,
        "bic": float,
        "params": pd.Series,
        "bse": pd.Series,
        "fittedvalues": pd.Series,
        "resid": pd.Series,
    }
    for attribute, kind in types.items():
        assert type(getattr(found, attribute)) is kind, attribute
    methods = {
        "is_singular": bool,
        "loglik": float,
        "fixef": pd.Series,
        "coefficients": pd.DataFrame,
        "vcov": pd.DataFrame,
        "varcorr": pd.DataFrame,
        "vcov_varcorr": pd.DataFrame,
        "h2": pd.DataFrame,
        "ngrps": pd.Series,
        "predict": pd.Series,
        "summary": animalmm.result.Summary,
    }
    for method, kind in methods.items():
        assert type(getattr(found, method)()) is kind, method
    group = found.ngrps().index[0]
    assert type(found.ranef(group)) is type(found.blup(group)) is pd.DataFrame


def test_varcorr_has_the_same_types_with_and_without_covariances(sleep, uncorrelated):
    assert (sleep.varcorr().dtypes == uncorrelated.varcorr().dtypes).all()


def test_loglik_constants(sleep):
    asreml = sleep.loglik(constant="asreml")
    assert asreml - sleep.loglik() == pytest.approx((180 - 2) / 2 * np.log(2 * np.pi))
    assert sleep.loglik(constant="lme4") == sleep.loglik() == sleep.llf
    assert sleep.remlcrit == pytest.approx(-2 * sleep.llf)
    assert sleep.aic == pytest.approx(-2 * sleep.llf + 2 * sleep.npar)
    assert sleep.bic == pytest.approx(-2 * sleep.llf + np.log(180) * sleep.npar)


def test_npar_counts_what_is_estimated(sleep, uncorrelated, course, herd):
    assert (sleep.npar, uncorrelated.npar, course.npar, herd.npar) == (6, 5, 5, 2)


def test_repr(sleep):
    shown = repr(sleep)
    for piece in ("Reaction ~ Days + (Days | Subject)", "REML", "180", "1743.628"):
        assert piece in shown


def test_provenance(course):
    provenance = course.provenance
    assert provenance["formula"] == course.formula
    assert provenance["rows given"] == provenance["rows used"] == course.nobs == 1000
    assert provenance["rows dropped"] == {}
    assert provenance["columns dropped"] == ()
    assert provenance["engine"].startswith("mme: 'animal' by its inverse")
    assert provenance["algorithm"] == course.convergence.algorithm == "auto"
    assert provenance["evaluations"] == course.convergence.evaluations > 1
    assert provenance["seconds"] > 0
    assert provenance["versions"]["animalmm"] == animalmm.__version__
    assert provenance["versions"]["numpy"] == np.__version__
    with pytest.raises(TypeError):
        provenance["engine"] = "another"


def test_convergence(sleep, course):
    for found in (sleep, course):
        assert found.convergence.converged is True
        assert "converged" in found.convergence.message
        assert found.convergence.boundary == ()
        assert not found.is_singular()


def test_is_singular_has_a_tolerance(sleep):
    assert sleep.is_singular(tol=1e6)


def test_singular_fit():
    with pytest.warns(BoundaryWarning, match="'Batch'") as caught:
        found = fit("Yield ~ 1 + (1 | Batch)", load("dyestuff2").data)
    assert caught[0].filename == __file__
    assert found.is_singular()
    assert found.convergence.boundary == ("Batch",)
    assert found.varcorr()["vcov"].iloc[0] == pytest.approx(0.0, abs=1e-6)
    assert (found.ranef().abs() < 1e-6).all(axis=None)
    assert found.blup()["reliability"].between(-1e-9, 1e-6).all()
    np.testing.assert_allclose(found.fittedvalues, found.fixef().iloc[0])
    assert found.remlcrit == pytest.approx(161.8283, abs=2e-4)


# -- tables ----------------------------------------------------------------------------------


def test_fixed_effects(sleep):
    names = ["(Intercept)", "Days"]
    table = sleep.coefficients()
    assert list(table.columns) == ["estimate", "se", "t"]
    assert list(table.index) == list(sleep.fixef().index) == list(sleep.bse.index) == names
    assert all(np.issubdtype(dtype, np.float64) for dtype in table.dtypes)
    pd.testing.assert_series_equal(sleep.fixef(), sleep.params)
    pd.testing.assert_series_equal(sleep.bse, table["se"])
    np.testing.assert_allclose(table["t"], table["estimate"] / table["se"])


def test_vcov(sleep):
    vcov = sleep.vcov()
    assert list(vcov.index) == list(vcov.columns) == ["(Intercept)", "Days"]
    np.testing.assert_allclose(vcov, vcov.T)
    np.testing.assert_allclose(np.sqrt(np.diag(vcov)), sleep.bse)


def test_varcorr(sleep, course):
    table = sleep.varcorr()
    assert list(table.columns) == ["grp", "var1", "var2", "vcov", "sdcor", "se"]
    assert list(table["grp"]) == ["Subject"] * 3 + ["Residual"]
    assert list(table["var1"].iloc[:3]) == ["(Intercept)", "Days", "(Intercept)"]
    assert list(table["var2"].isna()) == [True, True, False, True]
    assert table["var2"].iloc[2] == "Days"
    assert table["var1"].isna().iloc[3]
    variances = table[table["var2"].isna()]
    np.testing.assert_allclose(variances["vcov"], variances["sdcor"] ** 2)
    assert table["sdcor"].iloc[3] == pytest.approx(sleep.sigma)
    assert list(course.varcorr()["grp"]) == ["animal", "Residual"]


def test_covariance_of_known_components_is_in_the_table(herd):
    table = herd.varcorr()
    np.testing.assert_allclose(table["vcov"], [1.0, 0.5, 0.3, 0.7, 1.5])
    assert (table["se"] == 0).all()
    assert table["sdcor"].iloc[2] == pytest.approx(0.3 / np.sqrt(0.5))


def test_h2(course, sleep, herd_data, herd):
    table = course.h2()
    assert list(table.index) == ["animal", "Residual"]
    assert list(table.columns) == ["variance", "share", "se", "known"]
    assert list(table["known"]) == [True, False]
    assert table["share"].sum() == pytest.approx(1.0)
    components = course.varcorr()["vcov"].to_numpy()
    np.testing.assert_allclose(table["variance"], components)
    np.testing.assert_allclose(table["share"], components / components.sum())
    ratio = course.vpredict("animal / (animal + Residual)")
    np.testing.assert_allclose(table.loc["animal", ["share", "se"]].astype(float), ratio, rtol=1e-8)
    assert not sleep.h2()["known"].any()

    x, w = herd_data["x"], herd_data["w"]
    expected = [(1.0 + 2 * 0.3 * x + 0.5 * x**2).mean(), 0.7, (1.5 / w).mean()]
    np.testing.assert_allclose(herd.h2()["variance"], expected)


def test_repeatability_is_the_sum_of_two_shares(herd_data, kinship):
    known = {"animal": 1.0, "ide(animal)": 0.5, "Residual": 2.0}
    found = fit(
        "y ~ x + (1 | animal) + (1 | ide(animal))", herd_data, {"animal": kinship}, fixed=known
    )
    np.testing.assert_allclose(found.h2()["share"], np.array([1.0, 0.5, 2.0]) / 3.5)
    assert list(found.h2()["known"]) == [True, False, False]
    assert dict(found.ngrps()) == {"animal": 12, "ide(animal)": 10}
    assert found.ranef("ide(animal)").shape == (10, 1)


def test_ngrps(sleep, uncorrelated, course, herd):
    assert dict(sleep.ngrps()) == dict(uncorrelated.ngrps()) == {"Subject": 18}
    assert dict(course.ngrps()) == {"animal": 1200}  # those without records included
    assert dict(herd.ngrps()) == {"animal": 12, "herd": 4}
    assert sleep.ngrps().dtype.kind == "i"


def test_ranef(sleep, course, herd, kinship):
    table = sleep.ranef()
    assert table.shape == (18, 2)
    assert table.index.name == "Subject"
    assert list(table.columns) == ["(Intercept)", "Days"]
    assert list(table.index) == sorted(table.index)
    pd.testing.assert_frame_equal(table, sleep.ranef("Subject"))
    assert course.ranef().shape == (1200, 1)
    assert list(herd.ranef("animal").index) == list(kinship.index)
    assert list(herd.ranef("herd").index) == list("pqrs")


# -- against dense algebra -------------------------------------------------------------------


@pytest.fixture(scope="module")
def dense(herd, herd_data, kinship):
    """BLUE, BLUP, Var(u | y) and Var(u | y, beta) by V and its inverse."""
    n, q = len(herd_data), len(kinship)
    x = herd_data["x"].to_numpy()
    X = np.column_stack([np.ones(n), x])
    A = (herd_data["animal"].to_numpy()[:, None] == kinship.index.to_numpy()).astype(float)
    H = (herd_data["herd"].to_numpy()[:, None] == np.array(list("pqrs"))).astype(float)
    Z = np.column_stack([np.einsum("ij,ic->ijc", A, X).reshape(n, 2 * q), H])
    Sigma = np.array([[1.0, 0.3], [0.3, 0.5]])
    G = np.zeros((2 * q + 4, 2 * q + 4))
    G[: 2 * q, : 2 * q] = np.kron(kinship, Sigma)
    G[2 * q :, 2 * q :] = 0.7 * np.eye(4)
    y = (herd_data["y"] - herd_data["known"]).to_numpy()
    Vi = np.linalg.inv(Z @ G @ Z.T + np.diag(1.5 / herd_data["w"]))
    vcov = np.linalg.inv(X.T @ Vi @ X)
    beta = vcov @ X.T @ Vi @ y
    P = Vi - Vi @ X @ vcov @ X.T @ Vi
    return {
        "X": X,
        "Z": Z,
        "prior": np.diag(G),
        "vcov": vcov,
        "beta": beta,
        "u": G @ Z.T @ Vi @ (y - X @ beta),
        "pev": G - G @ Z.T @ P @ Z @ G,
        "given beta": G - G @ Z.T @ Vi @ Z @ G,
    }


def test_blue_and_blup(herd, dense):
    np.testing.assert_allclose(herd.fixef(), dense["beta"], rtol=1e-9)
    np.testing.assert_allclose(herd.vcov(), dense["vcov"], rtol=1e-9)
    np.testing.assert_allclose(herd.ranef("animal").to_numpy().ravel(), dense["u"][:24], rtol=1e-7)
    np.testing.assert_allclose(herd.ranef("herd").to_numpy().ravel(), dense["u"][24:], rtol=1e-7)


@pytest.mark.parametrize(("group", "where"), [("animal", slice(24)), ("herd", slice(24, 28))])
def test_blup(herd, herd_data, dense, group, where):
    table = herd.blup(group)
    columns = ["level", "column", "blup", "se", "pev", "reliability", "accuracy", "records"]
    assert list(table.columns) == columns
    assert isinstance(table.index, pd.RangeIndex)
    pev, prior = np.diag(dense["pev"])[where], dense["prior"][where]
    np.testing.assert_allclose(table["blup"], dense["u"][where], rtol=1e-7)
    np.testing.assert_allclose(table["pev"], pev, rtol=1e-8)
    np.testing.assert_allclose(table["se"], np.sqrt(pev), rtol=1e-8)
    np.testing.assert_allclose(table["reliability"], 1 - pev / prior, atol=1e-8)
    np.testing.assert_allclose(
        table["accuracy"], np.sqrt(np.maximum(1 - pev / prior, 0)), atol=1e-7
    )
    counts = herd_data[group].value_counts()
    assert table["records"].dtype.kind == "i"
    assert list(table["records"]) == [counts.get(level, 0) for level in table["level"]]


def test_blup_of_some_levels(herd):
    table = herd.blup("animal", ["a11", "a03"])
    assert list(table["level"]) == ["a11", "a11", "a03", "a03"]
    assert list(table["column"]) == ["(Intercept)", "x"] * 2
    assert list(table["records"].iloc[:2]) == [0, 0]
    whole = herd.blup("animal").set_index(["level", "column"])
    numbers = table.set_index(["level", "column"])
    pd.testing.assert_frame_equal(numbers, whole.loc[numbers.index])


def test_condvar(herd, dense):
    table = herd.condvar("animal")
    assert table.shape == (24, 2)
    assert table.index.names == ["animal", "column"]
    for j, level in enumerate(herd.ranef("animal").index):
        here = slice(2 * j, 2 * j + 2)
        expected = dense["given beta"][here, here]
        np.testing.assert_allclose(table.loc[level], expected, rtol=1e-8)
        assert list(table.loc[level].index) == list(table.columns) == ["(Intercept)", "x"]


def test_get_me(herd, herd_data, dense):
    np.testing.assert_array_equal(herd.get_me("y"), herd_data["y"])
    np.testing.assert_array_equal(herd.get_me("X"), dense["X"])
    Z = herd.get_me("Z")
    assert sparse.issparse(Z)
    np.testing.assert_array_equal(Z.toarray(), dense["Z"])
    np.testing.assert_allclose(herd.get_me("beta"), dense["beta"])
    np.testing.assert_allclose(herd.get_me("b"), dense["u"], rtol=1e-7)
    np.testing.assert_array_equal(herd.get_me("weights"), herd_data["w"])
    np.testing.assert_array_equal(herd.get_me("offset"), herd_data["known"])
    assert (herd.get_me("n"), herd.get_me("p")) == (60, 2)
    T = herd.get_me("T")
    assert set(T) == {"animal", "herd"}
    np.testing.assert_allclose(T["animal"] @ T["animal"].T, [[1.0, 0.3], [0.3, 0.5]])
    assert len(herd.get_me("theta")) == 0  # everything was given


def test_theta_is_that_of_lme4(sleep):
    """`getME(fm1, "theta")` of lme4."""
    np.testing.assert_allclose(sleep.get_me("theta"), [0.96674, 0.01517, 0.23091], atol=2e-4)


# -- records ---------------------------------------------------------------------------------


def test_fitted_values_and_residuals(herd, herd_data, dense):
    expected = herd_data["known"] + dense["X"] @ dense["beta"] + dense["Z"] @ dense["u"]
    np.testing.assert_allclose(herd.fittedvalues, expected, rtol=1e-9)
    np.testing.assert_allclose(herd.resid, herd_data["y"] - expected, atol=1e-8)
    assert herd.fittedvalues.index.equals(herd_data.index)
    assert herd.resid.index.equals(herd_data.index)
    assert herd.fittedvalues.dtype == herd.resid.dtype == float


def test_dropped_rows(sleepstudy):
    data = sleepstudy.set_index(pd.Index(range(1000, 1180), name="row"))
    data.loc[[1003, 1004], "Days"] = np.nan
    data.loc[[1004, 1005, 1006], "Reaction"] = np.nan
    data.loc[1179, "Subject"] = None
    with pytest.warns(DroppedRowsWarning) as caught:
        found = fit("Reaction ~ Days + (1 | Subject)", data)
    message = str(caught[0].message)
    for piece in ("5 of 180 rows", "Reaction missing in 3", "Days missing in 2", "Subject missing"):
        assert piece in message
    assert caught[0].filename == __file__, "the warning points at the line of the user"
    used = data.dropna(subset=["Reaction", "Days", "Subject"]).index
    assert found.nobs == 175
    assert found.fittedvalues.index.equals(used)
    assert found.resid.index.equals(used)
    assert found.resid.index.name == "row"
    assert found.provenance["rows dropped"] == {"Reaction": 3, "Days": 2, "Subject": 1}
    assert found.provenance["rows given"] == 180
    np.testing.assert_allclose(found.fittedvalues + found.resid, data.loc[used, "Reaction"])


@pytest.mark.parametrize(
    "index",
    [
        pd.Index(np.repeat(np.arange(18), 10)),
        pd.MultiIndex.from_product([range(18), range(10)], names=["s", "d"]),
        pd.date_range("2020-01-01", periods=180),
    ],
    ids=["repeated", "two levels", "dates"],
)
def test_any_index(sleepstudy, sleep, index):
    data = sleepstudy.set_index(index)
    found = fit("Reaction ~ Days + (Days | Subject)", data)
    assert found.fittedvalues.index.equals(index)
    assert found.predict(data).index.equals(index)
    np.testing.assert_allclose(found.resid.to_numpy(), sleep.resid.to_numpy(), atol=1e-3)


def test_rank_deficiency(sleepstudy):
    data = sleepstudy.assign(hours=24 * sleepstudy["Days"])
    with pytest.warns(RankDeficiencyWarning, match="1 of 3 columns.*'hours'") as caught:
        found = fit("Reaction ~ Days + hours + (1 | Subject)", data)
    assert caught[0].filename == __file__
    assert list(found.fixef().index) == ["(Intercept)", "Days"]
    assert found.provenance["columns dropped"] == ("hours",)
    np.testing.assert_allclose(found.predict(data), found.fittedvalues)


# -- a fit never changes ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sigma", "design", "estimate", "fittedvalues", "anything"])
def test_frozen(sleep, name):
    with pytest.raises(AttributeError):
        setattr(sleep, name, 1.0)


TABLES = ["fixef", "coefficients", "vcov", "ranef", "varcorr", "vcov_varcorr", "condvar"]


@pytest.mark.parametrize("table", TABLES)
def test_tables_belong_to_the_caller(sleep, table):
    before = getattr(sleep, table)().copy()
    mine = getattr(sleep, table)()
    mine.iloc[:] = mine.iloc[::-1].to_numpy()
    pd.testing.assert_series_equal(
        getattr(sleep, table)().iloc[:, -1] if mine.ndim == 2 else getattr(sleep, table)(),
        before.iloc[:, -1] if mine.ndim == 2 else before,
    )


def test_fitted_values_belong_to_the_caller(sleepstudy):
    found = fit("Reaction ~ Days + (1 | Subject)", sleepstudy)
    before = found.resid
    mine = found.fittedvalues
    mine.iloc[0] = 0.0
    assert found.fittedvalues.iloc[0] != 0.0
    pd.testing.assert_series_equal(found.resid, before)


@pytest.mark.parametrize("part", ["y", "X", "beta", "weights", "offset"])
def test_parts_cannot_be_written_through(sleepstudy, part):
    found = fit("Reaction ~ Days + (1 | Subject)", sleepstudy)
    before = found.resid.copy()
    array = found.get_me(part)
    try:
        array[:] = 0.0
    except ValueError:
        return  # read-only is an answer too
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(found)).resid, before)
    assert np.any(found.get_me(part) != 0.0) or part == "offset"


def test_data_may_change_after_the_fit(sleepstudy):
    data = sleepstudy.copy()
    found = fit("Reaction ~ Days + (1 | Subject)", data)
    before = found.predict().copy()
    data["Days"] = 0.0
    data.loc[:, "Reaction"] = 0.0
    pd.testing.assert_series_equal(found.predict(), before)


def test_comparison_is_an_answer(sleep, uncorrelated):
    assert sleep == sleep
    assert (sleep == uncorrelated) is False
    assert len({sleep, uncorrelated}) == 2


def answers(found):
    group = found.ngrps().index[0]
    return [
        found.coefficients(),
        found.vcov(),
        found.varcorr(),
        found.vcov_varcorr(),
        found.h2(),
        found.ranef(group),
        found.blup(group, found.ranef(group).index[:5]),
        found.predict().to_frame(),
        found.resid.to_frame(),
    ]


@pytest.mark.parametrize("name", ["sleep", "uncorrelated", "course", "herd"])
def test_pickle(name, request):
    found = request.getfixturevalue(name)
    again = pickle.loads(pickle.dumps(found))
    for a, b in zip(answers(found), answers(again), strict=True):
        pd.testing.assert_frame_equal(a, b, rtol=1e-12)
    assert again.llf == pytest.approx(found.llf, rel=1e-13)
    assert repr(again) == repr(found)
    assert str(again.summary()) == str(found.summary())


def test_pickle_after_every_question(sleepstudy):
    """What was computed on the way must not stand in the way."""
    found = fit("Reaction ~ Days + (1 | Subject)", sleepstudy)
    found.provenance, found.fittedvalues, found.summary(), found.blup(), found.condvar()
    again = pickle.loads(pickle.dumps(found))
    assert dict(again.provenance) == dict(found.provenance)


# -- terms that the formula makes -------------------------------------------------------------


def test_double_bar(uncorrelated, sleepstudy):
    table = uncorrelated.ranef("Subject")
    assert table.shape == (18, 2)
    assert list(table.columns) == ["(Intercept)", "Days"]
    assert list(uncorrelated.varcorr()["grp"]) == ["Subject", "Subject.1", "Residual"]
    assert uncorrelated.remlcrit == pytest.approx(1743.6693, abs=2e-4)  # fm2 of Bates et al. 2015
    blup = uncorrelated.blup("Subject")
    assert list(blup["column"].unique()) == ["(Intercept)", "Days"]
    wide = blup.pivot(index="level", columns="column", values="blup")
    np.testing.assert_array_equal(wide.loc[table.index, table.columns], table)
    slopes = uncorrelated.ranef("Subject.1")
    assert list(slopes.columns) == ["Days"]
    part = uncorrelated.predict(sleepstudy, random="Subject.1")
    both = uncorrelated.predict(sleepstudy, random="Subject")
    np.testing.assert_allclose(both, uncorrelated.fittedvalues)
    assert not np.allclose(part, both)


def test_conditional_variances_of_a_double_bar_stand_side_by_side(uncorrelated):
    both = uncorrelated.condvar("Subject")
    assert list(both.columns) == ["(Intercept)", "Days"]
    assert len(both) == 36
    slopes = uncorrelated.condvar("Subject.1")
    assert list(slopes.columns) == ["Days"]
    assert slopes.loc[("308", "Days"), "Days"] == pytest.approx(both.loc[("308", "Days"), "Days"])
    assert both.loc[("308", "Days"), "(Intercept)"] != 0.0  # a priori independent, given y not


def test_tagged_terms(herd_data, kinship):
    data = herd_data.assign(dam=np.roll(herd_data["animal"], 7))
    known = {"animal + dam": [[1.0, -0.2], [-0.2, 0.4]], "Residual": 1.0}
    formula = "y ~ x + (1 | m | animal) + (1 | m | dam)"
    found = fit(formula, data, {"animal": kinship}, fixed=known)
    table = found.ranef()
    assert table.shape == (12, 2)
    assert list(table.columns) == ["animal", "dam"]
    assert found.varcorr()["vcov"].iloc[2] == pytest.approx(-0.2)
    direct = table["animal"].loc[data["animal"]].to_numpy()
    maternal = table["dam"].loc[data["dam"]].to_numpy()
    expected = found.predict(random=False) + direct + maternal
    np.testing.assert_allclose(found.predict(data), expected)


def test_interactions_have_the_names_of_whole_numbers(herd_data):
    """A missing value turns a column of integers into floats; the labels stay 1:p."""
    number = herd_data["herd"].map({"p": 1.0, "q": 2.0, "r": 3.0, "s": np.nan})
    data = herd_data.assign(number=number)
    known = {"number:animal": 1.0, "Residual": 1.0}
    with pytest.warns(DroppedRowsWarning):
        found = fit("y ~ x + (1 | number:animal)", data, fixed=known)
    labels = set(found.ranef().index)
    whole = data.dropna()
    assert labels == set(whole["number"].astype(int).astype(str) + ":" + whole["animal"])


def test_interactions_of_labels_with_colons_stay_apart():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"a": ["x:y", "x"] * 10, "b": ["z", "y:z"] * 10, "y": rng.normal(size=20)})
    found = fit("y ~ 1 + (1 | a:b)", data, fixed={"a:b": 1.0, "Residual": 1.0})
    assert found.ngrps().iloc[0] == 2


@pytest.mark.parametrize("kind", ["Int64", "string", "category", "float", "object", "str"])
def test_kinds_of_labels(kind, herd_data):
    data = herd_data.assign(g=herd_data["herd"].map({"p": 1, "q": 2, "r": 3, "s": 4}))
    known = {"g": 1.0, "Residual": 1.0}
    plain = fit("y ~ x + (1 | g)", data, fixed=known)
    found = fit("y ~ x + (1 | g)", data.astype({"g": kind}), fixed=known)
    assert [str(v).removesuffix(".0") for v in found.ranef().index] == ["1", "2", "3", "4"]
    np.testing.assert_allclose(found.ranef(), plain.ranef())
    np.testing.assert_allclose(found.predict(data.astype({"g": kind})), plain.fittedvalues)


def test_nullable_columns(herd_data):
    data = herd_data.astype({"y": "Float64", "x": "Float64", "w": "Float64", "animal": "string"})
    known = {"animal": 1.0, "Residual": 1.0}
    plain = fit("y ~ x + (1 | animal)", herd_data, weights="w", fixed=known)
    found = fit("y ~ x + (1 | animal)", data, weights="w", fixed=known)
    np.testing.assert_allclose(found.fixef(), plain.fixef())
    np.testing.assert_allclose(found.predict(data), plain.fittedvalues)


def test_the_other_likelihood_has_its_own_best_residual_variance(sleepstudy):
    """lme4 1.1-31: deviance(m, REML = FALSE) of the REML fit, REMLcrit of the ML fit."""
    formula = "Reaction ~ Days + (Days | Subject)"
    assert fit(formula, sleepstudy).deviance == pytest.approx(1751.986, abs=6e-4)
    assert fit(formula, sleepstudy, method="ml").remlcrit == pytest.approx(1743.674, abs=6e-4)
