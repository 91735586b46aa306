"""Every refusal names what is wrong and what to do."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from animalmm.errors import ArgumentError, DataError
from animalmm.markers import as_genotypes, exponential_kernel, gaussian_kernel, grm

from .reference import frame, genotypes, ids

M = genotypes()
IDS = ids(12)


def changed(value, animal=4, marker=7):
    other = M.copy()
    other[animal, marker] = value
    return other


def with_column(values, name="odd"):
    return frame(M).assign(**{name: values})


LABELS = {
    "no ids": (lambda: grm(M), "M has no ids.*Give ids="),
    "too few ids": (lambda: grm(M, IDS[:5]), r"M has 12 rows \(animals\) and there are 5 ids"),
    "transposed": (lambda: grm(M.T, IDS), r"M is 40 x 12 and there are 12 ids.*transposed.*M\.T"),
    "one dimension": (lambda: grm(M[0], IDS), "1 dimension"),
    "sparse": (lambda: grm(sparse.csc_array(M), IDS), r"sparse; give M\.toarray\(\)"),
    "names of markers": (
        lambda: as_genotypes(M, IDS, markers=["a"]),
        "40 columns and there are 1 names of markers",
    ),
    "ids twice over": (lambda: grm(frame(M), IDS), r"DataFrame, whose index.*leave out ids="),
    "ids of Genotypes": (lambda: grm(as_genotypes(M, IDS), IDS), "leave out ids="),
    "unlabelled frame": (
        lambda: grm(pd.DataFrame(M)),
        r"index of M is 0, 1, 2.*names no animals.*ids=",
    ),
    "kind": (lambda: grm(M, IDS, "vanraden"), r"no kind='vanraden'.*'yang'.*Did you mean 'vanr"),
    "missing": (lambda: grm(M, IDS, missing="men"), r"no missing='men'.*Did you mean 'mean'"),
    "em of dominance": (lambda: grm(M, IDS, "su", missing="em"), "kind='vanraden1' without"),
    "em with weights": (
        lambda: grm(M, IDS, missing="em", weights=np.ones(40)),
        "without weights; use missing='mean'",
    ),
    "em with few markers": (
        lambda: grm(changed(np.nan, marker=2)[:, :10], IDS, missing="em"),
        "more markers than animals: there are 10 and 12",
    ),
    "tolerance": (lambda: grm(M, IDS, tolerance=0), "tolerance must be positive"),
    "tolerance in words": (lambda: grm(M, IDS, tolerance="a"), "tolerance must be positive"),
    "one id": (lambda: grm(M, "a0"), "ids are a list with a label for each animal, not 'a0'"),
    "missing code in words": (
        lambda: grm(M, IDS, missing_code=[-9, "NA"]),
        "missing_code is a number or several",
    ),
    "maf": (lambda: grm(M, IDS, min_maf=0.7), "min_maf is a share between 0 and 0.5, not 0.7"),
    "call rate": (lambda: grm(M, IDS, min_call_rate=95), "min_call_rate is a share.*not 95"),
    "filter of another type": (lambda: grm(M, IDS, min_maf="5%"), "min_maf is a share.*'5%'"),
    "missing code": (lambda: grm(M, IDS, missing_code=0), "missing_code=0 is a genotype"),
    "frequency of zero": (
        lambda: grm(M, IDS, frequencies=[0.0] + [0.5] * 39),
        "frequencies must lie between 0 and 1.*not 0 of marker 'marker1'.*leave it out",
    ),
    "frequency above one": (
        lambda: grm(M, IDS, frequencies=np.full(40, 1.2)),
        r"not 1.2 of marker 'marker1' \(40 in all\)",
    ),
    "number of frequencies": (
        lambda: grm(M, IDS, frequencies=[0.5, 0.5]),
        r"frequencies have shape \(2,\) and there are 40 markers",
    ),
    "labels of frequencies": (
        lambda: grm(frame(M), frequencies=pd.Series(0.5, ["snp1", "snp2"])),
        r"frequencies lack the markers 'snp0', 'snp3'.*\(38 in all\)",
    ),
    "labels of weights twice": (
        lambda: grm(frame(M), weights=pd.Series(1.0, [*frame(M).columns, "snp4"])),
        "weights name markers twice: 'snp4'",
    ),
    "words for weights": (lambda: grm(M, IDS, weights=["a"] * 40), "weights must be numbers"),
    "negative weight": (
        lambda: grm(M, IDS, weights=-np.ones(40)),
        r"weights must be finite and not negative: not -1 of marker 'marker1' \(40 in all\)",
    ),
    "infinite weight": (lambda: grm(M, IDS, weights=np.full(40, np.inf)), "finite.*not inf"),
    "bandwidth": (lambda: gaussian_kernel(M, IDS, -1), "bandwidth must be positive.*-1"),
    "bandwidth in words": (lambda: gaussian_kernel(M, IDS, "a"), "bandwidth must be positive"),
    "unit": (lambda: exponential_kernel(M, IDS, unit="man"), "no unit='man'.*Did you mean 'mean'"),
}


@pytest.mark.parametrize("case", LABELS.values(), ids=LABELS)
def test_argument(case):
    call, match = case
    with pytest.raises(ArgumentError, match=match):
        call()


VALUES = {
    "duplicated ids": (lambda: grm(M, ["a"] * 2 + IDS[2:]), "duplicated animal names: 'a'"),
    "an id is missing": (lambda: grm(M, [None, *IDS[1:]]), r"1 animal\(s\) have no name"),
    "duplicated markers": (
        lambda: grm(frame(M).rename(columns={"snp3": "snp4"})),
        "duplicated marker names: 'snp4'",
    ),
    "text": (
        lambda: grm(with_column(["0/1"] * 12)),
        "not numbers: 'odd', for example '0/1' of animal 'a0'.*0, 1 or 2",
    ),
    "numbers as text": (
        lambda: grm(changed(0).astype(str), IDS),
        r"numbers stored as (str|object): 'marker1'.*\(40 in all\)\. Give M\.astype\(float\)",
    ),
    "numbers as categories": (
        lambda: grm(frame(M).astype({"snp3": "category"})),
        "numbers stored as category: 'snp3'",
    ),
    "ids of two levels": (
        lambda: grm(frame(M).set_axis(pd.MultiIndex.from_product([["x"], IDS]))),
        r"animal names have 2 levels \(a MultiIndex\), such as \('x', 'a0'\); join them",
    ),
    "copies and the median": (
        lambda: gaussian_kernel(M[[0] * 7 + [1]], ids(8), unit="median"),
        "the median distance between animals is zero.*another unit",
    ),
    "ids in the first column": (
        lambda: grm(frame(M).reset_index(names="id")),
        r"first column of M, 'id', holds text.*M.set_index\('id'\)",
    ),
    "coded -1, 0, 1": (lambda: grm(M - 1, IDS), r"-1, 0 and 1.*rrBLUP; give M \+ 1.*missing_code"),
    "the same in bytes": (lambda: grm((M - 1).astype(np.int8), IDS), r"give M \+ 1"),
    "minus nine": (
        lambda: grm(changed(-9).astype(np.int8), IDS),
        "negative genotype -9 of animal 'a4' at marker 'marker8'.*missing_code=-9",
    ),
    "minus one": (lambda: grm(changed(-1), IDS), "negative genotype -1.*missing_code=-1"),
    "three": (lambda: grm(changed(3.0), IDS), r"genotype 3 of animal 'a4' at marker 'marker8' is"),
    "a little negative": (lambda: grm(changed(-0.1), IDS), r"-0.1 of animal.*outside \[0, 2\]"),
    "infinite": (lambda: grm(changed(np.inf), IDS), "infinite genotype inf of animal 'a4'.*NaN"),
    "beside missing": (lambda: grm(changed(7.0), IDS, missing_code=9), "genotype 7 of animal"),
    "monomorphic": (
        lambda: grm(np.ones((12, 5)) * 2, IDS),
        r"no marker can be used: 0 of 5 markers \(5 monomorphic\)",
    ),
    "filtered away": (
        lambda: grm(M[:, :3], IDS, min_maf=0.5, frequencies=[0.4, 0.3, 0.6]),
        r"no marker can be used: 0 of 3 markers \(3 below minor allele frequency 0.5\)",
    ),
    "an animal without genotypes": (
        lambda: grm(np.where(np.arange(12)[:, None] == 3, np.nan, M), IDS),
        "animals without any genotype: 'a3'. Leave them out of M; single step",
    ),
    "an animal with few": (
        lambda: grm(np.where(np.arange(40) > 10, M, changed(np.nan)), IDS, min_animal_call_rate=1),
        "animals with a call rate below 1: 'a4'.*the lowest is 0.975",
    ),
    "pairs that share nothing": (
        lambda: grm(
            [[0, np.nan], [1, np.nan], [np.nan, 0], [np.nan, 1]], IDS[:4], missing="pairwise"
        ),
        r"pairs of animals share no marker.*'a0', 'a2'; use missing='mean'",
    ),
    "an animal left without": (
        lambda: grm(
            pd.DataFrame({"s": [0.0, 1, 2, np.nan], "t": [np.nan] * 3 + [1.0]}, list("abcd")),
            min_call_rate=0.5,
        ),
        r"animals without a genotype at any marker that is used: 'd'.*1 of 2 markers \(1 below",
    ),
    "copies and EM": (
        lambda: grm(np.vstack([changed(np.nan), M[:3]]), ids(15), missing="em"),
        r"linearly independent.*copies.*missing='mean'",
    ),
    "no animals": (lambda: grm(M[:0], []), "no genotypes: 0 animals, 40 markers"),
    "no markers": (lambda: grm(M[:, :0], IDS), "no genotypes: 12 animals, 0 markers"),
    "clones": (lambda: gaussian_kernel(M[[0, 0]], IDS[:2]), "no marker can be used.*monomorphic"),
}


@pytest.mark.parametrize("case", VALUES.values(), ids=VALUES)
def test_value(case):
    call, match = case
    with pytest.raises(DataError, match=match):
        call()


def test_animals_numbered_from_zero_can_be_said_so():
    K = grm(pd.DataFrame(M), range(12))
    assert list(K.labels) == list(range(12))
