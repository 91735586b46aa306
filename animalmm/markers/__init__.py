"""Genotypes at markers, and the relationships made from them."""

from animalmm.markers.distance import exponential_kernel, gaussian_kernel
from animalmm.markers.gcta import read_grm, write_grm
from animalmm.markers.genotypes import Genotypes
from animalmm.markers.grm import GenomicRelationship, grm
from animalmm.markers.memory_sources import as_genotypes
from animalmm.markers.plink import read_plink
from animalmm.markers.tables import read_genotypes_csv
from animalmm.markers.vcf import read_vcf

__all__ = [
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
]
