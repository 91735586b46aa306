"""Several relationships among the same levels made into one: weighted sums, products."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from functools import reduce
from numbers import Real
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Matrix
from animalmm.errors import ArgumentError, RelationshipError, listing
from animalmm.relationship.base import LabelledRelationship
from animalmm.relationship.coerce import as_labelled
from animalmm.relationship.kinds import CovarianceRelationship
from animalmm.relationship.labels import kind_of, look_alike

__all__ = ["combine", "hadamard", "histories", "named_parts"]

Levels = Literal["same", "common"]


def combine(
    kernels: Mapping[str, Any] | Sequence[Any],
    weights: Mapping[str, float] | Sequence[float],
    *,
    levels: Levels = "same",
) -> CovarianceRelationship:
    """A weighted sum of relationship matrices, matched by their labels.

    Parameters
    ----------
    kernels : mapping or sequence
        What `relmat` takes: DataFrame, (matrix, labels), Pedigree, Relationship.
    weights : mapping or sequence of float
        One for each kernel, as a mapping with the same keys if the kernels are one; not negative,
        not all zero. They are used as they are: let them add up to 1 to keep the scale.
    levels : {"same", "common"}, default "same"
        Whether all kernels must have the same levels, or the sum is taken over those that all of
        them have. There is no sum over the levels of any: a level that a kernel lacks is unknown
        to it, not unrelated (`animalmm.single_step` joins a pedigree with fewer genotyped ids).

    Returns
    -------
    CovarianceRelationship
        In the order of the first kernel; sparse if all of them are.

    Raises
    ------
    ArgumentError
        No kernels, weights that do not match them or are negative or not finite.
    RelationshipError
        Levels that are not the same; a kernel that is no relationship matrix.
    """
    parts = named_parts(kernels)
    factors = _weights(weights, parts, isinstance(kernels, Mapping))
    labels, matrices = _aligned(parts, levels)
    terms: list[Any] = [w * K for w, K in zip(factors, matrices, strict=True)]
    text = " + ".join(f"{w:g} {name}" for w, name in zip(factors, parts, strict=True))
    return _made(labels, reduce(operator.add, terms), parts, text)


def hadamard(*kernels: Any, levels: Levels = "same") -> CovarianceRelationship:
    """The product of relationship matrices element by element, matched by their labels.

    ``hadamard(A, A)`` is the relationship of additive by additive epistatic effects among animals
    that are not inbred, ``hadamard(A, D)`` of additive by dominance ones.

    Parameters
    ----------
    *kernels : DataFrame, (matrix, labels), Pedigree or Relationship
        At least two.
    levels : {"same", "common"}, default "same"
        As in `combine`.

    Returns
    -------
    CovarianceRelationship
        In the order of the first kernel; sparse if any of them is.

    Raises
    ------
    ArgumentError
        Fewer than two kernels.
    RelationshipError
        Levels that are not the same; a kernel that is no relationship matrix.

    References
    ----------
    Cockerham, C.C. (1954). An extension of the concept of partitioning hereditary variance for
    analysis of covariances among relatives when epistasis is present. Genetics 39: 859-882.

    Henderson, C.R. (1985). Best linear unbiased prediction of nonadditive genetic merits in
    noninbred populations. Journal of Animal Science 60: 111-117.
    """
    parts = named_parts(kernels, at_least=2)
    labels, matrices = _aligned(parts, levels)
    return _made(labels, reduce(_product, matrices), parts, " # ".join(parts))


def named_parts(
    kernels: Mapping[str, Any] | Sequence[Any], at_least: int = 1
) -> dict[str, LabelledRelationship]:
    """The kernels as relationships by name: the keys of a mapping, else K1, K2, ..."""
    if isinstance(kernels, str | pd.DataFrame | np.ndarray) or not isinstance(
        kernels, Mapping | Sequence
    ):
        raise ArgumentError(
            f"a list or a mapping of relationship matrices is needed, not a "
            f"{type(kernels).__name__}"
        )
    if len(kernels) < at_least:
        raise ArgumentError(
            f"{len(kernels)} relationship matrices were given; at least {at_least} are needed"
        )
    if not isinstance(kernels, Mapping):
        kernels = {f"K{i}": kernel for i, kernel in enumerate(kernels, 1)}
    parts = {str(name): as_labelled(kernel, str(name)) for name, kernel in kernels.items()}
    if len(parts) < len(kernels):
        raise ArgumentError(f"keys of kernels look alike as text: {listing(kernels)}")
    return parts


def histories(parts: Mapping[str, LabelledRelationship]) -> tuple[str, ...]:
    """What was done to each part, under its name."""
    return tuple(f"{name}: {step}" for name, part in parts.items() for step in part.history)


def _made(
    labels: pd.Index,
    K: Matrix | sparse.csc_array,
    parts: Mapping[str, LabelledRelationship],
    text: str,
) -> CovarianceRelationship:
    history = (*histories(parts), f"made as {text}")
    return CovarianceRelationship(labels, K, f"the matrix {text}", history)


def _weights(
    weights: Mapping[str, float] | Sequence[float], parts: Mapping[str, Any], by_name: bool
) -> list[float]:
    """The weights in the order of the kernels."""
    if isinstance(weights, Mapping) != by_name or not np.iterable(weights):
        raise ArgumentError(
            "kernels and weights must both be lists or both mappings with the same keys"
        )
    if isinstance(weights, Mapping):
        by_key = {str(key): w for key, w in weights.items()}
        odd = sorted(set(by_key) ^ set(parts))
        if odd:
            raise ArgumentError(
                f"kernels and weights must have the same keys; only one of them has {listing(odd)}"
            )
        values = [by_key[name] for name in parts]
    else:
        values = list(weights)
    if len(values) != len(parts):
        raise ArgumentError(f"{len(values)} weights for {len(parts)} kernels; give one for each")
    if not all(isinstance(w, Real) and 0 <= w < np.inf for w in values) or max(values) == 0:
        raise ArgumentError(
            f"weights must be finite, none negative and not all zero, not {listing(values)}: "
            "a difference of relationship matrices need not be one"
        )
    return values


def _aligned(
    parts: Mapping[str, LabelledRelationship], levels: str
) -> tuple[pd.Index, list[Matrix | sparse.csc_array]]:
    """The labels of the result, and each K among them in that order."""
    if levels not in ("same", "common"):
        raise ArgumentError(f"levels must be 'same' or 'common', not {levels!r}")
    names = list(parts)
    labels = parts[names[0]].labels
    for name in names[1:]:
        others = parts[name].labels
        if levels == "common":
            labels = labels[labels.isin(others)]
        else:
            _require_same(labels, others, names[0], name)
    if not len(labels):
        raise RelationshipError(f"{listing(names)} have no level in common")
    return labels, [part.elements(part.labels.get_indexer(labels)) for part in parts.values()]


def _require_same(labels: pd.Index, others: pd.Index, first: str, second: str) -> None:
    only_first, only_second = labels.difference(others, sort=False), others.difference(labels)
    if not len(only_first) and not len(only_second):
        return
    pairs = ((only_first, first), (only_second, second))
    lacks = [
        f"{len(only)} level{'s' * (len(only) > 1)} only in {name}: {listing(only)}"
        for only, name in pairs
        if len(only)
    ]
    if len(only_first) and look_alike(only_first, others):
        remedy = (
            f"The labels look alike but are of different types ({kind_of(labels)}, "
            f"{kind_of(others)}): make them the same"
        )
    else:
        remedy = "Give matrices of the same levels, or levels='common' for those that all have"
    raise RelationshipError(
        f"{first} and {second} are not among the same levels; {'; '.join(lacks)}. {remedy}"
    )


def _product(a: Matrix | sparse.csc_array, b: Matrix | sparse.csc_array) -> Any:
    """Element by element; sparse if either is."""
    if sparse.issparse(a):
        return sparse.csc_array(a.multiply(b))
    return sparse.csc_array(b.multiply(a)) if sparse.issparse(b) else a * b
