"""Genomic relationship matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from animalmm.core import Matrix, Vector
from animalmm.errors import ArgumentError, DataError, listing, nearest
from animalmm.linalg import require_memory
from animalmm.markers.coding import Coding, coding_named
from animalmm.markers.genotypes import Genotypes
from animalmm.markers.imputation import em_product
from animalmm.markers.memory_sources import as_genotypes
from animalmm.markers.products import add_product, empty_product, symmetric
from animalmm.markers.quality import Chosen, Filters, choose, count, warn_of_means
from animalmm.relationship import CovarianceRelationship

__all__ = ["GenomicRelationship", "grm"]

MISSING = ("mean", "em", "pairwise")


@dataclass(frozen=True, eq=False, repr=False)
class GenomicRelationship(CovarianceRelationship):
    """Relationships estimated from markers.

    Attributes
    ----------
    labels : Index
        The animals.
    K : ndarray, shape (n, n)
        Their relationships.
    source, history : str, tuple of str
        Its name in messages; what was done to get it, with the figures.
    kind : str
        Which relationship: ``"vanraden1"``.
    markers : DataFrame, m rows
        For each marker: what is known of it, ``frequency`` of the counted allele, ``call_rate``,
        ``weight``, ``used`` and the ``reason`` when it was not used.
    """

    source: str = "the genomic relationship matrix"
    kind: str = "vanraden1"
    markers: pd.DataFrame = field(default_factory=pd.DataFrame)


def grm(
    M: pd.DataFrame | npt.NDArray[Any] | Genotypes,
    ids: Sequence[Any] | npt.NDArray[Any] | pd.Index | None = None,
    kind: str = "vanraden1",
    *,
    weights: pd.Series | npt.ArrayLike | None = None,
    frequencies: float | pd.Series | npt.ArrayLike | None = None,
    min_maf: float = 0.0,
    min_call_rate: float = 0.0,
    min_animal_call_rate: float = 0.0,
    missing: str = "mean",
    missing_code: float | Sequence[float] | None = None,
    tolerance: float = 0.02,
) -> GenomicRelationship:
    """Genomic relationship matrix of animals with markers.

    Parameters
    ----------
    M : DataFrame, ndarray or Genotypes, shape (n, m)
        Copies of one allele, 0, 1 or 2 (fractions are dosages), animals x markers, NaN where
        missing. A DataFrame has ids as index and names of markers as columns. It is read in blocks:
        memory is that of the result and a block. One byte an element (``int8``) is enough.
    ids : sequence, length n, optional
        The animals; needed for an ndarray.
    kind : str, default "vanraden1"
        With x copies of the counted allele of frequency p, q = 1 - p, sums over markers:

        - ``"vanraden1"``: ``sum (x_i - 2p)(x_j - 2p) / sum 2pq``; VanRaden (2008), method 1; what
          `A.mat` of rrBLUP and sommer give.
        - ``"vanraden2"``: ``1/m sum (x_i - 2p)(x_j - 2p) / 2pq``; VanRaden (2008), method 2.
        - ``"yang"``: off the diagonal as vanraden2, on it
          ``1 + 1/m sum (x^2 - (1 + 2p) x + 2p^2) / 2pq``; Yang et al. (2010); GCTA's first.
        - ``"su"``: dominance, ``h - 2pq`` with h = 1 in heterozygotes, divided by
          ``sum 2pq (1 - 2pq)``; Su et al. (2012).
        - ``"vitezica"``: dominance deviations -2p^2, 2pq, -2q^2 for x = 0, 1, 2, divided by
          ``sum (2pq)^2``; Vitezica et al. (2013); goes with ``"vanraden1"``.
    weights : Series or array, length m, optional
        d of each marker, not negative: the sums above become ``sum d ...``, in the divisor as well,
        so that only ratios of weights matter. A Series is matched by name of marker.
    frequencies : number, Series or array, length m, optional
        Of the counted allele in the base population, between 0 and 1; default those of the
        observed genotypes of M. One number, 0.5, for metafounders.
    min_maf, min_call_rate : float, default 0
        Markers below are not used: minor allele frequency (of `frequencies`, where given) and share
        of animals with a genotype. Monomorphic markers never are.
    min_animal_call_rate : float, default 0
        An animal below is an error that names it: which animals a model has is yours to say.
    missing : {"mean", "em", "pairwise"}
        - ``"mean"``: a missing genotype counts as its expectation, that is, zero after coding; on
          the diagonal of ``"yang"`` too.
        - ``"pairwise"``: as mean, but each element is divided by the sum over the markers at which
          both animals have a genotype, as in GCTA. Twice the work; K may be indefinite.
        - ``"em"``: expectations given all other genotypes of a multivariate normal distribution,
          with their conditional covariances, as in rrBLUP (Poland et al. 2012); for dense markers
          with many missing (m > n), ``"vanraden1"`` without weights. Holds M in memory as floats.
    missing_code : number or several, optional
        Numbers in M that mean missing, such as -9.
    tolerance : float, default 0.02
        EM stops when the root mean square change of K is below this, rrBLUP's limit.

    Returns
    -------
    GenomicRelationship
        For ``relmat=``; its ``history`` says what was left out and imputed, its ``markers`` is the
        report marker by marker.

    Raises
    ------
    ArgumentError
        An argument that cannot be; ids that do not fit; not enough memory.
    DataError
        Genotypes that are none; labels that stand twice; animals without genotypes; no marker left.

    Warns
    -----
    AnimalmmWarning
        More than a tenth of the genotypes is missing and was replaced by means.

    References
    ----------
    VanRaden, P.M. (2008). Efficient methods to compute genomic predictions. J. Dairy Sci. 91:
    4414-4423.
    Yang, J. et al. (2010). Common SNPs explain a large proportion of the heritability for human
    height. Nat. Genet. 42: 565-569.
    Su, G. et al. (2012). Estimating additive and non-additive genetic variances and predicting
    genetic merits using genome-wide dense single nucleotide polymorphism markers. PLoS ONE 7:
    e45293.
    Vitezica, Z.G., Varona, L. & Legarra, A. (2013). On the additive and dominant variance and
    covariance of individuals within the genomic selection scope. Genetics 195: 1223-1230.
    Wang, H. et al. (2012). Genome-wide association mapping including phenotypes from relatives
    without genotypes. Genet. Res. 94: 73-83 (weights).
    """
    coding = coding_named(kind)
    _check_missing(missing, kind, weights is not None, tolerance)
    filters = Filters(min_maf, min_call_rate, min_animal_call_rate)
    genotypes = as_genotypes(M, ids, missing_code=missing_code)
    chosen = choose(genotypes, count(genotypes), filters, frequencies, weights)
    K, how = _matrix(genotypes, coding, chosen, missing, tolerance)
    given = {"weights": weights, "frequencies": frequencies}
    made = [f"{kind} from {chosen.summary()}"]
    made += [f"{name} given" for name, value in given.items() if value is not None]
    history = (*genotypes.history, "; ".join([*made, how]))
    return GenomicRelationship(genotypes.ids, K, history=history, kind=kind, markers=chosen.report)


def _matrix(
    genotypes: Genotypes, coding: Coding, chosen: Chosen, missing: str, tolerance: float
) -> tuple[Matrix, str]:
    """The matrix, and what was done with missing genotypes, in words."""
    if chosen.n_missing == 0:
        return _product(genotypes, coding, chosen), "no genotype missing"
    share = chosen.share_missing(len(genotypes.ids))
    lost = f"{chosen.n_missing:,} genotypes ({share:.2%}) missing"
    if missing == "em":
        K, iterations = _em(genotypes, coding, chosen, tolerance)
        return K, f"{lost}, imputed by EM in {iterations} iterations"
    if missing == "pairwise":
        K = _product(genotypes, coding, chosen, pairwise=True)
        return K, f"{lost}, left out pair by pair"
    warn_of_means(share, "missing='em' or 'pairwise' do not; min_call_rate drops bad markers")
    return _product(genotypes, coding, chosen), f"{lost}, imputed by the mean of the marker"


def _check_missing(missing: str, kind: str, weighted: bool, tolerance: float) -> None:
    if missing not in MISSING:
        raise ArgumentError(
            f"there is no missing={missing!r}; there are {', '.join(map(repr, MISSING))}."
            f"{nearest(missing, MISSING)}"
        )
    if missing == "em" and (kind != "vanraden1" or weighted):
        raise ArgumentError(
            "missing='em' estimates the product of kind='vanraden1' without weights; use "
            "missing='mean' or 'pairwise' for others"
        )
    if not (isinstance(tolerance, Real) and tolerance > 0):
        raise ArgumentError(f"tolerance must be positive, not {tolerance!r}")


def _product(
    genotypes: Genotypes, coding: Coding, chosen: Chosen, pairwise: bool = False
) -> Matrix:
    """``W D W'`` divided by the sum of d c, of all markers or of those that a pair has."""
    n, _ = genotypes.shape
    K = empty_product(n, "a genomic relationship matrix", 1 + pairwise)
    own = np.zeros(n)
    for at, x in genotypes.blocks(chosen.columns):
        p, d = chosen.frequency[at], chosen.weight[at]
        W = coding.code(x, p)
        if coding.inbreeding is not None:
            own += np.nan_to_num(coding.inbreeding(W, p), copy=False) @ d
        K = add_product(K, _weighted(_filled(W, x), d))
    divisor = _shared(genotypes, coding, chosen) if pairwise else _total(coding, chosen)
    K /= divisor
    if coding.inbreeding is not None:
        np.fill_diagonal(K, 1.0 + own / np.broadcast_to(divisor, K.shape).diagonal())
    return symmetric(K)


