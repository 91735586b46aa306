"""Kronecker products: the forms, the labels of interactions, and a model of G x E."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from animalmm import Pedigree, fit
from animalmm.errors import ArgumentError, RelationshipError
from animalmm.relationship import (
    CovarianceRelationship,
    IdentityRelationship,
    KroneckerRelationship,
    PrecisionRelationship,
    combine,
    kronecker,
)

from .contract import Contract

PEDIGREE = Pedigree(
    pd.DataFrame(
        {
            "id": list("abcdef"),
            "sire": [None, None, None, "a", "a", "d"],
            "dam": [None, None, None, "b", "c", "e"],
        }
    )
)
A = PEDIGREE.a_matrix()
E = pd.DataFrame([[1.0, 0.4], [0.4, 1.5]], index=["dry", "wet"], columns=["dry", "wet"])
SINGULAR = pd.DataFrame(np.ones((2, 2)), index=["dry", "wet"], columns=["dry", "wet"])


class TestDense(Contract):
    K = np.kron(A, E)

    def make(self):
        return kronecker(A, E)

    def test_is_used_by_its_factor(self, relationship):
        assert not relationship.prefers_precision
        assert isinstance(relationship.factor(), np.ndarray)


class TestPedigree(TestDense):
    def make(self):
        return kronecker(PEDIGREE, E)

    def test_is_used_by_its_factor(self, relationship):
        """No longer: the pedigree is the larger part, and its inverse is sparse."""
        assert relationship.prefers_precision
        inverse = relationship.parts[0].precision()
        assert relationship.precision().nnz == inverse.nnz * 4
        assert sparse.issparse(relationship.factor())


class TestSingularPart(Contract):
    K = np.kron(A, SINGULAR)

    def make(self):
        return kronecker(PEDIGREE, SINGULAR)


class TestThreeParts(Contract):
    K = np.kron(np.kron(E, np.eye(2)), A.iloc[:3, :3] + 0.5)

    def make(self):
        P = sparse.csc_array(np.linalg.inv(A.iloc[:3, :3] + 0.5))
        ids = pd.Index(["u", "v"])
        return kronecker(
            E, IdentityRelationship(ids), PrecisionRelationship(pd.Index(list("xyz")), P)
        )


def test_labels_are_those_of_an_interaction():
    found = kronecker(
        CovarianceRelationship(pd.Index([1, 2]), np.eye(2)),
        CovarianceRelationship(pd.Index([3.0, 4.5]), np.eye(2)),
        CovarianceRelationship(pd.Index(["x", "y:z"]), np.eye(2)),
    )
    assert list(found.labels[:4]) == ["1:3:x", "1:3:'y:z'", "1:4.5:x", "1:4.5:'y:z'"]
    assert found.labels.is_unique


def test_order_of_the_labels_of_a_part_does_not_matter():
    ids = list("fbdace")
    expected = kronecker(A, E)
    found = kronecker(A.loc[ids, ids], E.iloc[::-1, ::-1])
    np.testing.assert_allclose(found.block(expected.labels), expected.to_frame(), atol=1e-15)
    levels = ["f:wet", "a:dry", "d:wet"]
    np.testing.assert_allclose(
        kronecker(PEDIGREE, E).block(levels), expected.to_frame().loc[levels, levels]
    )


def records(seed=0, n=60):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "y": rng.normal(size=n),
            "animal": rng.choice(list("bcdef"), size=n),
            "env": rng.choice(["wet", "dry"], size=n),
        }
    )


@pytest.mark.parametrize("engine", ["auto", "mme", "whitened"])
@pytest.mark.parametrize("pedigree", [PEDIGREE, A], ids=["pedigree", "table"])
def test_animals_in_environments(pedigree, engine):
    data = records()
    labels = [f"{a}:{e}" for a in A.index for e in E.index]
    whole = pd.DataFrame(np.kron(A, E), index=labels, columns=labels)
    formula = "y ~ env + (1 | animal:env)"
    expected = fit(formula, data, {"animal:env": whole})
    found = fit(formula, data, {"animal:env": kronecker(pedigree, E)}, engine=engine)
    assert found.loglik() == pytest.approx(expected.loglik(), abs=1e-8)
    known = {"animal:env": 0.7, "Residual": 1.0}
    a = fit(formula, data, {"animal:env": whole}, fixed=known).blup().set_index("level")
    b = fit(formula, data, {"animal:env": kronecker(pedigree, E)}, fixed=known, engine=engine)
    b = b.blup().set_index("level")
    assert set(a.index) == set(b.index) == set(labels)
    columns = ["blup", "se", "reliability"]
    np.testing.assert_allclose(b.loc[labels, columns], a.loc[labels, columns], atol=1e-9)
    assert b.loc["a:dry", "records"] == 0


def test_integer_animals_in_environments():
    data = records().assign(animal=lambda d: d["animal"].map(lambda a: ord(a) - ord("a") + 1))
    ids = list(range(1, 7))
    K = pd.DataFrame(A.to_numpy(), index=ids, columns=ids)
    data["env"] = (data["env"] == "wet").astype(int)
    env = pd.DataFrame(E.to_numpy(), index=[0, 1], columns=[0, 1])
    known = {"animal:env": 0.7, "Residual": 1.0}
    formula = "y ~ 1 + (1 | animal:env)"
    found = fit(formula, data, {"animal:env": kronecker(K, env)}, fixed=known)
    assert list(found.ranef().index[:3]) == ["1:0", "1:1", "2:0"]


def test_parts_in_the_wrong_order_are_told():
    with pytest.raises(RelationshipError, match=r"kronecker\(\) in the order of the columns"):
        fit("y ~ 1 + (1 | animal:env)", records(), {"animal:env": kronecker(E, A)})


def test_history_names_the_parts():
    blended = combine({"A": A, "I": IdentityRelationship(A.index)}, {"A": 0.9, "I": 0.1})
    found = kronecker(blended, E)
    assert found.history == ("K1: made as 0.9 A + 0.1 I", "made as K1 (x) K2")


def test_memory_is_estimated_before_the_dense_product(monkeypatch):
    monkeypatch.setattr("animalmm.linalg.memory.physical_memory", lambda: 2**20)
    K = CovarianceRelationship(pd.RangeIndex(30), np.eye(30))
    found = kronecker(K, K)
    assert found.logdet() == 0.0
    with pytest.raises(ArgumentError, match=r"Kronecker product needs .*GiB"):
        found.factor()


def test_refused():
    with pytest.raises(ArgumentError, match="at least 2"):
        kronecker(A)
    twins = CovarianceRelationship(pd.Index([1, "1"], dtype=object), np.eye(2))
    with pytest.raises(RelationshipError, match="read the same when they are joined: '1'"):
        kronecker(twins, E)


def test_the_class_takes_its_parts():
    found = KroneckerRelationship((IdentityRelationship(A.index), IdentityRelationship(E.index)))
    assert found.size == 12
    assert found.prefers_precision
