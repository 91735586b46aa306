"""Types and Protocols shared by all rooms."""

from animalmm.core.arrays import DesignMatrix, Matrix, Vector
from animalmm.core.choice import named
from animalmm.core.optimisation import (
    Algorithm,
    Iteration,
    Local,
    Objective,
    Optimum,
    Update,
)
from animalmm.core.protocols import Engine, EngineSpec, Point
from animalmm.core.structure import (
    BESIDE,
    NEAR,
    STEPS_OFF,
    CovStruct,
    Domain,
    Relationship,
    changed,
    grown,
)
from animalmm.core.types import Direction, Problem, Psi, Term

__all__ = [
    "BESIDE",
    "NEAR",
    "STEPS_OFF",
    "Algorithm",
    "CovStruct",
    "DesignMatrix",
    "Direction",
    "Domain",
    "Engine",
    "EngineSpec",
    "Iteration",
    "Local",
    "Matrix",
    "Objective",
    "Optimum",
    "Point",
    "Problem",
    "Psi",
    "Relationship",
    "Term",
    "Update",
    "Vector",
    "changed",
    "grown",
    "named",
]
