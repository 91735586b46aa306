"""What every kind of relationship promises, tested once for all: the `Contract`.

A child gives `K`, the matrix, and `make`, the relationship that stands for it::

    class TestMine(Contract):
        K = np.eye(3)

        def make(self):
            return MyRelationship(...)
"""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from animalmm.errors import ArgumentError, RelationshipError


def dense(M):
    return M.toarray() if sparse.issparse(M) else np.asarray(M)


class ProtocolContract:
    """The promises of `animalmm.core.Relationship`: all that an engine asks for."""

    atol = 1e-10  # of elements of K

    @property
    def K(self):
        raise NotImplementedError

    def make(self):
        raise NotImplementedError

    @property
    def rank(self):
        return np.linalg.matrix_rank(self.K)

    @property
    def definite(self):
        return self.rank == len(self.K)

    @pytest.fixture
    def relationship(self):
        return self.make()

    def test_labels(self, relationship):
        assert isinstance(relationship.labels, pd.Index)
        assert relationship.labels.is_unique
        assert len(relationship.labels) == relationship.size == len(self.K)

    def test_prefers_precision_is_a_plain_bool_and_false_without_an_inverse(self, relationship):
        assert isinstance(relationship.prefers_precision, bool)
        assert self.definite or not relationship.prefers_precision

    def test_factor(self, relationship):
        L = dense(relationship.factor())
        np.testing.assert_allclose(L @ L.T, self.K, atol=self.atol)
        assert L.shape == (len(self.K), self.rank)

    def test_precision(self, relationship):
        if not self.definite:
            with pytest.raises(RelationshipError, match=r"singular .rank \d+ of \d+"):
                relationship.precision()
            return
        P = relationship.precision()
        assert sparse.issparse(P)
        assert P.format == "csc"
        np.testing.assert_allclose(P.toarray() @ self.K, np.eye(len(self.K)), atol=1e-8)
        np.testing.assert_allclose(P.toarray(), P.toarray().T, atol=1e-12)

    def test_logdet(self, relationship):
        if not self.definite:
            with pytest.raises(RelationshipError, match=r"singular .rank \d+ of \d+"):
                relationship.logdet()
            return
        expected = np.linalg.slogdet(self.K)[1]
        assert relationship.logdet() == pytest.approx(expected, abs=1e-9)
        assert isinstance(relationship.logdet(), float)

    def test_diagonal(self, relationship):
        diagonal = relationship.diagonal()
        assert diagonal.dtype == float
        np.testing.assert_allclose(diagonal, np.diag(self.K), rtol=1e-9)

    def test_forms_agree_whatever_the_order_of_asking(self):
        if not self.definite:
            return  # it has one form
        first, second = self.make(), self.make()
        before = [dense(first.factor()), first.logdet(), dense(first.precision())]
        after = [dense(second.precision()), second.logdet(), dense(second.factor())]
        for a, b in zip(before, reversed(after), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_asking_again_gives_the_same(self, relationship):
        np.testing.assert_array_equal(dense(relationship.factor()), dense(relationship.factor()))


class Contract(ProtocolContract):
    """What the package's own kinds give beyond the Protocol."""

    def test_rank(self, relationship):
        assert relationship.rank == self.rank

    def test_covariance(self, relationship):
        np.testing.assert_allclose(dense(relationship.covariance()), self.K, atol=self.atol)

    def test_table(self, relationship):
        table = relationship.to_frame()
        assert table.index.equals(relationship.labels)
        assert table.columns.equals(relationship.labels)
        np.testing.assert_allclose(table, self.K, atol=self.atol)

    def test_block_is_in_the_order_asked_for(self, relationship):
        ids = list(relationship.labels[::-2])
        block = relationship.block(ids)
        assert list(block.index) == list(block.columns) == ids
        np.testing.assert_allclose(block, relationship.to_frame().loc[ids, ids], atol=self.atol)

    def test_block_of_unknown_or_repeated_ids_is_refused(self, relationship):
        known = relationship.labels[0]
        with pytest.raises(ArgumentError, match=r"1 of the ids are not in .*: 'no such id'"):
            relationship.block([known, "no such id"])
        with pytest.raises(ArgumentError, match=r"ids are repeated: .*Name each once"):
            relationship.block([known, known])

    def test_products(self, relationship):
        q = len(self.K)
        V = np.random.default_rng(0).normal(size=(q, 3))
        np.testing.assert_allclose(relationship.matvec(V), self.K @ V, atol=1e-8)
        np.testing.assert_allclose(relationship.matvec(V[:, 0]), self.K @ V[:, 0], atol=1e-8)
        if self.definite:
            expected = np.linalg.solve(self.K, V)
            scale = abs(expected).max()
            np.testing.assert_allclose(relationship.solve(V), expected, atol=1e-8 * scale)
            np.testing.assert_allclose(
                relationship.solve(V[:, 0]), expected[:, 0], atol=1e-8 * scale
            )

    def test_description(self, relationship):
        found = relationship.describe()
        q = len(self.K)
        eigenvalues = np.linalg.eigvalsh(self.K)
        assert found["kind"] == type(relationship).__name__
        assert found["levels"] == q
        assert str(relationship.labels[0]) in found["labels"]
        assert 0 < found["density"] <= 1
        assert found["rank"] == self.rank
        assert found["mean diagonal"] == pytest.approx(np.trace(self.K) / q)
        off_diagonal = (self.K.sum() - np.trace(self.K)) / (q * (q - 1))
        assert found["mean off-diagonal"] == pytest.approx(off_diagonal, abs=1e-9)
        assert found["largest eigenvalue"] == pytest.approx(eigenvalues[-1])
        smallest = eigenvalues[0] if self.definite else 0.0
        assert found["smallest eigenvalue"] == pytest.approx(smallest, rel=1e-6)
        assert found["estimated"] == ""
        assert ("singular" in found["remarks"]) == (not self.definite)
        assert found["history"] == "; ".join(relationship.history)

    def test_repr_names_the_kind_and_the_first_labels(self, relationship):
        text = repr(relationship)
        assert type(relationship).__name__ in text
        assert f"{relationship.size} levels" in text
        assert str(relationship.labels[0]) in text
        assert len(text) < 1000

    def test_pickle(self, relationship):
        relationship.factor(), relationship.diagonal()
        again = pickle.loads(pickle.dumps(relationship))
        assert again.labels.equals(relationship.labels)
        assert again.history == relationship.history
        np.testing.assert_array_equal(dense(again.factor()), dense(relationship.factor()))

    def test_frozen(self, relationship):
        with pytest.raises(AttributeError):
            relationship.labels = pd.Index([])

    def test_equality_is_an_answer(self, relationship):
        assert relationship == relationship
        assert isinstance(relationship == self.make(), bool)
