"""Functions on an estimate: tables, random effects, precision of variances, prediction."""

from animalmm.inference.components import component_values
from animalmm.inference.effects import (
    blup_table,
    conditional_variances,
    effects_table,
    groups,
    terms_of,
)
from animalmm.inference.functions import vpredict
from animalmm.inference.heritability import variance_shares
from animalmm.inference.history import history_table
from animalmm.inference.likelihood import loglik, minus_two_loglik
from animalmm.inference.prediction import fitted, predict
from animalmm.inference.standard_errors import covariance_of_components
from animalmm.inference.tables import (
    coefficient_table,
    covariance_of_fixed_effects,
    variance_table,
)

__all__ = [
    "blup_table",
    "coefficient_table",
    "component_values",
    "conditional_variances",
    "covariance_of_components",
    "covariance_of_fixed_effects",
    "effects_table",
    "fitted",
    "groups",
    "history_table",
    "loglik",
    "minus_two_loglik",
    "predict",
    "terms_of",
    "variance_shares",
    "variance_table",
    "vpredict",
]
