"""Groups of unknown parents, fixed and random, and metafounders."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animalmm import Pedigree, fit
from animalmm.errors import ArgumentError, PedigreeError, RelationshipError
from animalmm.relationship.groups import genetic_groups, metafounders, quaas_westell

from ..pedigree.reference import tabular_a
from .contract import Contract

COLUMNS = ["id", "sire", "dam"]
GROUPS = ["g1", "g2"]

# Mrode (2014), Linear Models for the Prediction of Animal Breeding Values, 3rd ed., example 3.4.
CALVES = pd.DataFrame(
    [
        (1, "g1", "g2"),
        (2, "g1", "g2"),
        (3, "g1", "g2"),
        (4, 1, "g2"),
        (5, 3, 2),
        (6, 1, 2),
        (7, 4, 5),
        (8, 3, 6),
    ],
    columns=COLUMNS,
)
RECORDS = pd.DataFrame(
    {"id": [4, 5, 6, 7, 8], "sex": list("MFFMM"), "gain": [4.5, 2.9, 3.9, 3.5, 5.0]}
)
VARIANCES = {"id": 20.0, "Residual": 40.0}
# Sexes, animals 1 to 8, groups as on p. 284, "at convergence" without a constraint on the groups:
# a constant may pass from the sexes to all the others, here such that group 1 has zero. (The third
# decimals of those with a constraint, beside them, do not solve the equations.)
FREE = [4.509, 3.364, 0.182, 0.026, -0.014, -0.319, -0.150, 0.221, -0.389, 0.181, 0.949, -0.820]
SOLUTIONS = [x + 0.949 if i < 2 else x - 0.949 for i, x in enumerate(FREE)]

INBRED = pd.DataFrame(
    [
        ("a", "g1", "g2"),
        ("b", "g2", "g2"),
        ("c", "a", "b"),
        ("d", "a", "c"),
        ("e", "d", "g3"),
        ("f", "d", "c"),
        ("g", "g1", "f"),
        ("h", "f", "e"),
    ],
    columns=COLUMNS,
)
THREE = ["g1", "g2", "g3"]


def calves():
    return Pedigree(CALVES, groups=GROUPS)


def inbred(table=INBRED):
    return Pedigree(table, groups=THREE, allow_selfing=True)


def shares(pedigree):
    """Q row by row: the mean of the parents', a group's being a unit vector."""
    Q = np.zeros((pedigree.n, len(pedigree.groups)))
    unit = np.eye(len(pedigree.groups))
    for i in range(pedigree.n):
        for parent, group in (
            (pedigree.sire[i], pedigree.sire_group[i]),
            (pedigree.dam[i], pedigree.dam_group[i]),
        ):
            Q[i] += 0.5 * (Q[parent] if parent >= 0 else unit[group] if group >= 0 else 0.0)
    return Q


def random_groups(pedigree, variance):
    """The covariance of g and u + Q g."""
    Q = shares(pedigree)
    K = variance * np.vstack([np.eye(Q.shape[1]), Q]) @ np.vstack([np.eye(Q.shape[1]), Q]).T
    K[Q.shape[1] :, Q.shape[1] :] += tabular_a(pedigree.sire, pedigree.dam)
    return K


def with_gamma(pedigree, gamma):
    """A^Gamma by the tabular method, metafounders first (Legarra et al. 2015)."""
    m = len(gamma)
    A = np.zeros((m + pedigree.n, m + pedigree.n))
    A[:m, :m] = gamma
    sire = np.where(pedigree.sire >= 0, pedigree.sire + m, pedigree.sire_group)
    dam = np.where(pedigree.dam >= 0, pedigree.dam + m, pedigree.dam_group)
    for i, (s, d) in enumerate(zip(sire, dam, strict=True), start=m):
        A[i, :i] = A[:i, i] = 0.5 * (A[s, :i] + A[d, :i])
        A[i, i] = 1.0 + 0.5 * A[s, d]
    return A


def test_inverse_of_mrode():
    """A^-1 of animals and groups as printed on p. 58, groups last."""
    printed = """
        1.83  0.50  0.00 -0.67  0.00 -1.00  0.00  0.00 -0.50 -0.17
        0.50  2.00  0.50  0.00 -1.00 -1.00  0.00  0.00 -0.50 -0.50
        0.00  0.50  2.00  0.00 -1.00  0.50  0.00 -1.00 -0.50 -0.50
       -0.67  0.00  0.00  1.83  0.50  0.00 -1.00  0.00  0.00 -0.67
        0.00 -1.00 -1.00  0.50  2.50  0.00 -1.00  0.00  0.00  0.00
       -1.00 -1.00  0.50  0.00  0.00  2.50  0.00 -1.00  0.00  0.00
        0.00  0.00  0.00 -1.00 -1.00  0.00  2.00  0.00  0.00  0.00
        0.00  0.00 -1.00  0.00  0.00 -1.00  0.00  2.00  0.00  0.00
       -0.50 -0.50 -0.50  0.00  0.00  0.00  0.00  0.00  0.75  0.75
       -0.17 -0.50 -0.50 -0.67  0.00  0.00  0.00  0.00  0.75  1.08
    """
    inverse, labels = quaas_westell(calves())
    at = labels.get_indexer([*range(1, 9), *GROUPS])
    expected = np.array(printed.split(), dtype=float).reshape(10, 10)
    np.testing.assert_allclose(inverse.toarray()[np.ix_(at, at)], expected, atol=5.1e-3)


def test_solutions_of_mrode():
    """The mixed model equations with A*^-1 times 2, group 1 constrained to zero."""
    inverse, labels = quaas_westell(calves())
    X = pd.get_dummies(RECORDS["sex"])[["M", "F"]].to_numpy(dtype=float)
    Z = (RECORDS["id"].to_numpy()[:, None] == labels.to_numpy()[None]).astype(float)
    W = np.hstack([X, Z])
    C = W.T @ W
    C[2:, 2:] += 2.0 * inverse.toarray()
    free = np.arange(len(C)) != 2 + labels.get_loc("g1")
    solution = np.zeros(len(C))
    solution[free] = np.linalg.solve(C[np.ix_(free, free)], (W.T @ RECORDS["gain"])[free])
    by_label = pd.Series(solution, index=["M", "F", *labels])
    expected = pd.Series(SOLUTIONS, index=["M", "F", *range(1, 9), *GROUPS])
    np.testing.assert_allclose(by_label[expected.index], expected, atol=1.1e-3)


def test_groups_as_covariates_in_a_fit():
    """The same solutions with the share of the second group as a covariate."""
    pedigree = calves()
    Q = pedigree.group_shares()
    data = RECORDS.assign(q2=Q.loc[RECORDS["id"], "g2"].to_numpy())
    relmat = {"id": pedigree.without_groups()}
    found = fit("gain ~ 0 + sex + q2 + (1 | id)", data, relmat, fixed=VARIANCES)
    beta = found.fixef()
    expected = dict(zip(["sexM", "sexF", "q2"], [*SOLUTIONS[:2], SOLUTIONS[-1]], strict=True))
    np.testing.assert_allclose(beta[list(expected)], list(expected.values()), atol=1.1e-3)
    u = found.ranef()["(Intercept)"] + beta["q2"] * Q["g2"]
    np.testing.assert_allclose(u[list(range(1, 9))], SOLUTIONS[2:10], atol=1.1e-3)


@pytest.mark.parametrize("variance", [1e4, 1e6])
def test_random_groups_of_large_variance_are_fixed_ones(variance):
    """What can be estimated, sex and animal together, differs by an order of 1 / variance."""
    K = genetic_groups(calves(), variance)
    found = fit("gain ~ 0 + sex + (1 | id)", RECORDS, {"id": K}, fixed=VARIANCES)
    beta, u = found.fixef(), found.ranef()["(Intercept)"]
    together = beta["sexM"] + u[list(range(1, 9))]
    expected = np.array(SOLUTIONS[2:10]) + SOLUTIONS[0]
    np.testing.assert_allclose(together, expected, atol=2.1e-3 + 100 / variance)
    assert u["g2"] - u["g1"] == pytest.approx(SOLUTIONS[-1], abs=2e-3 + 100 / variance)


class TestRandomGroups(Contract):
    @property
    def K(self):
        return random_groups(inbred(), 0.7)

    def make(self):
        return genetic_groups(inbred(), 0.7)

    def test_levels(self, relationship):
        assert list(relationship.labels) == [*THREE, *inbred().labels]


class TestMetafounders(Contract):
    gamma = pd.DataFrame(
        [[0.6, 0.2, -0.1], [0.2, 0.9, 0.3], [-0.1, 0.3, 1.1]], index=THREE, columns=THREE
    )

    @property
    def K(self):
        return with_gamma(inbred(), self.gamma.to_numpy())

    def make(self):
        return metafounders(inbred(), self.gamma)

    def test_labels_of_gamma_are_matched(self, relationship):
        turned = self.gamma.loc[["g3", "g1", "g2"], ["g2", "g3", "g1"]]
        found = metafounders(inbred(), turned)
        np.testing.assert_allclose(found.to_frame(), relationship.to_frame(), atol=1e-14)

    def test_order_of_rows_does_not_matter(self, relationship):
        found = metafounders(inbred(INBRED.iloc[::-1]), self.gamma)
        block = found.block(relationship.labels)
        np.testing.assert_allclose(block, relationship.to_frame(), atol=1e-14)


@st.composite
def grouped(draw):
    """A random pedigree; every unknown parent is of one of three groups."""
    n = draw(st.integers(3, 20))
    rows = [(f"x{i}", THREE[i], THREE[i]) for i in range(3)]
    for i in range(3, n):
        parents = st.sampled_from([*THREE, *(row[0] for row in rows)])
        rows.append((f"x{i}", draw(parents), draw(parents)))
    return pd.DataFrame(rows, columns=COLUMNS)


@given(table=grouped(), data=st.data())
@settings(max_examples=40)
def test_definitions(table, data):
    pedigree = inbred(table.iloc[data.draw(st.permutations(range(len(table))))])
    K = random_groups(pedigree, 2.0)
    found = genetic_groups(pedigree, 2.0)
    np.testing.assert_allclose(found.to_frame(), K, atol=1e-13)
    np.testing.assert_allclose(found.diagonal(), np.diag(K), atol=1e-13)

    seeds = np.random.default_rng(data.draw(st.integers(0, 100))).normal(size=(3, 5))
    gamma = 0.1 * seeds @ seeds.T
    gamma *= 1.5 / gamma.max()
    frame = pd.DataFrame(gamma, index=THREE, columns=THREE)
    A = with_gamma(pedigree, gamma)
    found = metafounders(pedigree, frame)
    np.testing.assert_allclose(found.to_frame(), A, atol=1e-12)
    np.testing.assert_allclose(found.diagonal(), np.diag(A), atol=1e-12)
    np.testing.assert_allclose(found.precision() @ A, np.eye(len(A)), atol=1e-6)


@given(table=grouped())
@settings(max_examples=20)
def test_quaas_westell_by_its_factors(table):
    """``M' D^-1 M`` with ``M = (-Q, I)`` seen from A^-1: it removes what the groups explain."""
    pedigree = inbred(table)
    inverse, labels = quaas_westell(pedigree)
    M = np.hstack([-shares(pedigree), np.eye(pedigree.n)])
    expected = M.T @ np.linalg.inv(tabular_a(pedigree.sire, pedigree.dam)) @ M
    np.testing.assert_allclose(inverse.toarray(), expected, atol=1e-8)
    assert list(labels) == [*THREE, *pedigree.labels]
    limit = genetic_groups(pedigree, 1e8).precision()
    np.testing.assert_allclose(inverse.toarray(), limit.toarray(), atol=1e-7)


