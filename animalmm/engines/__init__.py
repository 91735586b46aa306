"""Engines: prepare once, then evaluate the likelihood at any psi."""

from animalmm.engines.choice import MME, Auto, Whitened, engine_spec
from animalmm.engines.point import SparsePoint
from animalmm.engines.sparse import SparseEngine

__all__ = ["MME", "Auto", "SparseEngine", "SparsePoint", "Whitened", "engine_spec"]
