"""Numerical tools that know nothing of statistics."""

from animalmm.linalg.cholmod import analyze, backend
from animalmm.linalg.dense_chol import safe_cholesky
from animalmm.linalg.interface import Factor, NotPositiveDefiniteError, Symbolic
from animalmm.linalg.memory import require_memory

__all__ = [
    "Factor",
    "NotPositiveDefiniteError",
    "Symbolic",
    "analyze",
    "backend",
    "require_memory",
    "safe_cholesky",
]
