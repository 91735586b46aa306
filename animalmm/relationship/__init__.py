"""Each known relationship matrix: its labels and the forms it has."""

from animalmm.relationship.base import LabelledRelationship
from animalmm.relationship.bending import bend
from animalmm.relationship.blending import blend, tune
from animalmm.relationship.coerce import as_labelled, as_relationship
from animalmm.relationship.combining import combine, hadamard
from animalmm.relationship.gene_flow import GeneFlowRelationship, PedigreeRelationship
from animalmm.relationship.groups import genetic_groups, metafounders, quaas_westell
from animalmm.relationship.hmatrix import SingleStepRelationship, single_step
from animalmm.relationship.kinds import (
    CovarianceRelationship,
    IdentityRelationship,
    PrecisionRelationship,
)
from animalmm.relationship.kronecker_product import KroneckerRelationship, kronecker
from animalmm.relationship.labels import as_text, part_of_label, positions
from animalmm.relationship.nonadditive import dominance
from animalmm.relationship.sex_chromosome import sex_linked
from animalmm.relationship.sire_model import sires

__all__ = [
    "CovarianceRelationship",
    "GeneFlowRelationship",
    "IdentityRelationship",
    "KroneckerRelationship",
    "LabelledRelationship",
    "PedigreeRelationship",
    "PrecisionRelationship",
    "SingleStepRelationship",
    "as_labelled",
    "as_relationship",
    "as_text",
    "bend",
    "blend",
    "combine",
    "dominance",
    "genetic_groups",
    "hadamard",
    "kronecker",
    "metafounders",
    "part_of_label",
    "positions",
    "quaas_westell",
    "sex_linked",
    "single_step",
    "sires",
    "tune",
]
