"""Every kind of relationship: the contract, and what is its own."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from animalmm import Pedigree, fit
from animalmm.errors import ArgumentError, IllConditionedWarning, RelationshipError
from animalmm.pedigree.descent.gene_flow import GeneFlow
from animalmm.relationship import (
    CovarianceRelationship,
    GeneFlowRelationship,
    IdentityRelationship,
    PedigreeRelationship,
    PrecisionRelationship,
    as_labelled,
    as_relationship,
)

from .contract import Contract, ProtocolContract


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


class TestGeneFlowWithClones(Contract):
    """c is a copy of a, and e the progeny of c and b: a, b and e alone have terms of their own."""

    K = np.array([[1, 0, 1, 0.5], [0, 1, 0, 0.5], [1, 0, 1, 0.5], [0.5, 0.5, 0.5, 1]])

    def make(self):
        P = sparse.csr_array(np.array([[0] * 4, [0] * 4, [1, 0, 0, 0], [0, 0.5, 0.5, 0]]))
        flow = GeneFlow(P, np.array([1, 1, 0, 0.5]), np.array([0, 0, 1, 2]), np.ones(4))
        return GeneFlowRelationship(pd.Index(list("abce")), flow)

    def test_those_without_a_variance_are_named(self, relationship):
        with pytest.raises(RelationshipError, match=r"rank 3 of 4.: 'c' have no.*'whitened'"):
            relationship.precision()

    def test_factor_is_sparse(self, relationship):
        assert sparse.issparse(relationship.factor())


class TestPedigreeWithClones(Contract):
    """C is a copy of B, and D the progeny of A and C."""

    K = np.array([[1, 0, 0, 0.5], [0, 1, 1, 0.5], [0, 1, 1, 0.5], [0.5, 0.5, 0.5, 1]])

    def make(self):
        table = pd.DataFrame(
            {
                "id": list("ABCD"),
                "sire": [None, None, None, "A"],
                "dam": [None, None, None, "C"],
                "copy": [None, None, "B", None],
            }
        )
        return PedigreeRelationship(Pedigree(table, clone_of="copy"))


def low_rank():
    M = np.arange(12.0).reshape(6, 2)
    return M @ M.T


class TestLowRank(Contract):
    K = low_rank()
    atol = 1e-5  # 1e-7 of the largest element
    form = staticmethod(np.asarray)

    def make(self):
        return CovarianceRelationship(pd.RangeIndex(6), self.form(self.K.copy()), "relmat['g']")

    def test_remedy(self, relationship):
        for method in (relationship.precision, relationship.logdet):
            with pytest.raises(RelationshipError, match=r"relmat\['g'\].*engine='whitened'.*blend"):
                method()


class TestLowRankSparse(TestLowRank):
    form = staticmethod(sparse.csc_array)


class TestClones(TestLowRank):
    K = np.kron(np.ones((2, 2)), wishart(3))


class TestClonesSparse(TestClones):
    form = staticmethod(sparse.csc_array)


class TestSingularBlocks(TestLowRank):
    """One family of clones, one of sibs, one level without variance, far apart in the order."""

    K = np.diag([1.0, 1.0, 2.0, 1.0, 0.0, 1.0])
    K[0, 3] = K[3, 0] = 1.0
    K[1, 5] = K[5, 1] = 0.5
    form = staticmethod(sparse.csc_array)

    def test_factor_stays_sparse(self, relationship):
        assert relationship.factor().nnz == 2 + 3 + 1


class Plain:
    """A class of a user's own, which gives what the Protocol promises and no more."""

    def __init__(self, K):
        self._K = K
        self.labels = pd.Index([f"p{i}" for i in range(len(K))])
        self.size = len(K)
        self.prefers_precision = False

    def factor(self):
        return np.linalg.cholesky(self._K)

    def precision(self):
        P = np.linalg.inv(self._K)
        return sparse.csc_array((P + P.T) / 2)

    def logdet(self):
        return float(np.linalg.slogdet(self._K)[1])

    def diagonal(self):
        return np.diag(self._K).copy()


