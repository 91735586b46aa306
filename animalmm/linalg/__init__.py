"""Numerical tools that know nothing of statistics."""

from animalmm.linalg.cholmod import analyze, backend
from animalmm.linalg.dense_chol import inverse_from_factor, safe_cholesky
from animalmm.linalg.interface import Factor, NotPositiveDefiniteError, Symbolic
from animalmm.linalg.memory import require_memory
from animalmm.linalg.roots import Root, inverse, root
from animalmm.linalg.selected_inverse import SelectedInverse

__all__ = [
    "Factor",
    "NotPositiveDefiniteError",
    "Root",
    "SelectedInverse",
    "Symbolic",
    "analyze",
    "backend",
    "inverse",
    "inverse_from_factor",
    "require_memory",
    "root",
    "safe_cholesky",
]
