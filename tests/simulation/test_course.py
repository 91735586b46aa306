import numpy as np
import pandas as pd
import pytest

from animalmm.errors import ArgumentError
from animalmm.pedigree import Pedigree
from animalmm.simulation import simulate_course


@pytest.fixture(scope="module")
def large():
    return simulate_course(np.random.default_rng(610), size=2000)


def test_shape_and_order():
    course = simulate_course(np.random.default_rng(1), generations=2, size=20)
    assert list(course.data) == ["animal", "generation", "sex", "protein", "y", "true_a", "true_F"]
    assert list(course.pedigree) == ["id", "sire", "dam"]
    assert course.data["animal"].tolist() == course.pedigree["id"].tolist()
    assert course.data["animal"].iloc[[0, -1]].tolist() == ["a0001", "a0060"]
    assert (course.data.groupby("generation")["sex"].value_counts() == 10).all()
    assert course.pedigree[["sire", "dam"]].isna().all(axis=1).sum() == 20
    assert course.parameters["sigma2_a"] == pytest.approx(210.0)


def test_same_seed_same_data():
    one, two = (simulate_course(np.random.default_rng(5), size=40) for _ in range(2))
    pd.testing.assert_frame_equal(one.data, two.data)
    pd.testing.assert_frame_equal(one.pedigree, two.pedigree)
    other = simulate_course(np.random.default_rng(6), size=40)
    assert not np.allclose(one.data["y"], other.data["y"])


def test_inbreeding_is_that_of_the_pedigree(large):
    ped = Pedigree(large.pedigree)
    F = ped.inbreeding()
    assert ped.labels.tolist() == large.data["animal"].tolist()
    np.testing.assert_allclose(large.data["true_F"], F, atol=1e-13)
    by_generation = large.data.groupby("generation")["true_F"].mean()
    assert by_generation.iloc[:2].tolist() == [0.0, 0.0]
    assert by_generation.iloc[1:].is_monotonic_increasing


def test_mendelian_terms_have_their_variance(large):
    ped = Pedigree(large.pedigree)
    a = np.append(large.data["true_a"], 0.0)
    terms = a[:-1] - 0.5 * (a[ped.sire] + a[ped.dam])
    z = terms / np.sqrt(210.0 * ped.mendelian_variance())
    assert abs(z.mean()) < 4 / np.sqrt(ped.n)
    assert abs(z.var() - 1) < 4 * np.sqrt(2 / ped.n)


def test_records_follow_the_model(large):
    d = large.data
    n = len(d)
    sex = np.where(d["sex"] == "M", 25.0, -25.0)
    e = d["y"] - 294.0 - sex - 0.75 * d["protein"] - d["true_a"]
    assert abs(e.mean()) < 4 * np.sqrt(490.0 / n)
    assert abs(e.var() - 490.0) < 4 * 490.0 * np.sqrt(2 / n)
    assert d["protein"].mean() == pytest.approx(3.5, abs=4 * 0.35 / np.sqrt(n))
    assert d["protein"].std() == pytest.approx(0.35, rel=4 / np.sqrt(2 * n))
    np.testing.assert_array_equal(d["protein"], d["protein"].round(2))


def test_first_response_is_the_breeders_equation(large):
    """R = h2 S with the mean selection differential of sires and dams (Lush 1937)."""
    by_id = large.data.set_index("animal")
    first = large.data.query("generation == 1")["animal"]
    parents = large.pedigree.set_index("id").loc[first]
    base = by_id.query("generation == 0")
    own_sex = base["y"] - base.groupby("sex")["y"].transform("mean")
    differential = 0.5 * (own_sex[parents["sire"]].mean() + own_sex[parents["dam"]].mean())
    response = by_id.loc[first, "true_a"].mean() - base["true_a"].mean()
    assert response == pytest.approx(0.3 * differential, rel=0.15)
    assert large.data.groupby("generation")["true_a"].mean().is_monotonic_increasing


def test_the_best_become_parents(large):
    d = large.data.query("generation == 3").set_index("animal")
    used = large.pedigree[large.data["generation"] == 4]
    for sex, column, number in (("M", "sire", 100), ("F", "dam", 500)):
        best = d[d["sex"] == sex].nlargest(number, "y").index
        assert set(used[column]) == set(best)
    assert used["dam"].value_counts().eq(4).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"h2": 0.0}, r"h2 must be a number in \(0, 1\), not 0\.0"),
        ({"h2": 1.0}, "h2 must"),
        ({"h2": "a"}, "h2 must"),
        ({"sigma2_e": 0.0}, r"sigma2_e must be a number in \(0, inf\)"),
        ({"protein_sd": -1.0}, "protein_sd must"),
        ({"mu": np.nan}, "mu must"),
        ({"sex_effect": np.inf}, "sex_effect must"),
        ({"slope": None}, "slope must"),
        ({"protein_mean": np.nan}, "protein_mean must"),
        ({"generations": -1}, "generations must be a whole number of at least 0, not -1"),
        ({"generations": 1.5}, "generations must"),
        ({"size": 1}, "size must be a whole number of at least 2"),
        ({"males_selected": 0.0}, r"males_selected must be a number in \(0, 1\]"),
        ({"females_selected": 1.1}, "females_selected must"),
        ({"males_selected": 0.004}, r"males_selected=0\.004 of 100 animals selects none"),
        ({"size": 20, "females_selected": 0.02}, "females_selected=.* of 10 animals selects none"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        simulate_course(np.random.default_rng(1), **arguments)


@pytest.mark.parametrize("rng", [610, None, np.random.RandomState(1)])
def test_a_generator_is_needed(rng):
    with pytest.raises(ArgumentError, match=r"numpy\.random\.default_rng\((610|1)\)"):
        simulate_course(rng)


def test_smallest_populations():
    course = simulate_course(
        np.random.default_rng(1), size=3, generations=3, males_selected=1.0, females_selected=1.0
    )
    assert len(course.data) == 12
    assert len(simulate_course(np.random.default_rng(1), generations=0).data) == 200
