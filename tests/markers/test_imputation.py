"""EM imputation against an independent implementation, and against what is known."""

import numpy as np
import pytest

from animalmm.errors import ConvergenceWarning
from animalmm.markers import grm, imputation
from animalmm.markers.imputation import em_product

from .reference import genotypes, ids


def plain_em(W, divisor, tolerance):
    """The same model, one marker at a time, by inverses and full-size conditional moments."""
    m = W.shape[1]
    second = [np.outer(w, w) for w in np.nan_to_num(W).T]
    first = list(np.nan_to_num(W).T)
    K = sum(second) / divisor
    while True:
        mu = sum(first) / m
        Sigma = sum(second) / m - np.outer(mu, mu)
        for k in range(m):
            o = np.flatnonzero(~np.isnan(W[:, k]))
            if len(o) == len(W):
                continue
            H = Sigma[:, o] @ np.linalg.inv(Sigma[np.ix_(o, o)])
            first[k] = mu + H @ (W[o, k] - mu[o])
            V = Sigma - H @ Sigma[o]
            second[k] = np.outer(first[k], first[k]) + V
        new = sum(second) / divisor
        change = np.sqrt(((new - K) ** 2).mean())
        K = new
        if change < tolerance:
            return K, np.column_stack(first)


def families(n=12, m=150, seed=7, missing=0.2):
    """Genotypes of families of three, so that relatives tell what is missing."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.3, 0.7, m)
    common = rng.binomial(1, p, (n // 3, m)).repeat(3, axis=0)
    M = (common + rng.binomial(1, p, (n, m))).astype(float)
    lost = rng.random((n, m)) < missing
    return M, lost


@pytest.mark.parametrize("tolerance", [0.02, 1e-4])
def test_agrees_with_an_independent_one(tolerance):
    M, lost = families()
    M[lost] = np.nan
    p = np.nanmean(M, axis=0) / 2
    M, p = M[:, (p > 0) & (p < 1)], p[(p > 0) & (p < 1)]
    K = grm(M, ids(12), missing="em", tolerance=tolerance)
    divisor = (2 * p * (1 - p)).sum()
    expected, imputed = plain_em(M - 2 * p, divisor, tolerance)
    np.testing.assert_allclose(K.K, expected, atol=1e-9)
    assert "imputed by EM in " in K.history[0]
    found = em_product(M - 2 * p, divisor, tolerance)
    np.testing.assert_allclose(found.imputed, imputed, atol=1e-8)
    seen = ~np.isnan(M)
    np.testing.assert_allclose(found.imputed[seen], (M - 2 * p)[seen], atol=0)


def test_is_nearer_to_the_truth_than_the_mean():
    M, lost = families(n=15, m=800, missing=0.35)
    full = grm(M, ids(15), frequencies=np.full(800, 0.5)).K
    M[lost] = np.nan
    em = grm(M, ids(15), frequencies=np.full(800, 0.5), missing="em", tolerance=1e-3).K
    pairwise = grm(M, ids(15), frequencies=np.full(800, 0.5), missing="pairwise").K
    with pytest.warns(UserWarning, match="missing"):
        mean = grm(M, ids(15), frequencies=np.full(800, 0.5)).K
    error = {k: abs(v - full).mean() for k, v in {"em": em, "mean": mean, "p": pairwise}.items()}
    assert error["em"] < 0.5 * error["mean"]


def test_complete_genotypes_need_none():
    M = genotypes()
    K = grm(M, ids(12), missing="em")
    np.testing.assert_array_equal(K.K, grm(M, ids(12)).K)
    assert "no genotype missing" in K.history[0]


def test_order_of_animals_and_markers():
    M, lost = families()
    M[lost] = np.nan
    rng = np.random.default_rng(0)
    rows, columns = rng.permutation(12), rng.permutation(150)
    again = grm(M[np.ix_(rows, columns)], rows, missing="em").K
    np.testing.assert_allclose(
        again, grm(M, range(12), missing="em").K[np.ix_(rows, rows)], atol=1e-9
    )


def test_is_positive_semidefinite():
    M, lost = families(missing=0.4)
    M[lost] = np.nan
    assert np.linalg.eigvalsh(grm(M, ids(12), missing="em").K)[0] > -1e-10


@pytest.mark.parametrize("frequencies", [None, np.full(150, 0.45)])
def test_codes_of_observed_frequencies_add_up_to_zero(frequencies):
    """The covariance is singular in that direction then, and only then."""
    M, lost = families(missing=0.4)
    M[lost] = np.nan
    K = grm(M, ids(12), missing="em", tolerance=1e-4, frequencies=frequencies).K
    assert (abs(K.sum(axis=0)).max() < 1e-10) == (frequencies is None)


def test_too_few_iterations_are_told(monkeypatch):
    monkeypatch.setattr(imputation, "MAX_ITERATIONS", 2)
    M, lost = families(missing=0.4)
    M[lost] = np.nan
    with pytest.warns(ConvergenceWarning, match="after 2 iterations.*tolerance 1e-08"):
        grm(M, ids(12), missing="em", tolerance=1e-8)
