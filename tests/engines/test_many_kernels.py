"""The engine for many kernels: its sides, what it refuses, and the models it is made for."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import animalmm
from animalmm.core import Problem, Psi, Term
from animalmm.covariance import structure
from animalmm.engines import Auto, ManyKernels, ManyKernelsEngine, choice, many_kernels
from animalmm.errors import ArgumentError, EstimationError, RelationshipError
from animalmm.linalg import memory
from animalmm.relationship import (
    CovarianceRelationship,
    IdentityRelationship,
    PedigreeRelationship,
)

from .contract import assert_same_point
from .models import Case, random_pedigree, tabular_relationship
from .test_one_kernel import Markers, kernel, labels

SIDES = ["records", "effects"]


def term(name, Z, relationship, t=1):
    """A term of t effects; Z has its columns level by level."""
    columns = tuple(f"c{i}" for i in range(t))
    Z = sparse.csr_array(Z)
    return Term(name, name, columns, Z, relationship, structure("us", t), True)


def incidence(n, q, rng, t=1):
    """One level a record, and covariates of it."""
    Z = np.zeros((n, q, t))
    Z[np.arange(n), rng.integers(0, q, n)] = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])[
        :, :t
    ]
    return Z.reshape(n, q * t)


def case(terms, kernels, seed=0):
    rng = np.random.default_rng(seed)
    n = terms[0].Z.shape[0]
    problem = Problem(
        y=rng.normal(2, 3, size=n),
        X=np.column_stack([np.ones(n), rng.normal(size=n)]),
        names=("one", "x"),
        terms=tuple(terms),
        weights=rng.uniform(0.2, 4, size=n),
        offset=rng.normal(size=n),
    )
    factors = tuple(rng.normal(size=(own.t, own.t)) for own in terms)
    psi = Psi(factors, 0.8)
    return Case(problem, tuple(kernels), psi, psi)


def two_kernels(n, q, rank=None, seed=0):
    """Two dense kernels on the same levels, which all have records if these suffice."""
    kernels = [kernel(q, rank, seed=seed + i) for i in range(2)]
    Z = np.eye(q)[np.arange(n) % q]
    terms = [
        term(name, Z, CovarianceRelationship(labels(q), K, f"relmat['{name}']"))
        for name, K in zip(("animal", "dominance"), kernels, strict=True)
    ]
    return case(terms, kernels, seed)


def assert_as_by_brute_force(case, tolerance=1e-10):
    for side in (None, *SIDES):
        point = ManyKernels(side).prepare(case.problem).at(case.psi)
        assert_same_point(point, case.brute, case.problem, tolerance)


def description(case, spec=None):
    return (spec or ManyKernels()).prepare(case.problem).description


def test_markers_a_pedigree_and_herds_together():
    rng = np.random.default_rng(1)
    n, q = 60, 40
    pedigree = animalmm.Pedigree(random_pedigree(q, rng))
    kernels = [kernel(q), tabular_relationship(pedigree), np.eye(30)]
    terms = [
        term("markers", incidence(n, q, rng, 2), CovarianceRelationship(labels(q), kernels[0]), 2),
        term("pedigree", incidence(n, q, rng), PedigreeRelationship(pedigree)),
        term("herd", incidence(n, 30, rng), IdentityRelationship(labels(30))),
    ]
    assert_as_by_brute_force(case(terms, kernels))


def test_records_of_several_levels_and_of_none_and_more_records_than_one_block():
    rng = np.random.default_rng(2)
    n, q = 300, 25
    Z = rng.normal(size=(n, q)) * (rng.random((n, q)) < 0.1)
    kernels = [kernel(q), kernel(q, 5, seed=1)]
    terms = [
        term("a", Z, CovarianceRelationship(labels(q), kernels[0])),
        term("b", np.eye(q)[rng.integers(0, 9, n)], CovarianceRelationship(labels(q), kernels[1])),
    ]
    assert_as_by_brute_force(case(terms, kernels))


@pytest.mark.parametrize("rank", [3, 18])
def test_a_user_s_own_class_is_taken_by_its_factor(rank):
    rng = np.random.default_rng(3)
    M = rng.normal(size=(20, rank))
    Z = np.eye(20)[rng.integers(0, 15, 30)]
    both = [term("own", Z, Markers(M)), term("id", Z, IdentityRelationship(labels(20)))]
    assert_as_by_brute_force(case(both, [M @ M.T, np.eye(20)]))


def test_the_sides_agree_beside_a_variance_of_zero_and_one_of_a_million():
    model = two_kernels(40, 30)
    psi = Psi((np.array([[0.0]]), np.array([[1e3]])), 1.0)
    records, effects = (ManyKernels(side).prepare(model.problem).at(psi) for side in SIDES)
    assert_same_point(effects, records, model.problem, 1e-8)


@pytest.mark.parametrize("side", SIDES)
def test_a_scaled_point_is_the_point_of_the_scaled_psi(side):
    model = two_kernels(40, 30)
    engine = ManyKernels(side).prepare(model.problem)
    scaled, fresh = engine.at(model.psi).scaled(2.5), engine.at(model.psi.scaled(2.5))
    assert_same_point(scaled, fresh, model.problem, 1e-12)


def test_the_smaller_side_is_taken():
    assert "40 records; V factorised" in description(two_kernels(40, 30))
    assert "80 records; the equations of 60 effects" in description(two_kernels(80, 30))
    assert "40 records; the equations of 18 effects" in description(two_kernels(40, 30, rank=9))
    assert "40 records; V factorised" in description(two_kernels(40, 30), ManyKernels("records"))


def test_levels_without_records_make_no_side_larger():
    rng = np.random.default_rng(5)
    K = kernel(50)
    terms = [
        term(name, np.eye(50)[rng.integers(0, 8, 40)], CovarianceRelationship(labels(50), K))
        for name in "ab"
    ]
    words = description(case(terms, [K, K]))
    assert "the equations of 16 effects" in words


def test_a_kernel_that_only_looks_poor_in_rank_goes_by_the_records():
    M = kernel(30, 9) + 1e-7 * np.eye(30)
    K = CovarianceRelationship(labels(30), M)
    Z = np.eye(30)[np.arange(40) % 30]
    model = case([term("a", Z, K), term("b", Z, K)], [M, M])
    assert "V factorised" in description(model)
    assert_as_by_brute_force(model)


@pytest.mark.parametrize("side", [None, *SIDES])
def test_a_matrix_that_is_no_covariance_is_refused_by_name(side):
    K = kernel(30)
    K[-1, -2] = K[-2, -1] = 3.0
    good = two_kernels(40, 30).problem
    bad = term("bad", good.terms[0].Z, CovarianceRelationship(labels(30), K, "relmat['bad']"))
    problem = dataclasses.replace(good, terms=(good.terms[0], bad))
    with pytest.raises(RelationshipError, match=r"relmat\['bad'\] is not positive semi-definite"):
        ManyKernels(side).prepare(problem)


def test_an_unknown_side_is_refused():
    with pytest.raises(ArgumentError, match="side must be 'records', 'effects' or None"):
        ManyKernels("animals").prepare(two_kernels(40, 30).problem)


@pytest.mark.parametrize(
    ("n", "words"), [(40, "covariance matrix of 40 records"), (90, "equations of 60 effects")]
)
def test_more_than_memory_holds_is_refused_before_it_is_tried(monkeypatch, n, words):
    monkeypatch.setattr(memory, "physical_memory", lambda: 10_000)
    with pytest.raises(ArgumentError, match=f"{words}.*GiB.*engine='whitened'"):
        ManyKernels().prepare(two_kernels(n, 30).problem)


def test_more_records_than_lapack_counts_are_refused(monkeypatch):
    monkeypatch.setattr(many_kernels, "LARGEST", 30)
    with pytest.raises(ArgumentError, match=r"at most 30 records.*has 40.*engine='whitened'"):
        ManyKernels().prepare(two_kernels(40, 30).problem)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("value", [np.nan, 1e200])
def test_a_covariance_that_is_no_number_is_an_error_in_words(side, value):
    model = two_kernels(40, 30)
    engine = ManyKernels(side).prepare(model.problem)
    with (
        pytest.raises(EstimationError, match="not positive definite in floating point"),
        np.errstate(over="ignore", invalid="ignore"),
    ):
        engine.at(Psi((np.array([[value]]), np.eye(1)), 1.0))


class TestAuto:
    def model(self, n, q, extra=()):
        model = two_kernels(n, q).problem
        return dataclasses.replace(model, terms=(*model.terms, *extra))

    def test_takes_dense_kernels_of_many_levels_and_says_so(self):
        assert Auto().prepare(self.model(160, 149)).description.startswith("whitened")
        engine = Auto().prepare(self.model(160, 150))
        assert isinstance(engine, ManyKernelsEngine)
        assert engine.description == (
            "many_kernels: 'animal', 'dominance' by their dense relationships, 160 records; "
            "V factorised by LAPACK"
        )

    def test_names_memory_that_counts(self, monkeypatch):
        monkeypatch.setattr(memory, "_NOTABLE", 1e4)
        engine = Auto().prepare(self.model(160, 150))
        assert engine.description.endswith("V factorised by LAPACK, about 0.0 GiB")

    def test_goes_by_the_effects_where_records_are_many(self):
        words = Auto().prepare(self.model(3000, 150)).description
        assert "3,000 records; the equations of 300 effects" in words

    def test_takes_effects_of_one_kernel_that_are_several(self):
        K = kernel(150)
        rng = np.random.default_rng(0)
        slopes = term(
            "animal", incidence(400, 150, rng, 2), CovarianceRelationship(labels(150), K), 2
        )
        words = Auto().prepare(case([slopes], [K]).problem).description
        assert words.startswith("many_kernels: 'animal' by its dense relationship, 400 records")

    def test_leaves_a_system_far_larger_than_the_kernels_to_the_sparse_one(self, monkeypatch):
        herds = term("herd", sparse.eye_array(160), IdentityRelationship(labels(160)))
        problem = self.model(160, 150, [herds])
        assert Auto().prepare(problem).description.startswith("many_kernels")
        monkeypatch.setattr(choice, "FAR", 0.5)
        words = Auto().prepare(problem).description
        assert words.startswith("whitened")
        assert words.endswith("; many_kernels would make 160 equations dense")

    def test_leaves_what_memory_does_not_hold_to_the_sparse_one(self, monkeypatch):
        monkeypatch.setattr(choice, "fits_memory", lambda n_bytes: n_bytes < 1e5)
        monkeypatch.setattr(memory, "_NOTABLE", 1e4)
        words = Auto().prepare(self.model(160, 150)).description
        assert words.startswith("whitened")
        assert words.endswith("; many_kernels would need about 0.0 GiB")

    def test_takes_a_sparse_x_of_few_columns(self):
        problem = self.model(160, 150)
        few = dataclasses.replace(problem, X=sparse.csc_array(problem.X))
        assert Auto().prepare(few).description.startswith("many_kernels")
        assert Auto(join=True).prepare(few).description.startswith("whitened")
        wide = sparse.csc_array(np.eye(160)[:, :50])
        many = dataclasses.replace(problem, X=wide, names=tuple(map(str, range(50))))
        assert Auto().prepare(many).description.startswith("whitened")


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_a_fit_is_that_of_the_other_engines(method):
    rng = np.random.default_rng(4)
    ids = labels(120)
    kernels = {
        name: pd.DataFrame(kernel(120, rank, seed), index=ids, columns=ids)
        for name, rank, seed in (("animal", 119, 0), ("D", 400, 1))
    }
    at = rng.integers(0, 110, 300)
    u = sum(rng.multivariate_normal(np.zeros(120), K) for K in kernels.values())
    data = pd.DataFrame({"animal": ids[at], "x": rng.normal(size=300), "w": rng.uniform(1, 2, 300)})
    data["y"] = 1 + data["x"] + 2 * u[at] + rng.normal(size=300)
    formula = "y ~ x + (1 | animal) + (1 | gr(animal, D))"
    arguments = {"relmat": kernels, "method": method, "weights": "w"}
    many, other = (
        animalmm.fit(formula, data, engine=engine, **arguments)
        for engine in ("many_kernels", "whitened")
    )
    assert many.provenance["engine"].startswith("many_kernels: as asked, 300 records; the equation")
    assert many.llf == pytest.approx(other.llf, abs=1e-8)
    found, expected = (fit.blup("animal").select_dtypes("number") for fit in (many, other))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_allclose(many.bse, other.bse, rtol=1e-5)
