"""A pedigree in figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.pedigree.animals import Animals
from animalmm.pedigree.descent.gene_flow import GeneFlow
from animalmm.pedigree.population.completeness import equivalent_generations
from animalmm.pedigree.population.contributions import founder_contributions, reference_weights
from animalmm.pedigree.population.effective import effective_size
from animalmm.pedigree.population.genealogy import Genealogy

__all__ = ["PedigreeDescription", "described", "genome_equivalents"]

INBRED = 1e-10
"""An F that is more than rounding."""

LARGE = 1e4
"""Numbers from here on are printed in full."""

_Places = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False, repr=False)
class PedigreeDescription:
    """What `Pedigree.describe` returns: tables, which print as text.

    Attributes
    ----------
    counts : pandas.Series
        Animals, founders, half_known (one parent known), added, sires, dams, clones, groups.
    families : pandas.DataFrame
        Rows: progeny of a sire, progeny of a dam, full sibs; columns: families, min, mean, max.
    by_period : pandas.DataFrame
        By year (or number) of birth where births are known, those without one in the last row,
        else by generation: animals, the means of the equivalent complete generations and of F, and
        the share of inbred animals.
    reference : pandas.Series
        Of the reference population: animals, mean F, mean equivalent generations, effective size
        Ne with its standard error, effective numbers of founders and of founder genomes.
    """

    counts: pd.Series[int]
    families: pd.DataFrame
    by_period: pd.DataFrame
    reference: pd.Series[float]

    def __repr__(self) -> str:
        counts = ", ".join(f"{v} {str(k).replace('_', ' ')}" for k, v in self.counts.items() if v)
        reference = self.reference.to_frame().T
        parts = {
            "Pedigree": counts,
            "Families": _text(self.families),
            f"By {self.by_period.index.name}": _text(self.by_period),
            f"Reference population: {self.reference.name}": _text(reference, index=False),
        }
        return "\n\n".join(f"{title}\n{text}" for title, text in parts.items())


def described(
    animals: Animals, line: Genealogy, flow: GeneFlow, reference: _Places, name: str
) -> PedigreeDescription:
    """Describe sorted animals; the reference population by positions, and in words."""
    F = flow.diagonal - 1.0
    equivalents = equivalent_generations(line)
    return PedigreeDescription(
        counts=_counts(animals),
        families=_families(line),
        by_period=_by_period(animals, line, F, equivalents),
        reference=_of_reference(line, flow, reference, equivalents).rename(name),
    )


def genome_equivalents(line: Genealogy, flow: GeneFlow, reference: _Places) -> float:
    """Founder genome equivalents: 1 / (2 f) with f the mean coancestry, own ones included.

    Notes
    -----
    Lacy (1995), Zoo Biology 14, 565-577; Caballero & Toro (2000), Genetical Research 75, 331-343.
    """
    shares = line.up(reference_weights(line, reference))
    return float(1.0 / np.sum(flow.d * shares**2))


def _counts(animals: Animals) -> pd.Series[int]:
    own = ~animals.clone
    known = (animals.sire >= 0).astype(int) + (animals.dam >= 0)
    return pd.Series(
        {
            "animals": len(animals.labels),
            "founders": int(np.sum(known == 0)),
            "half_known": int(np.sum(known == 1)),
            "added": int(np.sum(~animals.listed)),
            "sires": _distinct(animals.sire[own]),
            "dams": _distinct(animals.dam[own]),
            "clones": int(animals.clone.sum()),
            "groups": len(animals.groups),
        }
    )


def _distinct(places: _Places) -> int:
    return int(np.count_nonzero(np.bincount(places[places >= 0])))


def _families(line: Genealogy) -> pd.DataFrame:
    sire, dam = line.original[line.sire], line.original[line.dam]
    by_sire, by_dam = line.sire >= 0, line.dam >= 0
    both = by_sire & by_dam
    pair = sire[both] * len(sire) + dam[both]
    sizes = {
        "progeny of a sire": np.bincount(sire[by_sire]),
        "progeny of a dam": np.bincount(dam[by_dam]),
        "full sibs": np.unique(pair, return_counts=True)[1],
    }
    return pd.DataFrame({name: _spread(size) for name, size in sizes.items()}).T


def _spread(sizes: npt.NDArray[np.intp]) -> dict[str, float]:
    sizes = sizes[sizes > 0]
    if not sizes.size:
        return {"families": 0, "min": np.nan, "mean": np.nan, "max": np.nan}
    return {
        "families": sizes.size,
        "min": sizes.min(),
        "mean": sizes.mean(),
        "max": sizes.max(),
    }


def _by_period(
    animals: Animals,
    line: Genealogy,
    F: npt.NDArray[np.float64],
    equivalents: npt.NDArray[np.float64],
) -> pd.DataFrame:
    table = pd.DataFrame({"F": F, "equivalents": equivalents, "inbred": F > INBRED})
    period = _periods(animals, line)
    return table.groupby(period, dropna=False).agg(
        animals=("F", "size"),
        equivalent_generations=("equivalents", "mean"),
        mean_F=("F", "mean"),
        inbred=("inbred", "mean"),
    )


def _periods(animals: Animals, line: Genealogy) -> pd.Series[Any]:
    birth = pd.Series(animals.birth, name="birth")
    if birth.isna().all():
        return pd.Series(line.generation, name="generation")
    return (birth.dt.year if birth.dtype.kind == "M" else birth).convert_dtypes()


def _of_reference(
    line: Genealogy, flow: GeneFlow, reference: _Places, equivalents: npt.NDArray[np.float64]
) -> pd.Series[float]:
    F = flow.diagonal[reference] - 1.0
    size = effective_size(F, equivalents[reference])
    return pd.Series(
        {
            "animals": len(reference),
            "mean_F": F.mean(),
            "equivalent_generations": equivalents[reference].mean(),
            "Ne": size.Ne,
            "Ne_se": size.se,
            "f_e": founder_contributions(line, reference).effective_number,
            "f_g": genome_equivalents(line, flow, reference),
        }
    )


def _text(table: pd.DataFrame, *, index: bool = True) -> str:
    return table.to_string(index=index, float_format=_number, max_rows=30)


def _number(x: float) -> str:
    return f"{x:.4g}" if abs(x) < LARGE else f"{x:.0f}"
