"""One herd with a pedigree, its relationships in every form, and how fits are compared."""

from functools import cache

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm import Pedigree

ANIMAL = "y ~ sex + x + (1 | animal) + (1 | litter)"
SLOPES = "y ~ x + (x | g)"


@cache
def pedigree_table(n=90, seed=5):
    """Founders first; ids have no order of their own."""
    rng = np.random.default_rng(seed)
    names = [f"id{k}" for k in rng.permutation(n)]
    rows = []
    for k in range(n):
        if k < 14:
            rows.append((names[k], None, None))
        else:
            sire = rng.integers(0, k // 2) * 2
            dam = rng.integers(0, k // 2) * 2 + 1
            rows.append((names[k], names[sire], names[dam]))
    return pd.DataFrame(rows, columns=["id", "sire", "dam"])


@cache
def kinship():
    """A of the whole pedigree, labelled."""
    pedigree = Pedigree(pedigree_table())
    A = np.linalg.inv(pedigree.a_inverse().toarray())
    return pd.DataFrame((A + A.T) / 2, index=pedigree.labels, columns=pedigree.labels)


@cache
def herd(seed=11):
    """Records of the animals that are not founders: some two, some none."""
    rng = np.random.default_rng(seed)
    A = kinship()
    breeding = pd.Series(np.linalg.cholesky(A) @ rng.normal(size=len(A)) * 3, index=A.index)
    animals = pedigree_table()["id"].to_numpy()[14:]
    animal = np.concatenate([rng.choice(animals, 55, replace=False), rng.choice(animals, 65)])
    n = len(animal)
    data = pd.DataFrame(
        {
            "animal": animal,
            "sex": rng.choice(["f", "m"], n),
            "x": rng.normal(size=n),
            "litter": [f"L{k}" for k in rng.integers(0, 12, n)],
            "w": rng.uniform(0.5, 2, n),
        }
    )
    litter = 2.0 * rng.normal(size=12)
    data["y"] = (
        20
        + (data.sex == "m") * 2
        + data.x
        + breeding.loc[animal].to_numpy()
        + litter[data.litter.str[1:].astype(int)]
        + 2 * rng.normal(size=n)
    )
    return data


@cache
def slopes(seed=3):
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(25), 6)
    x = rng.normal(1, 2, size=len(g))
    u = rng.normal(size=(25, 2)) @ np.array([[2.0, 0.6], [0.0, 0.8]])
    y = 5 + u[g, 0] + (1 + u[g, 1]) * x + rng.normal(size=len(g))
    return pd.DataFrame({"y": y, "x": x, "g": [f"g{k}" for k in g]})


def inverse_of(K):
    P = np.linalg.inv(K.to_numpy())
    return pd.DataFrame((P + P.T) / 2, index=K.index, columns=K.columns)


def forms_of_kinship():
    """(argument, value) of every way to give A."""
    A, pedigree = kinship(), Pedigree(pedigree_table())
    return {
        "frame": ("relmat", A),
        "pair": ("relmat", (A.to_numpy(), list(A.index))),
        "sparse pair": ("relmat", (sparse.csr_array(A.to_numpy()), A.index)),
        "pedigree": ("relmat", pedigree),
        "precision frame": ("precision", inverse_of(A)),
        "precision sparse": ("precision", (pedigree.a_inverse(), pedigree.labels)),
    }


def variances(fit):
    table = fit.varcorr()
    return table.set_index([table[name].fillna("") for name in ("grp", "var1", "var2")])["vcov"]


def effects(fit, group):
    """BLUPs in long form, by label."""
    return fit.ranef(group).stack()


def worst_difference(found, expected, groups=None, *, criterion=True):
    """Largest relative difference in any estimate, by what it is in."""
    out = {}
    if criterion:
        out["criterion"] = _relative(
            pd.Series([found.estimate.criterion]), pd.Series([expected.estimate.criterion])
        )
    out["varcorr"] = _relative(variances(found), variances(expected))
    out["fixef"] = _relative(found.fixef(), expected.fixef())
    out["se"] = _relative(found.bse, expected.bse)
    for group in groups or expected.ngrps().index:
        out[f"ranef {group}"] = _relative(effects(found, group), effects(expected, group))
    return out


def assert_same_fit(found, expected, groups=None, *, tolerance=1e-7, criterion=True):
    differences = worst_difference(found, expected, groups, criterion=criterion)
    assert max(differences.values()) < tolerance, differences


def assert_same(found, expected, tolerance=1e-7):
    """Two Series, matched by label."""
    assert _relative(found, expected) < tolerance


def _relative(found, expected):
    """Relative to the largest; labels of `expected` only, so that found may have more of them."""
    matched = found.reindex(expected.index)
    assert not matched.isna().any()
    return float((matched - expected).abs().max() / expected.abs().max())
