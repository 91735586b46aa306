import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from animalmm import Pedigree, fit
from animalmm.errors import RelationshipError
from animalmm.relationship import (
    CovarianceRelationship,
    IdentityRelationship,
    PedigreeRelationship,
    PrecisionRelationship,
    as_relationship,
    positions,
)

K = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.2], [0.0, 0.2, 1.5]])
IDS = ["p", "q", "r"]
PEDIGREE = pd.DataFrame({"id": IDS, "sire": [None, None, "p"], "dam": [None, None, "q"]})

FORMS = {
    "table": pd.DataFrame(K, index=IDS, columns=IDS),
    "table in another order": pd.DataFrame(K, index=IDS, columns=IDS).loc[["r", "p", "q"], IDS],
    "array and list": (K, IDS),
    "array and Index": (K, pd.Index(IDS)),
    "array and array": (K, np.array(IDS)),
    "array and Series": (K, pd.Series(IDS, index=[7, 8, 9])),
    "lists": (K.tolist(), IDS),
    "csc_array": (sparse.csc_array(K), IDS),
    "csr_matrix": (sparse.csr_matrix(K), IDS),
    "coo_array": (sparse.coo_array(K), tuple(IDS)),
    "integers": ((4 * np.eye(3, dtype=int)), IDS),
    "sparse columns": pd.DataFrame.sparse.from_spmatrix(
        sparse.csc_matrix(K), index=IDS, columns=IDS
    ),
}


def table(relationship):
    found = relationship.P if isinstance(relationship, PrecisionRelationship) else relationship.K
    found = found.toarray() if sparse.issparse(found) else found
    return pd.DataFrame(found, index=relationship.labels, columns=relationship.labels)


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("value", FORMS.values(), ids=FORMS)
def test_every_form(value, inverse):
    found = as_relationship(value, "relmat['g']", inverse=inverse)
    assert type(found) is (PrecisionRelationship if inverse else CovarianceRelationship)
    assert found.source == "relmat['g']"
    assert sorted(found.labels) == IDS
    expected = 4 * np.eye(3) if value is FORMS["integers"] else K
    np.testing.assert_array_equal(table(found).loc[IDS, IDS], expected)


def test_table_is_matched_by_label():
    shuffled = FORMS["table"].loc[["r", "p", "q"], ["q", "r", "p"]]
    found = as_relationship(shuffled, "K")
    assert list(found.labels) == ["r", "p", "q"]
    np.testing.assert_array_equal(table(found).loc[IDS, IDS], K)


def test_sparse_stays_sparse():
    assert sparse.issparse(as_relationship(FORMS["csc_array"], "K").K)
    assert sparse.issparse(as_relationship((K, IDS), "P", inverse=True).P)


def test_pedigree():
    pedigree = Pedigree(PEDIGREE)
    found = as_relationship(pedigree, "relmat['animal']")
    assert isinstance(found, PedigreeRelationship)
    assert found.pedigree is pedigree


def test_relationship_as_it_is():
    given = IdentityRelationship(pd.Index(IDS))
    assert as_relationship(given, "K") is given


@pytest.mark.parametrize("matrix", [K, sparse.csc_array(K)])
def test_categories_label_a_bare_matrix_in_their_order(matrix):
    categories = pd.Index(["r", "p", "q"])
    found = as_relationship(matrix, "K", categories=categories)
    assert list(found.labels) == ["r", "p", "q"]
    np.testing.assert_array_equal(table(found), K)


@pytest.mark.parametrize("categories", [None, pd.Index(["p", "q"]), pd.Index(list("pqrs"))])
def test_bare_matrix(categories):
    with pytest.raises(RelationshipError, match=r"without labels.*index=ids, columns=ids"):
        as_relationship(K, "relmat['g']", categories=categories)


def test_categories_do_not_override_labels():
    found = as_relationship((K, IDS), "K", categories=pd.Index(["x", "y", "z"]))
    assert list(found.labels) == IDS


