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
    from animalmm.markers import (
        GenomicRelationship,
        Genotypes,
        as_genotypes,
        exponential_kernel,
        gaussian_kernel,
        grm,
        read_genotypes_csv,
        read_grm,
        read_plink,
        read_vcf,
        write_grm,
    )
    from animalmm.pedigree import Pedigree
    from animalmm.pipeline import fit
    from animalmm.relationship import (
        bend,
        blend,
        combine,
        dominance,
        genetic_groups,
        hadamard,
        kronecker,
        metafounders,
        quaas_westell,
        sex_linked,
        single_step,
        sires,
        tune,
    )
    from animalmm.result import Fit

__version__ = "0.1.0"

__all__ = [
    "MME",
    "Design",
    "Estimate",
    "Fit",
    "FormulaSpec",
    "GenomicRelationship",
    "Genotypes",
    "Pedigree",
    "Whitened",
    "as_genotypes",
    "bend",
    "blend",
    "build_problem",
    "combine",
    "datasets",
    "dominance",
    "errors",
    "estimate",
    "exponential_kernel",
    "fit",
    "gaussian_kernel",
    "genetic_groups",
    "grm",
    "hadamard",
    "kronecker",
    "metafounders",
    "parse_formula",
    "quaas_westell",
    "read_genotypes_csv",
    "read_grm",
    "read_plink",
    "read_vcf",
    "sex_linked",
    "simulation",
    "single_step",
    "sires",
    "tune",
    "write_grm",
]

# Loaded when first used, so that `import animalmm` is light.
_ROOMS = {
    "design": ["Design", "build_problem"],
    "engines": ["MME", "Whitened"],
    "estimation": ["Estimate", "estimate"],
    "formula": ["FormulaSpec", "parse_formula"],
    "markers": [
        "GenomicRelationship",
        "Genotypes",
        "as_genotypes",
        "exponential_kernel",
        "gaussian_kernel",
        "grm",
        "read_genotypes_csv",
        "read_grm",
        "read_plink",
        "read_vcf",
        "write_grm",
    ],
    "pedigree": ["Pedigree"],
    "pipeline": ["fit"],
    "relationship": [
        "bend",
        "blend",
        "combine",
        "dominance",
        "genetic_groups",
        "hadamard",
        "kronecker",
        "metafounders",
        "quaas_westell",
        "sex_linked",
        "single_step",
        "sires",
        "tune",
    ],
    "result": ["Fit"],
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"animalmm.{_HOMES[name]}"), name)
    if name in __all__:
        return import_module(f"animalmm.{name}")
    raise AttributeError(f"module 'animalmm' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
