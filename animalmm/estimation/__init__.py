"""Maximum likelihood and REML: from a Problem to an Estimate."""

from animalmm.estimation.convergence import Convergence
from animalmm.estimation.criterion import Criterion, degrees_of_freedom
from animalmm.estimation.estimate import Estimate, estimate
from animalmm.estimation.progress import TraceRow

__all__ = ["Convergence", "Criterion", "Estimate", "TraceRow", "degrees_of_freedom", "estimate"]
