"""Formula-based linear mixed models with known relationship matrices: the animal model.

The main call is `fit`; its four steps are public too, so that others may step in between:
`parse_formula` -> `build_problem` -> `estimate` -> `Fit`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from animalmm import datasets, errors, simulation
    from animalmm.design import Design, build_problem
    from animalmm.engines import MME, Whitened
    from animalmm.estimation import Estimate, estimate
    from animalmm.formula import FormulaSpec, parse_formula
    from animalmm.pedigree import Pedigree
    from animalmm.pipeline import fit
    from animalmm.relationship import bend
    from animalmm.result import Fit

__version__ = "0.1.0"

__all__ = [
    "MME",
    "Design",
    "Estimate",
    "Fit",
    "FormulaSpec",
    "Pedigree",
    "Whitened",
    "bend",
    "build_problem",
    "datasets",
    "errors",
    "estimate",
    "fit",
    "parse_formula",
    "simulation",
]

# Loaded when first used, so that `import animalmm` is light.
_HOMES = {
    "MME": "engines",
    "Whitened": "engines",
    "Design": "design",
    "build_problem": "design",
    "Estimate": "estimation",
    "estimate": "estimation",
    "Fit": "result",
    "FormulaSpec": "formula",
    "parse_formula": "formula",
    "Pedigree": "pedigree",
    "bend": "relationship",
    "fit": "pipeline",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"animalmm.{_HOMES[name]}"), name)
    if name in __all__:
        return import_module(f"animalmm.{name}")
    raise AttributeError(f"module 'animalmm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
