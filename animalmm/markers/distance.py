"""Kernels that decay with the distance between genotypes."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.core import Matrix
from animalmm.errors import ArgumentError, DataError, nearest
from animalmm.markers.coding import centred
from animalmm.markers.genotypes import Genotypes
from animalmm.markers.grm import GenomicRelationship
from animalmm.markers.memory_sources import as_genotypes
from animalmm.markers.products import add_product, empty_product, symmetric
from animalmm.markers.quality import Chosen, Filters, choose, count, warn_of_means

__all__ = ["exponential_kernel", "gaussian_kernel"]

CONSTANT = 1e-9  # a standard deviation of genotypes below this is rounding
UNITS = ("mean", "median", "markers", "range")


def gaussian_kernel(
    M: pd.DataFrame | npt.NDArray[Any] | Genotypes,
    ids: Sequence[Any] | npt.NDArray[Any] | pd.Index | None = None,
    bandwidth: float = 1.0,
    *,
    unit: str = "mean",
    standardise: bool = False,
    missing_code: float | Sequence[float] | None = None,
) -> GenomicRelationship:
    """Gaussian kernel of the distances between genotypes, ``K_ij = exp(-h d_ij^2 / s^2)``.

    Parameters
    ----------
    M, ids, missing_code
        As in `grm`. Missing genotypes count as the mean of their marker.
    bandwidth : float, default 1
        h, positive; the larger, the faster relationships fade with distance.
    unit : {"mean", "median", "markers", "range"}
        The unit s of distances, over the markers that are used (all that vary):

        - ``"mean"``, ``"median"``: ``s^2`` is the mean (median) of d^2 over pairs of different
          animals.
        - ``"markers"``: ``s^2`` is their number, d^2/m.
        - ``"range"``: s is twice the root of their number, the largest distance there can be: with
          D = d/s, ``exp(-(D / theta)^2)`` of Endelman (2011) has ``bandwidth = theta**-2``.
    standardise : bool, default False
        Divide the genotypes at a marker by their standard deviation (divisor n - 1) first.

    Returns
    -------
    GenomicRelationship
        Diagonal one. Its ``history`` states h and s.

    Raises
    ------
    ArgumentError
        A bandwidth that is not positive, a unit that there is not; as in `grm`.
    DataError
        As in `grm`; all animals have the same genotypes.

    Warns
    -----
    AnimalmmWarning
        More than a tenth of the genotypes is missing.

    References
    ----------
    Endelman, J.B. (2011). Ridge regression and other kernels for genomic selection with R package
    rrBLUP. Plant Genome 4: 250-255.
    de los Campos, G. et al. (2010). Semi-parametric genomic-enabled prediction of genetic values
    using reproducing kernel Hilbert spaces methods. Genet. Res. 92: 295-308.
    """
    D2, unit2, chosen, history = _distances(M, ids, bandwidth, unit, standardise, missing_code)
    D2 *= -bandwidth / unit2
    return _relationship("gaussian", np.exp(D2, out=D2), chosen, history)


def exponential_kernel(
    M: pd.DataFrame | npt.NDArray[Any] | Genotypes,
    ids: Sequence[Any] | npt.NDArray[Any] | pd.Index | None = None,
    bandwidth: float = 1.0,
    *,
    unit: str = "mean",
    standardise: bool = False,
    missing_code: float | Sequence[float] | None = None,
) -> GenomicRelationship:
    """Exponential kernel of the distances between genotypes, ``K_ij = exp(-h d_ij / s)``.

    Parameters, errors and the unit s are those of `gaussian_kernel`: with ``unit="mean"`` s is the
    root of the mean of d^2, and with ``unit="range"`` the ``exp(-D / theta)`` of Endelman (2011)
    has ``bandwidth = 1 / theta``.

    Returns
    -------
    GenomicRelationship
        Diagonal one. Its ``history`` states h and s.
    """
    D2, unit2, chosen, history = _distances(M, ids, bandwidth, unit, standardise, missing_code)
    D = np.sqrt(D2, out=D2)
    D *= -bandwidth / np.sqrt(unit2)
    return _relationship("exponential", np.exp(D, out=D), chosen, history)


def _relationship(
    kind: str, K: Matrix, chosen: tuple[Genotypes, Chosen], how: str
) -> GenomicRelationship:
    genotypes, markers = chosen
    history = (*genotypes.history, f"{kind} kernel {how}")
    return GenomicRelationship(
        genotypes.ids,
        K,
        source=f"the {kind} kernel",
        history=history,
        kind=kind,
        markers=markers.report,
    )


def _distances(
    M: Any, ids: Any, bandwidth: float, unit: str, standardise: bool, missing_code: Any
) -> tuple[Matrix, float, tuple[Genotypes, Chosen], str]:
    """Squared distances, the square of their unit, the markers, and what was done."""
    if not (isinstance(bandwidth, Real) and 0 < bandwidth < np.inf):
        raise ArgumentError(f"bandwidth must be positive and finite, not {bandwidth!r}")
    if unit not in UNITS:
        raise ArgumentError(
            f"there is no unit={unit!r} of distances; there are {', '.join(map(repr, UNITS))}."
            f"{nearest(unit, UNITS)}"
        )
    genotypes = as_genotypes(M, ids, missing_code=missing_code)
    chosen = choose(genotypes, count(genotypes), Filters())
    warn_of_means(
        chosen.share_missing(len(genotypes.ids)), "impute them before, or leave bad markers out"
    )
    D2 = _squared_distances(genotypes, chosen, standardise)
    unit2 = _squared_unit(D2, unit, len(chosen.columns))
    if unit2 == 0:
        raise DataError(
            f"the {unit} distance between animals is zero, as between copies of an animal: leave "
            "out the copies, or choose another unit"
        )
    history = (
        f"with bandwidth {bandwidth:g} and squared unit of distance {unit2:g} ({unit}) from "
        f"{'standardised ' if standardise else ''}genotypes at {chosen.summary()}; "
        f"{chosen.n_missing:,} missing genotypes imputed by the mean of the marker"
    )
    return D2, unit2, (genotypes, chosen), history


def _squared_distances(genotypes: Genotypes, chosen: Chosen, standardise: bool) -> Matrix:
    """Between all pairs of animals, from the products of centred genotypes: shape (n, n)."""
    n, _ = genotypes.shape
    K = empty_product(n, "a kernel matrix")
    for at, x in genotypes.blocks(chosen.columns):
        W = np.nan_to_num(centred(x, chosen.frequency[at]), copy=False)
        if standardise:
            sd = W.std(axis=0, ddof=1)
            W /= np.where(sd > CONSTANT, sd, 1.0)
        K = add_product(K, W)
    squares = K.diagonal().copy()
    D2 = symmetric(K)
    D2 *= -2.0
    D2 += squares
    D2 += squares[:, None]
    np.maximum(D2, 0.0, out=D2)
    np.fill_diagonal(D2, 0.0)
    return D2


def _squared_unit(D2: Matrix, unit: str, n_markers: int) -> float:
    n = len(D2)
    if unit == "median":
        pairs = np.concatenate([D2[i, :i] for i in range(n)])
        return float(np.median(pairs)) if n > 1 else 0.0
    if unit == "mean":
        return float(D2.sum() / (n * (n - 1))) if n > 1 else 0.0
    return float(n_markers if unit == "markers" else 4 * n_markers)
