"""Covariance of the variance components: closed forms, invariances, the boundary, known values."""

import numpy as np
import pandas as pd
import pytest

import animalmm
from animalmm.datasets import load
from animalmm.errors import ArgumentError, BoundaryWarning, ConvergenceWarning

KINDS = ["average", "observed"]
FORMS = ["us", "diag", "cs", "ar1"]
SLOPES = "y ~ x + (x | g)"


def random_slopes(seed=1, levels=20):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(levels), 6)
    x = rng.normal(size=len(g))
    y = 5 + 2 * rng.normal(size=levels)[g] + (1 + rng.normal(size=levels)[g]) * x
    return pd.DataFrame({"y": y + rng.normal(size=len(g)), "x": x, "g": g})


def se(fit, information="average"):
    return np.sqrt(np.diag(fit.vcov_varcorr(information)))


@pytest.mark.parametrize("information", KINDS)
@pytest.mark.parametrize("method", ["REML", "ML"])
def test_balanced_one_way(method, information):
    """Searle, Casella & McCulloch (1992, Variance Components, sections 3.5 and 4.7)."""
    fit = animalmm.fit("Yield ~ 1 + (1 | Batch)", load("dyestuff").data, method=method)
    between, within = fit.varcorr()["vcov"]
    groups, records = 6, 5
    df = groups - (method == "REML")
    by_mean = 2 * (within + records * between) ** 2 / df
    by_error = 2 * within**2 / (groups * (records - 1))
    expected = np.array(
        [[(by_mean + by_error) / records**2, -by_error / records], [-by_error / records, by_error]]
    )
    found = fit.vcov_varcorr(information)
    assert list(found.index) == list(found.columns) == ["Batch", "Residual"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def patterned(t, records=240, seed=0):
    """Correlated effects of the levels of f within g."""
    rng = np.random.default_rng(seed)
    g, f = rng.integers(0, 40, records), rng.integers(0, t, records)
    sd = np.linspace(1.0, 2.0, t)
    correlation = 0.6 ** np.abs(np.subtract.outer(np.arange(t), np.arange(t)))
    u = rng.normal(size=(40, t)) @ np.linalg.cholesky(correlation).T * sd
    y = u[g, f] + rng.normal(size=records)
    return pd.DataFrame({"y": y, "g": g, "f": [f"f{k}" for k in f]})


def sigma_of(form, t, parameters):
    """Sigma by the parameters of its form."""
    lag = np.abs(np.subtract.outer(np.arange(t), np.arange(t)))
    if form == "diag":
        return np.diag(parameters)
    if form == "us":
        Sigma = np.zeros((t, t))
        for (a, b), value in zip(elements(form, t), parameters, strict=True):
            Sigma[a, b] = Sigma[b, a] = value
        return Sigma
    rho = parameters[-1]
    if form == "ar1":
        return parameters[0] * rho**lag
    sd = np.sqrt(parameters[:-1])
    return np.outer(sd, sd) * np.where(lag == 0, 1.0, rho)


def parameters_of(form, Sigma):
    if form in ("us", "diag"):
        return np.array([Sigma[pair] for pair in elements(form, len(Sigma))])
    rho = Sigma[1, 0] / np.sqrt(Sigma[0, 0] * Sigma[1, 1])
    return np.append(Sigma[0, 0] if form == "ar1" else np.diag(Sigma), rho)


def elements(form, t):
    """Positions of the components in Sigma, variances first."""
    pairs = [(c, c) for c in range(t)]
    return pairs if form == "diag" else pairs + [(a, b) for a in range(t) for b in range(a + 1, t)]


def changes(form, t, at):
    """Derivatives of Sigma by the parameters of its form."""
    steps = 1e-6 * np.diag(np.maximum(np.abs(at), 0.1))
    return [(sigma_of(form, t, at + h) - sigma_of(form, t, at - h)) / (2 * h.sum()) for h in steps]


def of_elements(form, t, at, information):
    """Covariance of the elements of Sigma and the residual variance."""
    J = np.zeros((len(elements(form, t)) + 1, len(at) + 1))
    J[:-1, :-1] = np.array([[D[pair] for D in changes(form, t, at)] for pair in elements(form, t)])
    J[-1, -1] = 1.0
    return J @ np.linalg.inv(information) @ J.T


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("form", FORMS)
def test_the_average_information_of_the_parameters(form, method):
    """``y'P dV_a P dV_b P y / 2`` by dense algebra."""
    t, data = 3, patterned(3)
    fit = animalmm.fit(f"y ~ 1 + {form}(0 + f | g)", data, method=method)
    Z, P = fit.get_me("Z").toarray(), fit.estimate.point.apply_P(np.eye(len(data)))
    at = parameters_of(form, fit.estimate.psi.sigmas[0])
    identity = np.eye(Z.shape[1] // t)
    V = [Z @ np.kron(identity, D) @ Z.T for D in changes(form, t, at)] + [np.eye(len(data))]
    F = np.column_stack([dV @ P @ data["y"] for dV in V])
    expected = of_elements(form, t, at, F.T @ P @ F / 2)
    found = fit.vcov_varcorr()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7 * expected.max())
    assert list(found.index[1:3]) == ["g.ff1", "g.ff2"]


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("form", FORMS)
def test_the_observed_information_is_that_of_the_likelihood(form, method):
    """Second differences of the log likelihood at parameters held about the estimate."""
    t, data = 3, patterned(3)
    formula = f"y ~ 1 + {form}(0 + f | g)"
    fit = animalmm.fit(formula, data, method=method)
    at = parameters_of(form, fit.estimate.psi.sigmas[0])
    values = np.append(at, fit.sigma**2)

    def loglik(v):
        known = {"g": sigma_of(form, t, v[:-1]), "Residual": v[-1]}
        return animalmm.fit(formula, data, method=method, fixed=known).loglik()

    E = np.diag(0.003 * np.abs(values))
    information = np.empty((len(E), len(E)))
    for a, da in enumerate(E):
        for b, db in enumerate(E[: a + 1]):
            cross = loglik(values + da + db) - loglik(values + da - db)
            cross -= loglik(values - da + db) - loglik(values - da - db)
            information[a, b] = information[b, a] = -cross / (4 * E[a, a] * E[b, b])
    expected = of_elements(form, t, at, information)
    found = fit.vcov_varcorr("observed")
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3 * expected.max())


