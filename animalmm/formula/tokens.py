"""Tokens of a formula, each with its place, so that an error can point at it."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from animalmm.errors import FormulaError

__all__ = ["Scan", "Span", "Token", "mask", "names_in", "quote", "unmask"]

Span = tuple[int, int]  # first token and one past the last

CONSTANTS = frozenset({"TRUE", "FALSE", "True", "False", "None"})
_OPENS = {"(": ")", "[": "]"}
_OUTSIDE_CALLS = frozenset({"+", "-", "*", "/", ":", "^", "**", "%in%", "|", "||", "~"})
_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[^\W\d][\w.]*|\.[\w.]*)
    |(?P<quoted>`[^`]+`)
    |(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<op>%[^%\s]*%|\|\||\*\*|//|[<>=!]=|[-+*/:^|~<>=,&%])
    |(?P<open>[(\[])
    |(?P<close>[)\]])""",
    re.VERBOSE | re.DOTALL,
)
_MASK = re.compile(r"_column_(\d+)_")


@dataclass(frozen=True)
class Token:
    """One token: `kind` is name, number, quoted, string, op, open or close."""

    kind: str
    text: str
    start: int
    in_call: bool  # strictly between the parentheses of a function call

    @property
    def end(self) -> int:
        """One past the last character."""
        return self.start + len(self.text)

    @property
    def column(self) -> str | None:
        """The bare name, when this is a name with or without backticks."""
        if self.kind == "quoted":
            return self.text[1:-1]
        return self.text if self.kind == "name" else None


