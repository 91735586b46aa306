"""Breeding values by descent."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from animalmm.errors import ArgumentError
from animalmm.pedigree import Pedigree
from animalmm.simulation.checks import check_between, check_rng

__all__ = ["breeding_values"]


def breeding_values(
    pedigree: Pedigree, sigma2_a: float, rng: np.random.Generator
) -> pd.Series[float]:
    """Draw a ~ N(0, A sigma2_a): the mean of the parents plus Mendelian sampling.

    Parameters
    ----------
    pedigree : Pedigree
        n animals.
    sigma2_a : float
        Additive variance among the founders, in squared units of the trait; not negative.
    rng : numpy.random.Generator
        Source of n normal deviates.

    Returns
    -------
    pandas.Series, length n
        Breeding values by label, in units of the trait.

    Raises
    ------
    ArgumentError
        When an argument is of the wrong kind or out of range.
    """
    if not isinstance(pedigree, Pedigree):
        raise ArgumentError(f"pedigree must be a Pedigree, not {type(pedigree).__name__}")
    check_between(0.0, math.inf, closed="low", sigma2_a=sigma2_a)
    check_rng(rng)
    sd = np.sqrt(sigma2_a * pedigree.mendelian_variance())
    a = np.zeros(pedigree.n + 1)  # the last, at position -1, is the unknown parent
    a[:-1] = sd * rng.standard_normal(pedigree.n)
    generation = pedigree.generations()
    for g in range(1, int(generation.max()) + 1):
        now = np.flatnonzero(generation == g)
        a[now] += 0.5 * (a[pedigree.sire[now]] + a[pedigree.dam[now]])
    return pd.Series(a[:-1], index=pedigree.labels, name="a")
