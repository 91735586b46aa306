"""The summands of a right side, sorted: intercept, fixed terms, offsets, random terms."""

from __future__ import annotations

from dataclasses import dataclass, field

from animalmm.errors import nearest
from animalmm.formula.tokens import Scan, Span

__all__ = ["STRUCTURES", "BarPlace", "Summands", "check_names", "read_sum"]

STRUCTURES = ("us", "diag", "cs", "ar1")
_BARS = ("|", "||")


@dataclass(frozen=True)
class BarPlace:
    """Where a random term stands: the whole of it, what its parentheses hold, its structure."""

    whole: Span
    inside: Span
    structure: str


@dataclass
class Summands:
    """What a sum is made of."""

    intercept: bool = True
    fixed: list[str] = field(default_factory=list)
    offsets: list[str] = field(default_factory=list)
    bars: list[BarPlace] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Write the intercept and the fixed terms for formulaic."""
        return " ".join(["1" if self.intercept else "0", *self.fixed])


def read_sum(scan: Scan, span: Span, found: Summands | None = None) -> Summands:
    """Sort the summands of a span.

    Parameters
    ----------
    scan : Scan
    span : (int, int)
    found : Summands, optional
        Where to add them.

    Returns
    -------
    Summands
        As R does, the last of ``1``, ``0`` and ``-1`` decides on the intercept.

    Raises
    ------
    FormulaError
        A summand that is missing or that cannot stand where it stands.
    """
    found = Summands() if found is None else found
    negative, sign_at = False, span[0] if span[0] == span[1] else -1
    for lo, hi in scan.split(span, "+", "-"):
        if lo > span[0]:
            sign_at = lo - 1
            negative ^= scan.tokens[sign_at].text == "-"
        if lo < hi:  # else another sign follows, as in "+ -1"
            _read_one(scan, (lo, hi), negative, found)
            negative, sign_at = False, -1
    if sign_at >= 0:
        raise scan.fail("a term is missing here", sign_at)
    return found


def _read_one(scan: Scan, span: Span, negative: bool, found: Summands) -> None:
    inner = scan.strip(span)
    call = scan.call(inner)
    place = _bar_place(scan, span, inner, call)
    if negative and (place is not None or (call is not None and call[0] == "offset")):
        raise scan.fail("a random term or an offset cannot be taken away: leave it out", span[0])
    if place is not None:
        found.bars.append(place)
    elif call is not None and call[0] == "offset":
        found.offsets.append(_offset(scan, call[1]))
    elif inner != span and not negative:
        read_sum(scan, inner, found)
    elif scan.has(span, *_BARS):
        message = "a random term stands by itself between plus signs: write ... + (1 | g)"
        raise scan.fail(message, span[0])
    elif span[1] - span[0] == 1 and scan.tokens[span[0]].text in {"0", "1"}:
        found.intercept = (scan.tokens[span[0]].text == "1") != negative
    else:
        check_names(scan, span)
        scan.check(span)
        found.fixed.append(f"{'-' if negative else '+'} {scan.render(span)}")


def _bar_place(
    scan: Scan, span: Span, inner: Span, call: tuple[str, Span] | None
) -> BarPlace | None:
    if not scan.has(span, *_BARS):
        return None
    if scan.top(span, *_BARS):
        raise scan.fail("a random term needs parentheses: write (1 | g)", span[0])
    if scan.top(inner, *_BARS):
        return BarPlace(span, inner, "us")
    inside = scan.strip(call[1]) if call is not None else inner
    if call is None or not scan.top(inside, *_BARS):
        return None
    if call[0] not in STRUCTURES:
        known = ", ".join(f"{name}()" for name in STRUCTURES)
        hint = nearest(call[0], STRUCTURES)
        message = f"{call[0]}(... | ...) is not known: the structures are {known}.{hint}"
        raise scan.fail(message, inner[0])
    return BarPlace(span, inside, call[0])


def _offset(scan: Scan, span: Span) -> str:
    if span[0] == span[1] or scan.top(span, ","):
        raise scan.fail("offset() takes one column or one expression", span[0])
    check_names(scan, span)
    return scan.render(span, arithmetic=True)


def check_names(scan: Scan, span: Span) -> None:
    """Refuse '.' and an offset() that is not a summand.

    Raises
    ------
    FormulaError
    """
    for i in range(*span):
        token = scan.tokens[i]
        if token.kind == "name" and token.text == ".":
            raise scan.fail("'.' for all columns is not known here: write the columns out", i)
        if token.text == "offset" and i + 1 < span[1] and scan.tokens[i + 1].text == "(":
            raise scan.fail("offset(...) stands by itself between plus signs", i)
