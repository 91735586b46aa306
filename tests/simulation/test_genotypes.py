"""Gene dropping against its expectations."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from animalmm import Pedigree
from animalmm.errors import ArgumentError
from animalmm.simulation import drop_genes, simulate_genotypes

LOOPS = pd.DataFrame(
    [
        ("a", None, None),
        ("b", None, None),
        ("c", "a", "b"),
        ("d", "a", "b"),
        ("e", "c", "d"),
        ("f", "c", "d"),
        ("g", "e", "f"),
        ("h", "g", None),
        ("i", None, "h"),
    ],
    columns=["id", "sire", "dam"],
)
LOCI = 20_000


def coancestry(genes):
    """Mean probability that two genes drawn from two animals are identical by descent."""
    same = genes[:, None, :, :, None] == genes[None, :, :, None, :]
    return same.mean(axis=(2, 3, 4))


def test_coancestry_is_half_the_relationship():
    ped = Pedigree(LOOPS)
    genes = drop_genes(ped, LOCI, np.random.default_rng(1))
    np.testing.assert_allclose(coancestry(genes), ped.a_matrix() / 2, atol=5 * 0.5 / np.sqrt(LOCI))


@pytest.mark.parametrize(("retained", "own"), [(0.25, 1.75), (0.0, 2.0), (2.0, 1.0)])
def test_selfed_animals_and_clones(retained, own):
    """An animal whose parents are one founder: selfed on, or copied."""
    ped = Pedigree(
        pd.DataFrame({"id": ["p", "x"], "sire": [None, "p"], "dam": [None, "p"]}),
        allow_selfing=True,
    )
    share = retained if retained > 1 else 2 * retained  # one selfing is in the parents already
    ped.__dict__["parents"] = replace(ped.parents, retained=np.array([1.0, share]))
    genes = drop_genes(ped, LOCI, np.random.default_rng(2))
    A = 2 * coancestry(genes)
    np.testing.assert_allclose(A, [[1, 1], [1, own]], atol=10 / np.sqrt(LOCI))
    np.testing.assert_allclose(ped.a_matrix(), [[1, 1], [1, own]], atol=1e-14)


def test_genotypes_follow_mendel():
    ped = Pedigree(LOOPS)
    G = simulate_genotypes(ped, 500, np.random.default_rng(3))
    assert G.shape == (9, 500)
    assert G.dtypes.eq(np.int8).all()
    assert list(G.index) == list(ped.labels)
    for parent, child in [("a", "c"), ("b", "d"), ("c", "e"), ("g", "h"), ("h", "i")]:
        assert (abs(G.loc[parent] - G.loc[child]) < 2).all()  # they share an allele
    both_homozygous = G.loc["a"].eq(2) & G.loc["b"].eq(0)
    assert both_homozygous.any()
    assert G.loc["c"][both_homozygous].eq(1).all()


def test_founders_have_the_given_frequencies():
    founders = Pedigree(pd.DataFrame({"id": range(1, 2001), "sire": 0, "dam": 0}))
    p = np.array([0.0, 0.2, 0.5, 1.0])
    G = simulate_genotypes(founders, 4, np.random.default_rng(4), frequencies=p)
    np.testing.assert_allclose(G.mean() / 2, p, atol=5 * 0.5 / np.sqrt(4000))


def test_the_seed_decides():
    ped = Pedigree(LOOPS)
    one, two = (simulate_genotypes(ped, 50, np.random.default_rng(5)) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ped, rng: drop_genes(LOOPS, 5, rng), "pedigree must be a Pedigree, not DataFrame"),
        (lambda ped, rng: drop_genes(ped, 0, rng), "loci must be a whole number of at least 1"),
        (lambda ped, rng: drop_genes(ped, 5, 1), "rng must be a numpy.random.Generator"),
        (lambda ped, rng: simulate_genotypes(ped, 0, rng), "markers must be a whole number"),
        (lambda ped, rng: simulate_genotypes(ped, 2, rng, [0.5]), "frequencies must be 2 numbers"),
        (lambda ped, rng: simulate_genotypes(ped, 1, rng, [1.5]), "between 0 and 1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match=message):
        call(Pedigree(LOOPS), np.random.default_rng(1))