def test_tagged_terms_with_a_relationship():
    """Direct and maternal effects of one Sigma beside another term, records with weights."""
    rng = np.random.default_rng(3)
    M = rng.normal(size=(30, 90))
    K = pd.DataFrame(M @ M.T / 90, *[[f"a{i:02d}" for i in range(30)]] * 2)
    u = np.linalg.cholesky(K) @ rng.normal(size=(30, 2)) @ [[1.5, 0.6], [0.0, 1.2]]
    i, d, h = rng.integers(0, 30, 400), rng.integers(0, 30, 400), rng.integers(0, 12, 400)
    w = rng.uniform(0.5, 2.0, 400)
    y = u[i, 0] + u[d, 1] + 0.8 * rng.normal(size=12)[h] + rng.normal(size=400) / np.sqrt(w)
    data = pd.DataFrame({"y": y, "animal": K.index[i], "dam": K.index[d], "h": h, "w": w})
    formula = "y ~ 1 + (1 | m | animal) + (1 | m | dam) + (1 | h)"
    fit = animalmm.fit(formula, data, {"animal": K}, weights="w")
    Z, P = fit.get_me("Z").toarray(), fit.estimate.point.apply_P(np.eye(400))
    both, herd = Z[:, :60], Z[:, 60:]
    E = [np.diag([1, 0]), np.diag([0, 1]), np.array([[0, 1], [1, 0]])]
    V = [both @ np.kron(K, D) @ both.T for D in E] + [herd @ herd.T, np.diag(1 / w)]
    F = np.column_stack([dV @ P @ y for dV in V])
    names = ["animal + dam.animal", "animal + dam.dam", "animal + dam.animal:dam", "h", "Residual"]
    expected = pd.DataFrame(np.linalg.inv(F.T @ P @ F / 2), index=names, columns=names)
    pd.testing.assert_frame_equal(fit.vcov_varcorr(), expected, rtol=1e-6)
    correlation = fit.vpredict(
        "`animal + dam.animal:dam` / sqrt(`animal + dam.animal` * `animal + dam.dam`)"
    )
    assert correlation["estimate"] == pytest.approx(fit.varcorr()["sdcor"].iloc[2])


# -- invariances -------------------------------------------------------------------------------


@pytest.mark.parametrize("information", KINDS)
def test_units_of_the_response(information):
    data = random_slopes()
    scaled = animalmm.fit(SLOPES, data.assign(y=1000 * data["y"]))
    expected = 1000**4 * animalmm.fit(SLOPES, data).vcov_varcorr(information)
    np.testing.assert_allclose(scaled.vcov_varcorr(information), expected, rtol=1e-4)


@pytest.mark.parametrize("information", KINDS)
def test_units_of_a_covariate(information):
    data = random_slopes()
    scaled = animalmm.fit(SLOPES, data.assign(x=data["x"] / 50))
    expected = se(animalmm.fit(SLOPES, data), information) * [1, 2500, 50, 1]
    np.testing.assert_allclose(se(scaled, information), expected, rtol=1e-4)


def test_order_of_the_records():
    data = random_slopes()
    shuffled = animalmm.fit(SLOPES, data.sample(frac=1, random_state=1))
    np.testing.assert_allclose(se(shuffled), se(animalmm.fit(SLOPES, data)), rtol=1e-5)


def test_engines():
    data = random_slopes()
    mme, whitened = (animalmm.fit(SLOPES, data, engine=name) for name in ("mme", "whitened"))
    for information in KINDS:
        np.testing.assert_allclose(se(mme, information), se(whitened, information), rtol=1e-5)


