import numpy as np
import pandas as pd
import pytest

import animalmm
from animalmm import fit
from animalmm.errors import DroppedRowsWarning


@pytest.mark.parametrize("name", ["sleep", "uncorrelated"])
def test_new_rows_that_are_the_old_ones(name, request, sleepstudy):
    found = request.getfixturevalue(name)
    np.testing.assert_allclose(found.predict(sleepstudy), found.fittedvalues, rtol=1e-12)
    np.testing.assert_allclose(found.predict(), found.fittedvalues, rtol=1e-12)
    assert found.predict(sleepstudy).index.equals(sleepstudy.index)


def test_rows_in_another_order(sleep, sleepstudy):
    new = sleepstudy.sample(frac=0.3, random_state=1)
    predicted = sleep.predict(new)
    assert predicted.index.equals(new.index)
    np.testing.assert_allclose(predicted, sleep.fittedvalues.loc[new.index], rtol=1e-12)


def test_fixed_effects_only(sleep, sleepstudy):
    beta = sleep.fixef()
    expected = beta["(Intercept)"] + beta["Days"] * sleepstudy["Days"]
    np.testing.assert_allclose(sleep.predict(sleepstudy, random=False), expected)
    np.testing.assert_allclose(sleep.predict(random=False), expected)
    np.testing.assert_allclose(sleep.predict(sleepstudy, random=[]), expected)


def test_fixed_effects_only_need_no_group(sleep, sleepstudy):
    without = sleepstudy.drop(columns=["Subject", "Reaction"])
    np.testing.assert_allclose(sleep.predict(without, random=False), sleep.predict(random=False))


def test_some_groups(herd, herd_data):
    def predicted(random):
        return herd.predict(herd_data, random=random, offset="known")

    none, both = predicted(False), predicted(True)
    animal, herds = predicted("animal"), predicted(["herd"])
    np.testing.assert_allclose(animal - none + herds - none, both - none, atol=1e-10)
    np.testing.assert_allclose(predicted(["herd", "animal"]), both)
    np.testing.assert_allclose(predicted(["herd", "herd"]), herds)
    by_herd = herd.ranef("herd").iloc[:, 0].loc[herd_data["herd"]].to_numpy()
    np.testing.assert_allclose(herds - none, by_herd, atol=1e-10)


def test_animals_without_records_have_a_prediction(course, course_data):
    youngest = course_data.data.query("generation == generation.max()")
    predicted = course.predict(youngest)
    ebv = course.ranef().iloc[:, 0].loc[youngest["animal"]].to_numpy()
    np.testing.assert_allclose(predicted - course.predict(youngest, random=False), ebv)
    assert np.corrcoef(ebv, youngest["true_a"])[0, 1] > 0.1


def test_new_levels(sleep):
    new = pd.DataFrame({"Days": [3, 3], "Subject": ["308", "stranger"]})
    predicted = sleep.predict(new, allow_new_levels=True)
    known = sleep.predict(new.iloc[:1])
    mean = sleep.predict(new, random=False)
    assert predicted.iloc[0] == known.iloc[0]
    assert predicted.iloc[1] == mean.iloc[1]


def test_missing_values(sleep):
    new = pd.DataFrame(
        {"Days": [1.0, np.nan, 2.0], "Subject": ["308", "309", None]}, index=["a", "b", "c"]
    )
    assert list(sleep.predict(new).isna()) == [False, True, True]
    assert list(sleep.predict(new, random=False).isna()) == [False, True, False]
    assert list(sleep.predict(new, allow_new_levels=True).isna()) == [False, True, True]


def test_no_rows(sleep, sleepstudy):
    predicted = sleep.predict(sleepstudy.iloc[:0])
    assert predicted.dtype == float
    assert len(predicted) == 0


def test_rows_that_the_fit_left_out(sleepstudy):
    data = sleepstudy.copy()
    data.loc[[3, 7], "Reaction"] = np.nan
    with pytest.warns(DroppedRowsWarning):
        found = fit("Reaction ~ Days + (1 | Subject)", data)
    assert len(found.predict()) == 178
    assert found.predict(data).notna().all()


def test_offset_in_the_formula(sleepstudy):
    found = fit("Reaction ~ 1 + offset(10 * Days) + (1 | Subject)", sleepstudy)
    np.testing.assert_allclose(found.predict(sleepstudy), found.fittedvalues)
    np.testing.assert_allclose(found.predict(), found.fittedvalues)
    beta = found.fixef().iloc[0]
    np.testing.assert_allclose(found.predict(random=False), beta + 10 * sleepstudy["Days"])