def one_group():
    table = INBRED.replace({"g2": "g1", "g3": "g1"})
    return Pedigree(table, groups=["g1"], allow_selfing=True)


@pytest.mark.parametrize("gamma", [0.3, np.float64(1.2), 1])
def test_one_metafounder(gamma):
    """A^Gamma = (1 - gamma/2) A + gamma 11', also with one known parent."""
    pedigree = one_group()
    found = metafounders(pedigree, gamma).block(pedigree.labels)
    A = pedigree.without_groups().a_matrix()
    np.testing.assert_allclose(found, (1 - gamma / 2) * A + gamma, atol=1e-13)


def test_small_gamma_is_no_gamma():
    pedigree = inbred()
    tiny = pd.DataFrame(1e-9 * np.eye(3), index=THREE, columns=THREE)
    found = metafounders(pedigree, tiny).block(pedigree.labels)
    np.testing.assert_allclose(found, pedigree.without_groups().a_matrix(), atol=1e-8)


def test_fit_with_metafounders():
    K = metafounders(calves(), pd.DataFrame(np.eye(2) + 0.2, index=GROUPS, columns=GROUPS))
    found = fit("gain ~ 0 + sex + (1 | id)", RECORDS, {"id": K}, fixed=VARIANCES)
    dense = fit("gain ~ 0 + sex + (1 | id)", RECORDS, {"id": K.to_frame()}, fixed=VARIANCES)
    assert found.loglik() == pytest.approx(dense.loglik(), abs=1e-9)
    pd.testing.assert_frame_equal(found.ranef(), dense.ranef().loc[found.ranef().index])
    assert list(found.ranef().index[:2]) == GROUPS


