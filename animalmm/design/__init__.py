"""From a formula and data to y, X, Z and the relationships, and the same for new data."""

from animalmm.design.frame import Frame, as_frame, build_frame
from animalmm.design.problem import Design, build_problem
from animalmm.design.random import TermCoding

__all__ = ["Design", "Frame", "TermCoding", "as_frame", "build_frame", "build_problem"]
