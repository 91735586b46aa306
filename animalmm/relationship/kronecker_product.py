"""Relationships of combined levels, such as animals in environments: K1 (x) K2."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from animalmm.core import Matrix, Vector
from animalmm.errors import RelationshipError, listing
from animalmm.linalg import require_memory
from animalmm.relationship.base import USE_INVERSE, LabelledRelationship
from animalmm.relationship.combining import histories, named_parts
from animalmm.relationship.labels import part_of_label

__all__ = ["KroneckerRelationship", "kronecker"]


def kronecker(*kernels: Any) -> KroneckerRelationship:
    """The relationship of combined levels: covariances are products of those of the parts.

    For genotypes in environments, ``y ~ env + (1 | animal:env)`` with
    ``relmat={"animal:env": kronecker(A, E)}``: the kernels stand in the order of the columns.

    Parameters
    ----------
    *kernels : DataFrame, (matrix, labels), Pedigree or Relationship
        At least two.

    Returns
    -------
    KroneckerRelationship
        Its labels are those of the parts joined by ":", as the formula joins them: ``"a1:e1"``.

    Raises
    ------
    ArgumentError
        Fewer than two kernels.
    RelationshipError
        A kernel that is no relationship matrix; labels that read the same when they are joined.
    """
    parts = named_parts(kernels, at_least=2)
    history = (*histories(parts), f"made as {' (x) '.join(parts)}")
    return KroneckerRelationship(tuple(parts.values()), history=history)


@dataclass(frozen=True, eq=False, repr=False)
class KroneckerRelationship(LabelledRelationship):
    """``K = K1 (x) K2 (x) ...``, held by its parts.

    Attributes
    ----------
    parts : tuple of LabelledRelationship
        The levels of the last one change fastest.
    labels : Index
        Labels of the parts joined by ":".
    source : str
        What it is, for messages.
    history : tuple of str
        What was done to get it.
    """

    parts: tuple[LabelledRelationship, ...]
    source: str = "the Kronecker product"
    history: tuple[str, ...] = ()
    labels: pd.Index = field(init=False)

    def __post_init__(self) -> None:
        texts = [[part_of_label(label) for label in part.labels] for part in self.parts]
        for text in map(pd.Index, texts):
            if text.has_duplicates:
                twice = text[text.duplicated()].unique()
                raise RelationshipError(
                    f"labels of one kernel read the same when they are joined: {listing(twice)}"
                )
        joined = pd.Index([":".join(labels) for labels in product(*texts)])
        object.__setattr__(self, "labels", joined)

    @property
    def prefers_precision(self) -> bool:
        """What the largest part prefers, if no part is singular."""
        largest = max(self.parts, key=lambda part: part.size)
        return largest.prefers_precision and self.rank == self.size

    @property
    def rank(self) -> int:
        """Product of the ranks."""
        return math.prod(part.rank for part in self.parts)

    @property
    def form(self) -> tuple[str, float]:
        """The forms of the parts."""
        forms, stored = zip(*(part.form for part in self.parts), strict=True)
        return " (x) ".join(forms), math.prod(stored)

    @property
    def knows_diagonal(self) -> bool:
        """If every part does."""
        return all(part.knows_diagonal for part in self.parts)

    def covariance(self) -> Matrix | sparse.csc_array:
        """K, sparse if any part is."""
        return self._product([part.covariance() for part in self.parts], "Choose fewer levels.")

    def factor(self) -> Matrix | sparse.csc_array:
        """``L1 (x) L2``."""
        return self._product([part.factor() for part in self.parts], USE_INVERSE)

    def precision(self) -> sparse.csc_array:
        """``K1^-1 (x) K2^-1``."""
        inverses: list[Any] = [part.precision() for part in self.parts]
        return sparse.csc_array(reduce(sparse.kron, inverses))

    def logdet(self) -> float:
        """``q2 log|K1| + q1 log|K2|``."""
        return sum(part.logdet() * (self.size // part.size) for part in self.parts)

    def diagonal(self) -> Vector:
        """K_jj."""
        diagonals: list[Any] = [part.diagonal() for part in self.parts]
        return np.asarray(reduce(np.kron, diagonals))

    def elements(self, at: np.ndarray) -> Matrix:
        """K among some levels, from those of the parts that they need."""
        places = np.unravel_index(at, [part.size for part in self.parts])
        K = np.ones((len(at), len(at)))
        for part, place in zip(self.parts, places, strict=True):
            needed, where = np.unique(place, return_inverse=True)
            block = part.block(part.labels[needed]).to_numpy()
            K *= block[np.ix_(where, where)]
        return K

    def matvec(self, v: Matrix) -> Matrix:
        """``K v``, one part after the other."""
        return self._applied([part.matvec for part in self.parts], v)

    def solve(self, v: Matrix) -> Matrix:
        """``K^-1 v``, one part after the other."""
        return self._applied([part.solve for part in self.parts], v)

    def _applied(self, products: list[Callable[[Matrix], Matrix]], v: Matrix) -> Matrix:
        sizes = [part.size for part in self.parts]
        x = np.reshape(v, (*sizes, -1))
        for axis, (apply, size) in enumerate(zip(products, sizes, strict=True)):
            front = np.moveaxis(x, axis, 0)
            done = apply(front.reshape(size, -1)).reshape(front.shape)
            x = np.moveaxis(done, 0, axis)
        return x.reshape(np.shape(v))

    def _product(self, matrices: list[Any], instead: str) -> Matrix | sparse.csc_array:
        stored = [M.size if isinstance(M, np.ndarray) else M.nnz for M in matrices]
        require_memory(2 * 12.0 * math.prod(stored), f"a form of {self.source}", instead)
        if any(sparse.issparse(M) for M in matrices):
            return sparse.csc_array(reduce(sparse.kron, matrices))
        return np.asarray(reduce(np.kron, matrices))
