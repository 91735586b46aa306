"""Natural cubic splines for formulas: `ns`, with the columns of R's ``splines::ns``."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from formulaic.utils.stateful_transforms import stateful_transform  # type: ignore[import-untyped]

__all__ = ["ns"]

Floats: TypeAlias = npt.NDArray[np.float64]


@stateful_transform  # type: ignore[untyped-decorator]
def ns(
    x: npt.ArrayLike,
    df: int | None = None,
    knots: npt.ArrayLike | None = None,
    intercept: bool = False,
    boundary_knots: npt.ArrayLike | None = None,
    _state: MutableMapping[str, Any] = {},  # noqa: B006  # formulaic hands its own over
) -> Floats:
    """Compute a basis of natural cubic splines: linear beyond the boundary knots.

    Parameters
    ----------
    x : array-like, (n,)
    df : int, optional
        Number of columns; the inner knots are then quantiles of `x`. Without `df` and `knots` it
        is 1, or 2 with `intercept`, as in R: a straight line.
    knots : array-like, optional
        Inner knots, between the boundary knots.
    intercept : bool, default False
        Whether constants are in the span of the basis.
    boundary_knots : array-like, (2,), optional
        Range of `x` by default.
    _state : dict
        The knots and the constraints; filled when empty, and then used for new data.

    Returns
    -------
    ndarray, (n, df)
        R's columns, their signs included.

    Raises
    ------
    ValueError
        `df` too small, knots of no use.

    Notes
    -----
    B-splines (de Boor 1978, A Practical Guide to Splines) under the constraint of zero second
    derivatives at the boundary knots (Hastie 1992, in Statistical Models in S, section 7.6): an
    orthonormal basis of the coefficients that satisfy it comes from a Householder QR
    decomposition, which fixes the columns' signs and rotation.
    """
    x = np.asarray(x, dtype=float)
    if "knots" not in _state:
        inner, ends = _knots(x, df, knots, intercept, boundary_knots)
        first = 0 if intercept else 1  # the first B-spline supplies the constants
        full = np.concatenate([np.repeat(ends[0], 4), inner, np.repeat(ends[1], 4)])
        bent = _design(full, ends, 2)[:, first:]
        natural = np.linalg.qr(bent.T, mode="complete")[0][:, 2:]
        _state["knots"] = full
        _state["natural"] = np.vstack([np.zeros((first, natural.shape[1])), natural])
    full, natural = _state["knots"], _state["natural"]
    inside = np.clip(x, full[0], full[-1])
    basis = _design(full, inside, 0) + (x - inside)[:, None] * _design(full, inside, 1)
    return np.asarray(basis @ natural, dtype=float)


def _design(full: Floats, x: Floats, derivative: int) -> Floats:
    """Derivatives of the cubic B-splines at points between the boundary knots."""
    from scipy.interpolate import BSpline  # slow to import, and few formulas have splines

    spline = BSpline(full, np.eye(len(full) - 4), 3)
    return np.asarray(spline(x, nu=derivative), dtype=float)


def _knots(
    x: Floats, df: Any, knots: Any, intercept: bool, boundary_knots: Any
) -> tuple[Floats, Floats]:
    """Find the inner knots and the two boundary knots."""
    ends = np.sort(np.asarray([x.min(), x.max()] if boundary_knots is None else boundary_knots))
    if ends.shape != (2,) or not np.isfinite(ends).all() or ends[0] == ends[1]:
        raise ValueError(f"the boundary knots are {ends.tolist()}, not two different numbers")
    if knots is not None:
        inner = np.sort(np.atleast_1d(np.asarray(knots, dtype=float)))
        if df is not None and df != len(inner) + 1 + intercept:
            message = f"{len(inner)} knots make {len(inner) + 1 + intercept} columns, not df={df}"
            raise ValueError(f"{message}: give one of the two")
    else:
        least = 1 + intercept
        df = least if df is None else df
        if df != int(df) or df < least:
            raise ValueError(f"df must be a whole number of at least {least}, not {df}")
        shares = np.linspace(0, 1, int(df) - least + 2)[1:-1]
        within = x[(ends[0] <= x) & (x <= ends[1])]
        if not len(within):
            raise ValueError(f"no value of x lies within the boundary knots {ends.tolist()}")
        inner = np.quantile(within, shares)
    if not ((ends[0] < inner) & (inner < ends[1])).all() or (np.diff(inner) == 0).any():
        message = f"the inner knots {inner.tolist()} are not distinct within {ends.tolist()}"
        raise ValueError(f"{message}: use fewer, or name them with knots=")
    return inner, ends.astype(float)