class Scan:
    """The tokens of a text and the bracket that closes each one opened.

    Parameters
    ----------
    text : str
        Formula or part of one.

    Attributes
    ----------
    tokens : list of Token
    closing : dict of int to int
        Index of an opening bracket to that of its partner.

    Raises
    ------
    FormulaError
        A character that has no meaning, an unclosed quote, unbalanced brackets.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self.closing: dict[int, int] = {}
        opened: list[tuple[int, bool]] = []
        for kind, piece, start in _pieces(text):
            in_call = any(call for _, call in opened)
            if kind == "close":
                self._close(piece, start, opened)
                in_call = any(call for _, call in opened)
            elif kind == "open":
                if piece == "[" and not in_call:
                    raise FormulaError("square brackets have no meaning here", text, start)
                call = bool(self.tokens) and self.tokens[-1].kind == "name" and piece == "("
                opened.append((len(self.tokens), call))
            self.tokens.append(Token(kind, piece, start, in_call))
        if opened:
            token = self.tokens[opened[-1][0]]
            raise FormulaError(f"this {token.text!r} is never closed", text, token.start)

    def _close(self, bracket: str, start: int, opened: list[tuple[int, bool]]) -> None:
        if not opened:
            raise FormulaError(f"this {bracket!r} closes nothing", self.text, start)
        index, _ = opened.pop()
        wanted = _OPENS[self.tokens[index].text]
        if bracket != wanted:
            message = f"this {bracket!r} stands where {wanted!r} is due"
            raise FormulaError(message, self.text, start)
        self.closing[index] = len(self.tokens)

    def fail(self, message: str, index: int) -> FormulaError:
        """Make the error that points at a token, or at the end when there is none."""
        at = self.tokens[index].start if index < len(self.tokens) else len(self.text)
        return FormulaError(message, self.text, at)

    def source(self, span: Span) -> str:
        """Return the text of a span as it was written."""
        return self.text[self.tokens[span[0]].start : self.tokens[span[1] - 1].end]

    def top(self, span: Span, *texts: str) -> list[int]:
        """Find the operators `texts` in a span that no bracket encloses."""
        found, i = [], span[0]
        while i < span[1]:
            if self.tokens[i].kind == "op" and self.tokens[i].text in texts:
                found.append(i)
            i = self.closing.get(i, i) + 1
        return found

    def split(self, span: Span, *texts: str) -> list[Span]:
        """Cut a span at the operators `texts` that no bracket encloses."""
        cuts = self.top(span, *texts)
        return list(zip([span[0], *(i + 1 for i in cuts)], [*cuts, span[1]], strict=True))

    def has(self, span: Span, *texts: str) -> bool:
        """Whether one of the operators `texts` occurs in a span at any depth."""
        return any(t.kind == "op" and t.text in texts for t in self.tokens[slice(*span)])

    def parenthesised(self, span: Span) -> bool:
        """Whether one pair of parentheses encloses the whole span."""
        return span[0] < span[1] and self.closing.get(span[0]) == span[1] - 1

    def strip(self, span: Span) -> Span:
        """Take off the parentheses that enclose all of a span."""
        while self.parenthesised(span):
            span = span[0] + 1, span[1] - 1
        return span

    def call(self, span: Span) -> tuple[str, Span] | None:
        """Return the name and the inside, when the whole span is one function call."""
        lo, hi = span
        if hi - lo < 3 or self.tokens[lo].kind != "name" or not self.parenthesised((lo + 1, hi)):
            return None
        return self.tokens[lo].text, (lo + 2, hi - 1)

    def check(self, span: Span) -> None:
        """Check that operands and operators alternate outside function calls.

        Raises
        ------
        FormulaError
            Pointing at the token that is out of place.
        """
        first = self.tokens[span[0]]
        if first.kind == "op":
            raise self.fail(f"something is missing before {first.text!r}", span[0])
        before: Token | None = None
        for i in range(*span):
            token = self.tokens[i]
            if token.in_call:
                before = None
                continue
            self._check_one(before, token, i)
            before = token
        if before is not None and before.kind == "op":
            raise self.fail(f"something is missing after {before.text!r}", span[1] - 1)

    def _check_one(self, before: Token | None, token: Token, index: int) -> None:
        is_op = token.kind == "op"
        if is_op and token.text not in _OUTSIDE_CALLS:
            hint = "wrap arithmetic and comparisons in I(...), as in I(x > 3)"
            raise self.fail(f"{token.text!r} has no meaning here: {hint}", index)
        if token.kind == "string":
            raise self.fail("a quoted string is no column; use backticks for one", index)
        if before is None:
            return
        ends_operand = before.kind not in {"op", "open"}
        starts_operand = token.kind not in {"op", "close"}
        is_call = before.kind == "name" and token.text == "("
        if ends_operand and starts_operand and not is_call:
            raise self.fail(f"an operator is missing before {token.text!r}", index)
        if not ends_operand and not starts_operand and token.text not in {"+", "-"}:
            # f() is the caller's business; () and a:* are not formulas
            called = index > 1 and token.kind == "close" and self.tokens[index - 2].kind == "name"
            if not called:
                raise self.fail(f"something is missing before {token.text!r}", index)

    def render(self, span: Span, arithmetic: bool = False) -> str:
        """Write a span as formulaic text, free of the user's spacing and of R's habits.

        `^` becomes `**` inside calls (everywhere when `arithmetic`), where it would be Python's
        exclusive or; `as.factor` becomes `factor`.
        """
        out: list[str] = []
        before: Token | None = None
        for token in self.tokens[slice(*span)]:
            text = token.text
            if token.kind == "op":
                power = text == "^" and (arithmetic or token.in_call)
                text = "**" if power else text
                unary = before is None or before.kind in {"op", "open"}
                if text == ",":
                    text = ", "
                elif text not in {":", "="} and not unary:
                    text = f" {text} "
            elif text == "as.factor":
                text = "factor"
            elif token.kind == "quoted" and _plain(text[1:-1]):
                text = text[1:-1]
            elif before is not None and before.kind not in {"op", "open", "close"}:
                text = text if token.kind in {"open", "close"} else f" {text}"
            out.append(text)
            before = token
        return "".join(out)


def _pieces(text: str) -> Iterator[tuple[str, str, int]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            if text[at] in "\"'`":
                what = "backtick" if text[at] == "`" else "quote"
                raise FormulaError(f"this {what} is never closed", text, at)
            hint = " Write the names of columns only." if text[at] in "$@" else ""
            raise FormulaError(f"{text[at]!r} has no meaning in a formula.{hint}", text, at)
        kind = match.lastgroup or ""
        if kind != "space":
            yield kind, match.group(), at
        at = match.end()


def _plain(name: str) -> bool:
    """Whether Python and formulaic read a name as that name without help."""
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name)


def quote(name: str) -> str:
    """Write a column name for a formula, in backticks where it needs them."""
    match = _TOKEN.fullmatch(name)
    return name if match is not None and match.lastgroup == "name" else f"`{name}`"


@lru_cache(maxsize=256)
def names_in(text: str) -> tuple[tuple[str, int, str], ...]:
    """List the names that a formula, or a part of one, uses.

    Returns
    -------
    tuple of (str, int, str)
        Name without backticks, its position, and ``"column"`` or ``"function"``, as they stand;
        keywords of calls (``degree=``), constants and what starts with ``np.`` are left out.

    Raises
    ------
    FormulaError
        An empty text, or one that is not made of tokens: see `Scan`.
    """
    tokens = Scan(text).tokens
    if not tokens:
        raise FormulaError("the formula is empty: name a column, or write 1 for a mean only", text)
    found = []
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        name, follows = token.column, after.text if after is not None else ""
        if name is None:
            continue
        if token.kind == "name":
            if name in CONSTANTS or name.startswith("np."):
                continue
            if follows == "(":
                found.append((name, token.start, "function"))
                continue
            if follows == "=" and token.in_call:
                continue
        found.append((name, token.start, "column"))
    return tuple(found)


@lru_cache(maxsize=256)
def mask(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Replace column names that Python cannot read by ones that it can.

    Returns
    -------
    str
        The text with ``_column_0_`` for `` `my col` ``, for ``a.b`` and for ``class``.
    tuple of (str, str)
        Each column that the text uses: its name in the new text and its own name.
    """
    columns: dict[str, str] = {}
    out, at = [], 0
    for name, start, role in names_in(text):
        if role == "function":
            continue
        width = len(name) + 2 * (text[start] == "`")
        if name not in columns:
            columns[name] = name if _plain(name) else f"_column_{len(columns)}_"
        out += [text[at:start], columns[name]]
        at = start + width
    pairs = tuple((masked, name) for name, masked in columns.items())
    return "".join([*out, text[at:]]), pairs


def unmask(text: str, columns: tuple[tuple[str, str], ...]) -> str:
    """Undo `mask` on a piece of the masked text, with backticks where a formula needs them."""
    return _MASK.sub(lambda m: quote(columns[int(m.group(1))][1]), text)
