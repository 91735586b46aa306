"""Gradient and average information of the criterion, against differences and brute force."""

import numpy as np
import pytest

from animalmm.algorithms import Auto
from animalmm.estimation.derivatives import information

from ..algorithms.objectives import criterion_of, ignore, random_problem

KNOWN = {"nothing": (), "a term": (-1,), "the residual": ("Residual",)}


def some_theta(criterion, seed):
    """Inside the domain, away from its boundary."""
    rng = np.random.default_rng(seed)
    domain = criterion.domain
    theta = criterion.space.start() * rng.uniform(0.5, 1.5, criterion.space.size)
    theta = theta + rng.uniform(-0.2, 0.2, len(theta))
    return np.clip(theta, domain.lower + 0.1, domain.upper - 0.1)


@pytest.fixture(params=KNOWN)
def known(request):
    def components(problem):
        names = [problem.terms[k].name if k == -1 else k for k in KNOWN[request.param]]
        sizes = {t.name: t.t for t in problem.terms}
        return {name: 0.7 * np.eye(sizes.get(name, 1)) for name in names} or None

    return components


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("seed", range(10))
def test_the_gradient_is_that_of_differences(seed, method, known):
    problem = random_problem(seed)
    criterion = criterion_of(problem, method, fixed=known(problem))
    theta = some_theta(criterion, seed)
    found = criterion.local(theta).gradient
    h = 1e-4
    differences = [
        (
            8 * (criterion(theta + e) - criterion(theta - e))
            - (criterion(theta + 2 * e) - criterion(theta - 2 * e))
        )
        / (12 * h)
        for e in h * np.eye(len(theta))
    ]
    np.testing.assert_allclose(found, differences, rtol=1e-7, atol=1e-7 * abs(found).max() + 1e-8)


@pytest.mark.parametrize("seed", range(10))
def test_the_information_is_the_average_one(seed, known):
    """``y'P dV_a P dV_b P y``, the scale fitted where it is profiled out."""
    problem = random_problem(seed)
    criterion = criterion_of(problem, fixed=known(problem))
    theta = some_theta(criterion, seed)
    point = criterion.at(theta).point
    P = point.apply_P(np.eye(problem.n))
    Py = P @ (problem.y - problem.offset)
    sigma2 = point.psi.sigma2 if criterion.space.profiled else None
    h = 1e-4
    variates = [
        (covariance(criterion, theta + e, sigma2) - covariance(criterion, theta - e, sigma2))
        @ Py
        / (2 * h)
        for e in h * np.eye(len(theta))
    ]
    if criterion.space.profiled:
        variates.append(covariance(criterion, theta, sigma2) @ Py)
    f = np.column_stack(variates)
    full = f.T @ P @ f
    if criterion.space.profiled:
        full = full[:-1, :-1] - np.outer(full[-1, :-1], full[-1, :-1]) / full[-1, -1]
    found = information(criterion.at(theta), criterion.space)
    np.testing.assert_allclose(found, full, rtol=1e-6, atol=1e-6 * abs(full).max())


def covariance(criterion, theta, sigma2):
    """V, dense; all unrelated levels in these models."""
    problem, psi = criterion.problem, criterion.space.psi(theta)
    if sigma2 is not None:
        psi = psi.scaled(sigma2)
    V = np.diag(psi.sigma2 / problem.weights)
    for term, sigma in zip(problem.terms, psi.sigmas, strict=True):
        Z = term.Z.toarray()
        V += Z @ np.kron(np.eye(term.q), sigma) @ Z.T
    return V


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("seed", range(5))
def test_what_does_not_change_at_a_step_of_em_is_an_optimum(seed, method):
    """From an interior optimum neither kind of EM moves."""

    criterion = criterion_of(random_problem(seed), method)
    theta = Auto().minimise(criterion, criterion.space.start(), ignore).theta
    if criterion.domain.singular(theta).any():
        pytest.skip("this optimum is on the boundary")
    theta = criterion.space.canonical(theta)
    for update in (criterion.em(theta), criterion.px_em(theta)):
        np.testing.assert_allclose(update.theta, theta, atol=2e-4)
        assert update.sigma2 == pytest.approx(criterion.psi(theta).sigma2, rel=1e-3)
