"""The terms of the right side of a formula, as R orders and codes them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from formulaic.errors import FormulaicError  # type: ignore[import-untyped]
from formulaic.parser import DefaultFormulaParser  # type: ignore[import-untyped]

from animalmm.errors import FormulaError
from animalmm.formula.tokens import mask, unmask

__all__ = ["Expansion", "Term", "expand"]

_PARSER = DefaultFormulaParser(include_intercept=False)


@dataclass(frozen=True)
class Term:
    """A product of factors.

    Parameters
    ----------
    factors : tuple of str
        Text of each factor: a column or a function call.
    reduced : tuple of bool
        For each factor, whether a categorical one takes contrasts (k - 1 columns) rather than
        indicators (k columns).
    """

    factors: tuple[str, ...]
    reduced: tuple[bool, ...]

    @property
    def text(self) -> str:
        """The term as it would be written: ``a:b``."""
        return ":".join(self.factors)


@dataclass(frozen=True)
class Expansion:
    """A right side written out: the intercept, and the terms by their number of factors."""

    intercept: bool
    terms: tuple[Term, ...]


@lru_cache(maxsize=256)
def expand(text: str) -> Expansion:
    """Write out the right side of a formula, its intercept explicit.

    Terms stand in R's order: by the number of their factors, then as written; factors within a
    term in the order in which they first appear in the text.

    Parameters
    ----------
    text : str
        ``"1 + sex*x"``, ``"0 + x"``: what `parse_formula` puts in `FormulaSpec.fixed` and
        `BarTerm.lhs`.

    Returns
    -------
    Expansion

    Raises
    ------
    FormulaError
        What formulaic's parser cannot read.

    Notes
    -----
    A categorical factor takes contrasts when the rest of its term is empty or is contained in an
    earlier term, the rule of R's ``terms.formula`` (Chambers and Hastie 1992, Statistical Models
    in S, section 2.4.1), so that coefficients agree with lme4's even where several codings span
    the same space. In a formula without intercept the first categorical factor takes indicators;
    which one that is depends on the data and is settled by `animalmm.design.coding`.
    """
    masked, columns = mask(text)
    try:
        terms = list(_PARSER.get_terms(masked))
        first: dict[str, int] = {}
        for place, token in enumerate(_PARSER.get_tokens(masked)):  # those of removed terms too
            first.setdefault(str(token), place)
    except FormulaicError as error:
        reason = unmask(str(error).split("\n")[0], columns)
        if reason.startswith("Numeric literals"):  # formulaic's own tip is no formula of ours
            reason = "a number cannot multiply a term; compute the product: I(2 * x)"
        raise FormulaError(f"the formula cannot be read: {reason}", text) from error
    except Exception as error:
        # formulaic hands text to Python's parser, which raises whatever it likes
        message = f"the formula cannot be read near {text!r}: {error}"
        raise FormulaError(message, text) from error

    intercept, products = False, []
    for term in terms:
        if [factor.expr for factor in term.factors] == ["1"]:
            intercept = True
            continue
        if any(factor.eval_method.value == "literal" for factor in term.factors):
            where = unmask(str(term), columns)
            message = f"a number cannot multiply a term, as in {where}: use I(2 * x)"
            raise FormulaError(message, text)
        products.append(sorted({f.expr for f in term.factors}, key=first.__getitem__))
    products.sort(key=len)

    out, earlier = [], list[set[str]]()
    for factors in products:
        rest = [set(factors) - {factor} for factor in factors]
        reduced = tuple(not r or any(r <= term for term in earlier) for r in rest)
        out.append(Term(tuple(unmask(f, columns) for f in factors), reduced))
        earlier.append(set(factors))
    return Expansion(intercept, tuple(out))
