"""Types and Protocols shared by all rooms."""

from animalmm.core.protocols import (
    Algorithm,
    CovStruct,
    Domain,
    Engine,
    EngineSpec,
    Optimum,
    Point,
    Relationship,
)
from animalmm.core.types import DesignMatrix, Matrix, Problem, Psi, Term, Vector

__all__ = [
    "Algorithm",
    "CovStruct",
    "DesignMatrix",
    "Domain",
    "Engine",
    "EngineSpec",
    "Matrix",
    "Optimum",
    "Point",
    "Problem",
    "Psi",
    "Relationship",
    "Term",
    "Vector",
]
