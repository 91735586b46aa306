"""Engines: prepare once, then evaluate the likelihood at any psi."""

from animalmm.engines.choice import MME, Auto, ManyKernels, OneKernel, Whitened, engine_spec
from animalmm.engines.many_kernels import ManyKernelsEngine
from animalmm.engines.one_kernel import OneKernelEngine
from animalmm.engines.point import SparsePoint
from animalmm.engines.sparse import SparseEngine

__all__ = [
    "MME",
    "Auto",
    "ManyKernels",
    "ManyKernelsEngine",
    "OneKernel",
    "OneKernelEngine",
    "SparseEngine",
    "SparsePoint",
    "Whitened",
    "engine_spec",
]
