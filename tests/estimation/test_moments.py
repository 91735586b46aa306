"""Start values by the method of moments: the equations, their corners, how near they come."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import animalmm
from animalmm import build_problem
from animalmm.estimation import moments
from animalmm.estimation.components import parameter_space
from animalmm.estimation.moments import moment_start
from animalmm.simulation import breeding_values

from ..algorithms.objectives import FORMULAS, random_data
from .data import no_variance, random_slopes


def start_of(problem, fixed=None):
    return moment_start(problem, parameter_space(problem, fixed))


def same(a, b, rtol=1e-9):
    assert a.sigma2 == pytest.approx(b.sigma2, rel=rtol)
    for x, y in zip(a.sigmas, b.sigmas, strict=True):
        np.testing.assert_allclose(x, y, rtol=rtol, atol=rtol * abs(y).max())


@pytest.fixture
def problem():
    return build_problem("y ~ x + (x | g) + (1 | h)", random_slopes()).problem


@pytest.fixture
def exact(monkeypatch):
    """So many signs that the traces are nearly exact."""
    monkeypatch.setattr(moments, "_PROBES", (4000, 4000))


def quadratic_unbiased(problem):
    """MINQUE(0) of the elements of every Sigma and of sigma2, with dense matrices."""
    root = np.sqrt(problem.weights)[:, None]
    X = root * problem.X
    M = np.eye(problem.n) - X @ np.linalg.pinv(X)
    y = root[:, 0] * (problem.y - problem.offset)
    matrices = []
    for term in problem.terms:
        Z, K = root * term.Z.toarray(), term.relationship.covariance()
        K = K.toarray() if sparse.issparse(K) else K
        for a in range(term.t):
            for b in range(a + 1):
                D = np.zeros((term.t, term.t))
                D[a, b] = D[b, a] = 1.0
                matrices.append(Z @ np.kron(K, D) @ Z.T)
    matrices.append(np.eye(problem.n))
    T = [[(M @ V @ M * W).sum() for W in matrices] for V in matrices]
    return np.linalg.solve(T, [y @ M @ V @ M @ y for V in matrices])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("known", [False, True])
def test_the_equations_are_those_of_quadratic_unbiased_estimation(exact, weighted, known):
    data = random_slopes(seed=3)
    K = None
    if known:
        half = np.random.default_rng(1).normal(size=(20, 30)) / np.sqrt(30)
        K = {"g": pd.DataFrame(half @ half.T, index=range(20), columns=range(20))}
    weights = np.random.default_rng(2).uniform(0.5, 2.0, len(data)) if weighted else None
    model = build_problem("y ~ x + (x | g)", data, K, weights=weights, offset=data.x).problem
    found = start_of(model)
    expected = quadratic_unbiased(model)
    rows, columns = np.tril_indices(2)
    np.testing.assert_allclose(
        [*found.sigmas[0][rows, columns], found.sigma2], expected, rtol=0.05, atol=0.05
    )


def test_of_a_balanced_one_way_layout_it_is_the_analysis_of_variance(exact):
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(30), 6)
    data = pd.DataFrame({"g": g, "y": rng.normal(size=30)[g] + rng.normal(size=180)})
    means = data.groupby("g")["y"].mean()
    within = ((data["y"] - means.loc[g].to_numpy()) ** 2).sum() / (30 * 5)
    found = start_of(build_problem("y ~ 1 + (1 | g)", data).problem)
    assert found.sigma2 == pytest.approx(within, rel=0.05)
    assert found.sigmas[0].item() == pytest.approx(means.var() - within / 6, rel=0.05)


def test_a_start_repeats(problem):
    same(start_of(problem), start_of(problem), rtol=0.0)


@pytest.mark.parametrize("at_once", [1, 1000])
def test_batches_of_signs_give_the_same(problem, at_once, monkeypatch):
    whole = start_of(problem)
    monkeypatch.setattr(moments, "_AT_ONCE", at_once)
    same(start_of(problem), whole)


@pytest.mark.parametrize("unit", [1e-4, 1e6])
def test_the_start_is_in_the_units_of_the_response(unit):
    formula = "y ~ x + (x | g) + (1 | h)"
    plain = start_of(build_problem(formula, random_slopes()).problem)
    found = start_of(build_problem(formula, random_slopes(unit=unit)).problem)
    same(found, plain.scaled(unit**2))


def test_a_sparse_fixed_part_gives_the_same(problem):
    same(start_of(replace(problem, X=sparse.csc_array(problem.X))), start_of(problem))


@pytest.mark.parametrize("formula", [*FORMULAS, "y ~ x + diag(x | g)"])
@pytest.mark.parametrize("seed", range(4))
def test_the_start_is_of_the_form_asked_for_and_not_singular(formula, seed):
    problem = build_problem(formula, random_data(seed)).problem
    space = parameter_space(problem, None)
    psi = moment_start(problem, space)
    theta = space.theta(psi)
    assert not space.domain.singular(theta, 0.01).any()
    np.testing.assert_array_equal(space.domain.clip(theta), theta)


@pytest.mark.parametrize("of", ["intercept", "both"])
def test_a_variance_estimated_as_negative_starts_small(of):
    problem = build_problem("y ~ x + (x | g)", no_variance(of)).problem
    psi = start_of(problem)
    assert psi.sigmas[0][0, 0] == pytest.approx(0.05 * psi.sigma2, rel=0.3)


def test_known_components_stay_and_the_others_are_estimated_given_them(problem, exact):
    free = start_of(problem)
    sigma = free.sigmas[0]
    given = start_of(problem, {"g": sigma})
    np.testing.assert_allclose(given.sigmas[0], sigma, rtol=1e-9)
    same(given, free, rtol=0.02)
    given = start_of(problem, {"g": sigma, "Residual": free.sigma2})
    same(given, free, rtol=0.05)
    given = start_of(problem, {"g": 0.0 * sigma})
    assert given.sigma2 > 1.5 * free.sigma2


def test_nothing_to_estimate_has_no_start(problem):
    known = {"g": np.eye(2), "h": 1.0, "Residual": 1.0}
    assert start_of(problem, known) is None


def relationship(size=20):
    half = np.random.default_rng(1).normal(size=(size, 2 * size)) / np.sqrt(2 * size)
    return half @ half.T


class Own:
    """A relationship of a user's own: what the Protocol asks for and no more."""

    def __init__(self, K, prefers_precision):
        self.K, self.prefers_precision = K, prefers_precision
        self.labels, self.size = pd.RangeIndex(len(K)), len(K)

    def factor(self):
        return np.linalg.cholesky(self.K)

    def precision(self):
        return sparse.csc_array(np.linalg.inv(self.K))

    def logdet(self):
        return np.linalg.slogdet(self.K)[1]

    def diagonal(self):
        return np.diag(self.K)