# -- the boundary, known values, what cannot be told apart ----------------------------------------


@pytest.mark.parametrize("information", KINDS)
def test_a_component_at_the_boundary_has_none_and_the_others_are_given_it(information):
    data = load("dyestuff2").data
    with pytest.warns(BoundaryWarning):
        fit = animalmm.fit("Yield ~ 1 + (1 | Batch)", data)
    batch, residual = se(fit, information)
    assert np.isnan(batch)
    assert residual == pytest.approx(data["Yield"].var() * np.sqrt(2 / (len(data) - 1)), rel=1e-6)
    assert np.isnan(fit.vcov_varcorr(information).loc["Batch", "Residual"])
    assert np.isnan(fit.h2()["se"]).all()


def test_a_boundary_leaves_the_errors_of_functions_of_the_others():
    data = load("dyestuff").data.assign(day=np.tile(list("abcde"), 6))
    data["Yield"] -= data.groupby("day")["Yield"].transform("mean")
    with pytest.warns(BoundaryWarning, match="day"):
        fit = animalmm.fit("Yield ~ 1 + (1 | Batch) + (1 | day)", data)
    without = animalmm.fit("Yield ~ 1 + (1 | Batch)", data)
    np.testing.assert_allclose(fit.h2()["se"]["Batch"], without.h2()["se"]["Batch"], rtol=1e-4)
    assert np.isnan(fit.h2()["se"]["day"])
    share = fit.vpredict("Batch / (Batch + day + Residual)")
    assert share["se"] == pytest.approx(without.h2()["se"]["Batch"], rel=1e-4)
    for nothing_else in ("day", "day / (day + Residual)"):
        assert np.isnan(fit.vpredict(nothing_else)["se"])


@pytest.mark.parametrize("information", KINDS)
def test_known_components_have_no_error(information):
    data = random_slopes()
    free = animalmm.fit(SLOPES, data)
    known = free.varcorr()["vcov"].iloc[-1]
    fit = animalmm.fit(SLOPES, data, fixed={"Residual": known})
    C = fit.vcov_varcorr(information)
    assert (C.loc["Residual"] == 0).all()
    assert (C["Residual"] == 0).all()
    given = free.vcov_varcorr(information).to_numpy()
    conditional = given[:3, :3] - np.outer(given[:3, 3], given[3, :3]) / given[3, 3]
    np.testing.assert_allclose(C.iloc[:3, :3], conditional, rtol=1e-3, atol=1e-3 * given.max())


@pytest.mark.parametrize("information", KINDS)
def test_everything_known(information):
    known = {"g": np.eye(2), "Residual": 1.0}
    fit = animalmm.fit(SLOPES, random_slopes(), fixed=known)
    assert (fit.vcov_varcorr(information) == 0).all(axis=None)
    assert (fit.varcorr()["se"] == 0).all()
    assert fit.h2()["se"].tolist() == [0, 0]
    assert fit.vpredict("Residual", information).tolist() == [1, 0]


def test_terms_that_say_the_same():
    data = random_slopes().assign(same=lambda d: d["g"])
    with pytest.warns(ConvergenceWarning):
        fit = animalmm.fit("y ~ x + (1 | g) + (1 | same)", data)
    assert fit.vcov_varcorr().isna().all(axis=None)


# -- names and tables ----------------------------------------------------------------------------


def test_names():
    data = random_slopes().assign(h=lambda d: d["g"] % 7, k=lambda d: d["g"] % 4)
    known = {"g": np.eye(2), "h": 1.0, "h.1": 1.0, "ide(k)": 1.0, "Residual": 1.0}
    fit = animalmm.fit("y ~ x + (x | g) + (x || h) + (1 | ide(k))", data, fixed=known)
    assert list(fit.vcov_varcorr().index) == [
        *("g.(Intercept)", "g.x", "g.(Intercept):x", "h", "h.1.x", "ide(k)", "Residual")
    ]


def test_the_table_shows_them():
    fit = animalmm.fit(SLOPES, random_slopes())
    table = fit.varcorr()
    assert list(table.columns) == ["grp", "var1", "var2", "vcov", "sdcor", "se"]
    np.testing.assert_array_equal(table["se"], se(fit))
    summary = fit.summary()
    np.testing.assert_array_equal(summary.random["Std.Err."], se(fit)[[0, 1, 3]])
    assert "average information" in str(summary)
    assert "average information" in summary._repr_html_()


def test_the_matrix_belongs_to_the_caller():
    fit = animalmm.fit(SLOPES, random_slopes())
    mine = fit.vcov_varcorr()
    mine.iloc[:] = 0.0
    assert (se(fit) > 0).all()


def test_no_such_information():
    fit = animalmm.fit(SLOPES, random_slopes())
    with pytest.raises(ArgumentError, match="'average' or 'observed', not 'expected'"):
        fit.vcov_varcorr("expected")
