"""Each known relationship matrix: its labels and the forms it has."""

from animalmm.relationship.bending import bend
from animalmm.relationship.coerce import as_relationship, as_text, positions
from animalmm.relationship.kinds import (
    CovarianceRelationship,
    IdentityRelationship,
    PedigreeRelationship,
    PrecisionRelationship,
)

__all__ = [
    "CovarianceRelationship",
    "IdentityRelationship",
    "PedigreeRelationship",
    "PrecisionRelationship",
    "as_relationship",
    "as_text",
    "bend",
    "positions",
]
