"""Which markers count: frequencies, call rates, filters, and the report of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.core import Vector
from animalmm.errors import AnimalmmWarning, ArgumentError, DataError, listing, warn
from animalmm.markers.genotypes import Genotypes

__all__ = ["Chosen", "Counts", "Filters", "choose", "count", "warn_of_means"]

MUCH_MISSING = 0.1  # above this share the way of imputation shows in the relationships


@dataclass(frozen=True, eq=False)
class Counts:
    """What one pass over the genotypes tells.

    Attributes
    ----------
    observed : ndarray of int, shape (m,)
        Animals with a genotype at each marker.
    total : ndarray, shape (m,)
        Copies of the counted allele in them.
    per_animal : ndarray of int, shape (n,)
        Markers at which each animal has a genotype.
    """

    observed: npt.NDArray[np.intp]
    total: Vector
    per_animal: npt.NDArray[np.intp]

    @property
    def frequency(self) -> Vector:
        """Frequency of the counted allele, shape (m,); NaN where no animal has a genotype."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.total / (2.0 * self.observed))


def count(genotypes: Genotypes) -> Counts:
    """Count alleles and missing genotypes, and refuse numbers that are no genotypes."""
    n, m = genotypes.shape
    observed = np.full(m, n)
    total = np.empty(m)
    per_animal = np.full(n, m)
    for at, x in genotypes.blocks():
        if not x.min() >= 0 or not x.max() <= 2:  # true for NaN as well
            _refuse_values(genotypes, at, x)
        if np.issubdtype(x.dtype, np.floating):
            missing = np.isnan(x)
            observed[at] -= missing.sum(axis=0)
            per_animal -= missing.sum(axis=1)
            total[at] = np.sum(x, axis=0, dtype=float, where=~missing)
        else:
            total[at] = x.sum(axis=0, dtype=np.int64)
    return Counts(observed, total, per_animal)


def _refuse_values(genotypes: Genotypes, at: npt.NDArray[np.intp], x: npt.NDArray[Any]) -> None:
    """Say which value is no genotype, and what it probably means; return if all are."""
    wrong = ~((x >= 0) & (x <= 2)) & ~np.isnan(x)
    if not wrong.any():
        return
    i, j = np.argwhere(wrong)[0]
    value = x[i, j].item()
    name = genotypes.markers.index[at[j]]
    where = f"{value:g} of animal {genotypes.ids[i]!r} at marker {name!r}"
    finite = x[~np.isnan(x)]
    if not np.isfinite(value):
        raise DataError(f"infinite genotype {where}; write NaN where a genotype is missing")
    if set(np.unique(finite)) <= {-1, 0, 1}:
        raise DataError(
            f"genotypes are -1, 0 and 1 (genotype {where}), the coding of rrBLUP; give M + 1, "
            "which is 0, 1 and 2. If -1 means missing, missing_code=-1"
        )
    if value < 0 and float(value).is_integer():
        raise DataError(
            f"negative genotype {where}; if it means missing, give missing_code={value:g}"
        )
    raise DataError(
        f"genotype {where} is outside [0, 2]; genotypes are copies of the counted allele. If it "
        f"means missing, give missing_code={value:g}"
    )


@dataclass(frozen=True)
class Filters:
    """Which markers and animals are good enough, as shares between 0 and 1."""

    min_maf: float = 0.0
    min_call_rate: float = 0.0
    min_animal_call_rate: float = 0.0

    def __post_init__(self) -> None:
        for name, limit in (("min_maf", 0.5), ("min_call_rate", 1), ("min_animal_call_rate", 1)):
            value = getattr(self, name)
            if not isinstance(value, (int, float, np.number)) or not 0 <= value <= limit:
                raise ArgumentError(f"{name} is a share between 0 and {limit}, not {value!r}")


@dataclass(frozen=True, eq=False)
class Chosen:
    """The markers that count.

    Attributes
    ----------
    columns : ndarray of intp, shape (k,)
        Their positions among the m markers.
    frequency, weight : ndarray, shape (m,)
        Of every marker.
    n_missing : int
        Missing genotypes at the chosen markers.
    report : DataFrame, m rows
        The table of markers with ``frequency``, ``call_rate``, ``weight``, ``used`` and
        ``reason`` (why a marker is not used; empty when it is).
    """

    columns: npt.NDArray[np.intp]
    frequency: Vector
    weight: Vector
    n_missing: int
    report: pd.DataFrame

    def share_missing(self, n: int) -> float:
        """Share of the genotypes of n animals that is missing at the chosen markers."""
        return self.n_missing / (n * len(self.columns))

    def summary(self) -> str:
        """How many markers are used and why the others are not, in words."""
        used, m = len(self.columns), len(self.report)
        reasons = self.report["reason"][~self.report["used"]].value_counts()
        left = f" ({', '.join(f'{k:,} {why}' for why, k in reasons.items())})" if used < m else ""
        return f"{used:,} of {m:,} markers{left}"


