"""Where a fit comes from."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

from animalmm.design import Design
from animalmm.estimation import Estimate
from animalmm.linalg import backend

__all__ = ["provenance"]

_LIBRARIES = ("animalmm", "numpy", "scipy", "pandas", "formulaic")


def provenance(design: Design, estimate: Estimate) -> dict[str, Any]:
    """Formula, rows, engine, algorithm, versions."""
    frame = design.frame
    return {
        "formula": design.spec.text,
        "method": estimate.method,
        "rows given": frame.n_given,
        "rows used": len(frame.rows),
        "rows dropped": dict(frame.dropped),
        "columns dropped": design.dropped,
        "engine": estimate.engine,
        "sparse factorisation": backend(),
        "algorithm": estimate.convergence.algorithm,
        "evaluations": estimate.convergence.evaluations,
        "seconds": round(estimate.seconds, 3),
        "versions": {name: version(name) for name in _LIBRARIES},
        "python": platform.python_version(),
    }
