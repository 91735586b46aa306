"""The forms of Sigma and the vector of all variance parameters."""

from animalmm.covariance.cholesky import semidefinite_cholesky
from animalmm.covariance.space import RESIDUAL, ParameterSpace
from animalmm.covariance.structures import (
    AR1,
    CompoundSymmetry,
    Diagonal,
    Unstructured,
    structure,
)

__all__ = [
    "AR1",
    "RESIDUAL",
    "CompoundSymmetry",
    "Diagonal",
    "ParameterSpace",
    "Unstructured",
    "semidefinite_cholesky",
    "structure",
]
