"""Single step against its definition.

The matrices of published examples are not printed in full in any source at hand; the pedigree and G
of Legarra, Aguilar & Misztal (2009, J. Dairy Sci. 92: 4656-4663) are, and their H follows by hand.
"""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import animalmm
from animalmm import Pedigree
from animalmm.errors import ArgumentError, IllConditionedWarning, RelationshipError
from animalmm.relationship import (
    CovarianceRelationship,
    PedigreeRelationship,
    as_labelled,
    blend,
    tune,
)
from animalmm.relationship.hmatrix import single_step

from .contract import Contract
from .test_single_step_apy import implied

RAW = {"blend": 0.0, "tune": None}  # G as it is given


def inbred_pedigree(n, rng):
    """Matings among few animals; one parent in ten unknown; rows shuffled."""
    parents = [
        (f"a{rng.integers(max(i - 8, 0), i)}", f"a{rng.integers(max(i - 8, 0), i)}")
        if i > 3
        else (None, None)
        for i in range(n)
    ]
    table = pd.DataFrame(parents, columns=["sire", "dam"])
    table.insert(0, "id", [f"a{i}" for i in range(n)])
    table.loc[rng.random(n) < 0.1, "dam"] = None
    return Pedigree(table.sample(frac=1.0, random_state=int(rng.integers(99))), allow_selfing=True)


def genomic(pedigree, ids, rng, markers=50):
    """A definite G that is like A22, but not too much."""
    A22 = pedigree.a_matrix(ids)
    M = np.linalg.cholesky(A22) @ rng.normal(size=(len(ids), markers))
    return 0.9 * pd.DataFrame(M @ M.T / markers, index=ids, columns=ids) + 0.1 * A22


def case(n=30, genotyped=12, seed=0):
    rng = np.random.default_rng(seed)
    pedigree = inbred_pedigree(n, rng)
    ids = list(rng.permutation(pedigree.labels)[:genotyped])
    return pedigree, genomic(pedigree, ids, rng), rng


def inverse_by_definition(pedigree, G, tau=1.0, omega=1.0):
    """Aguilar et al. (2010), dense."""
    A, ids = pedigree.a_matrix(), G.index
    P = pd.DataFrame(np.linalg.inv(A), A.index, A.columns)
    P.loc[ids, ids] += tau * np.linalg.inv(G) - omega * np.linalg.inv(A.loc[ids, ids])
    return P


def conditional(pedigree, G):
    """Var(u1 | u2) by the pedigree and Var(u2) = G (Legarra et al. 2009), joined."""
    A, two = pedigree.a_matrix(), list(G.index)
    one = [label for label in A.index if label not in G.index]
    B = A.loc[one, two].to_numpy() @ np.linalg.inv(A.loc[two, two])
    rest = A.loc[one, one].to_numpy() - B @ A.loc[two, one].to_numpy()
    H = np.block([[rest + B @ G.to_numpy() @ B.T, B @ G.to_numpy()], [G.to_numpy() @ B.T, G]])
    return pd.DataFrame(H, index=one + two, columns=one + two).loc[A.index, A.index]


def square(ids, K=None):
    K = np.eye(len(ids)) if K is None else K
    return pd.DataFrame(K, index=ids, columns=ids)


def inverse(H):
    return H.precision().toarray()


class TestSingleStep(Contract):
    pedigree, G, _ = case()
    K = conditional(pedigree, G).to_numpy()

    def make(self):
        return single_step(self.pedigree, self.G, **RAW)

    def test_is_used_by_its_inverse(self, relationship):
        assert relationship.prefers_precision
        assert relationship.labels.equals(self.pedigree.labels)

    def test_only_the_genotyped_block_differs_from_the_inverse_of_A(self, relationship):
        differs = (relationship.precision() - self.pedigree.a_inverse()).tocoo()
        genotyped = np.flatnonzero(relationship.labels.isin(self.G.index))
        assert set(differs.row[differs.data != 0]) <= set(genotyped)
        assert relationship.precision().nnz <= self.pedigree.a_inverse().nnz + len(self.G) ** 2

    def test_symmetric_to_the_last_bit(self, relationship):
        P = relationship.precision()
        assert abs(P - P.T).max() == 0.0


class TestWeighted(Contract):
    pedigree, G, _ = case(seed=1)
    K = np.linalg.inv(inverse_by_definition(pedigree, G, 1.6, 0.7))

    def make(self):
        return single_step(self.pedigree, self.G, tau=1.6, omega=0.7, **RAW)


