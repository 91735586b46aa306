"""Effective population size from the inbreeding of individuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["EffectiveSize", "effective_size"]

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EffectiveSize:
    """Realised effective population size.

    Attributes
    ----------
    Ne : float
        Infinite where nobody is inbred.
    se : float
        Its standard error.
    rate : float
        Mean increase in inbreeding in one generation.
    animals : int
        How many animals it is from: those of the reference population with more than one
        equivalent complete generation.
    """

    Ne: float
    se: float
    rate: float
    animals: int


def effective_size(F: _Floats, equivalents: _Floats) -> EffectiveSize:
    """Effective size from the individual increase in inbreeding.

    ``Delta F_i = 1 - (1 - F_i)^(1/(t_i - 1))`` with t the equivalent complete generations, and
    ``Ne = 1 / (2 mean Delta F)``; its standard error is that of the mean, ``2 Ne^2 sd / sqrt(n)``.

    Parameters
    ----------
    F, equivalents : ndarray, shape (n,)
        Of the reference population.

    Returns
    -------
    EffectiveSize
        NaN where no animal has t > 1.

    Notes
    -----
    Gutiérrez, Cervantes, Molina, Valera & Goyache (2008), Genetics Selection Evolution 40, 359-378;
    Gutiérrez, Cervantes & Goyache (2009), Journal of Animal Breeding and Genetics 126, 327-332, for
    the exponent.
    """
    deep = equivalents > 1.0
    increase = 1.0 - (1.0 - F[deep]) ** (1.0 / (equivalents[deep] - 1.0))
    n = len(increase)
    if n == 0:
        return EffectiveSize(np.nan, np.nan, np.nan, 0)
    rate = float(increase.mean())
    if rate == 0.0:
        return EffectiveSize(np.inf, np.nan, 0.0, n)
    size = 0.5 / rate
    sd = float(increase.std(ddof=1)) if n > 1 else np.nan
    return EffectiveSize(size, 2.0 * size**2 * sd / n**0.5, rate, n)
