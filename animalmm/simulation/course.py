"""A population under phenotypic selection, with its pedigree.

The parameters are those of a public university lecture on mixed models in animal breeding: a mean
of 294, 25 more for males and 25 less for females, a slope of 0.75 on protein, a residual variance
of 490 and a heritability of 0.30; 10% of males and 50% of females become parents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.errors import ArgumentError
from animalmm.pedigree import Pedigree
from animalmm.simulation.checks import check_between, check_count, check_rng

__all__ = ["Simulated", "simulate_course"]


@dataclass(frozen=True, eq=False)
class Simulated:
    """A simulated population.

    Attributes
    ----------
    data : pandas.DataFrame
        One row per animal: animal, generation, sex ("M" or "F"), protein, y, and the truth: true_a
        (breeding value, units of y) and true_F (inbreeding).
    pedigree : pandas.DataFrame
        id, sire, dam; parents before progeny, missing for the base generation.
    parameters : dict
        The true mu, sex_effect, slope, sigma2_a (of the base generation), sigma2_e and h2.
    """

    data: pd.DataFrame
    pedigree: pd.DataFrame
    parameters: dict[str, float]


def simulate_course(
    rng: np.random.Generator,
    *,
    generations: int = 5,
    size: int = 200,
    mu: float = 294.0,
    sex_effect: float = 25.0,
    slope: float = 0.75,
    protein_mean: float = 3.5,
    protein_sd: float = 0.35,
    sigma2_e: float = 490.0,
    h2: float = 0.30,
    males_selected: float = 0.10,
    females_selected: float = 0.50,
) -> Simulated:
    """Simulate generations of animals of which the best, by phenotype, become parents.

    y = mu + sex + slope * protein + a + e. In each generation the highest y of either sex are
    selected; dams have equally many progeny, each by a sire drawn at random. Breeding values are
    the mean of the parents plus Mendelian sampling, whose variance falls as parents are inbred.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all random numbers.
    generations : int, default 5
        Generations after the base.
    size : int, default 200
        Animals in each generation, half of them males.
    mu : float
        Mean of y at protein 0, over the sexes.
    sex_effect : float
        Added to y for males and subtracted for females.
    slope : float
        Units of y per unit of protein.
    protein_mean, protein_sd : float
        Of the covariate, normal and rounded to two decimals.
    sigma2_e : float
        Residual variance, positive.
    h2 : float
        Heritability in the base generation, between 0 and 1; sigma2_a = sigma2_e h2 / (1 - h2).
    males_selected, females_selected : float
        Fractions that become parents, above 0 and at most 1.

    Returns
    -------
    Simulated
        Records of all ``size * (generations + 1)`` animals and their pedigree.

    Raises
    ------
    ArgumentError
        When an argument is out of range, or a fraction selects nobody.
    """
    check_rng(rng)
    check_count(0, generations=generations)
    check_count(2, size=size)
    check_between(mu=mu, sex_effect=sex_effect, slope=slope, protein_mean=protein_mean)
    check_between(0.0, closed="low", protein_sd=protein_sd)
    check_between(0.0, sigma2_e=sigma2_e)
    check_between(0.0, 1.0, h2=h2)
    n_sires = _number_selected("males_selected", males_selected, size // 2)
    n_dams = _number_selected("females_selected", females_selected, size - size // 2)
    sigma2_a = sigma2_e * h2 / (1.0 - h2)

    n = size * (generations + 1)
    one_generation = np.arange(size) < size // 2
    male = np.concatenate([rng.permutation(one_generation) for _ in range(generations + 1)])
    protein = rng.normal(protein_mean, protein_sd, n).round(2)
    y_without_a = mu + np.where(male, sex_effect, -sex_effect) + slope * protein
    y_without_a += rng.normal(0.0, np.sqrt(sigma2_e), n)
    sire, dam, a = _breed(rng, y_without_a, male, size, sigma2_a, n_sires, n_dams)
    names = [f"a{i:0{max(4, len(str(n)))}d}" for i in range(1, n + 1)]
    data = pd.DataFrame(
        {
            "animal": names,
            "generation": np.repeat(np.arange(generations + 1), size),
            "sex": np.where(male, "M", "F"),
            "protein": protein,
            "y": y_without_a + a,
            "true_a": a,
            "true_F": _pedigree(sire, dam).inbreeding().to_numpy(),
        }
    )
    named = np.array([*names, None], dtype=object)
    parents = pd.DataFrame({"id": names, "sire": named[sire], "dam": named[dam]})
    parameters = {
        "mu": mu,
        "sex_effect": sex_effect,
        "slope": slope,
        "sigma2_a": sigma2_a,
        "sigma2_e": sigma2_e,
        "h2": h2,
    }
    return Simulated(data=data, pedigree=parents, parameters=parameters)


def _number_selected(name: str, fraction: float, candidates: int) -> int:
    """How many of the candidates become parents; at least one, or an error."""
    check_between(0.0, 1.0, closed="high", **{name: fraction})
    number = round(fraction * candidates)
    if number < 1:
        raise ArgumentError(
            f"{name}={fraction} of {candidates} animals selects none; "
            f"make it at least {1 / candidates:.2g}, or size larger"
        )
    return number


def _breed(
    rng: np.random.Generator,
    y_without_a: npt.NDArray[np.float64],
    male: npt.NDArray[np.bool_],
    size: int,
    sigma2_a: float,
    n_sires: int,
    n_dams: int,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Select and mate, generation after generation.

    Returns
    -------
    sire, dam : ndarray of intp, shape (n,)
        Positions of the parents, -1 in the base generation.
    a : ndarray, shape (n,)
        Breeding values.
    """
    n = len(male)
    sire = np.full(n, -1, dtype=np.intp)
    dam = np.full(n, -1, dtype=np.intp)
    a = np.zeros(n + 1)  # the last, at position -1, is the unknown parent
    for start in range(0, n, size):
        now = np.arange(start, start + size)
        if start:
            before = now - size
            best = before[np.argsort(-(y_without_a + a[:-1])[before], kind="stable")]
            sire[now] = rng.choice(best[male[best]][:n_sires], size)
            dam[now] = rng.permutation(np.resize(best[~male[best]][:n_dams], size))
        so_far = _pedigree(sire[: start + size], dam[: start + size])
        sd = np.sqrt(sigma2_a * so_far.mendelian_variance()[now])
        a[now] = 0.5 * (a[sire[now]] + a[dam[now]]) + rng.normal(0.0, sd)
    return sire, dam, a[:-1]


def _pedigree(sire: npt.NDArray[np.intp], dam: npt.NDArray[np.intp]) -> Pedigree:
    """Pedigree of animals that stand after their parents, so that their order is kept."""
    ids = np.arange(1, len(sire) + 1)
    return Pedigree(pd.DataFrame({"id": ids, "sire": sire + 1, "dam": dam + 1}))