class TestApy(Contract):
    pedigree, G, _ = case(seed=2)
    K = conditional(pedigree, square(G.index, implied(G.to_numpy(), np.arange(12) < 5))).to_numpy()

    def make(self):
        return single_step(self.pedigree, self.G, core=list(self.G.index[:5]), **RAW)


class TestAllGenotyped(Contract):
    pedigree, G, _ = case(n=10, genotyped=10)
    K = G.loc[pedigree.labels, pedigree.labels].to_numpy()

    def make(self):
        return single_step(self.pedigree, self.G, **RAW)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(5, 25),
    share=st.floats(0.05, 1.0),
    tau=st.floats(0.1, 3.0),
    omega=st.floats(0.0, 1.0),
)
def test_definition(seed, n, share, tau, omega):
    pedigree, G, _ = case(n, max(1, round(share * n)), seed)
    H = single_step(pedigree, G, tau=tau, omega=omega, **RAW)
    expected = inverse_by_definition(pedigree, G, tau, omega)
    assert list(H.labels) == list(expected.index)
    scale = abs(expected.to_numpy()).max()
    np.testing.assert_allclose(inverse(H), expected, atol=1e-11 * scale)
    dense = np.linalg.inv(expected)
    assert H.logdet() == pytest.approx(np.linalg.slogdet(dense)[1], abs=1e-9)
    np.testing.assert_allclose(H.diagonal(), np.diag(dense), rtol=1e-9)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6), share=st.floats(0.1, 0.9))
def test_inverse_of_the_conditional_construction(seed, share):
    pedigree, G, _ = case(20, round(share * 20), seed)
    H = conditional(pedigree, G)
    P = inverse(single_step(pedigree, G, **RAW))
    np.testing.assert_allclose(P @ H.to_numpy(), np.eye(20), atol=1e-9)


@pytest.mark.parametrize("options", [RAW, {}, {"tau": 0.5, "omega": 0.5}, {"tune": "vitezica"}])
def test_G_of_the_pedigree_changes_nothing(options):
    pedigree, G, _ = case(seed=3)
    A22 = pedigree.a_matrix(G.index)
    H = single_step(pedigree, A22, **options)
    np.testing.assert_allclose(inverse(H), pedigree.a_inverse().toarray(), atol=1e-10)
    assert H.logdet() == pytest.approx(pedigree.logdet(), abs=1e-10)


def test_example_of_legarra_et_al():
    """Founders 1 to 8, their progeny 9 to 12 genotyped and related by 0.7.

    Pedigree and G are those of the paper; the elements below follow by hand, since 9 to 12 are
    neither inbred nor related by pedigree: B of 13 = (9 + 10)/2 is (1/2, 1/2, 0, 0), its
    Mendelian sampling 1/2, and so on.
    """
    sire = [None] * 8 + [1, 3, 5, 7, 9, 11, 11, 13, 13]
    dam = [None] * 8 + [2, 4, 6, 8, 10, 12, 4, 15, 14]
    pedigree = Pedigree(pd.DataFrame({"id": range(1, 18), "sire": sire, "dam": dam}))
    ids = [9, 10, 11, 12]
    G = pd.DataFrame(0.7 + 0.3 * np.eye(4), index=ids, columns=ids)
    H = single_step(pedigree, G, **RAW).to_frame()
    np.testing.assert_allclose(H.loc[ids, ids], G, atol=1e-12)
    expected = {
        (1, 2): 0.0,  # parents of 9, which has Var 1 in G as in A: nothing learnt of them
        (1, 3): 0.25 * 0.7,  # each half of what 9 and 10 share
        (1, 9): 0.5,
        (1, 10): 0.35,
        (13, 13): 0.5 + 0.25 * (2 + 2 * 0.7),
        (13, 14): 0.7,
        (17, 17): 0.5 + 0.25 * (1.35 + 1.35 + 2 * 0.7),
        (15, 11): 0.5 + 0.5 * 0.35,  # progeny of 11 and of 4, a parent of 10
    }
    for (i, j), value in expected.items():
        assert H.loc[i, j] == pytest.approx(value, abs=1e-12)


def test_order_of_the_genotyped_animals_does_not_matter():
    pedigree, G, rng = case()
    shuffled = rng.permutation(G.index)
    first, second = (single_step(pedigree, K) for K in (G, G.loc[shuffled, shuffled]))
    np.testing.assert_allclose(inverse(first), inverse(second), atol=1e-12)
    assert list(first.genotyped) == list(second.genotyped)
    assert set(first.genotyped) == set(G.index)


