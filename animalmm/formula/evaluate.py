"""Values of the pieces of a formula: columns and calls of known functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from formulaic.transforms import TRANSFORMS  # type: ignore[import-untyped]
from formulaic.utils.stateful_transforms import stateful_eval  # type: ignore[import-untyped]

from animalmm.errors import DataError, nearest
from animalmm.formula.splines import ns
from animalmm.formula.tokens import mask, names_in, quote

__all__ = ["FUNCTIONS", "Marked", "columns_in", "evaluate"]


@dataclass(frozen=True)
class Marked:
    """Values marked as categorical by `factor` or `C`, with what the user asked of them."""

    values: Any
    contrasts: Any = None
    levels: tuple[Any, ...] | None = None


def _factor(values: Any, contrasts: Any = None, levels: Iterable[Any] | None = None) -> Marked:
    """Mark values as categorical, as in ``C(x, "sum")`` or ``factor(x, levels=["b", "a"])``."""
    return Marked(values, contrasts, None if levels is None else tuple(levels))


def _c(*values: Any) -> list[Any]:
    """List values as R's `c` does: ``bs(x, knots=c(1, 2))``."""
    return list(values)


_FORMULAIC = (
    *("np", "log", "log10", "log2", "exp", "bs", "cr", "cc", "center", "poly", "scale"),
    *("contr", "I", "standardize", "Treatment", "Poly", "Sum", "Helmert", "Diff"),
)
FUNCTIONS: dict[str, Any] = {
    **{name: TRANSFORMS[name] for name in _FORMULAIC},
    **{"sqrt": np.sqrt, "abs": np.abs, "factor": _factor, "C": _factor},
    **{"ns": ns, "c": _c, "TRUE": True, "FALSE": False},
}


def columns_in(text: str) -> tuple[str, ...]:
    """List the columns that a piece of a formula uses, each once.

    Examples
    --------
    >>> columns_in("1 + log(`my col`):poly(x, degree=2)")
    ('my col', 'x')
    """
    return tuple(dict.fromkeys(name for name, _, role in names_in(text) if role == "column"))


def evaluate(
    text: str, data: Mapping[str, Any] | pd.DataFrame, state: MutableMapping[str, Any]
) -> Any:
    """Compute one factor of a formula.

    Parameters
    ----------
    text : str
        A column or a call: ``"x"``, ``"poly(x, 2)"``.
    data : DataFrame
        Without missing values in the columns used.
    state : dict
        What the functions learnt from the data (the knots of `bs`); filled when empty, and then
        used so that new data are transformed alike.

    Returns
    -------
    Series, ndarray, Marked or a dict of columns

    Raises
    ------
    DataError
        A column or a function that does not exist, or one that fails on these data.

    Notes
    -----
    The only names in reach are the columns used and `FUNCTIONS`; never the caller's variables.
    Calls see numbers in double precision, as in R, whatever the type of the column.
    """
    if text in data:
        return data[text]
    masked, columns = mask(text)
    for _, name in columns:
        if name not in data:
            message = f"there is no column {name!r} in the data.{nearest(name, list(data))}"
            raise DataError(message)
    if len(columns) == 1 and masked == columns[0][0]:
        return data[columns[0][1]]
    marks = masked.startswith(("factor(", "C("))
    scope = {**FUNCTIONS, **{short: _wide(data[name], marks) for short, name in columns}}
    try:
        with np.errstate(all="ignore"):  # what comes out is checked for infinite values
            return stateful_eval(masked, scope, {}, state, None)
    except NameError:
        unknown = [n for n, _, role in names_in(text) if role == "function" and n not in FUNCTIONS]
        name = unknown[0] if unknown else text
        message = f"there is no function {name!r} in formulas.{nearest(name, FUNCTIONS)}"
        raise DataError(message) from None
    except Exception as error:
        # a function of the user's choice on the user's data: whatever it raises is about these
        short = ", ".join(quote(name) for _, name in columns)
        raise DataError(f"{text} cannot be computed from {short}: {error}") from error


def _wide(values: Any, keep_integers: bool) -> Any:
    """Widen numbers: 8-bit integers wrap around at 127, and their logarithms have 3 digits."""
    dtype = getattr(values, "dtype", None)
    if dtype is not None and pd.api.types.is_integer_dtype(dtype):
        return values.astype(np.int64 if keep_integers else np.float64)
    if dtype is not None and pd.api.types.is_float_dtype(dtype):
        return values.astype(np.float64)
    return values
