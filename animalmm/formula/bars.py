"""One random term of a formula to the `BarTerm`s that it stands for."""

from __future__ import annotations

from dataclasses import dataclass

from animalmm.errors import FormulaError
from animalmm.formula.spec import BarTerm
from animalmm.formula.sums import BarPlace, read_sum
from animalmm.formula.terms import expand
from animalmm.formula.tokens import Scan, Span

__all__ = ["read_bar"]


@dataclass(frozen=True)
class _Group:
    columns: tuple[str, ...]
    kernel: str | None = None
    identity: bool = False


def read_bar(scan: Scan, place: BarPlace) -> list[BarTerm]:
    """Read a random term; ``||`` and ``/`` make several of one.

    Parameters
    ----------
    scan : Scan
    place : BarPlace

    Returns
    -------
    list of BarTerm
        ``(lhs | a/b)`` gives the groups b:a and a, in this order, as lme4 does.

    Raises
    ------
    FormulaError
    """
    bars = scan.top(place.inside, "|", "||")
    spans = scan.split(place.inside, "|", "||")
    double = scan.tokens[bars[0]].text == "||"
    if len(bars) > 2:
        raise scan.fail("one bar too many: write (lhs | g) or (lhs | tag | g)", bars[2])
    if len(bars) == 2 and (double or scan.tokens[bars[1]].text == "||"):
        raise scan.fail("'||' and a tag do not go together", bars[0])
    if double and place.structure in {"cs", "ar1"}:
        message = f"{place.structure}() correlates the columns and '||' does not: choose one"
        raise scan.fail(message, bars[0])

    lefts = _left(scan, spans[0], bars[0], double)
    tag = _tag(scan, spans[1]) if len(bars) == 2 else None
    return [
        BarTerm(
            lhs=lhs,
            group=group.columns,
            kernel=group.kernel,
            identity=group.identity,
            tag=tag,
            structure=place.structure,
            text=scan.source(place.whole),
            position=scan.tokens[place.whole[0]].start,
        )
        for group in _groups(scan, spans[-1], bars[-1])
        for lhs in lefts
    ]


def _left(scan: Scan, span: Span, bar: int, double: bool) -> list[str]:
    """Read the left side; with ``||`` one text for each of its terms."""
    if span[0] == span[1]:
        raise scan.fail("the left of the bar is empty: write (1 | g) for an intercept", bar)
    found = read_sum(scan, span)
    if found.bars or found.offsets:
        raise scan.fail("random terms and offsets cannot stand left of a bar", span[0])
    try:
        expansion = expand(found.text)
    except FormulaError as error:
        raise scan.fail(error.reason, span[0]) from error
    if not expansion.intercept and not expansion.terms:
        raise scan.fail("the left of the bar leaves no column: write (1 | g)", span[0])
    if not double:
        return [found.text]
    return ["1"] * expansion.intercept + [f"0 + {term.text}" for term in expansion.terms]


def _tag(scan: Scan, span: Span) -> str:
    tag = scan.tokens[span[0]].column if span[1] - span[0] == 1 else None
    if tag is None or tag == ".":
        raise scan.fail("a tag is one name: write (1 | m | animal)", span[0])
    return tag


def _groups(scan: Scan, span: Span, bar: int) -> list[_Group]:
    """Read the groups of a right side: ``a/b`` is b within a, then a."""
    span = scan.strip(span)
    if span[0] == span[1]:
        raise scan.fail("the group is missing: write (1 | g)", bar)
    for operator in ("+", "*", "-"):
        at = scan.top(span, operator)
        if at:
            message = f"{operator!r} has no meaning among groups: write two terms, or (1 | a:b)"
            raise scan.fail(message, at[0])
    levels = [
        [_atom(scan, part) for part in scan.split(scan.strip(level), ":")]
        for level in scan.split(span, "/")
    ]
    plain = [[atom.columns[0] for atom in level] for level in levels]
    if len(levels) == len(levels[0]) == 1:
        return [levels[0][0]]
    if any(atom.identity or atom.kernel for level in levels for atom in level):
        message = "ide() and gr() take one column: make the interaction a column of the data first"
        raise scan.fail(message, span[0])
    groups = []
    for depth in range(len(levels), 0, -1):
        columns = [column for level in reversed(plain[1:depth]) for column in level]
        groups.append(_Group((*columns, *plain[0])))
    if any(len(set(group.columns)) < len(group.columns) for group in groups):
        raise scan.fail("a column stands twice in this group", span[0])
    return groups


def _atom(scan: Scan, span: Span) -> _Group:
    """One column, ``ide(column)`` or ``gr(column, kernel)``."""
    span = scan.strip(span)
    if span[0] == span[1]:
        raise scan.fail("the name of a column is missing here", span[0])
    token = scan.tokens[span[0]]
    if span[1] - span[0] == 1 and token.column is not None and token.text != ".":
        return _Group((token.column,))
    call = scan.call(span)
    if call is None or call[0] not in {"ide", "gr"}:
        what = "A function call" if call is not None else f"{scan.source(span)!r}"
        message = f"{what} cannot be a group: make it a column of the data first"
        raise scan.fail(message, span[0])
    names = [
        scan.tokens[lo].column if hi - lo == 1 else None for lo, hi in scan.split(call[1], ",")
    ]
    if call[0] == "ide":
        if len(names) != 1 or names[0] is None:
            raise scan.fail("ide() takes one column: write (1 | ide(g))", span[0])
        return _Group((names[0],), identity=True)
    if len(names) != 2 or names[0] is None or names[1] is None:
        message = "gr() takes a column and the name of a matrix: write (1 | gr(g, D))"
        raise scan.fail(message, span[0])
    return _Group((names[0],), kernel=names[1])