class TestOwnClass(ProtocolContract):
    K = wishart(5, seed=4)

    def make(self):
        return Plain(self.K)

    def test_relmat_takes_it_as_it_is(self, relationship):
        assert as_relationship(relationship, "relmat['g']") is relationship

    def test_functions_of_relationships_take_it(self, relationship):
        np.testing.assert_allclose(as_labelled(relationship, "K").to_frame(), self.K)

    def test_what_it_lacks_is_named(self, relationship, monkeypatch):
        monkeypatch.delattr(Plain, "logdet")
        with pytest.raises(RelationshipError, match=r"Plain, which lacks 'logdet'"):
            as_relationship(relationship, "relmat['g']")


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
    q = 200
    K = np.eye(q) * 400.0
    K[0, :] = K[:, 0] = 1.0
    K[0, 0] = 400.0
    L = CovarianceRelationship(pd.RangeIndex(q), sparse.csc_array(K)).factor()
    assert sparse.issparse(L)
    assert L.nnz < 2 * q
    np.testing.assert_allclose((L @ L.T).toarray(), K, atol=1e-12)


def test_sparse_covariance_of_many_families_keeps_an_inverse_that_is_sparse():
    family = np.array([[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0]])
    K = sparse.csc_array(sparse.kron(family, sparse.eye_array(400)))
    relationship = CovarianceRelationship(pd.RangeIndex(1200), K)
    P = relationship.precision()
    assert P.nnz == K.nnz
    np.testing.assert_allclose((P @ K).toarray(), np.eye(1200), atol=1e-12)
    assert relationship.logdet() == pytest.approx(400 * np.linalg.slogdet(family)[1])


def test_sparse_forms_are_refused_in_time_when_memory_does_not_suffice(monkeypatch):
    """A path of 1000 levels: sparse itself and its factor, not so its inverse."""
    monkeypatch.setattr("animalmm.linalg.memory.physical_memory", lambda: 2**20)
    K = sparse.diags_array([0.4, 1.0, 0.4], offsets=[-1, 0, 1], shape=(1000, 1000))
    relationship = CovarianceRelationship(pd.RangeIndex(1000), sparse.csc_array(K), "relmat['g']")
    assert relationship.factor().nnz < 4000
    relationship.logdet()
    with pytest.raises(ArgumentError, match=r"inverse of relmat\['g'\].*GiB.*Give the inverse"):
        relationship.precision()
    with pytest.raises(ArgumentError, match=r"a table of 1000 ids.*Choose fewer ids"):
        relationship.to_frame()
    assert relationship.block([0, 1]).loc[0, 1] == 0.4


def test_factor_of_a_deep_pedigree_is_refused_in_time(monkeypatch):
    """Two a generation, every animal the descendant of all before."""
    rows = [("s0", None, None), ("d0", None, None)]
    for g in range(1, 60):
        rows += [(f"s{g}", f"s{g - 1}", f"d{g - 1}"), (f"d{g}", f"s{g - 1}", f"d{g - 1}")]
    relationship = PedigreeRelationship(Pedigree(pd.DataFrame(rows, columns=["id", "sire", "dam"])))
    entries = relationship.factor().nnz
    monkeypatch.setattr("animalmm.linalg.memory.physical_memory", lambda: 24 * entries)
    with pytest.raises(ArgumentError, match=r"of 120 animals.*'auto' or 'mme'"):
        relationship.factor()
    monkeypatch.setattr("animalmm.linalg.memory.physical_memory", lambda: 32 * entries)
    relationship.factor()


def test_rounded_matrix_is_told_how_little_bending_changes():
    """Read from a text file with six decimals, a singular matrix has small negative eigenvalues."""
    M = np.random.default_rng(0).normal(size=(40, 10))
    K = np.round(M @ M.T / 10, 6)
    relationship = CovarianceRelationship(pd.RangeIndex(40), K, "relmat['g']")
    with pytest.raises(RelationshipError, match=r"is -\d.*e-0[67]. Bend it: .*no element by more"):
        relationship.factor()


def test_singular_pedigree_is_used_by_its_factor():
    P = sparse.csr_array(np.array([[0.0, 0, 0], [0, 0, 0], [1, 0, 0]]))
    flow = GeneFlow(P, np.array([1.0, 1.0, 0.0]), np.array([0, 0, 1]), np.ones(3))
    A = GeneFlowRelationship(pd.Index(["a", "b", "copy"]), flow)
    data = pd.DataFrame({"y": [1.0, 2.0, 3.0, 5.0], "g": ["a", "b", "copy", "b"]})
    known = {"g": 1.0, "Residual": 1.0}
    found = fit("y ~ 1 + (1 | g)", data, {"g": A}, fixed=known).ranef()
    expected = fit("y ~ 1 + (1 | g)", data, {"g": A.to_frame()}, fixed=known).ranef()
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert found.loc["a"].item() == pytest.approx(found.loc["copy"].item())
