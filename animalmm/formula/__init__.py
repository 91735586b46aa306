"""Formula text to `FormulaSpec`, and its terms as R orders and codes them."""

from animalmm.formula.parse import parse_formula
from animalmm.formula.spec import BarTerm, FormulaSpec
from animalmm.formula.terms import Expansion, Term, expand

__all__ = ["BarTerm", "Expansion", "FormulaSpec", "Term", "expand", "parse_formula"]
