"""What every kind of relationship promises, tested once for all: the `Contract`."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from animalmm import Pedigree
from animalmm.errors import IllConditionedWarning, RelationshipError
from animalmm.relationship import (
    CovarianceRelationship,
    IdentityRelationship,
    PedigreeRelationship,
    PrecisionRelationship,
)


def dense(M):
    return M.toarray() if sparse.issparse(M) else np.asarray(M)


def wishart(q, seed=0):
    M = np.random.default_rng(seed).normal(size=(q, 2 * q))
    return M @ M.T / (2 * q)


def blocks(q=12, size=3):
    """Families of `size` with correlation one half, their members far apart in the order."""
    K = np.kron(0.5 * np.ones((size, size)) + 0.5 * np.eye(size), np.eye(q // size))
    return K * np.linspace(1.0, 2.0, q)[:, None] ** 0.5 * np.linspace(1.0, 2.0, q) ** 0.5


INBRED = pd.DataFrame(
    [
        ("A", None, None),
        ("B", None, None),
        ("F", "D", "E"),
        ("C", "A", "B"),
        ("D", "A", "C"),
        ("E", "A", "C"),
        ("G", "F", None),
    ],
    columns=["id", "sire", "dam"],
)


def tabular(pedigree):
    """A by the tabular method (Henderson 1976), parents first."""
    labels = list(pedigree.labels)
    table = INBRED.set_index("id")
    A = np.zeros((len(labels), len(labels)))
    for i, animal in enumerate(labels):
        parents = [labels.index(p) for p in table.loc[animal] if p is not None and p == p]
        row = 0.5 * A[parents].sum(axis=0)
        A[i, :i] = A[:i, i] = row[:i]
        A[i, i] = 1.0 + (0.5 * A[tuple(parents)] if len(parents) == 2 else 0.0)
    return A


class Contract:
    """A child gives `K`, the matrix, and `make`, the relationship that stands for it."""

    precise = True  # whether K has an inverse

    @property
    def K(self):
        raise NotImplementedError

    def make(self):
        raise NotImplementedError

    @pytest.fixture
    def relationship(self):
        return self.make()

    def test_labels(self, relationship):
        assert isinstance(relationship.labels, pd.Index)
        assert relationship.labels.is_unique
        assert len(relationship.labels) == relationship.size == len(self.K)

    def test_prefers_precision_is_a_plain_bool(self, relationship):
        assert isinstance(relationship.prefers_precision, bool)

    def test_factor(self, relationship):
        L = dense(relationship.factor())
        np.testing.assert_allclose(L @ L.T, self.K, atol=1e-10)
        assert L.shape == (len(self.K), np.linalg.matrix_rank(self.K))

    def test_precision(self, relationship):
        P = relationship.precision()
        assert sparse.issparse(P)
        assert P.format == "csc"
        np.testing.assert_allclose(P.toarray() @ self.K, np.eye(len(self.K)), atol=1e-8)
        np.testing.assert_allclose(P.toarray(), P.toarray().T, atol=1e-12)

    def test_logdet(self, relationship):
        expected = np.linalg.slogdet(self.K)[1]
        assert relationship.logdet() == pytest.approx(expected, abs=1e-9)
        assert isinstance(relationship.logdet(), float)

    def test_diagonal(self, relationship):
        diagonal = relationship.diagonal()
        assert diagonal.dtype == float
        np.testing.assert_allclose(diagonal, np.diag(self.K), rtol=1e-9)

    def test_forms_agree_whatever_the_order_of_asking(self):
        first, second = self.make(), self.make()
        before = [dense(first.factor()), first.logdet(), dense(first.precision())]
        after = [dense(second.precision()), second.logdet(), dense(second.factor())]
        for a, b in zip(before, reversed(after), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_asking_again_gives_the_same(self, relationship):
        np.testing.assert_array_equal(dense(relationship.factor()), dense(relationship.factor()))
        np.testing.assert_array_equal(
            dense(relationship.precision()), dense(relationship.precision())
        )

    def test_pickle(self, relationship):
        relationship.factor(), relationship.precision(), relationship.logdet()
        again = pickle.loads(pickle.dumps(relationship))
        assert again.labels.equals(relationship.labels)
        np.testing.assert_array_equal(dense(again.factor()), dense(relationship.factor()))
        assert again.logdet() == relationship.logdet()

    def test_frozen(self, relationship):
        with pytest.raises(AttributeError):
            relationship.labels = pd.Index([])

    def test_equality_is_an_answer(self, relationship):
        assert relationship == relationship
        assert isinstance(relationship == self.make(), bool)


class TestIdentity(Contract):
    K = np.eye(4)

    def make(self):
        return IdentityRelationship(pd.Index(list("wxyz")))

    def test_stays_sparse(self, relationship):
        assert relationship.factor().nnz == relationship.precision().nnz == 4


class TestDenseCovariance(Contract):
    K = wishart(9)

    def make(self):
        return CovarianceRelationship(pd.RangeIndex(9), self.K.copy())

    def test_is_used_by_its_factor(self, relationship):
        assert not relationship.prefers_precision


class TestSparseCovariance(Contract):
    K = blocks()

    def make(self):
        return CovarianceRelationship(pd.RangeIndex(12), sparse.csc_array(self.K))

    def test_factor_stays_sparse(self, relationship):
        L = relationship.factor()
        assert sparse.issparse(L)
        assert L.nnz == 24  # 4 families, a triangle of 3 x 3 each


class TestScaledCovariance(Contract):
    K = wishart(6, seed=3) * 1e-6

    def make(self):
        return CovarianceRelationship(pd.Index([10, 20, 30, 40, 50, 60]), self.K.copy())


class TestPrecision(Contract):
    K = np.linalg.inv(wishart(8, seed=1))

    def make(self):
        P = sparse.csc_array(np.linalg.inv(self.K))
        return PrecisionRelationship(pd.Index([f"s{i}" for i in range(8)]), (P + P.T) / 2)

    def test_is_used_as_it_is(self, relationship):
        assert relationship.prefers_precision
        assert relationship.precision() is relationship.P


class TestTridiagonalPrecision(Contract):
    """The inverse of a first-order autoregression."""

    K = 0.6 ** abs(np.subtract.outer(np.arange(20.0), np.arange(20.0)))

    def make(self):
        P = np.linalg.inv(self.K)
        P[abs(P) < 1e-9] = 0.0
        return PrecisionRelationship(pd.RangeIndex(20), sparse.csc_array((P + P.T) / 2))

    def test_stays_sparse(self, relationship):
        assert relationship.precision().nnz == 20 + 2 * 19


class TestPedigree(Contract):
    @property
    def K(self):
        return tabular(Pedigree(INBRED))

    def make(self):
        return PedigreeRelationship(Pedigree(INBRED))

    def test_parents_come_first(self, relationship):
        at = {label: i for i, label in enumerate(relationship.labels)}
        for row in INBRED.itertuples():
            for parent in (row.sire, row.dam):
                assert parent is None or parent != parent or at[parent] < at[row.id]

    def test_diagonal_is_one_plus_inbreeding(self, relationship):
        F = dict(zip(relationship.labels, relationship.diagonal() - 1.0, strict=True))
        assert F["A"] == F["B"] == F["C"] == 0.0
        assert F["D"] == pytest.approx(0.25)
        assert F["F"] == pytest.approx(0.375)

    def test_inverse_is_sparse(self, relationship):
        assert relationship.prefers_precision
        assert sparse.issparse(relationship.factor())


SINGULAR = {
    "low rank": np.arange(12.0).reshape(6, 2) @ np.arange(12.0).reshape(6, 2).T,
    "clones": np.kron(np.ones((2, 2)), wishart(3)),
}


@pytest.mark.parametrize("form", [np.asarray, sparse.csc_array])
@pytest.mark.parametrize("K", SINGULAR.values(), ids=SINGULAR)
class TestSingularCovariance:
    @pytest.fixture
    def relationship(self, K, form):
        return CovarianceRelationship(pd.RangeIndex(len(K)), form(K), "relmat['g']")

    def test_factor_has_the_rank_of_K(self, relationship, K):
        L = dense(relationship.factor())
        np.testing.assert_allclose(L @ L.T, K, atol=1e-7 * K.max())
        assert L.shape == (len(K), np.linalg.matrix_rank(K))

    def test_diagonal(self, relationship, K):
        np.testing.assert_allclose(relationship.diagonal(), np.diag(K))

    @pytest.mark.parametrize("method", ["precision", "logdet"])
    def test_what_needs_an_inverse_is_refused(self, relationship, K, method):
        rank = np.linalg.matrix_rank(K)
        match = rf"relmat\['g'\] is singular \(rank {rank} of 6\).*engine='whitened'"
        with pytest.raises(RelationshipError, match=match):
            getattr(relationship, method)()


@pytest.mark.parametrize("form", [np.asarray, sparse.csc_array])
def test_indefinite_covariance(form):
    K = np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, 5.0]])
    relationship = CovarianceRelationship(pd.RangeIndex(3), form(K), "relmat['g']")
    for method in ("factor", "precision", "logdet"):
        with pytest.raises(RelationshipError, match=r"relmat\['g'\].*eigenvalue is -1.*bend"):
            getattr(relationship, method)()
    np.testing.assert_array_equal(relationship.diagonal(), [1.0, 1.0, 5.0])


@pytest.mark.parametrize("method", ["factor", "logdet", "diagonal"])
@pytest.mark.parametrize("P", [np.diag([1.0, -1.0]), np.ones((2, 2)), np.zeros((2, 2))])
def test_precision_that_is_none(P, method):
    relationship = PrecisionRelationship(pd.RangeIndex(2), sparse.csc_array(P), "precision['g']")
    with pytest.raises(RelationshipError, match=r"precision\['g'\] is not positive definite"):
        getattr(relationship, method)()


def test_inverse_that_loses_digits_is_told():
    K = np.ones((5, 5)) + 1e-11 * np.eye(5)
    relationship = CovarianceRelationship(pd.RangeIndex(5), K, "relmat['g']")
    with pytest.warns(IllConditionedWarning, match=r"relmat\['g'\].*whitened"):
        relationship.precision()


def test_inverse_that_keeps_its_digits_is_not_remarked():
    CovarianceRelationship(pd.RangeIndex(5), np.ones((5, 5)) + 1e-5 * np.eye(5)).precision()


def test_sparse_covariance_needs_no_fill_in():
    """An arrow that points the wrong way fills up unless it is permuted."""
    K = np.eye(30) * 40.0
    K[0, :] = K[:, 0] = 1.0
    K[0, 0] = 40.0
    L = CovarianceRelationship(pd.RangeIndex(30), sparse.csc_array(K)).factor()
    assert sparse.issparse(L)
    assert L.nnz < 100
    np.testing.assert_allclose((L @ L.T).toarray(), K, atol=1e-12)
