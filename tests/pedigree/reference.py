"""What several test files here need: an independent A, and where the reference corpus lies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "reference"


def corpus_case(name: str) -> tuple[Path, dict[str, Any]]:
    folder = CORPUS / name
    if not folder.is_dir():
        pytest.skip(f"the reference corpus is not beside the repository ({name})")
    return folder, json.loads((folder / "expected.json").read_text())


def read_text(path: Path) -> pd.DataFrame:
    """A table with all labels as text and nothing but the empty cell missing."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])


def tabular_a(sire: np.ndarray, dam: np.ndarray) -> np.ndarray:
    """A by its recursive definition, one cell at a time; parents come first, -1 is unknown."""
    n = len(sire)
    A = np.zeros((n, n))
    for i in range(n):
        known = [p for p in (sire[i], dam[i]) if p >= 0]
        for j in range(i):
            A[i, j] = A[j, i] = sum(0.5 * A[j, p] for p in known)
        A[i, i] = 1.0 + (0.5 * A[known[0], known[1]] if len(known) == 2 else 0.0)
    return A