def test_history():
    assert genetic_groups(calves(), 2).history == (
        "2 random groups of unknown parents ('g1', 'g2'), 2 times the additive variance",
    )
    assert metafounders(one_group(), 0.4).history == (
        "1 metafounders ('g1'), gamma_gg from 0.4 to 0.4",
    )


@pytest.mark.parametrize(
    "make", [lambda p: genetic_groups(p, 1.0), quaas_westell, lambda p: metafounders(p, 0.5)]
)
def test_pedigree_without_groups(make):
    with pytest.raises(PedigreeError, match=r"no groups of unknown parents: .*groups=\["):
        make(Pedigree(pd.DataFrame([("a", None, None)], columns=COLUMNS)))


@pytest.mark.parametrize("variance", [0.0, -1.0, np.inf, np.nan, "1", None])
def test_variances_that_cannot_be(variance):
    with pytest.raises(ArgumentError, match=r"positive and finite.*group_shares\(\)"):
        genetic_groups(calves(), variance)


def test_singular_pedigree_has_no_inverse():
    table = pd.DataFrame(
        [("a", "g1", "g2", None), ("b", None, None, "a")], columns=[*COLUMNS, "copy"]
    )
    pedigree = Pedigree(table, groups=GROUPS, clone_of="copy")
    with pytest.raises(RelationshipError, match=r"singular .rank 1 of 2"):
        quaas_westell(pedigree)