def with_relationship(problem, K):
    return replace(problem, terms=(replace(problem.terms[0], relationship=K), *problem.terms[1:]))


def test_a_relationship_of_a_users_own_is_used_by_its_factor(problem):
    K = relationship()
    known = animalmm.build_problem(
        "y ~ x + (x | g) + (1 | h)", random_slopes(), {"g": pd.DataFrame(K)}
    ).problem
    same(start_of(with_relationship(problem, Own(K, False))), start_of(known))


def test_nothing_is_factorised_where_a_relationship_is_given_by_its_inverse(problem):
    K = relationship()
    P = sparse.csc_array(np.linalg.inv(K))
    given = build_problem(
        "y ~ x + (x | g)", random_slopes(), precision={"g": (P, list(range(20)))}
    ).problem
    assert start_of(given) is None
    assert start_of(with_relationship(problem, Own(K, True))) is None


def test_next_to_no_residual_has_no_start():
    data = random_slopes()
    data["y"] = data.groupby("g")["y"].transform("mean") + 1e-5 * data["x"]
    assert start_of(build_problem("y ~ 1 + (1 | g)", data).problem) is None


def test_collinear_sparse_fixed_effects_have_no_start(problem):
    X = sparse.csc_array(np.column_stack([problem.X, *[problem.X[:, 1]] * 5]))
    assert start_of(replace(problem, X=X, names=tuple(map(str, range(7))))) is None


def test_components_that_cannot_be_told_apart_share_their_sum(exact):
    """Two terms on one column."""
    data = random_slopes().assign(twin=lambda d: d["g"])
    once = start_of(build_problem("y ~ x + (1 | g)", data).problem)
    twice = start_of(build_problem("y ~ x + (1 | g) + (1 | twin)", data).problem)
    for sigma in twice.sigmas:
        np.testing.assert_allclose(2 * sigma, once.sigmas[0], rtol=1e-6)


def test_in_a_pedigree_it_comes_near_to_the_truth():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"id": np.arange(1, 4001), "sire": 0, "dam": 0})  # 0: unknown
    for begin in (1000, 2000, 3000):
        own = slice(begin, begin + 999)  # of `loc`: the last is in it
        table.loc[own, "sire"] = rng.integers(begin - 999, begin - 950, 1000)
        table.loc[own, "dam"] = rng.integers(begin - 950, begin + 1, 1000)
    pedigree = animalmm.Pedigree(table)
    a = breeding_values(pedigree, 1.0, rng)
    data = pd.DataFrame({"animal": a.index, "y": a.to_numpy() + rng.normal(0, 1.2, len(a))})
    problem = build_problem("y ~ 1 + (1 | animal)", data, {"animal": pedigree}).problem
    psi = start_of(problem)
    assert psi.sigmas[0].item() == pytest.approx(1.0, rel=0.25)
    assert psi.sigma2 == pytest.approx(1.44, rel=0.25)
