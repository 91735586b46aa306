import numpy as np
import pandas as pd
import pytest

from animalmm.errors import ArgumentError
from animalmm.simulation import simulate_gist


def test_tables_agree():
    gist = simulate_gist(np.random.default_rng(1), n=30, p=50)
    assert list(gist.data) == ["response", "fix", "animal", "true_u"]
    assert gist.markers.shape == (30, 50)
    assert gist.markers.index.tolist() == gist.data["animal"].tolist()
    assert gist.relationship.index.tolist() == gist.relationship.columns.tolist()
    M = gist.markers.to_numpy(dtype=float)
    np.testing.assert_allclose(gist.relationship, M @ M.T / 50)
    assert set(np.unique(M)) == {0.0, 1.0, 2.0}


def test_same_seed_same_data():
    one, two = (simulate_gist(np.random.default_rng(3), n=20, p=10) for _ in range(2))
    pd.testing.assert_frame_equal(one.data, two.data)
    pd.testing.assert_frame_equal(one.markers, two.markers)


def test_records_follow_the_model():
    gist = simulate_gist(np.random.default_rng(2))
    d, n = gist.data, 1000
    e = d["response"] - 4.0 - 2.0 * d["fix"] - d["true_u"]
    assert abs(e.mean()) < 4 * np.sqrt(5 / 3 / n)
    assert abs(e.var() - 5 / 3) < 4 * 5 / 3 * np.sqrt(2 / n)


def test_u_has_the_variance_of_the_kernel():
    """E u'u = sigma2_u trace(K), over many draws of a few animals."""
    rng = np.random.default_rng(4)
    ratios = []
    for _ in range(400):
        gist = simulate_gist(rng, n=2, p=20)
        u, K = gist.data["true_u"].to_numpy(), gist.relationship.to_numpy()
        ratios.append(u @ np.linalg.pinv(K) @ u / 5.0)
    assert abs(np.mean(ratios) - 2.0) < 4 * np.sqrt(4.0 / 400)


def test_structure_shows_in_the_leading_eigenvalues():
    rng = np.random.default_rng(5)
    for factors in (0, 3):
        M = simulate_gist(rng, n=200, p=1000, factors=factors).markers.to_numpy(dtype=float)
        centred = M - M.mean(axis=0)
        w = np.linalg.eigvalsh(centred @ centred.T)
        assert (w > 5 * np.median(w)).sum() == factors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be a whole number of at least 1"),
        ({"p": 2.5}, "p must"),
        ({"factors": -1}, "factors must"),
        ({"mu": np.nan}, "mu must"),
        ({"b": None}, "b must"),
        ({"sigma2_u": -1.0}, "sigma2_u must"),
        ({"sigma2_e": np.inf}, "sigma2_e must"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        simulate_gist(np.random.default_rng(1), **arguments)
    with pytest.raises(ArgumentError, match="rng must"):
        simulate_gist(1859)
