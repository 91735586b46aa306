import pytest

from animalmm.errors import FormulaError
from animalmm.formula import expand
from animalmm.formula.tokens import mask, names_in

# what R's terms() and its "factors" attribute give: 1 is reduced (contrasts), 2 is not
CASES = [
    ("1 + a*b", [("a", "1"), ("b", "1"), ("a:b", "11")]),
    ("0 + a*b", [("a", "1"), ("b", "1"), ("a:b", "11")]),
    ("1 + a:b", [("a:b", "22")]),
    ("1 + a + a:b", [("a", "1"), ("a:b", "21")]),
    ("1 + a/b", [("a", "1"), ("a:b", "21")]),
    ("1 + b + a:b", [("b", "1"), ("b:a", "21")]),
    ("1 + a:b + b", [("b", "1"), ("a:b", "12")]),
    ("1 + (a+b+c)^2 - b:c", [("a", "1"), ("b", "1"), ("c", "1"), ("a:b", "11"), ("a:c", "11")]),
    ("1 + a:b + a:b:c", [("a:b", "22"), ("a:b:c", "221")]),
]


@pytest.mark.parametrize(("text", "wanted"), CASES)
def test_terms_and_coding_are_those_of_r(text, wanted):
    out = expand(text)
    assert out.intercept == text.startswith("1")
    found = [(t.text, "".join("1" if r else "2" for r in t.reduced)) for t in out.terms]
    assert found == wanted


def test_names_that_python_cannot_read():
    out = expand("1 + `my col`:a.b + log(`x y` + class) + in")
    assert [t.factors for t in out.terms] == [
        ("log(`x y` + class)",),
        ("in",),
        ("`my col`", "a.b"),
    ]


@pytest.mark.parametrize("read", [names_in, mask, expand])
@pytest.mark.parametrize("text", ["", "  "])
def test_nothing_to_read(read, text):
    with pytest.raises(FormulaError, match="is empty: name a column"):
        read(text)


def test_error():
    with pytest.raises(FormulaError, match="cannot be read"):
        expand("1 + x**z")
