import numpy as np
import pandas as pd
import pytest

from animalmm import bend, fit
from animalmm.errors import ArgumentError, MatrixChangedWarning, RelationshipError

IDS = list("abcd")


def labelled(K):
    return pd.DataFrame(K, index=IDS, columns=IDS)


def indefinite():
    K = np.eye(4)
    K[0, 1] = K[1, 0] = 2.0
    return labelled(K)


def test_definite_matrix_is_given_back():
    K = labelled(np.eye(4) + 0.5)
    assert bend(K) is K


def test_values():
    K = indefinite()
    with pytest.warns(MatrixChangedWarning) as caught:
        bent = bend(K, smallest=0.01)
    # eigenvalues -1, 1, 1, 3 of mean 1: the first becomes 0.01, along (1, -1) / sqrt 2
    expected = np.eye(4)
    expected[:2, :2] = [[1.505, 1.495], [1.495, 1.505]]
    np.testing.assert_allclose(bent, expected, atol=1e-12)
    assert bent.index.equals(K.index)
    assert bent.columns.equals(K.columns)
    message = str(caught[0].message)
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
    smallest = np.linalg.eigvalsh(bent)[0]
    assert smallest == pytest.approx(1e-6, rel=1e-3)


def test_bending_twice_changes_nothing_more():
    with pytest.warns(MatrixChangedWarning):
        bent = bend(indefinite(), smallest=1e-3)
    np.testing.assert_allclose(bend(bent, smallest=0.5e-3), bent)


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
        (np.eye(3), "DataFrame"),
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
        found = bend(K[["d", "a", "b", "c"]])
    np.testing.assert_allclose(found.loc[IDS, IDS], expected, atol=1e-12)


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
