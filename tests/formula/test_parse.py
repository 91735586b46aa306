import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animalmm.errors import FormulaError
from animalmm.formula import parse_formula

BARS = [
    # text, (lhs, group, name)
    ("(1|g)", [("1", ("g",), "g")]),
    ("(x|g)", [("1 + x", ("g",), "g")]),
    ("(1+x|g)", [("1 + x", ("g",), "g")]),
    ("(0+x|g)", [("0 + x", ("g",), "g")]),
    ("(-1+x|g)", [("0 + x", ("g",), "g")]),
    ("(x-1|g)", [("0 + x", ("g",), "g")]),
    ("(x||g)", [("1", ("g",), "g"), ("0 + x", ("g",), "g")]),
    ("(0+x||g)", [("0 + x", ("g",), "g")]),
    (
        "(a*b||g)",
        [
            ("1", ("g",), "g"),
            ("0 + a", ("g",), "g"),
            ("0 + b", ("g",), "g"),
            ("0 + a:b", ("g",), "g"),
        ],
    ),
    ("(1|a/b)", [("1", ("b", "a"), "b:a"), ("1", ("a",), "a")]),
    (
        "(1|a/b/c)",
        [("1", ("c", "b", "a"), "c:b:a"), ("1", ("b", "a"), "b:a"), ("1", ("a",), "a")],
    ),
    ("(1|a:b)", [("1", ("a", "b"), "a:b")]),
    ("(1|a:b/c)", [("1", ("c", "a", "b"), "c:a:b"), ("1", ("a", "b"), "a:b")]),
    ("(1|(a:b))", [("1", ("a", "b"), "a:b")]),
    ("((1|g))", [("1", ("g",), "g")]),
    ("(`a b`|`g |h`)", [("1 + `a b`", ("g |h",), "g |h")]),
    ("(I(x^2)|g)", [("1 + I(x ** 2)", ("g",), "g")]),
]


@pytest.mark.parametrize(("text", "wanted"), BARS)
def test_bars(text, wanted):
    bars = parse_formula(f"y ~ z + {text}").bars
    assert [(b.lhs, b.group, b.name) for b in bars] == wanted
    assert all(b.position == 8 and b.structure == "us" for b in bars)
    assert all(b.text == text for b in bars)


def test_kernels_identity_tags_and_structures():
    text = "y ~ (1|gr(g, D)) + (1|ide(g)) + (1|m|g) + (1|m|h) + us(x|k) + diag(0+x|k) + ar1(f|k)"
    bars = parse_formula(text).bars
    assert [b.name for b in bars] == ["gr(g, D)", "ide(g)", "g", "h", "k", "k", "k"]
    assert [b.kernel for b in bars] == ["D", *[None] * 6]
    assert [b.identity for b in bars] == [False, True, *[False] * 5]
    assert [b.tag for b in bars] == [None, None, "m", "m", None, None, None]
    assert [b.structure for b in bars] == ["us"] * 5 + ["diag", "ar1"]
    assert parse_formula(text).groups == ("g", "h", "k")


FIXED = [
    ("y ~ 1", "1"),
    ("y ~ 0", "0"),
    ("y ~ x - 1", "0 + x"),
    ("y ~ x + -1", "0 + x"),
    ("y ~ -1 + x + 1", "1 + x"),
    ("y ~ x*z + (1|g)", "1 + x * z"),
    ("y ~ (1|g)", "1"),
    ("y ~ (a + b + (1|g))", "1 + a + b"),
    ("y ~ a*b - a:b", "1 + a * b - a:b"),
    ("y ~ (a+b)^2", "1 + (a + b) ^ 2"),
    ("y ~ I(x^2) + poly(x,2)", "1 + I(x ** 2) + poly(x, 2)"),
    ("y ~ as.factor(x)", "1 + factor(x)"),
    ("y ~ a %in% b", "1 + a %in% b"),
    ("y ~ `my col`:`x` + log(`a|b`)", "1 + `my col`:x + log(`a|b`)"),
    ("y ~ C(x, levels=['a|b', 'c~)'])", "1 + C(x, levels=['a|b', 'c~)'])"),
]


@pytest.mark.parametrize(("text", "fixed"), FIXED)
def test_fixed(text, fixed):
    assert parse_formula(text).fixed == fixed


def test_response_and_offsets():
    spec = parse_formula("log(y^2) ~ x + offset(k^2) + offset(log(`n o`))")
    assert spec.response == "log(y ** 2)"
    assert spec.offsets == ("k ** 2", "log(`n o`)")
    assert spec.fixed == "1 + x"
    assert parse_formula("`y y`~1").response == "`y y`"


