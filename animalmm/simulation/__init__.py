"""Data simulated from known parameters, to try a model on and to test it.

Every function takes a `numpy.random.Generator`; the same seed gives the same data.
"""

from animalmm.simulation.breeding import breeding_values
from animalmm.simulation.course import Simulated, simulate_course
from animalmm.simulation.genotypes import drop_genes, simulate_genotypes
from animalmm.simulation.gist import SimulatedMarkers, simulate_gist

__all__ = [
    "Simulated",
    "SimulatedMarkers",
    "breeding_values",
    "drop_genes",
    "simulate_course",
    "simulate_genotypes",
    "simulate_gist",
]