def test_offset_as_an_argument(sleepstudy):
    known = 10.0 * sleepstudy["Days"]
    data = sleepstudy.assign(known=known)
    found = fit("Reaction ~ 1 + (1 | Subject)", data, offset="known")
    for offset in ("known", known, known.to_numpy(), list(known)):
        np.testing.assert_allclose(found.predict(data, offset=offset), found.fittedvalues)
    np.testing.assert_allclose(found.predict(), found.fittedvalues)
    np.testing.assert_allclose(found.predict(data, offset=0), found.fittedvalues - known)
    in_formula = fit("Reaction ~ 1 + offset(10 * Days) + (1 | Subject)", sleepstudy)
    np.testing.assert_allclose(found.fittedvalues, in_formula.fittedvalues, atol=1e-4)


def test_both_kinds_of_offset(sleepstudy):
    extra = np.linspace(0.0, 5.0, 180)
    found = fit("Reaction ~ 1 + offset(Days) + (1 | Subject)", sleepstudy, offset=extra)
    np.testing.assert_allclose(found.predict(sleepstudy, offset=extra), found.fittedvalues)
    np.testing.assert_allclose(found.predict(), found.fittedvalues)


def test_offset_is_aligned_by_label_as_in_the_fit(sleepstudy):
    known = pd.Series(np.linspace(0.0, 5.0, 180), index=sleepstudy.index)
    found = fit("Reaction ~ 1 + (1 | Subject)", sleepstudy, offset=known.iloc[::-1])
    np.testing.assert_allclose(found.get_me("offset"), known)
    predicted = found.predict(sleepstudy, offset=known.iloc[::-1])
    np.testing.assert_allclose(predicted, found.fittedvalues)


def test_missing_offset_of_a_new_row(sleepstudy):
    found = fit("Reaction ~ 1 + offset(Days) + (1 | Subject)", sleepstudy)
    new = sleepstudy.iloc[:2].astype({"Days": float})
    new.loc[new.index[0], "Days"] = np.nan
    assert list(found.predict(new).isna()) == [True, False]


def test_transformations_keep_what_they_learnt(sleepstudy):
    found = fit("Reaction ~ poly(Days, 2) + (1 | Subject)", sleepstudy)
    np.testing.assert_allclose(
        found.predict(sleepstudy.iloc[20:23]), found.fittedvalues.iloc[20:23]
    )


def test_factors_with_fewer_levels_in_the_new_rows(course, course_data):
    rows = course_data.data.query("generation == 0 and sex == 'M'").iloc[:4]
    np.testing.assert_allclose(course.predict(rows), course.fittedvalues.loc[rows.index])


def test_whole_numbers_that_a_missing_value_made_floats():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"a": np.repeat([1, 2, 3], 20), "b": np.tile([1, 2], 30)})
    data["y"] = rng.normal(size=60)
    found = fit("y ~ 1 + (1 | a:b)", data, fixed={"a:b": 1.0, "Residual": 1.0})
    new = data.iloc[:3].astype({"a": float})
    new.loc[0, "a"] = np.nan
    predicted = found.predict(new)
    assert np.isnan(predicted.iloc[0])
    np.testing.assert_allclose(predicted.iloc[1:], found.fittedvalues.iloc[1:3])


def test_dict_of_columns_as_in_the_fit(sleepstudy, sleep):
    columns = sleepstudy.to_dict("list")
    assert fit("Reaction ~ Days + (Days | Subject)", columns).llf == sleep.llf
    np.testing.assert_allclose(sleep.predict(columns), sleep.fittedvalues)


def test_categories_of_new_rows_may_be_others(sleepstudy, sleep):
    new = sleepstudy.assign(Subject=pd.Categorical(sleepstudy["Subject"])).iloc[:10]
    new["Subject"] = new["Subject"].cat.remove_unused_categories()
    np.testing.assert_allclose(sleep.predict(new), sleep.fittedvalues.iloc[:10])


def test_order_of_K_does_not_matter(herd_data, kinship):
    known = {"animal": 1.0, "Residual": 1.0}
    one = fit("y ~ x + (1 | animal)", herd_data, {"animal": kinship}, fixed=known)
    turned = kinship.iloc[::-1, ::-1]
    two = fit("y ~ x + (1 | animal)", herd_data, {"animal": turned}, fixed=known)
    assert list(two.ranef().index) == list(turned.index)
    np.testing.assert_allclose(one.predict(herd_data), two.predict(herd_data))


def test_engines_agree(herd_data, kinship):
    known = {"animal": 1.0, "Residual": 1.0}
    fits = [
        fit("y ~ x + (1 | animal)", herd_data, {"animal": kinship}, fixed=known, engine=engine)
        for engine in ("auto", "mme", "whitened", animalmm.MME(), animalmm.Whitened())
    ]
    for other in fits[1:]:
        np.testing.assert_allclose(other.predict(), fits[0].predict(), rtol=1e-9)
        assert other.llf == pytest.approx(fits[0].llf, rel=1e-11)