def choose(
    genotypes: Genotypes,
    counts: Counts,
    filters: Filters,
    frequencies: Any = None,
    weights: Any = None,
) -> Chosen:
    """Choose the markers that count, by their call rate, frequency and weight.

    Raises
    ------
    ArgumentError
        Frequencies or weights that cannot be.
    DataError
        Animals with too few genotypes; no marker left.
    """
    n, m = genotypes.shape
    _check_animals(genotypes.ids, counts.per_animal / m, filters.min_animal_call_rate)
    p = counts.frequency if frequencies is None else _frequencies(genotypes, frequencies)
    d = np.ones(m) if weights is None else _weights(genotypes, weights)
    call_rate = counts.observed / n
    maf = np.fmin(p, 1.0 - p)
    tests = {  # the first that holds is the reason
        "without genotypes": counts.observed == 0,
        "monomorphic": maf == 0,
        f"below call rate {filters.min_call_rate:g}": call_rate < filters.min_call_rate,
        f"below minor allele frequency {filters.min_maf:g}": maf < filters.min_maf,
        "of weight zero": d == 0,
    }
    reason = np.select(list(tests.values()), list(tests), default="")
    used = reason == ""
    report = genotypes.markers.assign(
        frequency=p, call_rate=call_rate, weight=d, used=used, reason=reason
    )
    missing = int((n - counts.observed[used]).sum())
    chosen = Chosen(np.flatnonzero(used), p, d, missing, report)
    if not used.any():
        raise DataError(f"no marker can be used: {chosen.summary()}")
    if (counts.per_animal <= m - used.sum()).any():  # what they have may all be left out
        _check_remaining(genotypes, chosen)
    return chosen


def warn_of_means(share: float, instead: str) -> None:
    """Warn where so much is missing that its imputation by means matters."""
    if share > MUCH_MISSING:
        warn(
            f"{share:.0%} of the genotypes are missing and count as the mean of their marker, "
            f"which draws animals to the average; {instead}",
            AnimalmmWarning,
        )


def _check_animals(ids: pd.Index, call_rate: Vector, least: float) -> None:
    empty = ids[call_rate == 0]
    if len(empty):
        raise DataError(
            f"animals without any genotype: {listing(empty)}. Leave them out of M; single step "
            "takes animals that are not genotyped"
        )
    low = ids[call_rate < least]
    if len(low):
        raise DataError(
            f"animals with a call rate below {least:g}: {listing(low)} (the lowest is "
            f"{call_rate.min():.3g}). Leave them out of M (M.drop(...)), or lower "
            "min_animal_call_rate"
        )


def _check_remaining(genotypes: Genotypes, chosen: Chosen) -> None:
    seen = np.zeros(len(genotypes.ids), dtype=np.intp)
    for _, x in genotypes.blocks(chosen.columns):
        seen += (~np.isnan(x)).sum(axis=1)
    empty = genotypes.ids[seen == 0]
    if len(empty):
        raise DataError(
            f"animals without a genotype at any marker that is used: {listing(empty)}. Leave them "
            f"out of M, or use more markers than {chosen.summary()}"
        )


def marker_values(genotypes: Genotypes, values: Any, what: str) -> Vector:
    """One number for each marker: a Series by name, an array by position, a number for all."""
    names = genotypes.markers.index
    if isinstance(values, pd.Series):
        missing = names[~names.isin(values.index)]
        if len(missing):
            raise ArgumentError(f"{what} lack the markers {listing(missing)}")
        if values.index.has_duplicates:
            twice = values.index[values.index.duplicated()]
            raise ArgumentError(f"{what} name markers twice: {listing(twice)}")
        values = values.loc[names]
    try:
        found = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ArgumentError(f"{what} must be numbers, one for each marker") from None
    if not found.ndim:
        found = np.full(len(names), found)
    if found.shape != (len(names),):
        raise ArgumentError(
            f"{what} have shape {found.shape} and there are {len(names)} markers; give one number "
            "for each, or a Series by name of marker"
        )
    return found


def _frequencies(genotypes: Genotypes, values: Any) -> Vector:
    p = marker_values(genotypes, values, "frequencies")
    bad = ~((p > 0) & (p < 1))
    if bad.any():
        raise ArgumentError(
            f"frequencies must lie between 0 and 1, both excluded: not {p[bad][0]:g} of marker "
            f"{genotypes.markers.index[bad][0]!r} ({bad.sum()} in all). A marker that is fixed in "
            "the base population tells nothing of relationships in it: leave it out"
        )
    return p


def _weights(genotypes: Genotypes, values: Any) -> Vector:
    d = marker_values(genotypes, values, "weights")
    bad = ~((d >= 0) & np.isfinite(d))
    if bad.any():
        raise ArgumentError(
            f"weights must be finite and not negative: not {d[bad][0]:g} of marker "
            f"{genotypes.markers.index[bad][0]!r} ({bad.sum()} in all)"
        )
    return d
