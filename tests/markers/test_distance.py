"""Kernels of distances against loops over pairs."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from animalmm.errors import AnimalmmWarning
from animalmm.markers import as_genotypes, exponential_kernel, gaussian_kernel
from animalmm.markers import genotypes as genotypes_module

from .reference import genotypes, ids

KERNELS = {
    gaussian_kernel: lambda D, h, s: np.exp(-h * (D / s) ** 2),
    exponential_kernel: lambda D, h, s: np.exp(-h * D / s),
}


def units(D, m):
    pairs = D[np.tril_indices(len(D), -1)]
    return {
        "mean": np.sqrt((pairs**2).mean()),
        "median": np.sqrt(np.median(pairs**2)),
        "markers": np.sqrt(m),
        "range": 2 * np.sqrt(m),
    }


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("unit", ["mean", "median", "markers", "range"])
@pytest.mark.parametrize("h", [0.5, 3.0])
@pytest.mark.parametrize("standardise", [False, True])
def test_definition(kernel, unit, h, standardise):
    M = genotypes()
    X = (M - M.mean(axis=0)) / (M.std(axis=0, ddof=1) if standardise else 1)
    D = cdist(X, X)
    K = kernel(M, ids(12), h, unit=unit, standardise=standardise)
    np.testing.assert_allclose(K.K, KERNELS[kernel](D, h, units(D, 40)[unit]), atol=1e-7)
    np.testing.assert_array_equal(K.diagonal(), 1.0)
    assert f"bandwidth {h:g}" in K.history[0]
    assert f"({unit})" in K.history[0]


@pytest.mark.parametrize("kernel", KERNELS)
class TestBoth:
    def test_missing_is_the_mean(self, kernel):
        M = genotypes(missing=0.06)
        filled = np.where(np.isnan(M), np.nanmean(M, axis=0), M)
        K = kernel(M, ids(12))
        np.testing.assert_allclose(K.K, kernel(filled, ids(12)).K, atol=1e-12)
        assert f"{np.isnan(M).sum()} missing genotypes imputed by the mean" in K.history[0]

    def test_many_missing_are_warned_of(self, kernel):
        with pytest.warns(AnimalmmWarning, match=r"\d+% of the genotypes are missing.*impute"):
            kernel(genotypes(missing=0.3), ids(12))

    def test_monomorphic_markers_are_nothing(self, kernel):
        M = genotypes()
        more = np.hstack([M, np.full((12, 3), 2.0)])
        for unit in ("mean", "markers"):
            found = kernel(more, ids(12), unit=unit, standardise=True).K
            expected = kernel(M, ids(12), unit=unit, standardise=True).K
            np.testing.assert_allclose(found, expected, atol=1e-13)

    def test_markers_at_which_all_are_alike_keep_no_animals_apart(self, kernel):
        """Heterozygous in all, and a dosage that no binary number equals."""
        M = genotypes()
        more = np.hstack([M, np.ones((12, 1)), np.full((12, 1), 0.3)])
        found = kernel(more, ids(12), standardise=True).K
        np.testing.assert_allclose(found, kernel(M, ids(12), standardise=True).K, atol=1e-13)

    def test_blocks_and_swapped_alleles(self, kernel, monkeypatch):
        M = genotypes()
        expected = kernel(M, ids(12)).K
        monkeypatch.setattr(genotypes_module, "BLOCK", 12 * 7)
        M[:, ::2] = 2 - M[:, ::2]
        found = kernel(as_genotypes(pd.DataFrame(M, ids(12)))).K
        np.testing.assert_allclose(found, expected, atol=1e-12)

    def test_copies_have_relationship_one(self, kernel):
        M = np.vstack([genotypes(), genotypes()[5]])
        assert kernel(M, ids(13)).K[5, 12] == pytest.approx(1.0, abs=1e-6)

    def test_is_positive_definite(self, kernel):
        kernel(genotypes(), ids(12)).precision()


def test_endelman_by_hand():
    """Genotypes 0 and 2 at all markers: D = d / (2 sqrt(m)) = 1, its largest value."""
    M = np.array([[0, 0, 2, 0], [2, 2, 0, 2]])
    K = gaussian_kernel(M, ["a", "b"], 0.5**-2, unit="range").K
    assert K[0, 1] == pytest.approx(np.exp(-((1 / 0.5) ** 2)))
    E = exponential_kernel(M, ["a", "b"], 1 / 0.5, unit="range").K
    assert E[0, 1] == pytest.approx(np.exp(-1 / 0.5))
