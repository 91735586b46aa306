"""Exceptions and warnings of animalmm, and the wording they share.

Exceptions::

    AnimalmmError
    ├── ArgumentError          an argument has a value that it cannot have
    ├── FormulaError           a formula that cannot be read; points at the place
    ├── DataError              a column, a weight, a factor that cannot be used
    ├── PedigreeError          a pedigree that contradicts itself
    ├── RelationshipError      a relationship matrix or its labels
    ├── EstimationError        a likelihood that cannot be evaluated or maximised
    └── MissingDependencyError an optional library is needed and absent

Warnings::

    AnimalmmWarning
    ├── DroppedRowsWarning     rows with missing values were left out
    ├── RankDeficiencyWarning  columns of X were left out
    ├── BoundaryWarning        an estimate lies on the boundary (a singular fit)
    ├── ConvergenceWarning     the optimiser is not sure of its optimum
    ├── IllConditionedWarning  a matrix whose inverse has lost digits
    ├── MatrixChangedWarning   a user's matrix was altered (bent, blended)
    └── FallbackWarning        a slower library serves in place of an absent one

All but `MissingDependencyError` (an `ImportError`) are also `ValueError`, so that code which does
not know this package can still catch them.
"""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Iterable, Sized
from itertools import islice

__all__ = [
    "AnimalmmError",
    "AnimalmmWarning",
    "ArgumentError",
    "BoundaryWarning",
    "ConvergenceWarning",
    "DataError",
    "DroppedRowsWarning",
    "EstimationError",
    "FallbackWarning",
    "FormulaError",
    "IllConditionedWarning",
    "MatrixChangedWarning",
    "MissingDependencyError",
    "PedigreeError",
    "RankDeficiencyWarning",
    "RelationshipError",
]


class AnimalmmError(Exception):
    """Base class of every error that animalmm raises on purpose."""


class ArgumentError(AnimalmmError, ValueError):
    """An argument has a value that it cannot have."""


class FormulaError(AnimalmmError, ValueError):
    """A formula that cannot be read.

    Parameters
    ----------
    message : str
        What is wrong and what to write instead.
    text : str, optional
        The whole formula.
    position : int, optional
        Where in `text` the trouble is; the message then shows the place with a caret.
    """

    def __init__(self, message: str, text: str | None = None, position: int | None = None) -> None:
        self.reason = message
        self.text = text
        self.position = position
        if text is not None and position is not None:
            message = f"{message}\n  {text}\n  {' ' * position}^"
        super().__init__(message)

    def __reduce__(self) -> tuple[type[FormulaError], tuple[str, str | None, int | None]]:
        return type(self), (self.reason, self.text, self.position)


class DataError(AnimalmmError, ValueError):
    """A column, a weight or a factor that cannot be used as asked."""


class PedigreeError(AnimalmmError, ValueError):
    """A pedigree that contradicts itself."""


class RelationshipError(AnimalmmError, ValueError):
    """A relationship matrix, or the match of its labels with the data, is wrong."""


class EstimationError(AnimalmmError, ValueError):
    """A likelihood that cannot be evaluated or maximised."""


class MissingDependencyError(AnimalmmError, ImportError):
    """An optional library is needed and is not installed."""


class AnimalmmWarning(UserWarning):
    """Base class of every warning that animalmm gives."""


class DroppedRowsWarning(AnimalmmWarning):
    """Rows with missing values were left out of the fit."""


class RankDeficiencyWarning(AnimalmmWarning):
    """Columns of the fixed-effects matrix were left out, being combinations of others."""


class BoundaryWarning(AnimalmmWarning):
    """A variance is estimated as zero, or a correlation as plus or minus one."""


class ConvergenceWarning(AnimalmmWarning):
    """The optimiser stopped without being sure of an optimum."""


class IllConditionedWarning(AnimalmmWarning):
    """A matrix was inverted whose inverse carries few correct digits."""


class MatrixChangedWarning(AnimalmmWarning):
    """A matrix that the user gave was altered; the message says how and by how much."""


class FallbackWarning(AnimalmmWarning):
    """A slower library serves in place of one that is not installed."""


def warn(message: str, category: type[AnimalmmWarning]) -> None:
    """Warn at the line of the caller outside this package, however deep inside it we are."""
    ours = {__name__.partition(".")[0], "functools"}  # cached properties are called through it
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals["__name__"].split(".")[0] in ours:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def listing(values: Iterable[object], total: int | None = None, limit: int = 5) -> str:
    """Show the first few of many values and how many there are.

    Parameters
    ----------
    values : iterable
        What to show.
    total : int, optional
        How many there are, needed when `values` has no length.
    limit : int, default 5
        How many to show.

    Returns
    -------
    str
        ``"'a', 'b'"``, or ``"'a', 'b', 'c', 'd', 'e', ... (12 in all)"`` when there are more.
    """
    if total is None:
        if not isinstance(values, Sized):
            values = list(values)
        total = len(values)
    shown = ", ".join(repr(_plain(v)) for v in islice(values, limit))
    return shown if total <= limit else f"{shown}, ... ({total} in all)"


def nearest(name: object, options: Iterable[object]) -> str:
    """Propose the option that looks most like a misspelt name.

    Returns
    -------
    str
        ``" Did you mean 'animal'?"``, or the empty string when nothing is near.
    """
    by_text = {str(o): o for o in options}
    lower = {text.lower(): text for text in by_text}
    hits = difflib.get_close_matches(str(name).lower(), lower, n=1, cutoff=0.6)
    return f" Did you mean {by_text[lower[hits[0]]]!r}?" if hits else ""


def _plain(value: object) -> object:
    """NumPy scalars print as plain ones: 'a', not np.str_('a')."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", None) == 0 else value
