"""The fit object and its summary."""

from animalmm.result.fit import Fit
from animalmm.result.summary import Summary

__all__ = ["Fit", "Summary"]
