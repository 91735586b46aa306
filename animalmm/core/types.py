"""The frozen types that every room shares.

Constant data (`Term`, `Problem`) and moving state (`Psi`) are different types: a problem is made
once and never changes, a `Psi` is one value of the variance parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core.arrays import DesignMatrix, Matrix, Vector
from animalmm.core.structure import CovStruct, Relationship

__all__ = ["Direction", "Problem", "Psi", "Term"]


@dataclass(frozen=True, eq=False)
class Term:
    """One random term ``u ~ N(0, K ⊗ Sigma)`` and its incidence.

    Attributes
    ----------
    name : str
        As printed in tables, unique: ``"animal"``, ``"cask:batch"``, ``"Subject.1"``.
    group : str
        What it groups by, shared by the terms that ``||`` makes: ``"Subject"``.
    columns : tuple of str
        The t effects of one level: ``("(Intercept)", "Days")``.
    Z : csr_array, shape (n, q * t)
        Incidence, level-major: effect c of level j is column ``j * t + c``.
    relationship : Relationship
        K (q x q), with the labels of the q levels.
    structure : CovStruct
        The form of Sigma (t x t).
    known : bool
        Whether K was given by the user (`relmat` or `precision`) rather than the identity.
    """

    name: str
    group: str
    columns: tuple[str, ...]
    Z: sparse.csr_array
    relationship: Relationship
    structure: CovStruct
    known: bool = False

    @property
    def q(self) -> int:
        """Number of levels of K, those without records included."""
        return self.relationship.size

    @property
    def t(self) -> int:
        """Number of effects of one level."""
        return len(self.columns)

    @property
    def labels(self) -> pd.Index:
        """Labels of the q levels."""
        return self.relationship.labels


@dataclass(frozen=True, eq=False)
class Problem:
    """``y = offset + X beta + sum_i Z_i u_i + e``, ``Var(e) = sigma2 / weights``.

    Attributes
    ----------
    y : ndarray, shape (n,)
        Response, the offset not yet taken off.
    X : ndarray or csc_array, shape (n, p)
        Fixed-effects matrix of full column rank.
    names : tuple of str
        Names of the p columns of X.
    terms : tuple of Term
        Random terms, in the order of the formula.
    weights : ndarray, shape (n,)
        Prior weights, positive.
    offset : ndarray, shape (n,)
        Known part of the mean.
    """

    y: Vector
    X: DesignMatrix
    names: tuple[str, ...]
    terms: tuple[Term, ...]
    weights: Vector
    offset: Vector

    @property
    def n(self) -> int:
        """Number of records."""
        return len(self.y)

    @property
    def p(self) -> int:
        """Number of fixed effects."""
        return len(self.names)


@dataclass(frozen=True, eq=False)
class Psi:
    """One value of the variance parameters.

    Attributes
    ----------
    factors : tuple of ndarray
        For each term any F (t x t) with ``Sigma = F F'``. A singular F is legal.
    sigma2 : float
        Residual variance of a record of weight one.
    """

    factors: tuple[Matrix, ...]
    sigma2: float = 1.0

    @property
    def sigmas(self) -> tuple[Matrix, ...]:
        """Sigma of each term."""
        return tuple(F @ F.T for F in self.factors)

    def scaled(self, variance: float) -> Psi:
        """All variances times `variance`."""
        root = float(np.sqrt(variance))
        return replace(
            self, factors=tuple(F * root for F in self.factors), sigma2=self.sigma2 * variance
        )


@dataclass(frozen=True, eq=False)
class Direction:
    """A change of the variance parameters, and so of V.

    Attributes
    ----------
    sigmas : tuple of ndarray, shape (t, t)
        Change of the Sigma of each term, symmetric.
    sigma2 : float
        Change of the residual variance.
    """

    sigmas: tuple[Matrix, ...]
    sigma2: float = 0.0
