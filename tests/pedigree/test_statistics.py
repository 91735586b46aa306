"""Figures of a population: by hand, and by their definitions worked out the long way."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from animalmm.errors import ArgumentError
from animalmm.linalg import memory
from animalmm.pedigree import Pedigree

from ..corpus import corpus_case
from .reference import read_text
from .test_properties import make_table, pedigrees

# The pedigree of the example of Lacy (1989), Zoo Biology 8, 111-123.
LACY = {
    "id": [*"ABCDEFG"],
    "sire": [0, 0, "A", "A", 0, "D", "D"],
    "dam": [0, 0, "B", "B", 0, "E", "E"],
}
DESCENDANTS = [*"CDFG"]


def random_pedigree(parents):
    names = [f"x{i}" for i in range(parents.shape[1])]
    return Pedigree(make_table(*parents, names, range(len(names))), allow_selfing=True)


def gene_shares(sire, dam):
    """T: shares of the genes of each row that descend from each column."""
    T = np.eye(len(sire))
    for i in range(len(sire)):
        for p in (sire[i], dam[i]):
            if p >= 0:
                T[i] += 0.5 * T[p]
    return T


def with_phantoms(sire, dam):
    """The pedigree with a founder in the place of the unknown parent of each half-known animal."""
    sire, dam = sire.tolist(), dam.tolist()
    for i in range(len(sire)):
        if (sire[i] < 0) != (dam[i] < 0):
            side = sire if sire[i] < 0 else dam
            side[i] = len(sire)
            sire.append(-1)
            dam.append(-1)
    return np.array(sire), np.array(dam)


def explain(sire, dam, reference):
    """Boichard's method word for word: full recursions, from the old to the young and back."""
    sire, dam = with_phantoms(sire, dam)
    n = len(sire)
    order = sorted(range(n), key=lambda i: depth(i, sire, dam))
    up_weights = np.bincount(reference, minlength=n) / len(reference)
    founders = [i for i in range(n) if sire[i] < 0 and dam[i] < 0]
    sire, dam, chosen, found = sire.copy(), dam.copy(), set(), []
    first = passed_up(up_weights, order, sire, dam)
    candidates = sorted({*founders, *np.flatnonzero(first - up_weights > 1e-12)})
    while True:
        q = passed_up(up_weights, order, sire, dam)
        a = np.zeros(n)
        for i in order:
            known = [p for p in (sire[i], dam[i]) if p >= 0]
            a[i] = 1.0 if i in chosen else sum(0.5 * a[p] for p in known)
        best = max(candidates, key=lambda i: q[i] * (1 - a[i]))
        if q[best] * (1 - a[best]) < 1e-12:
            return found
        found.append(q[best] * (1 - a[best]))
        chosen.add(best)
        sire[best] = dam[best] = -1


def depth(i, sire, dam):
    return 1 + max((depth(p, sire, dam) for p in (sire[i], dam[i]) if p >= 0), default=-1)


def passed_up(weights, order, sire, dam):
    q = weights.copy()
    for i in reversed(order):
        for p in (sire[i], dam[i]):
            if p >= 0:
                q[p] += 0.5 * q[i]
    return q


def test_effective_founders_of_lacy():
    """Shares 3/8, 3/8, 1/4: f_e = 1 / (9/64 + 9/64 + 4/64) = 2.909."""
    found = Pedigree(LACY).contributions(DESCENDANTS)
    assert found["contribution"].to_dict() == {"A": 0.375, "B": 0.375, "E": 0.25}
    assert set(found["genes"]) == {"own"}
    numbers = Pedigree(LACY).effective_numbers(DESCENDANTS)
    assert numbers["f_e"] == pytest.approx(64 / 22)
    # D explains 1/2 and leaves 1/8 to each of A and B, by C; E explains 1/4
    assert numbers["f_a"] == pytest.approx(1 / (0.5**2 + 0.25**2 + 2 * 0.125**2))
    # coancestries by hand: C with D 1/4, with F and G 1/8; D with F and G 3/8 (its own with E's)
    f = Pedigree(LACY).coancestry(DESCENDANTS)
    assert f.loc["F", "G"] == 0.25
    assert numbers["f_g"] == pytest.approx(1 / (2 * f.to_numpy().mean()))


def test_ancestors_by_importance():
    found = Pedigree(LACY).ancestors(DESCENDANTS)
    assert list(found.index[:2]) == ["D", "E"]
    np.testing.assert_allclose(found["contribution"], [0.5, 0.25, 0.125, 0.125])
    assert len(Pedigree(LACY).ancestors(DESCENDANTS, at_most=2)) == 2


def test_unknown_parents_of_half_known_animals_are_founders():
    ped = Pedigree({"id": ["a", "b"], "sire": [0, "a"], "dam": [0, 0]})
    found = ped.contributions(["b"])
    assert found.to_dict("list") == {"genes": ["own", "unknown dam"], "contribution": [0.5, 0.5]}
    assert sorted(ped.ancestors(["b"])["genes"]) == ["own", "unknown dam"]


