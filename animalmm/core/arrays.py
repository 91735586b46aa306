"""Names for the arrays that pass between rooms."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

__all__ = ["DesignMatrix", "Matrix", "Vector"]

Vector: TypeAlias = NDArray[np.float64]
Matrix: TypeAlias = NDArray[np.float64]
DesignMatrix: TypeAlias = Matrix | sparse.csc_array