ERRORS = [
    # text, where, part of the message
    ("y", 1, "no '~'"),
    ("", 0, "no '~'"),
    ("y~x~z", 3, "only one"),
    ("~x", 0, "response is missing"),
    ("y~", 2, "right side is empty"),
    ("y~(x", 2, "never closed"),
    ("y~(1|g", 2, "never closed"),
    ("y~x)", 3, "closes nothing"),
    ("y~log(x]", 7, "stands where"),
    ("y~'a", 2, "quote is never closed"),
    ("y~`a", 2, "backtick is never closed"),
    ("y~'a'", 2, "no column"),
    ("y~1|g", 2, "needs parentheses"),
    ("y~(1|)", 4, "group is missing"),
    ("y~(|g)", 3, "left of the bar is empty"),
    ("y~(0|g)", 3, "leaves no column"),
    ("y~x*(1|g)", 2, "by itself"),
    ("y~(1|g)^2", 2, "by itself"),
    ("y~x-(1|g)", 4, "cannot be taken away"),
    ("y~-(1|g)", 3, "cannot be taken away"),
    ("y~(1|a+b)", 6, "two terms"),
    ("y~(1|a*b)", 6, "two terms"),
    ("y~foo(1|g)", 2, "the structures are"),
    ("y~dig(1|g)", 2, "Did you mean 'diag'"),
    ("y~(1|log(g))", 5, "make it a column"),
    ("y~(1|1)", 5, "make it a column"),
    ("y~(1|gr(g))", 5, "gr() takes a column"),
    ("y~(1|ide(g,x))", 5, "ide() takes one column"),
    ("y~(1|ide(a)/b)", 5, "take one column"),
    ("y~(1|a:a)", 5, "twice"),
    ("y~(1|f(x)|g)", 5, "tag is one name"),
    ("y~(1|a|b|c)", 8, "one bar too many"),
    ("y~(1||m|g)", 4, "do not go together"),
    ("y~cs(x||g)", 6, "choose one"),
    ("y~((1|h)|g)", 3, "left of a bar"),
    ("cbind(a,b)~x", 0, "one trait at a time"),
    ("a,b~x", 1, "no meaning"),
    ("y|z~x", 1, "left of '~'"),
    ("y~.", 2, "write the columns out"),
    ("y~(1|g)+(1|g)", 8, "twice"),
    ("y~(x||g)+(1|g)", 9, "twice"),
    ("y~(1|a:b)+(1|b:a)", 10, "twice"),
    ("y~x>3", 3, "I(...)"),
    ("y~x y", 4, "operator is missing"),
    ("y~x+", 3, "term is missing"),
    ("y~x+*z", 4, "missing before"),
    ("y~x:*z", 4, "missing before"),
    ("y~()", 3, "term is missing"),
    ("y~x$z", 3, "no meaning"),
    ("y~x:offset(z)", 4, "by itself"),
    ("y~offset(a,b)", 9, "offset() takes one"),
    ("y~x[1]", 3, "brackets"),
    ("y~log(x+)", 2, "cannot be read"),
    ("y~2*x", 2, "cannot be read"),
    ("y~1:x", 2, "I(2 * x)"),
]


@pytest.mark.parametrize(("text", "position", "message"), ERRORS)
def test_errors_point_at_the_place(text, position, message):
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert message in caught.value.reason
    assert (caught.value.text, caught.value.position) == (text, position)


def test_not_text():
    with pytest.raises(FormulaError, match="is a string"):
        parse_formula(None)  # type: ignore[arg-type]


names = st.sampled_from(["x", "z2", "a.b", "`my col`", "`p|q`", "Days"])
groups = st.sampled_from(["g", "herd", "`the group`"])
lefts = st.one_of(st.just("1"), names, names.map("0 + {}".format))
rights = st.one_of(
    groups,
    groups.map("ide({})".format),
    groups.map("gr({}, D)".format),
)


@st.composite
def parts(draw):
    fixed = draw(st.lists(names, unique=True, max_size=4))
    pairs = st.tuples(lefts, rights, st.sampled_from(["", "us", "diag", "cs", "ar1"]))
    bars = draw(st.lists(pairs, unique_by=lambda p: p[:2], max_size=4))
    return fixed, bars


def _write(fixed, bars):
    return " + ".join(["y ~ 1", *fixed, *(f"{s}({left} | {g})" for left, g, s in bars)])


@given(parts())
def test_round_trip(made):
    fixed, bars = made
    spec = parse_formula(_write(fixed, bars))
    assert spec.fixed == " + ".join(["1", *fixed])
    assert len(spec.bars) == len(bars)
    for (left, group, structure), bar in zip(bars, spec.bars, strict=True):
        assert bar.lhs == (left if left[0] in "01" else f"1 + {left}")
        assert bar.name == group.replace("`", "")
        assert bar.structure == structure or (bar.structure == "us" and not structure)


@given(parts(), st.data())
def test_spaces_do_not_matter(made, data):
    def strip(spec):
        keys = ("lhs", "group", "kernel", "identity", "tag", "structure")
        bars = [tuple(getattr(b, key) for key in keys) for b in spec.bars]
        return spec.response, spec.fixed, spec.offsets, bars

    text = _write(*made)
    spaced, quoted = "", False
    for character in text:
        quoted ^= character == "`"
        if character == " " and not quoted:
            spaced += data.draw(st.sampled_from(["", " ", "\n", "\t  "]))
        else:
            spaced += character
    assert strip(parse_formula(spaced)) == strip(parse_formula(text))


pieces = ["y", "~", "x", "1", "0", "+", "-", "*", "/", ":", "^", "|", "||", "(", ")", "(", ")"]
pieces += ["[", "]", ",", "=", "`", "'", " ", "us", "gr", "ide", "offset", "I(", ".", "%in%", "2"]


@settings(max_examples=300)
@given(st.one_of(st.text(max_size=30), st.lists(st.sampled_from(pieces), max_size=14).map("".join)))
def test_garbage_raises_formula_errors_only(text):
    for candidate in (text, "y ~ " + text, "y ~ (" + text + "|g)"):
        with contextlib.suppress(FormulaError):
            parse_formula(candidate)
