import numpy as np
import pandas as pd
import pytest

from animalmm.errors import ArgumentError
from animalmm.pedigree import Pedigree
from animalmm.simulation import breeding_values

FAMILY = Pedigree(
    pd.DataFrame(
        {
            "id": ["s", "d", "m", "f", "x", "h"],
            "sire": [None, None, "s", "s", "m", "s"],
            "dam": [None, None, "d", "d", "f", None],
        }
    )
)


def test_covariance_is_that_of_the_pedigree():
    rng = np.random.default_rng(8)
    draws = np.stack([breeding_values(FAMILY, 4.0, rng) for _ in range(4000)])
    A = FAMILY.a_matrix().to_numpy()
    # Sampling variance of a covariance of normal variables with known mean.
    se = 4.0 * np.sqrt((A**2 + np.outer(np.diag(A), np.diag(A))) / len(draws))
    assert np.all(np.abs(draws.T @ draws / len(draws) - 4.0 * A) < 4 * se)
    assert np.all(np.abs(draws.mean(axis=0)) < 4 * 2 * np.sqrt(np.diag(A) / len(draws)))


def test_labels_and_seed():
    a = breeding_values(FAMILY, 1.0, np.random.default_rng(1))
    pd.testing.assert_index_equal(a.index, FAMILY.labels)
    pd.testing.assert_series_equal(a, breeding_values(FAMILY, 1.0, np.random.default_rng(1)))
    assert np.all(breeding_values(FAMILY, 0.0, np.random.default_rng(1)) == 0.0)


def test_refusals():
    rng = np.random.default_rng(1)
    with pytest.raises(ArgumentError, match=r"write numpy\.random\.default_rng\(7\)"):
        breeding_values(FAMILY, 1.0, 7)
    with pytest.raises(ArgumentError, match=r"sigma2_a must be a number in \[0, inf\), not -1"):
        breeding_values(FAMILY, -1.0, rng)
    with pytest.raises(ArgumentError, match="pedigree must be a Pedigree, not DataFrame"):
        breeding_values(FAMILY.to_frame(), 1.0, rng)