@given(parents=pedigrees(largest=16))
def test_contributions_agree_with_their_definitions(parents):
    ped = random_pedigree(parents)
    reference = np.arange(ped.n)[ped.n // 2 :]
    ids = ped.labels[reference]
    sire, dam = with_phantoms(ped.sire, ped.dam)
    shares = np.zeros(len(sire))
    order = sorted(range(len(sire)), key=lambda i: depth(i, sire, dam))
    weights = np.bincount(reference, minlength=len(sire)) / len(reference)
    shares = passed_up(weights, order, sire, dam)[(sire < 0) & (dam < 0)]
    found = ped.contributions(ids)["contribution"]
    np.testing.assert_allclose(sorted(found), sorted(shares[shares > 0]), atol=1e-14)
    assert found.sum() == pytest.approx(1.0)

    marginal = ped.ancestors(ids)["contribution"]
    want = explain(ped.sire, ped.dam, reference)
    assert marginal.sum() == pytest.approx(1.0)
    assert sum(want) == pytest.approx(1.0)
    assert marginal.iloc[0] == pytest.approx(want[0])

    f = ped.coancestry(ids).to_numpy().mean()
    assert ped.effective_numbers(ids)["f_g"] == pytest.approx(1 / (2 * f))


@given(parents=pedigrees())
def test_completeness_agrees_with_its_definitions(parents):
    ped = random_pedigree(parents)
    levels = 4
    found = ped.completeness(levels)

    def known(i, back):
        """Share of the ancestors that many generations back that is known."""
        if i < 0 or back == 0:
            return float(i >= 0)
        return 0.5 * (known(ped.sire[i], back - 1) + known(ped.dam[i], back - 1))

    def index(i):
        lines = [np.mean([known(p, b) for b in range(levels)]) for p in (ped.sire[i], ped.dam[i])]
        return 2 * lines[0] * lines[1] / sum(lines) if sum(lines) else 0.0

    def complete(i):
        return -1 if i < 0 else 1 + min(complete(ped.sire[i]), complete(ped.dam[i]))

    T = gene_shares(ped.sire, ped.dam)
    np.testing.assert_allclose(found["equivalent"], T.sum(axis=1) - 1, atol=1e-12)
    here = range(ped.n)
    np.testing.assert_allclose(found["index"], [index(i) for i in here], atol=1e-14)
    np.testing.assert_array_equal(found["complete"], [complete(i) for i in here])
    np.testing.assert_array_equal(found["maximum"], [depth(i, ped.sire, ped.dam) for i in here])


@given(parents=pedigrees())
def test_products_with_a(parents):
    ped = random_pedigree(parents)
    v = pd.Series(np.arange(ped.n, dtype=float)[::-1], index=ped.labels[::-1])
    want = ped.a_matrix() @ v[ped.labels]
    pd.testing.assert_series_equal(ped.a_multiply(v), want, check_names=False)


def test_products_with_some_animals_and_with_clones():
    table = {**LACY, "copy": [0, 0, 0, 0, 0, 0, "F"]}
    table["sire"], table["dam"] = [0, 0, "A", "A", 0, "D", 0], [0, 0, "B", "B", 0, "E", 0]
    ped = Pedigree(table, clone_of="copy")
    v = pd.Series({"G": 1.0, "C": 2.0})
    want = ped.a_matrix()[["G", "C"]] @ v[["G", "C"]].to_numpy()
    pd.testing.assert_series_equal(ped.a_multiply(v), want, check_names=False)
    # F and its copy G count as two progeny, and their genes as two shares
    assert ped.contributions(DESCENDANTS)["contribution"].to_dict() == {
        "A": 0.375,
        "B": 0.375,
        "E": 0.25,
    }
    assert ped.completeness().loc["G"].equals(ped.completeness().loc["F"])


def test_effective_size_by_hand():
    """Full sibs mated: t = 2 and F = 1/4, so Delta F = 1/4 and Ne = 2; their progeny likewise."""
    rows = [("m0", 0, 0), ("f0", 0, 0)]
    rows += [(f"{x}{g}", f"m{g - 1}", f"f{g - 1}") for g in range(1, 4) for x in "mf"]
    ped = Pedigree(pd.DataFrame(rows, columns=["id", "sire", "dam"]))
    size = ped.effective_size(["m2", "f2"])
    assert (size.Ne, size.se, size.rate, size.animals) == (2.0, 0.0, 0.25, 2)
    both = ped.effective_size(["m2", "m3", "m1"])
    increase = np.array([0.25, 1 - (1 - 0.375) ** 0.5])
    assert both.animals == 2  # m1 has one generation of ancestors only
    assert both.Ne == pytest.approx(1 / (2 * increase.mean()))
    assert both.se == pytest.approx(2 * both.Ne**2 * increase.std(ddof=1) / 2**0.5)


def test_effective_size_without_inbreeding_or_depth():
    none = Pedigree(LACY).effective_size(["C"])
    assert np.isnan(none.Ne)
    assert none.animals == 0
    assert Pedigree(LACY).effective_size().Ne == np.inf


def test_description():
    found = Pedigree(LACY).describe(DESCENDANTS)
    assert found.counts.to_dict() == {
        "animals": 7,
        "founders": 3,
        "half_known": 0,
        "added": 0,
        "sires": 2,
        "dams": 2,
        "clones": 0,
        "groups": 0,
    }
    assert found.families["mean"].to_list() == [2.0, 2.0, 2.0]
    assert found.by_period["animals"].to_dict() == {0: 3, 1: 2, 2: 2}
    assert found.by_period["equivalent_generations"].to_list() == [0.0, 1.0, 1.5]
    assert found.reference["f_e"] == pytest.approx(64 / 22)
    text = repr(found)
    for words in ("7 animals, 3 founders, 2 sires", "By generation", "the given ids", "2.909"):
        assert words in text


def test_description_by_year_of_birth():
    births = pd.to_datetime(["2001-01-01"] * 2 + ["2002-05-05"] * 2 + [None] + ["2004-01-01"] * 2)
    found = Pedigree({**LACY, "born": births}, birth="born").describe()
    assert found.by_period["animals"].to_list() == [2, 2, 2, 1]
    assert found.by_period.index[:3].to_list() == [2001, 2002, 2004]
    assert found.by_period.index[3] is pd.NA
    assert found.by_period.index.name == "birth"
    assert "the last generation" in repr(found)


def test_description_of_founders_only():
    found = Pedigree({"id": ["a", "b"], "sire": [0, 0], "dam": [0, 0]}).describe()
    assert found.families["families"].to_list() == [0, 0, 0]
    assert found.reference["f_g"] == pytest.approx(2.0)


def test_course_by_generation():
    folder, expected = corpus_case("s2_course")
    found = Pedigree(read_text(folder / "pedigree.csv")).describe().by_period["mean_F"]
    want = pd.Series(expected["inbreeding"]["mean_by_generation"])
    np.testing.assert_allclose(found, want, atol=1e-12)


def test_arguments():
    ped = Pedigree(LACY)
    with pytest.raises(ArgumentError, match="ids is empty: name the animals of the reference"):
        ped.contributions([])
    with pytest.raises(ArgumentError, match="depth=0: give a whole number"):
        ped.completeness(0)
    with pytest.raises(ArgumentError, match=r"pandas\.Series with labels .*not a list"):
        ped.a_multiply([1.0])
    with pytest.raises(ArgumentError, match="values of 'C' are missing: leave"):
        ped.a_multiply(pd.Series({"A": 1.0, "C": np.nan}))


def test_too_many_groups_are_refused(monkeypatch):
    ped = Pedigree({"id": ["a"], "sire": ["G"], "dam": ["G"]}, groups=["G"])
    monkeypatch.setattr(memory, "physical_memory", lambda: 10)  # bytes
    with pytest.raises(ArgumentError, match=r"shares of 1 groups in 1 animals needs .* Prune"):
        ped.group_shares()


@pytest.mark.parametrize("value", [0, -1, 2.5, "5"])
def test_numbers_of_generations_and_of_ancestors_are_counts(value):
    ped = Pedigree({"id": ["a"], "sire": ["s"], "dam": ["d"]})
    with pytest.raises(ArgumentError, match=r"depth=.*whole number of 1 or more"):
        ped.completeness(value)
    with pytest.raises(ArgumentError, match=r"at_most=.*whole number of 1 or more"):
        ped.ancestors(at_most=value)


def test_animals_of_unknown_birth_are_counted_and_years_are_whole():
    ped = Pedigree(
        {
            "id": ["a", "b", "c"],
            "sire": ["s", "s", "a"],
            "dam": [None] * 3,
            "year": [2001, None, 2004],
        },
        birth="year",
    )
    animals = ped.describe().by_period["animals"]
    assert animals.sum() == ped.n
    assert animals[animals.index.notna()].to_dict() == {2001: 1, 2004: 1}
    assert str(animals.index[0]) == "2001"


def test_ancestors_of_equal_shares_do_not_hang_on_the_order_of_rows():
    table = pd.DataFrame({"id": list("cdefgh"), "sire": list("aaccae"), "dam": list("bbdddd")})
    orders = np.random.default_rng(1).permuted(np.tile(np.arange(6), (10, 1)), axis=1)
    found = [Pedigree(table.iloc[o]).effective_numbers(["f", "g", "h"])["f_a"] for o in orders]
    np.testing.assert_allclose(found, found[0], rtol=1e-12)
