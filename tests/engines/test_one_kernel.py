"""What the engine for one kernel takes and refuses, and that it gives what the others give."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import animalmm
from animalmm.core import Problem, Psi, Term
from animalmm.covariance import structure
from animalmm.engines import Auto, OneKernel, OneKernelEngine, choice
from animalmm.errors import ArgumentError, EstimationError, RelationshipError
from animalmm.linalg import memory
from animalmm.relationship import CovarianceRelationship

from .contract import assert_same_point
from .models import Case, random_case

PSI = Psi((np.array([[1.3]]),), 0.8)


def labels(q):
    return pd.Index([f"a{i}" for i in range(q)])


def one_term(Z, relationship, K, seed=0):
    """A case of one term with any incidence."""
    rng = np.random.default_rng(seed)
    n = Z.shape[0]
    Z = sparse.csr_array(Z)
    term = Term("animal", "animal", ("(Intercept)",), Z, relationship, structure("us", 1), True)
    problem = Problem(
        y=rng.normal(2, 3, size=n),
        X=np.column_stack([np.ones(n), rng.normal(size=n)]),
        names=("one", "x"),
        terms=(term,),
        weights=rng.uniform(0.2, 4, size=n),
        offset=rng.normal(size=n),
    )
    return Case(problem, (K,), PSI, PSI)


def assert_as_by_brute_force(case):
    engine = OneKernel().prepare(case.problem)
    assert_same_point(engine.at(case.psi), case.brute, case.problem)


def kernel(q, rank=None, seed=0):
    M = np.random.default_rng(seed).normal(size=(q, rank or q))
    return M @ M.T / q


class Markers:
    """A class of a user's own, which knows a factor and nothing else that is dense."""

    def __init__(self, M):
        self.M = M
        self.labels, self.size = labels(len(M)), len(M)
        self.prefers_precision = False

    def factor(self):
        return self.M

    def precision(self):
        raise RelationshipError("singular")

    def logdet(self):
        raise RelationshipError("singular")

    def diagonal(self):
        return np.square(self.M).sum(axis=1)


@pytest.mark.parametrize("rank", [3, 18])
def test_a_user_s_own_class_is_taken_by_its_factor(rank):
    rng = np.random.default_rng(1)
    M = rng.normal(size=(20, rank))
    assert_as_by_brute_force(one_term(np.eye(20)[rng.integers(0, 15, 30)], Markers(M), M @ M.T))


def test_records_of_several_levels_and_of_none():
    rng = np.random.default_rng(2)
    Z = rng.normal(size=(30, 12)) * (rng.random((30, 12)) < 0.2)
    K = kernel(12)
    assert_as_by_brute_force(one_term(Z, CovarianceRelationship(labels(12), K), K))
    one = np.eye(12)[rng.integers(0, 12, 30)] * rng.choice([0.0, -1.0, 2.0], size=(30, 1))
    assert_as_by_brute_force(one_term(one, CovarianceRelationship(labels(12), K), K))


def test_more_levels_than_one_block_of_the_band_and_more_without_records():
    rng = np.random.default_rng(3)
    K = kernel(300, rank=200)
    Z = np.eye(300)[rng.integers(0, 220, 400)]
    assert_as_by_brute_force(one_term(Z, CovarianceRelationship(labels(300), K), K))


@pytest.mark.parametrize("recorded", [10, 20])
def test_a_matrix_that_is_no_covariance_is_refused_also_beyond_the_records(recorded):
    K = kernel(20)
    K[-1, -2] = K[-2, -1] = 3.0
    case = one_term(np.eye(20)[:recorded], CovarianceRelationship(labels(20), K, "relmat['a']"), K)
    with pytest.raises(RelationshipError, match=r"relmat\['a'\] is not positive semi-definite"):
        OneKernel().prepare(case.problem)


def test_several_terms_and_several_effects_are_refused_by_name():
    two = random_case(1).problem
    with pytest.raises(ArgumentError, match=r"one_kernel.*has 2 terms: 'g0', 'g1'.*'auto'"):
        OneKernel().prepare(two)
    slopes = dataclasses.replace(two, terms=two.terms[:1])
    with pytest.raises(ArgumentError, match=r"'g0' has 2 effects of each level"):
        OneKernel().prepare(slopes)


def test_more_than_memory_holds_is_refused_before_it_is_tried(monkeypatch):
    K = kernel(20)
    case = one_term(np.eye(20), CovarianceRelationship(labels(20), K), K)
    monkeypatch.setattr(memory, "physical_memory", lambda: 10_000)
    with pytest.raises(ArgumentError, match=r"20 levels of 'animal' with records.*engine='mme'"):
        OneKernel().prepare(case.problem)


def test_a_ratio_that_is_no_number_is_an_error_in_words():
    K = kernel(20)
    engine = OneKernel().prepare(
        one_term(np.eye(20), CovarianceRelationship(labels(20), K), K).problem
    )
    with pytest.raises(EstimationError, match="not positive definite in floating point"):
        engine.at(Psi((np.array([[np.nan]]),), 1.0))


@pytest.mark.parametrize(("q", "taken"), [(299, False), (300, True)])
def test_auto_takes_one_dense_kernel_from_some_size_on_and_says_so(q, taken):
    K = kernel(q)
    problem = one_term(np.eye(q), CovarianceRelationship(labels(q), K), K).problem
    engine = Auto().prepare(problem)
    assert isinstance(engine, OneKernelEngine) == taken
    words = "one_kernel: 'animal' alone, by its dense relationship of 300 levels"
    assert engine.description.startswith(words if taken else "whitened")


def test_auto_leaves_sparse_relationships_and_sparse_fixed_effects_to_others(monkeypatch):
    monkeypatch.setattr(choice, "WORTH", 250)
    K = sparse.csc_array(sparse.eye_array(250, format="csc") * 2.0)
    chain = one_term(np.eye(250), CovarianceRelationship(labels(250), K), K.toarray()).problem
    assert Auto().prepare(chain).description.startswith("whitened")
    D = kernel(250)
    problem = one_term(np.eye(250), CovarianceRelationship(labels(250), D), D).problem
    wide = dataclasses.replace(problem, X=sparse.csc_array(problem.X))
    assert Auto().prepare(problem).description.startswith("one_kernel")
    assert Auto().prepare(wide).description.startswith("whitened")


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_a_fit_is_that_of_the_other_engines(method):
    rng = np.random.default_rng(4)
    ids = labels(220)
    K = pd.DataFrame(kernel(220, rank=219), index=ids, columns=ids)
    u = np.linalg.cholesky(K.to_numpy() + 1e-9 * np.eye(220)) @ rng.normal(size=220)
    at = rng.integers(0, 200, 500)
    data = pd.DataFrame({"animal": ids[at], "x": rng.normal(size=500), "w": rng.uniform(1, 2, 500)})
    data["y"] = 1 + data["x"] + u[at] + rng.normal(size=500)
    arguments = {"relmat": {"animal": K}, "method": method, "weights": "w"}
    one, other = (
        animalmm.fit("y ~ x + (1 | animal)", data, engine=engine, **arguments)
        for engine in ("one_kernel", "whitened")
    )
    assert one.provenance["engine"].startswith("one_kernel")
    assert one.llf == pytest.approx(other.llf, abs=1e-8)
    found, expected = (fit.blup("animal").select_dtypes("number") for fit in (one, other))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(one.bse, other.bse, rtol=1e-6)
