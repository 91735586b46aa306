"""The summary of a fit: tables first, then their text and HTML."""

from __future__ import annotations

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["MAX_CORRELATIONS", "Summary"]

_ERRORS = "Standard errors of variances and shares: average information."
MAX_CORRELATIONS = 20  # lme4 too leaves the correlations of more fixed effects out


@dataclass(frozen=True, eq=False)
class Summary:
    """What `Fit.summary` returns; printing it gives text, a notebook shows tables.

    Attributes
    ----------
    title : str
        What was fitted.
    formula : str
        As the user wrote it.
    facts : Series
        Criterion, numbers of records and of levels, information criteria.
    residuals : Series
        Quantiles of the scaled residuals.
    random : DataFrame
        Variance components: ``Groups Name Variance Std.Err. Std.Dev. Corr``.
    shares : DataFrame
        Shares of the phenotypic variance, heritability among them: ``variance share se``.
    fixed : DataFrame
        ``estimate se t``.
    correlation : DataFrame
        Correlation of the fixed effects; empty when they are more than 20 (see `Fit.vcov`).
    notes : tuple of str
        Dropped rows and columns, boundary, convergence.
    """

    title: str
    formula: str
    facts: pd.Series
    residuals: pd.Series
    random: pd.DataFrame
    shares: pd.DataFrame
    fixed: pd.DataFrame
    correlation: pd.DataFrame
    notes: tuple[str, ...]

    def __str__(self) -> str:
        """Text in the order of lme4's print."""
        parts = [
            f"{self.title}\nFormula: {self.formula}",
            _pairs(self.facts),
            "Scaled residuals:\n" + _text(self.residuals.to_frame().T, index=False),
            "Random effects:\n" + _text(self.random, index=False),
            "Shares of the phenotypic variance:\n" + _text(self.shares) + f"\n{_ERRORS}",
            "Fixed effects:\n" + _text(self.fixed) if len(self.fixed) else "No fixed effects.",
        ]
        if 1 < len(self.fixed) <= MAX_CORRELATIONS:
            lower = self.correlation.where(np.tri(len(self.fixed), k=-1, dtype=bool))
            table = lower.iloc[1:, :-1]
            parts.append("Correlation of fixed effects:\n" + _text(table, form=".3f"))
        return "\n\n".join([*parts, *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The same tables for a notebook."""
        tables = {
            "Random effects": (self.random, False),
            "Shares of the phenotypic variance": (self.shares, True),
            "Fixed effects": (self.fixed, True),
        }
        body = "".join(
            f"<h4>{name}</h4>{_formatted(table).to_html(index=index, na_rep='')}"
            for name, (table, index) in tables.items()
        )
        facts = "; ".join(f"{k}: {_plain(v)}" for k, v in self.facts.items())
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)
        return (
            f"<h3>{html.escape(self.title)}</h3><p><code>{html.escape(self.formula)}</code></p>"
            f"<p>{html.escape(facts)}</p>{body}<p>{_ERRORS}</p>{notes}"
        )


def _text(table: pd.DataFrame, *, index: bool = True, form: str | None = None) -> str:
    """A table as text: words to the left, numbers to the right."""
    columns = [("", list(table.index), str.ljust)] if index else []
    for name, values in _formatted(table, form).items():
        number = pd.api.types.is_numeric_dtype(table[name].dtype)
        columns.append((str(name), list(values), str.rjust if number else str.ljust))
    padded = []
    for name, cells, align in columns:
        words = [name, *map(str, cells)]
        width = max(map(len, words))
        padded.append([align(word, width) for word in words])
    return "\n".join(" " + " ".join(row).rstrip() for row in zip(*padded, strict=True))


def _formatted(table: pd.DataFrame, form: str | None = None) -> pd.DataFrame:
    """Numbers as text: each column with the decimals that its smallest number needs."""
    out = table.astype(object)
    for position, name in enumerate(table.columns):
        column = table.iloc[:, position]
        if pd.api.types.is_float_dtype(column.dtype):
            own = form or _format(column)
            out[name] = ["" if pd.isna(v) else format(v, own) for v in column]
    return out


def _format(column: pd.Series, digits: int = 4) -> str:
    """Decimals that give the smallest number `digits` significant ones, or powers of ten."""
    sizes = np.abs(column.dropna().to_numpy(dtype=float))
    sizes = sizes[sizes > 0]
    if not len(sizes):
        return ".1f"
    largest, smallest = np.floor(np.log10([sizes.max(), sizes.min()]))
    if not -4 <= largest <= 9:
        return f".{digits - 1}e"
    needed = digits - 1 - smallest
    room = max(digits + 2 - largest, 0)  # a small number beside a large one is shown to two digits
    if needed > room + digits - 2:
        return f".{digits + 3}g"
    return f".{int(np.clip(min(needed, room), 0, 8))}f"


def _pairs(facts: pd.Series) -> str:
    return "\n".join(f"{name}: {_plain(value)}" for name, value in facts.items())


def _plain(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
