"""Weighted sums and products of relationships, matched by label."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from animalmm import Pedigree
from animalmm.errors import ArgumentError, RelationshipError
from animalmm.relationship import (
    CovarianceRelationship,
    IdentityRelationship,
    PrecisionRelationship,
    combine,
    hadamard,
)

from .contract import Contract

IDS = list("abcd")


def wishart(seed, q=4):
    M = np.random.default_rng(seed).normal(size=(q, 2 * q))
    return M @ M.T / (2 * q)


def table(K, ids=IDS):
    return pd.DataFrame(K, index=ids, columns=ids)


SHUFFLED = list("cadb")
ONE, TWO = table(wishart(1)), table(wishart(2))
SIBS = Pedigree(
    pd.DataFrame({"id": IDS, "sire": [None, None, "a", "a"], "dam": [None, None, "b", "b"]})
)


def test_sum_by_name_and_by_place():
    expected = 0.3 * ONE + 0.7 * TWO
    by_place = combine([ONE, TWO], [0.3, 0.7])
    by_name = combine({"A": ONE, "G": TWO}, {"G": 0.7, "A": 0.3})
    for found in (by_place, by_name):
        assert list(found.labels) == IDS
        np.testing.assert_allclose(found.K, expected, atol=1e-15)
    assert by_place.history == ("made as 0.3 K1 + 0.7 K2",)
    assert by_name.history == ("made as 0.3 A + 0.7 G",)


@pytest.mark.parametrize(
    "combined", [lambda *k: combine(k, [0.3, 0.7]), hadamard], ids=["sum", "product"]
)
def test_labels_are_matched(combined):
    expected = combined(ONE, TWO).to_frame()
    found = combined(ONE, TWO.loc[SHUFFLED, SHUFFLED])
    assert list(found.labels) == IDS
    np.testing.assert_allclose(found.to_frame(), expected, atol=1e-15)
    found = combined(ONE.loc[SHUFFLED, SHUFFLED], TWO)
    assert list(found.labels) == SHUFFLED
    np.testing.assert_allclose(found.block(IDS), expected, atol=1e-15)


def test_product():
    np.testing.assert_allclose(hadamard(ONE, TWO, ONE).K, ONE * TWO * ONE, atol=1e-15)


def test_every_kind_of_kernel():
    A = SIBS.a_matrix().loc[IDS, IDS]
    P = PrecisionRelationship(pd.Index(IDS), sparse.csc_array(np.linalg.inv(TWO)))
    unrelated = IdentityRelationship(pd.Index(SHUFFLED))
    found = combine([ONE, SIBS, P, unrelated], [1, 2, 3, 4])
    np.testing.assert_allclose(found.K, ONE + 2 * A + 3 * TWO + 4 * np.eye(4), atol=1e-12)
    np.testing.assert_allclose(hadamard(SIBS, SIBS).block(IDS), A**2, atol=1e-15)


def test_what_is_sparse_stays_sparse():
    S = sparse.csc_array(np.kron(np.eye(2), np.full((2, 2), 0.5)) + 0.5 * np.eye(4))
    kernel = CovarianceRelationship(pd.Index(IDS), S)
    unrelated = IdentityRelationship(pd.Index(SHUFFLED))
    assert combine([kernel, unrelated], [0.5, 0.5]).K.nnz == 8
    for product in (hadamard(kernel, ONE), hadamard(ONE, kernel)):
        assert sparse.issparse(product.K)
        assert product.K.nnz == 8
        np.testing.assert_allclose(product.to_frame(), ONE * S.toarray(), atol=1e-15)
    assert isinstance(combine([kernel, ONE], [1, 1]).K, np.ndarray)
    np.testing.assert_allclose(combine([kernel, ONE], [1, 1]).K, ONE + S.toarray())


def test_levels_that_all_have():
    more = table(wishart(3, 6), list("xdcbya"))
    found = combine([ONE, more], [1.0, 1.0], levels="common")
    assert list(found.labels) == IDS
    np.testing.assert_allclose(found.K, ONE + more.loc[IDS, IDS])
    product = hadamard(more, ONE, levels="common")
    assert list(product.labels) == list("dcba")
    np.testing.assert_allclose(product.block(IDS), ONE * more.loc[IDS, IDS])


def test_history_of_the_parts_is_kept():
    G = CovarianceRelationship(pd.Index(IDS), wishart(1), "G", ("blended: 5 %",))
    found = combine({"G": G, "A": SIBS}, {"G": 0.5, "A": 0.5})
    assert found.history == ("G: blended: 5 %", "made as 0.5 G + 0.5 A")
    assert "blended" in repr(found)


OTHER = table(wishart(3), list("abxy"))
NUMBERS, TEXTS = table(wishart(1), [1, 2, 3, 4]), table(wishart(2), list("1234"))
BAD = {
    "empty": (lambda: combine([], []), ArgumentError, "0 relationship matrices .*at least 1"),
    "one factor": (lambda: hadamard(ONE), ArgumentError, "1 relationship.*at least 2"),
    "a table": (lambda: combine(ONE, [1]), ArgumentError, "list or a mapping.*DataFrame"),
    "count": (lambda: combine([ONE, TWO], [1.0]), ArgumentError, "1 weights for 2 kernels"),
    "mixed": (lambda: combine({"a": ONE}, [1.0]), ArgumentError, "both be lists or both mappings"),
    "keys": (
        lambda: combine({"a": ONE, "b": TWO}, {"a": 1, "c": 1}),
        ArgumentError,
        "same keys; only one of them has 'b', 'c'",
    ),
    "negative": (lambda: combine([ONE, TWO], [2, -1]), ArgumentError, "none negative.*2, -1"),
    "words": (lambda: combine([ONE, TWO], [2, "a"]), ArgumentError, "finite.*'a'"),
    "one number": (lambda: combine([ONE, TWO], 0.5), ArgumentError, "both be lists or both map"),
    "keys that look alike": (
        lambda: combine({1: ONE, "1": TWO}, {1: 0.5, "1": 0.5}),
        ArgumentError,
        "keys of kernels look alike as text: 1, '1'",
    ),
    "nan": (lambda: combine([ONE, TWO], [2, np.nan]), ArgumentError, "finite"),
    "zeros": (lambda: combine([ONE, TWO], [0, 0]), ArgumentError, "not all zero"),
    "levels": (
        lambda: combine([ONE, OTHER], [1, 1]),
        RelationshipError,
        "K1 and K2 are not.*2 levels only in K1: 'c', 'd'; 2 levels only in K2: 'x', 'y'.*'common'",
    ),
    "subset": (
        lambda: hadamard(ONE, ONE.loc[["a", "b"], ["a", "b"]]),
        RelationshipError,
        "2 levels only in K1: 'c', 'd'. Give",
    ),
    "types": (
        lambda: combine([NUMBERS, TEXTS], [1, 1]),
        RelationshipError,
        "look alike but are of different types .int, str.: make them the same",
    ),
    "nothing common": (
        lambda: combine([ONE, TEXTS], [1, 1], levels="common"),
        RelationshipError,
        "no level in common",
    ),
    "option": (
        lambda: combine([ONE, TWO], [1, 1], levels="all"),
        ArgumentError,
        "'same' or 'common', not 'all'",
    ),
    "no matrix": (lambda: hadamard(ONE, 3), RelationshipError, "K2 is a int; give"),
    "no labels": (lambda: hadamard(ONE, np.eye(4)), RelationshipError, "K2 is a matrix without"),
}


@pytest.mark.parametrize(("call", "kind", "match"), BAD.values(), ids=BAD)
def test_refused(call, kind, match):
    with pytest.raises(kind, match=match):
        call()


class TestSum(Contract):
    K = 0.5 * wishart(1) + 2.0 * wishart(2)

    def make(self):
        return combine([ONE, TWO], [0.5, 2.0])


class TestSingularSum(Contract):
    K = np.kron(np.ones((2, 2)), np.array([[3.0, 0.5], [0.5, 3.0]]))
    atol = 1e-7

    def make(self):
        block = np.kron(np.ones((2, 2)), [[1.0, 0.5], [0.5, 1.0]])
        return combine([table(block), table(np.kron(np.ones((2, 2)), np.eye(2)))], [1.0, 2.0])


class TestProduct(Contract):
    K = wishart(1) * wishart(2)

    def make(self):
        return hadamard(ONE, TWO)
