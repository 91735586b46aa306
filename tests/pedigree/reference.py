"""What several test files here need: an independent A, and tables as text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def read_text(path: Path) -> pd.DataFrame:
    """A table with all labels as text and nothing but the empty cell missing."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])


def tabular_a(
    sire: np.ndarray,
    dam: np.ndarray,
    retained: np.ndarray | None = None,
    base: np.ndarray | None = None,
) -> np.ndarray:
    """A by its recursive definition, one row at a time; parents come first, -1 is unknown.

    1 - F is that of the zygote, 1 - a_sd / 2, times `retained`; `base` holds the relationships of
    the first animals.
    """
    n = len(sire)
    A = np.zeros((n + 1, n + 1))  # the last: the unknown parent
    m = 0 if base is None else len(base)
    A[:m, :m] = base if m else 0.0
    for i in range(m, n):
        A[i, :i] = A[:i, i] = 0.5 * (A[sire[i], :i] + A[dam[i], :i])
        zygote = 0.5 * A[sire[i], dam[i]]
        A[i, i] = 2.0 - (1.0 - zygote) * (1.0 if retained is None else retained[i])
    return A[:-1, :-1]


def random_parents(rng: np.random.Generator, n: int, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Parents among the last `window` animals before each, one in twenty unknown."""
    here = np.arange(n)
    sire, dam = (np.maximum(here - rng.integers(1, window + 1, n), -1) for _ in range(2))
    sire[rng.random(n) < 0.05] = -1
    dam[rng.random(n) < 0.05] = -1
    return sire, dam
