"""Large relationships are described without forming them; odd ones are told."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from animalmm import Pedigree
from animalmm.relationship import (
    CovarianceRelationship,
    IdentityRelationship,
    PedigreeRelationship,
    PrecisionRelationship,
    kronecker,
)


def random_pedigree(n, founders=50, seed=0):
    rng = np.random.default_rng(seed)
    rows = [(f"a{i}", None, None) for i in range(founders)]
    for i in range(founders, n):
        sire, dam = rng.integers(0, i // 2), i // 2 + rng.integers(0, i - i // 2)
        rows.append((f"a{i}", f"a{sire}", f"a{dam}"))
    table = pd.DataFrame(rows, columns=["id", "sire", "dam"])
    return Pedigree(table, allow_selfing=True)


@pytest.fixture
def no_big_matrix(monkeypatch):
    """No more than 8 MiB at once: less than 1500 x 1500."""
    monkeypatch.setattr("animalmm.linalg.memory.physical_memory", lambda: 2**23)


def test_large_pedigree(no_big_matrix, monkeypatch):
    pedigree = random_pedigree(1500)
    found = PedigreeRelationship(pedigree).describe()
    monkeypatch.undo()
    A = pedigree.a_matrix().to_numpy()
    values = np.linalg.eigvalsh(A)
    assert found["estimated"] == "eigenvalues by Lanczos iterations"
    assert found["largest eigenvalue"] == pytest.approx(values[-1], rel=1e-2)
    assert found["smallest eigenvalue"] == pytest.approx(values[0], rel=1e-2)
    assert found["condition"] == pytest.approx(values[-1] / values[0], rel=2e-2)
    assert found["rank"] == 1500
    assert found["mean diagonal"] == pytest.approx(np.trace(A) / 1500)
    assert found["mean off-diagonal"] == pytest.approx((A.sum() - np.trace(A)) / (1500 * 1499))
    assert found["density"] < 0.01


def test_large_inverse(no_big_matrix, monkeypatch):
    pedigree = random_pedigree(1500)
    K = PrecisionRelationship(pedigree.labels, pedigree.a_inverse())
    found = K.describe()
    monkeypatch.undo()
    expected = PedigreeRelationship(pedigree).describe()
    assert found["mean diagonal"] == pytest.approx(expected["mean diagonal"], rel=0.05)
    for figure in ("rank", "smallest eigenvalue", "largest eigenvalue"):
        assert found[figure] == pytest.approx(expected[figure], rel=1e-2)
    assert "mean diagonal by 64 random probes" in found["estimated"]


def test_large_product(no_big_matrix):
    pedigree = random_pedigree(600)
    E = pd.DataFrame([[1.0, 0.5], [0.5, 1.0]], index=["dry", "wet"], columns=["dry", "wet"])
    K = kronecker(pedigree, E)
    found = K.describe()
    part = PedigreeRelationship(pedigree).describe()
    for figure, of_E in (("smallest eigenvalue", 0.5), ("largest eigenvalue", 1.5)):
        assert found[figure] == pytest.approx(part[figure] * of_E, rel=1e-2)
    assert found["form"] == "parents, sparse (x) K, dense"


def test_large_dense_matrix():
    M = np.random.default_rng(0).normal(size=(1100, 1500))
    K = M @ M.T / 1500
    found = CovarianceRelationship(pd.RangeIndex(1100), K).describe()
    values = np.linalg.eigvalsh(K)
    assert found["largest eigenvalue"] == pytest.approx(values[-1], rel=1e-2)
    assert found["smallest eigenvalue"] == pytest.approx(values[0], rel=1e-2)


def test_large_singular_matrix():
    K = sparse.csc_array(sparse.kron(np.ones((2, 2)), sparse.eye_array(600)))
    found = CovarianceRelationship(pd.RangeIndex(1200), K).describe()
    assert found["rank"] == 600
    assert found["smallest eigenvalue"] == 0.0
    assert found["condition"] == np.inf
    assert found["largest eigenvalue"] == pytest.approx(2.0, rel=1e-3)
    assert "singular" in found["remarks"]


@pytest.mark.parametrize("q", [3, 1203])
def test_indefinite_matrix(q):
    K = np.eye(q)
    K[0, 1] = K[1, 0] = 2.0
    found = CovarianceRelationship(pd.RangeIndex(q), K).describe()
    assert np.isnan(found["rank"])
    assert found["smallest eigenvalue"] == pytest.approx(-1.0, rel=1e-3)
    assert "not positive semi-definite (an eigenvalue is -1): see animalmm.bend" in found["remarks"]


@pytest.mark.parametrize(("scale", "told"), [(0.4, True), (1.0, False), (3.0, True)])
def test_mean_diagonal_far_from_one_is_remarked(scale, told):
    found = CovarianceRelationship(pd.RangeIndex(4), scale * np.eye(4)).describe()
    assert ("mean diagonal is far from 1" in found["remarks"]) == told
    assert (f"{scale:g} times as much" in found["remarks"]) == told


def test_one_level():
    found = IdentityRelationship(pd.Index(["only"])).describe()
    assert found["mean off-diagonal"] == 0.0
    assert found["condition"] == 1.0


def test_the_same_figures_every_time():
    pedigree = random_pedigree(1500)
    first = PedigreeRelationship(pedigree).describe()
    pd.testing.assert_series_equal(first, PedigreeRelationship(pedigree).describe())
