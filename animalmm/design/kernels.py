"""Which relationship belongs to which random term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from animalmm.core import Relationship
from animalmm.errors import ArgumentError, FormulaError, listing, nearest
from animalmm.formula import BarTerm, FormulaSpec
from animalmm.relationship import as_relationship

__all__ = ["Kernels", "collect_kernels"]


@dataclass(frozen=True, eq=False)
class Kernels:
    """The relationships of a model by the key they were given under.

    Attributes
    ----------
    by_key : dict of str to Relationship
        Keys of `relmat` and `precision`.
    sources : dict of str to str
        How the user wrote each, for messages: ``"relmat['animal']"``.
    """

    by_key: dict[str, Relationship]
    sources: dict[str, str]

    def of(self, bar: BarTerm) -> str | None:
        """Key of the relationship of a term; None for the identity."""
        key = _key(bar)
        return key if key in self.by_key else None


def collect_kernels(
    spec: FormulaSpec,
    data: pd.DataFrame,
    relmat: Mapping[str, Any] | None,
    precision: Mapping[str, Any] | None,
) -> Kernels:
    """Read `relmat` and `precision` and hold them against the terms of the formula.

    Raises
    ------
    ArgumentError
        A key that matches no term, or stands in both.
    FormulaError
        ``gr(g, D)`` without a D.
    RelationshipError
        A matrix that cannot be used.
    """
    given: list[tuple[str, Any, str, bool]] = []
    for argument, mapping in (("relmat", relmat), ("precision", precision)):
        if mapping is not None and not isinstance(mapping, Mapping):
            raise ArgumentError(
                f"{argument} takes a mapping from a column to its matrix, such as "
                f"{argument}={{'animal': A}}; this is a {type(mapping).__name__}"
            )
        given += [
            (key, value, f"{argument}[{key!r}]", argument == "precision")
            for key, value in (mapping or {}).items()
        ]
    _check_keys(spec, [key for key, *_ in given])
    kernels = Kernels({}, {})
    made: dict[tuple[int, bool], Relationship] = {}  # one object under two keys is one kernel
    for key, value, source, inverse in given:
        if key in kernels.by_key:
            raise ArgumentError(f"'{key}' stands in relmat and in precision; give it once")
        if (id(value), inverse) not in made:
            made[id(value), inverse] = as_relationship(
                value, source, inverse=inverse, categories=_categories(data, key)
            )
        kernels.by_key[key] = made[id(value), inverse]
        kernels.sources[key] = source
    for bar in spec.bars:
        if bar.kernel is not None and bar.kernel not in kernels.by_key:
            raise FormulaError(
                f"no matrix was given for the kernel '{bar.kernel}' of {bar.text}: add "
                f"relmat={{'{bar.kernel}': ...}}.{nearest(bar.kernel, kernels.by_key)}",
                spec.text,
                bar.position,
            )
    return kernels


def _key(bar: BarTerm) -> str | None:
    """The key under which a term looks for its matrix."""
    if bar.identity:
        return None
    return bar.kernel if bar.kernel is not None else ":".join(bar.group)


def _check_keys(spec: FormulaSpec, keys: list[str]) -> None:
    wanted = [key for bar in spec.bars if (key := _key(bar)) is not None]
    for key in keys:
        if key not in wanted:
            raise ArgumentError(
                f"relmat/precision key {key!r} matches no random term; the terms with a "
                f"relationship can be: {listing(dict.fromkeys(wanted)) or 'none'}."
                f"{nearest(key, wanted)}"
            )


def _categories(data: pd.DataFrame, key: str) -> pd.Index | None:
    """Declared categories of a Categorical column: they label a bare matrix of that size."""
    if key in data.columns and isinstance(data[key].dtype, pd.CategoricalDtype):
        categories: pd.Index = data[key].cat.categories
        return categories
    return None