def test_forms_of_G():
    pedigree, G, _ = case()
    expected = inverse(single_step(pedigree, G))
    for form in (
        (G.to_numpy(), list(G.index)),
        CovarianceRelationship(G.index, G.to_numpy(), "markers", ("made of 50 markers",)),
    ):
        np.testing.assert_array_equal(inverse(single_step(pedigree, form)), expected)
    assert single_step(pedigree, form).history[0] == "made of 50 markers"


def test_forms_of_the_pedigree():
    """Any relationship with an inverse serves: a base of its own, as with metafounders."""
    pedigree, G, _ = case()
    by_class = single_step(PedigreeRelationship(pedigree), G, **RAW)
    np.testing.assert_array_equal(inverse(by_class), inverse(single_step(pedigree, G, **RAW)))
    doubled = pedigree.a_matrix() * 2
    H = single_step(CovarianceRelationship(pedigree.labels, doubled.to_numpy()), 2 * G, **RAW)
    np.testing.assert_allclose(inverse(H), inverse(by_class) / 2, atol=1e-10)
    assert H.logdet() == pytest.approx(by_class.logdet() + 30 * np.log(2), abs=1e-9)
    np.testing.assert_allclose(H.diagonal(), 2 * by_class.diagonal(), rtol=1e-9)


def test_default_tunes_then_blends():
    pedigree, G, _ = case()
    H = single_step(pedigree, G)
    A22 = pedigree.a_matrix(G.index)
    step = blend(tune(G, A22, "christensen"), A22, 0.05)
    expected = inverse_by_definition(pedigree, step.to_frame())
    np.testing.assert_allclose(inverse(H), expected, atol=1e-10)
    np.testing.assert_allclose(H.within.block(G.index), step.to_frame(), atol=1e-12)
    tuned, blended, made = H.history
    assert tuned.startswith("tuned (christensen)")
    assert blended.startswith("blended: 0.95 G + 0.05 A")
    assert made == "H^-1 of 30 animals, 12 of them genotyped, with tau = 1 and omega = 1"


@pytest.mark.parametrize(
    "options", [{"tau": 2.0}, {"omega": 0.4}, {"tune": "mean"}, {"blend": 0.2}]
)
def test_every_option_matters(options):
    pedigree, G, _ = case()
    changed = inverse(single_step(pedigree, G, **options))
    assert abs(changed - inverse(single_step(pedigree, G))).max() > 1e-3


def test_zeros_of_the_inverse_of_A22_are_not_stored():
    """Two families that share no ancestor, APY with one core animal of the first."""
    one, two = (inbred_pedigree(20, np.random.default_rng(s)).to_frame() for s in (1, 2))
    table = pd.concat([one, two.map(lambda x: x.replace("a", "b"), na_action="ignore")])
    pedigree = Pedigree(table, allow_selfing=True)
    ids = [label for label in pedigree.labels if int(label[1:]) >= 10]
    A22 = pedigree.a_matrix(ids)
    H = single_step(pedigree, A22, core=ids[:1], **RAW)
    core, families = ids[0], pd.Series(pedigree.labels).str[0].to_numpy()
    entries = H.precision().tocoo()
    between = families[entries.row] != families[entries.col]
    rows, columns = (pedigree.labels[at[between]] for at in (entries.row, entries.col))
    assert ((rows == core) | (columns == core)).all()


def test_fit_is_that_of_the_dense_matrix():
    rng = np.random.default_rng(5)
    pedigree = inbred_pedigree(60, rng)
    G = genomic(pedigree, list(pedigree.labels[20:50]), rng)
    H = single_step(pedigree, G)
    K = H.to_frame()
    u = np.linalg.cholesky(K) @ rng.normal(size=60)
    data = pd.DataFrame({"animal": np.repeat(pedigree.labels, 2), "y": np.repeat(u, 2)})
    data["y"] += 10 + rng.normal(size=120)
    fits = [
        animalmm.fit("y ~ 1 + (1 | animal)", data, relmat={"animal": matrix}, engine=engine)
        for matrix in (H, K)
        for engine in ("mme", "whitened")
    ]
    for found in fits[1:]:
        assert found.loglik() == pytest.approx(fits[0].loglik(), abs=1e-6)
        np.testing.assert_allclose(
            found.ranef("animal").loc[K.index], fits[0].ranef("animal").loc[K.index], atol=1e-4
        )


