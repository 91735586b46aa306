"""Answers in closed form, in corners where rounding and units matter."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import animalmm
from animalmm.errors import ArgumentError, DataError


@pytest.mark.parametrize(("groups", "noise"), [(6, 5e-3), (20, 1e-3), (20, 1e-4), (20, 1.0)])
def test_balanced_one_way_is_the_analysis_of_variance(groups, noise):
    """A variance ratio of a million is well determined and must not be called flat."""
    rng = np.random.default_rng(groups)
    records = 8
    level = np.repeat(rng.normal(size=groups), records)
    data = pd.DataFrame({"g": np.repeat(np.arange(groups), records)})
    data["y"] = level + noise * rng.normal(size=len(data))
    means = data.groupby("g")["y"].mean()
    within = ((data["y"] - means.loc[data["g"]].to_numpy()) ** 2).sum() / (groups * (records - 1))
    between = records * means.var(ddof=1)
    found = animalmm.fit("y ~ 1 + (1 | g)", data)
    assert found.convergence.converged
    assert found.sigma == pytest.approx(np.sqrt(within), rel=1e-6)
    assert found.varcorr().loc[0, "vcov"] == pytest.approx((between - within) / records, rel=1e-5)


@pytest.fixture
def herd():
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": np.repeat(list("abcdefgh"), 6), "z": rng.normal(size=48)})
    level, slope = (np.repeat(rng.normal(size=8), 6) for _ in range(2))
    data["y"] = level + slope * data["z"] + 0.5 * rng.normal(size=48)
    return data


@pytest.mark.parametrize("unit", [1e-4, 1.0, 1e4, 1e8])
def test_a_partial_start_is_in_the_units_of_the_covariate(herd, unit):
    scaled = herd.assign(z=unit * herd["z"])
    formula = "y ~ 1 + (z | g)"
    plain = animalmm.fit(formula, herd).estimate.criterion
    found = animalmm.fit(formula, scaled, start={"Residual": 1.0}).estimate
    assert found.criterion == pytest.approx(plain, abs=1e-6)


def test_a_precision_stored_in_parts_is_their_sum(herd):
    P = sparse.csc_array(np.eye(8) * 2 - np.eye(8, k=1) * 0.5 - np.eye(8, k=-1) * 0.5)
    halves = sparse.csc_array(
        (np.repeat(P.data / 2, 2), np.repeat(P.indices, 2), 2 * P.indptr), shape=P.shape
    )
    labels = list("abcdefgh")
    whole = animalmm.fit("y ~ 1 + (1 | g)", herd, precision={"g": (P, labels)})
    parts = animalmm.fit("y ~ 1 + (1 | g)", herd, precision={"g": (halves, labels)})
    assert parts.llf == pytest.approx(whole.llf, rel=1e-12)


def test_what_the_user_does_to_a_matrix_later_is_not_ours(herd):
    labels = list("abcdefgh")
    K = pd.DataFrame(np.eye(8) + 0.2, index=labels, columns=labels)
    found = animalmm.fit("y ~ 1 + (1 | g)", herd, relmat={"g": K})
    before = found.blup()
    K.iloc[0, 0] = 50.0
    pd.testing.assert_frame_equal(found.blup(), before)


def test_parts_of_a_fit_are_copies(herd):
    found = animalmm.fit("y ~ 1 + (1 | g)", herd)
    before = found.varcorr()
    found.get_me("T")["g"][:] = 77.0
    pd.testing.assert_frame_equal(found.varcorr(), before)


def test_ide_cannot_share_a_tag_with_a_relationship(herd):
    K = pd.DataFrame(np.eye(8) + 0.2, index=list("abcdefgh"), columns=list("abcdefgh"))
    with pytest.raises(ArgumentError, match=r"tag 'm'.*ide\(\) has none"):
        animalmm.fit("y ~ 1 + (1 | m | g) + (1 | m | ide(g))", herd, relmat={"g": K})


def test_weights_are_matched_by_label(herd):
    w = pd.Series(np.linspace(1, 2, 48), index=herd.index)
    some = herd.iloc[6:40]
    by_label = animalmm.fit("y ~ 1 + (1 | g)", some, weights=w)
    assert by_label.llf == animalmm.fit("y ~ 1 + (1 | g)", some, weights=w.to_numpy()[6:40]).llf
    shifted = herd.set_axis(np.arange(100, 148))
    with pytest.raises(DataError, match=r"index of weights .* different labels"):
        animalmm.fit("y ~ 1 + (1 | g)", herd, weights=w.set_axis(np.arange(1, 49)))
    assert animalmm.fit("y ~ 1 + (1 | g)", shifted, weights=w).llf == pytest.approx(
        animalmm.fit("y ~ 1 + (1 | g)", herd, weights=w).llf
    )
