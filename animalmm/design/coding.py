"""Model matrices: the terms of a formula coded as R codes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse as sp

from animalmm.errors import ArgumentError, DataError, nearest
from animalmm.formula.evaluate import columns_in, evaluate
from animalmm.formula.factors import Categorical, Factor, Numeric, describe, is_categorical, label
from animalmm.formula.spec import FormulaSpec
from animalmm.formula.terms import Term, expand
from animalmm.formula.tokens import quote

__all__ = ["Coding", "code", "response"]

Floats: TypeAlias = npt.NDArray[np.float64]
Matrix: TypeAlias = "Floats | sp.csc_array"

SPARSE_COLUMNS = 60  # fewer columns than this are never worth a sparse matrix
SPARSE_DENSITY = 0.2  # and with more non-zeros than this share none is


@dataclass(frozen=True, eq=False)
class Coding:
    """What is needed to code new data as the data of the fit were coded; it can be pickled.

    Attributes
    ----------
    text : str
        The right side.
    names : tuple of str, (p,)
        Names of the columns as R gives them: ``(Intercept)``, ``sexM``, ``sexM:x``, ``dose.L``.
    terms : tuple of str
        The terms in R's order, without the intercept.
    assign : ndarray, (p,)
        The term of each column: 0 for the intercept, i for ``terms[i - 1]``.
    columns : tuple of str
        Columns of the data that are used.
    is_sparse : bool
        Whether matrices come as ``csc_array``.
    """

    text: str
    names: tuple[str, ...]
    terms: tuple[str, ...]
    assign: npt.NDArray[np.intp]
    columns: tuple[str, ...]
    is_sparse: bool
    _terms: tuple[Term, ...]
    _intercept: bool
    _factors: dict[str, Factor]
    _state: dict[str, Any]

    @property
    def levels(self) -> dict[str, tuple[Any, ...]]:
        """Levels of each categorical factor."""
        return {t: f.levels for t, f in self._factors.items() if isinstance(f, Categorical)}

    def matrix(self, data: pd.DataFrame) -> Matrix:
        """Code rows of new data.

        Parameters
        ----------
        data : DataFrame, n rows
            With the columns `columns`.

        Returns
        -------
        ndarray or csc_array, (n, p)
            Rows with a missing value are NaN throughout.

        Raises
        ------
        DataError
            A column that is absent, a level that the fit has not seen.
        """
        for name in self.columns:
            if name not in data:
                raise DataError(f"the new data lack the column {name!r}.{nearest(name, data)}")
        n, p = len(data), len(self.names)
        complete = data[list(self.columns)].notna().all(axis=1).to_numpy(dtype=bool)
        if complete.all():
            return self._assemble(self._read(data), n)
        part = self._assemble(self._read(data.loc[complete]), int(complete.sum()))
        if not isinstance(part, sp.csc_array):
            out = np.full((n, p), np.nan)
            out[complete] = part
            return out
        kept, lost = np.flatnonzero(complete), np.flatnonzero(~complete)
        blank = sp.csr_array(np.full((len(lost), p), np.nan))
        order = np.argsort(np.concatenate([kept, lost]))
        return sp.csc_array(sp.vstack([part.tocsr(), blank], format="csr")[order])

    def _read(self, data: pd.DataFrame) -> dict[str, Any]:
        n = len(data)
        return {
            text: factor.read(evaluate(text, data, self._state), n)
            for text, factor in self._factors.items()
        }

    def _assemble(self, values: Mapping[str, Any], n: int) -> Matrix:
        if self.is_sparse:
            wide = [sp.csr_array(np.ones((n, 1)))] * self._intercept
            wide += [reduce(_row_products, blocks) for blocks in self._blocks(values, "sparse")]
            columns = [block.tocsc() for block in wide]  # which hstack need not sort
            return sp.hstack(columns, format="csc") if wide else sp.csc_array((n, 0))
        blocks = [np.ones((n, 1))] * self._intercept
        for factors in self._blocks(values, "dense"):
            block = factors[0]
            for factor in factors[1:]:  # the first factor varies fastest
                width = factor.shape[1] * block.shape[1]
                block = (factor[:, :, None] * block[:, None, :]).reshape(n, width)
            blocks.append(block)
        return np.ascontiguousarray(np.hstack(blocks)) if blocks else np.zeros((n, 0))

    def _blocks(self, values: Mapping[str, Any], form: str) -> Iterator[list[Any]]:
        for term in self._terms:
            yield [
                getattr(self._factors[text], form)(values[text], reduced)
                for text, reduced in zip(term.factors, term.reduced, strict=True)
            ]


def code(
    rhs: str,
    data: pd.DataFrame,
    *,
    contrasts: Mapping[str, object] | None = None,
    sparse: bool | None = None,
) -> tuple[Matrix, Coding]:
    """Code the right side of a formula.

    Levels of text stand in the order of their characters' code points (R's C locale), those of a
    pandas Categorical in their declared order without the unused ones; an ordered Categorical
    has polynomial contrasts, all else treatment contrasts. Truth values have the levels FALSE
    and TRUE.

    Parameters
    ----------
    rhs : str
        As in `FormulaSpec.fixed`: the intercept explicit.
    data : DataFrame, n rows
        Without missing values.
    contrasts : mapping, optional
        For columns: ``"treatment"``, ``"sum"``, ``"helmert"``, ``"poly"``, ``"sdif"``, an array
        (k, m), or a DataFrame whose index has the k levels. Keys that `rhs` does not use are
        passed over.
    sparse : bool, optional
        The form of the matrix; by default sparse when it has many columns and mostly zeros.

    Returns
    -------
    ndarray or csc_array, (n, p)
    Coding

    Raises
    ------
    DataError
        A factor with one level, a transformation that is not finite, a column of no use.
    ArgumentError
        Contrasts for a column that is not there or is not categorical.
    """
    expansion = expand(rhs)
    state: dict[str, Any] = {}
    factors: dict[str, Factor] = {}
    values: dict[str, Any] = {}
    contrasts = _checked(contrasts, data)
    n = len(data)
    for text in dict.fromkeys(f for term in expansion.terms for f in term.factors):
        raw = evaluate(text, data, state)
        factors[text], values[text] = describe(text, raw, n, _chosen(text, raw, contrasts))
    terms = expansion.terms if expansion.intercept else _with_indicators(expansion.terms, factors)

    names, assign = ["(Intercept)"] * expansion.intercept, [0] * expansion.intercept
    for i, term in enumerate(terms, start=1):
        own = _names(term, factors)
        names += own
        assign += [i] * len(own)
    coding = Coding(
        text=rhs,
        names=tuple(names),
        terms=tuple(label(term.text) for term in terms),
        assign=np.array(assign, dtype=np.intp),
        columns=columns_in(rhs),
        is_sparse=len(names) > SPARSE_COLUMNS if sparse is None else sparse,
        _terms=terms,
        _intercept=expansion.intercept,
        _factors=factors,
        _state=state,
    )
    X = coding._assemble(values, n)
    if sparse is None and isinstance(X, sp.csc_array) and X.nnz > SPARSE_DENSITY * n * X.shape[1]:
        coding = replace(coding, is_sparse=False)
        X = np.ascontiguousarray(X.toarray())
    return X, coding


def response(spec: FormulaSpec, data: pd.DataFrame) -> Floats:
    """Compute the response.

    Returns
    -------
    ndarray, (n,)

    Raises
    ------
    DataError
        A response that is not numeric, not finite or constant.
    """
    values = evaluate(spec.response, data, {})
    remedy = "turn it into numbers first, or fit another column"
    if is_categorical(values):
        raise DataError(f"the response {spec.response} is not numeric: {remedy}")
    n = len(data)
    y = Numeric(spec.response, 1).read(values, n)[:, 0]
    if np.all(y == y[0]):
        message = f"the response {spec.response} is {y[0]:g} in all {n} rows"
        raise DataError(f"{message}: there is nothing to estimate")
    return y


def _checked(contrasts: Mapping[str, object] | None, data: pd.DataFrame) -> Mapping[str, object]:
    contrasts = {} if contrasts is None else contrasts
    for name in contrasts:
        if name not in data:
            message = f"contrasts names {name!r}, which is no column of the model"
            raise ArgumentError(f"{message}.{nearest(name, data)}")
    return contrasts


def _chosen(text: str, values: Any, contrasts: Mapping[str, object]) -> object:
    """Find the contrasts asked for by keyword for a factor: a column, or `factor(column)`."""
    names = columns_in(text)
    if len(names) != 1 or names[0] not in contrasts:
        return None
    if is_categorical(values):
        return contrasts[names[0]]
    if quote(names[0]) == text:
        message = f"contrasts names {names[0]!r}, which is numeric: write factor({text})"
        raise ArgumentError(f"{message} in the formula to make it categorical")
    return None


def _with_indicators(terms: tuple[Term, ...], factors: Mapping[str, Factor]) -> tuple[Term, ...]:
    """Without an intercept the first categorical factor takes indicators, as in R."""
    for i, term in enumerate(terms):
        for j, text in enumerate(term.factors):
            if isinstance(factors[text], Categorical):
                reduced = (*term.reduced[:j], False, *term.reduced[j + 1 :])
                return (*terms[:i], replace(term, reduced=reduced), *terms[i + 1 :])
    return terms


def _names(term: Term, factors: Mapping[str, Factor]) -> list[str]:
    """Names of a term's columns; the first factor varies fastest."""
    names = [""]
    for text, reduced in zip(term.factors, term.reduced, strict=True):
        own = factors[text].names(reduced)
        names = [f"{left}:{right}" if left else right for right in own for left in names]
    return names


def _row_products(A: sp.csr_array, B: sp.csr_array) -> sp.csr_array:
    """Products of each column of A with each of B, A's varying fastest: (n, p q)."""
    n, p = A.shape
    in_a, in_b = np.diff(A.indptr), np.diff(B.indptr)
    counts = in_a * in_b
    row = np.repeat(np.arange(n), counts)
    starts = np.concatenate([[0], np.cumsum(counts)])
    place = np.arange(starts[-1]) - starts[row]  # within its row
    at_a = A.indptr[row] + place % in_a[row]
    at_b = B.indptr[row] + place // in_a[row]
    columns = A.indices[at_a] + p * B.indices[at_b]
    values = A.data[at_a] * B.data[at_b]
    return sp.csr_array((values, columns, starts), shape=(n, p * B.shape[1]))