PEDIGREE = Pedigree(
    pd.DataFrame({"id": [1, 2, 3, 4], "sire": [None, None, 1, 1], "dam": [None, None, 2, 2]})
)
ONES = np.ones((2, 2))
BAD = {
    "not in the pedigree": (
        square([3, 7]),
        {},
        r"1 of 2 genotyped animals are not in the pedigree: 7\. Add them as rows",
    ),
    "another type": (square(["3", "4"]), {}, r"'3', '4'.*look alike.*int there, str in G"),
    "none": (
        CovarianceRelationship(pd.Index([]), np.empty((0, 0))),
        {},
        "no animals.*pedigree itself",
    ),
    "repeated": ((np.eye(2), [3, 3]), {}, "duplicated labels: 3"),
    "no labels": (np.eye(2), {}, "without labels"),
    "singular": (square([3, 4], ONES), RAW, r"G is singular .rank 1 of 2.*blend=0\.05"),
    "indefinite": (
        square([3, 4], 2 * ONES - np.eye(2)),
        RAW,
        r"G is not positive definite: its smallest eigenvalue is -1\. .*blend=0\.05",
    ),
    "tau": (square([3, 4]), {"tau": -1.0}, "tau must be a number that is not negative, not -1"),
    "omega": (square([3, 4]), {"omega": np.nan}, "omega must be a number.* not nan"),
    "omega as text": (square([3, 4]), {"omega": "1"}, "omega must be a number.* not '1'"),
    "omega too large": (
        square([3, 4], 1.5 * np.eye(2)),
        {"omega": 3.0, **RAW},
        r"not positive definite with tau = 1 and omega = 3.*omega <= 1",
    ),
    "nothing left": (square([3, 4]), {"tau": 0.0, **RAW}, "with tau = 0 and omega = 1"),
    "blend": (square([3, 4]), {"blend": 1.5}, "weight.*1.5"),
    "blend in words": (square([3, 4]), {"blend": "a"}, "weight.*'a'"),
    "tune": (square([3, 4]), {"tune": "kristensen"}, "kristensen"),
    "tune one animal": (square([3]), {}, "tuning by 'christensen'"),
    "core unknown": (square([3, 4]), {"core": [1]}, r"1 of the ids are not in G.*core.*: 1\."),
    "core repeated": (square([3, 4]), {"core": [3, 3]}, "repeated: 3"),
    "core empty": (square([3, 4]), {"core": []}, "core has no animals"),
    "core without rng": (square([3, 4]), {"core": 1}, r"core=1.*rng=numpy\.random"),
    "core too large": (
        square([3, 4]),
        {"core": 5, "rng": np.random.default_rng(0)},
        "core=5 must be a whole number between 1 and 2",
    ),
    "core of another type": (
        square([3, 4]),
        {"core": 1.5, "rng": np.random.default_rng(0)},
        "core=1.5 must be a whole number",
    ),
    "core as text": (square([3, 4]), {"core": "3"}, r"ids are a list of labels: \['3'\]"),
    "core explains": (
        square([3, 4], ONES),
        {"core": [3], **RAW},
        r"core explains 4 wholly.*blend=0\.05",
    ),
    "core singular": (
        square([1, 3, 4], np.ones((3, 3))),
        {"core": [3, 4], **RAW},
        "G among the core animals is singular",
    ),
}


@pytest.mark.parametrize(("G", "options", "match"), BAD.values(), ids=BAD)
def test_refused(G, options, match):
    with pytest.raises((ArgumentError, RelationshipError), match=match):
        single_step(PEDIGREE, G, **options)


def test_spelling_of_an_id_is_proposed():
    pedigree, G, _ = case()
    wrong = G.rename({"a29": "A29", G.index[0]: "a2x"}, axis=0)
    with pytest.raises(RelationshipError, match="Did you mean 'a2"):
        single_step(pedigree, wrong.set_axis(wrong.index, axis=1))


def test_nearly_singular_G_is_told():
    G = square([3, 4], ONES + 1e-12 * np.eye(2))
    with pytest.warns(IllConditionedWarning, match=r"G has condition.*H\^-1.*blend=0\.05"):
        single_step(PEDIGREE, G, **RAW)


def test_memory_is_asked_for_first(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "animalmm.relationship.hmatrix.require_memory", lambda *args: asked.append(args)
    )
    H = single_step(PEDIGREE, square([3, 4]))
    assert re.match("single step with 2 genotyped animals", asked[0][1])
    H.diagonal()
    assert asked[-1][1] == "the diagonal of H of single step"


def test_history_is_shown():
    H = single_step(PEDIGREE, square([3, 4]), core=[3])
    assert list(H.core) == [3]
    assert "inverted by APY with 1 core animals of 2" in H.history
    assert "APY" in repr(H)
    assert as_labelled(H, "relmat['animal']") is H
