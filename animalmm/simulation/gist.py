"""Records of animals known by their markers only.

The recipe of a public gist by T. Flutre that compares programs on one marker-based kernel:
structured markers, the uncentred relationship, a fixed covariate and one record an animal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.simulation.checks import check_between, check_count, check_rng

__all__ = ["SimulatedMarkers", "simulate_gist"]

CUT = 0.36
"""Where the normal score of a marker is cut, in standard deviations: about 36% 0, 28% 1, 36% 2."""


@dataclass(frozen=True, eq=False)
class SimulatedMarkers:
    """Simulated records of animals with markers.

    Attributes
    ----------
    data : pandas.DataFrame
        One row per animal: response, fix (a covariate), animal, and the truth true_u.
    markers : pandas.DataFrame, shape (n, p)
        Allele counts 0, 1, 2 (int8), animals by markers, labelled.
    relationship : pandas.DataFrame, shape (n, n)
        K = M M' / p of the markers as they are, neither centred nor scaled.
    parameters : dict
        The true mu, b, sigma2_u and sigma2_e.
    """

    data: pd.DataFrame
    markers: pd.DataFrame
    relationship: pd.DataFrame
    parameters: dict[str, float]


def simulate_gist(
    rng: np.random.Generator,
    *,
    n: int = 1000,
    p: int = 1000,
    factors: int = 5,
    mu: float = 4.0,
    b: float = 2.0,
    sigma2_u: float = 5.0,
    sigma2_e: float = 5.0 / 3.0,
) -> SimulatedMarkers:
    """Simulate markers of a structured population and one record of each animal.

    response = mu + b * fix + u + e with u ~ N(0, K sigma2_u), K = M M' / p.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of all random numbers.
    n, p : int, default 1000
        Numbers of animals and of markers.
    factors : int, default 5
        Directions of population structure; 0 for independent markers.
    mu, b : float
        Intercept and effect of the covariate, itself standard normal.
    sigma2_u, sigma2_e : float
        Variances of the animal effect (per unit of K) and of the residual; not negative.

    Returns
    -------
    SimulatedMarkers

    Raises
    ------
    ArgumentError
        When an argument is out of range.
    """
    check_rng(rng)
    check_count(1, n=n, p=p)
    check_count(0, factors=factors)
    check_between(mu=mu, b=b)
    check_between(0.0, closed="low", sigma2_u=sigma2_u, sigma2_e=sigma2_e)
    M = _markers(rng, n, p, factors)
    # Independent marker effects give u ~ N(0, K sigma2_u) without a factor of K.
    u = M @ rng.normal(0.0, np.sqrt(sigma2_u / p), p)
    fix = rng.standard_normal(n)
    response = mu + b * fix + u + rng.normal(0.0, np.sqrt(sigma2_e), n)

    animals = pd.Index(_names("ind", n), name="animal")
    snps = pd.Index(_names("snp", p), name="snp")
    return SimulatedMarkers(
        data=pd.DataFrame({"response": response, "fix": fix, "animal": animals, "true_u": u}),
        markers=pd.DataFrame(M.astype(np.int8), index=animals, columns=snps),
        relationship=pd.DataFrame(M @ M.T / p, index=animals, columns=animals),
        parameters={"mu": mu, "b": b, "sigma2_u": sigma2_u, "sigma2_e": sigma2_e},
    )


def _markers(rng: np.random.Generator, n: int, p: int, factors: int) -> npt.NDArray[np.float64]:
    """Allele counts, n by p: normal scores with a factor structure, cut in three."""
    loadings = rng.standard_normal((factors, p))
    scores = rng.standard_normal((n, factors)) @ loadings + rng.standard_normal((n, p))
    scores /= np.sqrt(1.0 + np.sum(loadings**2, axis=0))
    return np.where(scores > CUT, 2.0, np.where(scores < -CUT, 0.0, 1.0))


def _names(stem: str, number: int) -> list[str]:
    width = max(4, len(str(number)))
    return [f"{stem}{i:0{width}d}" for i in range(1, number + 1)]