def test_unknown_parents_of_no_group():
    pedigree = Pedigree(INBRED.replace({"g3": None}), groups=GROUPS, allow_selfing=True)
    with pytest.raises(PedigreeError, match="which is not so for 'e': write the label"):
        metafounders(pedigree, TestMetafounders.gamma.loc[GROUPS, GROUPS])
    K = genetic_groups(pedigree, 1.5).to_frame().to_numpy()
    np.testing.assert_allclose(K, random_groups(pedigree, 1.5), atol=1e-14)


GAMMA = TestMetafounders.gamma


@pytest.mark.parametrize(
    ("gamma", "match"),
    [
        (0.5, "must be a DataFrame with the groups.*'g1', 'g2', 'g3'.*one group only"),
        (GAMMA.to_numpy(), "must be a DataFrame"),
        (GAMMA.iloc[:2, :2], "'g3' are in one of them only"),
        (GAMMA.rename(index={"g3": "x"}, columns={"g3": "x"}), "'g3', 'x' are in one of them only"),
        (GAMMA * 0.0, "gamma is not a covariance matrix: it is zero"),
        (GAMMA * 0.0 + 1.0, "positive definite with a diagonal up to 2.*without_groups"),
        (GAMMA * 3.0, "largest diagonal element 3.3"),
        (GAMMA.where(np.triu(np.ones((3, 3), dtype=bool)), 0.0), "gamma is not symmetric"),
    ],
)
def test_gammas_that_cannot_be(gamma, match):
    with pytest.raises(RelationshipError, match=match):
        metafounders(inbred(), gamma)


def test_a_pedigree_with_groups_is_not_taken_without_a_word():
    with pytest.raises(RelationshipError, match=r"'g1', 'g2'.*group_shares.*genetic_groups.*metaf"):
        fit("gain ~ 0 + sex + (1 | id)", RECORDS, {"id": calves()}, fixed=VARIANCES)