def test_declared_order_in_a_fit():
    """Categories in another order than the alphabet, one without records."""
    rng = np.random.default_rng(0)
    order = ["d", "b", "a", "c"]
    G = np.diag([1.0, 2.0, 3.0, 4.0]) + 0.1
    values = rng.choice(["a", "b", "d"], size=30)
    data = pd.DataFrame({"y": rng.normal(size=30), "g": pd.Categorical(values, categories=order)})
    known = {"g": 0.5, "Residual": 1.0}
    bare = fit("y ~ 1 + (1 | g)", data, {"g": G}, fixed=known)
    named = fit(
        "y ~ 1 + (1 | g)", data, {"g": pd.DataFrame(G, index=order, columns=order)}, fixed=known
    )
    assert list(bare.ranef().index) == order
    pd.testing.assert_frame_equal(bare.ranef(), named.ranef())
    assert bare.blup().set_index("level").loc["c", "records"] == 0


def test_rounding_is_no_asymmetry():
    as_relationship((K * (1 + 1e-12 * np.tri(3)), IDS), "K")


BAD = {
    "duplicated": ((K, ["p", "p", "r"]), "duplicated labels: 'p'"),
    "missing label": ((K, ["p", None, "r"]), "missing labels"),
    "labels": ((K, ["p", "q"]), "3 x 3 but has 2 labels"),
    "empty": ((np.zeros((0, 0)), []), r"is empty: it has no rows and no ids"),
    "shape": ((K[:2], ["p", "q"]), r"shape \(2, 3\) and is not square"),
    "genotypes": (
        pd.DataFrame(np.ones((2, 5)), ["p", "q"]),
        r"not square.*holds genotypes at markers, animalmm\.grm\(M\)",
    ),
    "parts swapped": ((["p", "q"], np.eye(2)), r"no list of labels: give \(matrix, ids\)"),
    "one label": ((np.eye(1), "p"), r"no list of labels: give \(matrix, ids\)"),
    "dimensions": ((K[0], IDS), "1 dimension"),
    "text": (([["a"] * 3] * 3, IDS), "not numbers"),
    "infinite": ((np.where(K == 0.2, np.inf, K), IDS), "not finite.*'q', 'r'"),
    "infinite, sparse": ((sparse.csc_array(np.where(K == 0.2, np.nan, K)), IDS), "not finite.*'q'"),
    "asymmetric": ((np.triu(K), IDS), "not symmetric.*0.5.*'p', 'q', 'r'"),
    "asymmetric, sparse": ((sparse.csc_array(np.triu(K)), IDS), "not symmetric.*'p', 'q', 'r'"),
    "index": (pd.DataFrame(K, index=IDS, columns=list("pqs")), "different ids: 'r', 's'"),
    "pedigree table": (PEDIGREE.iloc[:2], r"animalmm\.Pedigree\(table\)"),
    "nothing": (None, "NoneType.*DataFrame"),
    "three": ((K, IDS, 1), "tuple.*DataFrame"),
}


@pytest.mark.parametrize(("value", "match"), BAD.values(), ids=BAD)
def test_refused(value, match):
    with pytest.raises(RelationshipError, match=match) as caught:
        as_relationship(value, "relmat['g']")
    assert "relmat['g']" in str(caught.value)


COLUMN = pd.Index([[label] for label in IDS], tupleize_cols=False)


@pytest.mark.parametrize(
    "value",
    [
        (K, [[label] for label in IDS]),
        (K, ["p", ["q"], "r"]),
        (K, np.array(IDS)[:, None]),
        pd.DataFrame(K, index=COLUMN, columns=IDS),
        pd.DataFrame(K, index=IDS, columns=COLUMN),
    ],
    ids=["lists", "one list", "column", "index", "columns"],
)
def test_labels_that_are_lists_themselves(value):
    with pytest.raises(RelationshipError, match=r"relmat\['g'\] .*lists themselves: .*flat list"):
        as_relationship(value, "relmat['g']")