def _filled(W: Matrix, x: npt.NDArray[Any]) -> Matrix:
    """Codes with zero, the expectation, for what is missing; integers lack none."""
    return np.nan_to_num(W, copy=False) if np.issubdtype(x.dtype, np.floating) else W


def _weighted(W: Matrix, d: Vector) -> Matrix:
    return W if (d == 1.0).all() else W * np.sqrt(d)


def _total(coding: Coding, chosen: Chosen) -> np.float64:
    """The divisor, a sum over all chosen markers."""
    used = chosen.columns
    return np.float64(coding.scale(chosen.frequency[used]) @ chosen.weight[used])


def _shared(genotypes: Genotypes, coding: Coding, chosen: Chosen) -> Matrix:
    """The divisor of each pair, a sum over the markers at which both have a genotype."""
    n, _ = genotypes.shape
    total = empty_product(n, "the matrix of shared markers", 2)
    for at, x in genotypes.blocks(chosen.columns):
        c = coding.scale(chosen.frequency[at])
        total = add_product(total, _weighted(~np.isnan(x) * np.sqrt(c), chosen.weight[at]))
    total = symmetric(total)
    apart = np.argwhere(np.triu(total == 0))
    if len(apart):
        raise DataError(
            f"{len(apart)} pairs of animals share no marker at which both have a genotype, the "
            f"first of them {listing(genotypes.ids[apart[0]])}; use missing='mean' or 'em'"
        )
    return total


def _em(
    genotypes: Genotypes, coding: Coding, chosen: Chosen, tolerance: float
) -> tuple[Matrix, int]:
    """The matrix by EM, and how many iterations it took."""
    n, m = genotypes.shape[0], len(chosen.columns)
    if m <= n:
        raise ArgumentError(
            f"missing='em' needs more markers than animals: there are {m:,} and {n:,}; use "
            "missing='mean'"
        )
    require_memory(8.0 * (6 * n * m + 8 * n**2), "EM imputation", "Use missing='mean'.")
    blocks = genotypes.blocks(chosen.columns)
    W = np.hstack([coding.code(x, chosen.frequency[at]) for at, x in blocks])
    divisor = _total(coding, chosen)
    result = em_product(W, float(divisor), tolerance)
    return result.product / divisor, result.iterations
