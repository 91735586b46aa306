import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from animalmm import bend, fit
from animalmm.errors import ArgumentError, MatrixChangedWarning, RelationshipError
from animalmm.relationship import CovarianceRelationship, PrecisionRelationship

from .contract import Contract

IDS = list("abcd")


def labelled(K):
    return pd.DataFrame(K, index=IDS, columns=IDS)


def indefinite():
    K = np.eye(4)
    K[0, 1] = K[1, 0] = 2.0
    return labelled(K)


def test_definite_matrix_is_given_back():
    K = labelled(np.eye(4) + 0.5)
    found = bend(K)
    assert isinstance(found, CovarianceRelationship)
    pd.testing.assert_frame_equal(found.to_frame(), K)
    assert found.history == ()


def test_values():
    K = indefinite()
    with pytest.warns(MatrixChangedWarning) as caught:
        bent = bend(K, smallest=0.01)
    # eigenvalues -1, 1, 1, 3 of mean 1: the first becomes 0.01, along (1, -1) / sqrt 2
    expected = np.eye(4)
    expected[:2, :2] = [[1.505, 1.495], [1.495, 1.505]]
    np.testing.assert_allclose(bent.K, expected, atol=1e-12)
    assert bent.labels.equals(K.index)
    message = str(caught[0].message)
    assert bent.history == (f"bent: {message}",)
    assert bent.describe()["history"] == f"bent: {message}"
    for piece in ("1 of 4 eigenvalues", "below 0.01", "smallest -1", "more than 0.505"):
        assert piece in message
    assert caught[0].filename == __file__


def test_argument_is_left_alone():
    K = indefinite()
    with pytest.warns(MatrixChangedWarning):
        bend(K)
    pd.testing.assert_frame_equal(K, indefinite())


def test_singular_matrix_becomes_definite():
    with pytest.warns(MatrixChangedWarning, match="3 of 4"):
        bent = bend(labelled(np.ones((4, 4))))
    smallest = np.linalg.eigvalsh(bent.K)[0]
    assert smallest == pytest.approx(1e-6, rel=1e-3)


def test_bending_twice_changes_nothing_more():
    with pytest.warns(MatrixChangedWarning):
        bent = bend(indefinite(), smallest=1e-3)
    again = bend(bent, smallest=0.5e-3)
    np.testing.assert_allclose(again.K, bent.K)
    assert again.history == bent.history


def test_a_fit_takes_what_bend_gives():
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"y": rng.normal(size=40), "g": np.repeat(IDS, 10)})
    with pytest.warns(MatrixChangedWarning):
        K = bend(indefinite(), smallest=0.01)
    found = fit("y ~ 1 + (1 | g)", data, {"g": K}, fixed={"g": 1.0, "Residual": 1.0})
    assert found.ranef().shape == (4, 1)


@pytest.mark.parametrize(
    ("K", "match"),
    [
        (np.eye(3), "without labels"),
        (pd.DataFrame(np.ones((2, 3))), "square"),
        (labelled(np.eye(4)).replace(1.0, np.nan), "finite"),
        (labelled(np.diag([1.0, 1.0, 1.0, np.inf])), "finite"),
    ],
)
def test_refused(K, match):
    with pytest.raises((ArgumentError, RelationshipError), match=match):
        bend(K)


def test_labels_are_matched():
    K = indefinite() + np.diag([0.1, 0.2, 0.3, 0.4])
    with pytest.warns(MatrixChangedWarning):
        expected = bend(K)
    with pytest.warns(MatrixChangedWarning):
        found = bend(K.loc[["d", "a", "b", "c"]])
    assert list(found.labels) == ["d", "a", "b", "c"]
    np.testing.assert_allclose(found.block(IDS), expected.K, atol=1e-12)


@pytest.mark.parametrize(
    ("K", "match"),
    [
        (labelled(np.eye(4)).astype(str) + "?", "number"),
        (labelled(-np.eye(4)), "negative|eigenvalue"),
        (labelled(np.triu(np.ones((4, 4)))), "symmetric"),
    ],
    ids=["text", "negative", "one triangle"],
)
def test_what_cannot_be_bent_is_refused(K, match):
    with pytest.raises((ArgumentError, RelationshipError), match=match):
        bend(K)


@pytest.mark.parametrize("smallest", [0.0, -1e-6, 1.0, np.nan, "a", None])
def test_limit_out_of_range(smallest):
    with pytest.raises(ArgumentError, match="above 0 and below 1"):
        bend(indefinite(), smallest=smallest)


def test_every_form_that_relmat_takes():
    K = indefinite()
    given = CovarianceRelationship(K.index, K.to_numpy(), "G", ("made",))
    with pytest.warns(MatrixChangedWarning):
        expected = bend(K)
    for form in ((K.to_numpy(), IDS), given):
        with pytest.warns(MatrixChangedWarning):
            np.testing.assert_array_equal(bend(form).K, expected.K)
    with pytest.warns(MatrixChangedWarning):
        found = bend(given)
    assert found.source == "G"
    assert found.history[0] == "made"
    assert len(found.history) == 2


def test_indefinite_precision_is_not_bent_but_refused():
    P = indefinite()
    wrong = PrecisionRelationship(P.index, sparse.csc_array(P.to_numpy()))
    with pytest.raises(RelationshipError, match="not positive definite"):
        bend(wrong)


def test_no_element_changes_by_more_than_the_error_says():
    """The bound in the message of a matrix that is not positive semi-definite."""
    rng = np.random.default_rng(5)
    M = rng.normal(size=(30, 8))
    K = pd.DataFrame(np.round(M @ M.T, 3))
    with pytest.raises(RelationshipError, match="no element by more than") as caught:
        CovarianceRelationship(K.index, K.to_numpy()).factor()
    said = float(str(caught.value).split("by more than ")[1].split(";")[0])
    with pytest.warns(MatrixChangedWarning):
        change = abs(bend(K).K - K.to_numpy()).max()
    assert 0.01 * said < change <= said * 1.05


class TestBent(Contract):
    K = np.array([[1.505, 1.495, 0, 0], [1.495, 1.505, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])

    def make(self):
        with pytest.warns(MatrixChangedWarning):
            return bend(indefinite(), smallest=0.01)