@pytest.mark.parametrize("ids", [set(IDS), frozenset(IDS)], ids=["set", "frozenset"])
def test_labels_without_an_order(ids):
    with pytest.raises(RelationshipError, match=r"relmat\['g'\] .*set.* no order: give a list"):
        as_relationship((K, ids), "relmat['g']")


@pytest.mark.parametrize(
    "value",
    [
        IdentityRelationship(IDS),
        CovarianceRelationship(IDS, K),
        PrecisionRelationship(IDS, sparse.csc_array(K)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_relationship_whose_labels_are_a_list(value):
    match = r"relmat\['g'\] is a \w+ whose labels are a list; make them a pandas.Index"
    with pytest.raises(RelationshipError, match=match):
        as_relationship(value, "relmat['g']")


PAIRS = pd.MultiIndex.from_tuples([("p", 1), ("p", 2), ("q", 1)])


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame(K, index=PAIRS, columns=PAIRS),
        pd.DataFrame(K, index=IDS, columns=PAIRS),
        (K, PAIRS),
        (K, list(PAIRS)),
    ],
    ids=["table", "columns", "pair", "tuples"],
)
def test_labels_of_several_levels(value):
    with pytest.raises(
        RelationshipError, match=r"relmat\['g'\] has labels of 2 levels.*\('p', 1\)"
    ):
        as_relationship(value, "relmat['g']")


def test_table_whose_columns_became_text():
    """`read_csv(file, index_col=0)` makes integer ids text in the columns only."""
    read = pd.DataFrame(K, index=[1, 2, 3], columns=["1", "2", "3"])
    with pytest.raises(RelationshipError, match=r"look alike|type|int.*str"):
        as_relationship(read, "relmat['g']")


def test_covariance_object_is_no_precision():
    given = CovarianceRelationship(pd.Index(IDS), K)
    with pytest.raises(RelationshipError):
        as_relationship(given, "precision['g']", inverse=True)


def test_positions():
    labels = pd.Index(list("spqr"))
    found = positions(pd.Series(list("qqsr")), labels, "g", "relmat['g']")
    np.testing.assert_array_equal(found, [2, 2, 0, 3])


def test_positions_of_integers_that_missing_values_made_floats():
    found = positions(pd.Series([3.0, 1.0]), pd.Index([1, 2, 3]), "g", "K")
    np.testing.assert_array_equal(found, [2, 0])


MISSING = {
    "one": (["x"], list("pq"), ["1 level of column 'g' is not in K: 'x'", "leave their records"]),
    "seven": (
        [f"x{i}" for i in range(7)],
        list("pq"),
        ["7 levels of column 'g' are not in K: 'x0', .*'x4', ... .7 in all."],
    ),
    "int": ([1, 2], ["1", "2"], ["look alike", "str there, int in the data", r"astype\(str\)"]),
    "str": (["1", "2"], [1, 2], ["look alike", "int there, str in the data", r"astype\(int\)"]),
    "float": ([1.0, 2.0], ["1", "2"], ["look alike", "str there, float in the data"]),
}


@pytest.mark.parametrize(("values", "labels", "pieces"), MISSING.values(), ids=MISSING)
def test_positions_of_unknown_levels(values, labels, pieces):
    for piece in pieces:
        with pytest.raises(RelationshipError, match=piece):
            positions(pd.Series(values), pd.Index(labels), "g", "K")


@pytest.mark.parametrize("labels", [[1, 2], ["1", "2"], [1, "1", 2]])
def test_a_column_of_1_and_text_1_is_refused(labels):
    values = pd.Series([1, "1", 2, "other"], dtype=object)
    with pytest.raises(RelationshipError, match=r"'g'.*alike.*: 1, '1'. Make.*astype\(str\)"):
        positions(values, pd.Index(labels, dtype=object), "g", "K")


def test_mixed_labels_that_do_not_look_alike_are_matched():
    labels = pd.Index([1, "b", 2.5], dtype=object)
    found = positions(pd.Series(["b", 2.5, 1, 1], dtype=object), labels, "g", "K")
    np.testing.assert_array_equal(found, [1, 2, 0, 0])
