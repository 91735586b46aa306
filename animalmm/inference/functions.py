"""Functions of the variance components and their standard errors."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Collection
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from animalmm.core import Matrix, Vector
from animalmm.errors import ArgumentError, listing, nearest
from animalmm.formula.tokens import mask, unmask

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {"sqrt": np.sqrt, "log": np.log, "exp": np.exp}
_STEP = 1e-4  # of central differences, in standard errors

__all__ = ["delta", "vpredict"]


def vpredict(
    function: str | Callable[[pd.Series], float], values: pd.Series, covariance: Matrix
) -> pd.Series:
    """Value and standard error of a function of the components. See `Fit.vpredict`."""
    if isinstance(function, str) and function.strip():
        function = _expression(function, values.index)
    elif not callable(function):
        raise ArgumentError(
            "vpredict takes an expression such as 'animal / (animal + Residual)' or a function "
            f"of the components, not {function!r}"
        )
    estimate = _number(function, values)
    gradient = _gradient(function, values, np.sqrt(np.diag(covariance)))
    se = delta(gradient[None], covariance)[0]
    return pd.Series({"estimate": estimate, "se": se}, name="vpredict")


def delta(gradients: Matrix, covariance: Matrix) -> Vector:
    """Standard errors by the delta method, ``sqrt(g' C g)``.

    Components without a standard error (NaN) are held; what depends on no others has none either.

    Parameters
    ----------
    gradients : ndarray, shape (k, m)
        Derivatives of k functions by the m components.
    covariance : ndarray, shape (m, m)
        Of the components.

    Returns
    -------
    ndarray, shape (k,)
    """
    held = np.isnan(np.diag(covariance))
    G = gradients[:, ~held]
    variances = np.einsum("ka,ab,kb->k", G, covariance[np.ix_(~held, ~held)], G)
    nothing_else = gradients[:, held].any(axis=1) & ~G.any(axis=1)
    return np.where(nothing_else, np.nan, np.sqrt(np.maximum(variances, 0.0)))


def _gradient(function: Callable[[pd.Series], Any], values: pd.Series, se: Vector) -> Vector:
    """Central differences; zero by a known component, whose slope does not matter."""
    sizes = np.where(np.isnan(se), values.abs().max(), se)
    slopes = np.zeros(len(values))
    for k in np.flatnonzero(sizes):
        step = np.zeros(len(values))
        step[k] = _STEP * sizes[k]
        change = _number(function, values + step) - _number(function, values - step)
        slopes[k] = change / (2.0 * step[k])
    return slopes


def _number(function: Callable[[pd.Series], Any], values: pd.Series) -> float:
    """What the function gives, if that is a number."""
    try:
        with np.errstate(all="ignore"):
            found = function(values.copy())
    except KeyError as error:
        raise _unknown(error.args[0], values.index) from error
    if not isinstance(found, Real):
        raise ArgumentError(f"a function of the components must give one number, not {found!r}")
    return float(found)


def _expression(text: str, names: Collection[str]) -> Callable[[pd.Series], Any]:
    """A function of the components from arithmetic with their names."""
    masked, columns = mask(text)
    for _, name in columns:
        if name not in names:
            raise _unknown(name, names)
    try:
        tree = ast.parse(masked.strip(), mode="eval").body
    except SyntaxError as error:
        raise ArgumentError(f"{text!r} cannot be read: {error.msg}") from None
    return lambda values: _value(tree, values, columns)


def _value(node: ast.AST, values: pd.Series, columns: tuple[tuple[str, str], ...]) -> Any:
    """Evaluate arithmetic, and nothing but arithmetic."""
    match node:
        case ast.Name(name):
            return values[dict(columns)[name]]
        case ast.Constant(float() | int() as number):
            return np.float64(number)
        case ast.UnaryOp(ast.USub(), operand):
            return -_value(operand, values, columns)
        case ast.BinOp(left, sign, right) if type(sign) in _OPERATORS:
            sides = (_value(side, values, columns) for side in (left, right))
            return _OPERATORS[type(sign)](*sides)
        case ast.Call(ast.Name(name), [argument], []) if name in _FUNCTIONS:
            return _FUNCTIONS[name](_value(argument, values, columns))
    raise ArgumentError(
        f"{unmask(ast.unparse(node), columns)!r} is not arithmetic: write + - * / ** "
        f"{' '.join(_FUNCTIONS)}, numbers and names of components, in backticks where they are "
        "not plain: `ide(animal)`"
    )


def _unknown(name: object, names: Collection[str]) -> ArgumentError:
    return ArgumentError(
        f"there is no variance component {name!r}; there are {listing(names, limit=len(names))}."
        f"{nearest(name, names)}"
    )
