"""Formula text to `FormulaSpec`."""

from __future__ import annotations

from functools import lru_cache

from animalmm.errors import FormulaError
from animalmm.formula.bars import read_bar
from animalmm.formula.spec import BarTerm, FormulaSpec
from animalmm.formula.sums import check_names, read_sum
from animalmm.formula.terms import expand
from animalmm.formula.tokens import Scan, Span

__all__ = ["parse_formula"]


def parse_formula(text: str) -> FormulaSpec:
    """Read a formula as lme4 would, with the extensions of this package.

    Parameters
    ----------
    text : str
        ``"y ~ sex + x + (1 | animal)"``. Random terms: ``(1|g)``, ``(x|g)`` (which has an
        intercept), ``(0 + x|g)``, ``(x||g)`` (uncorrelated: one term per term of the left side;
        the columns of a categorical one stay together, as in lme4), ``(1|a/b)``, ``(1|a:b)``,
        ``(1|ide(g))``, ``(1|gr(g, D))``, ``(1|tag|g)``, and ``us() diag() cs() ar1()`` around a
        bar. Names that are not plain go in backticks.

    Returns
    -------
    FormulaSpec
        A formula without random terms is legal here.

    Raises
    ------
    FormulaError
        Pointing at the place, with what to write instead.

    Examples
    --------
    >>> [bar.name for bar in parse_formula("strength ~ 1 + (1 | batch/cask)").bars]
    ['cask:batch', 'batch']
    """
    if not isinstance(text, str):
        kind = type(text).__name__
        raise FormulaError(f"a formula is a string such as 'y ~ x + (1 | g)', not a {kind}")
    return _parse(text)


@lru_cache(maxsize=256)
def _parse(text: str) -> FormulaSpec:
    scan = Scan(text)
    end = len(scan.tokens)
    tildes = [i for i, token in enumerate(scan.tokens) if token.text == "~"]
    if not tildes:
        raise scan.fail("there is no '~': write 'response ~ terms'", end)
    if len(tildes) > 1:
        raise scan.fail("a formula has only one '~'", tildes[1])
    if tildes[0] == 0:
        raise scan.fail("the response is missing: write 'y ~ ...'", 0)
    if tildes[0] == end - 1:
        raise scan.fail("the right side is empty: write 'y ~ 1' for a mean only", end)
    if scan.top((0, end), "~") != tildes:
        raise scan.fail("'~' cannot stand within brackets", tildes[0])

    response = _response(scan, (0, tildes[0]))
    right = read_sum(scan, (tildes[0] + 1, end))
    try:
        expand(right.text)
    except FormulaError as error:
        raise scan.fail(error.reason, tildes[0] + 1) from error
    bars = [bar for place in right.bars for bar in read_bar(scan, place)]
    _check_duplicates(text, bars)
    return FormulaSpec(text, response, right.text, tuple(right.offsets), tuple(bars))


def _response(scan: Scan, span: Span) -> str:
    call = scan.call(span)
    if call is not None and call[0] in {"cbind", "mvbind"}:
        message = "several traits are not supported by this version: fit one trait at a time"
        raise scan.fail(message, span[0])
    bars = scan.top(span, "|", "||")
    if bars:
        raise scan.fail("a bar has no meaning left of '~'", bars[0])
    check_names(scan, span)
    scan.check(span)
    return scan.render(span, arithmetic=True)


def _check_duplicates(text: str, bars: list[BarTerm]) -> None:
    seen = set()
    for bar in bars:
        key = bar.lhs, frozenset(bar.group), bar.kernel, bar.identity, bar.tag
        if key in seen:
            message = f"the random term ({bar.lhs} | {bar.name}) is there twice: leave one out"
            raise FormulaError(message, text, bar.position)
        seen.add(key)
