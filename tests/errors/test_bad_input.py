"""What a user sees for each way of getting it wrong: the class, the thing named, the remedy."""

import pickle
import re
from functools import cache

import numpy as np
import pandas as pd
import pytest

import animalmm
from animalmm import Pedigree, fit
from animalmm.datasets import load
from animalmm.errors import (
    AnimalmmError,
    ArgumentError,
    DataError,
    FormulaError,
    PedigreeError,
    RelationshipError,
)
from animalmm.relationship import CovarianceRelationship

N = 40
IDS = [f"a{i:02d}" for i in range(1, 21)]
FORMULA = "y ~ x + (1 | animal)"


def records(**changes):
    rng = np.random.default_rng(1)
    data = pd.DataFrame(
        {
            "y": rng.normal(size=N),
            "x": rng.normal(size=N),
            "sex": ["M", "F"] * (N // 2),
            "animal": IDS * 2,
            "herd": list("pqrst") * (N // 5),
            "one": "c",
            "void": np.nan,
            "w": 1.0 + np.arange(N) % 3,
            "record": np.arange(N),
        }
    )
    return data.assign(**changes)


def at(positions, value, like=None):
    """`like` (ones by default) with a value at some positions."""
    out = np.ones(N) if like is None else np.array(like, dtype=float)
    out[positions] = value
    return out


def kinship(**cells):
    """0.9 I + 0.1, ids on both sides; cells such as r3c4=0.5 change single elements."""
    K = np.eye(20) * 0.9 + 0.1
    for cell, value in cells.items():
        i, j = (int(part) for part in cell[1:].split("c"))
        K[i, j] = value
    return pd.DataFrame(K, index=IDS, columns=IDS)


def labelled(labels, K=None):
    K = kinship() if K is None else K
    return pd.DataFrame(K.to_numpy(), index=labels, columns=labels)


def low_rank():
    M = np.random.default_rng(2).normal(size=(20, 5))
    return pd.DataFrame(M @ M.T, index=IDS, columns=IDS)


def pedigree_table():
    rest = len(IDS) - 2
    parents = {"sire": [None] * 2 + ["a01"] * rest, "dam": [None] * 2 + ["a02"] * rest}
    return pd.DataFrame({"id": IDS, **parents})


NUMBERS = [str(i) for i in range(1, 21)]
INDEFINITE = kinship(r0c1=3.0, r1c0=3.0)
SLEEP = load("sleepstudy").data


@cache
def sleep(offset=False):
    if offset:
        return fit("Reaction ~ Days + (1 | Subject)", SLEEP, offset=np.arange(180.0))
    return fit("Reaction ~ Days + (Days | Subject)", SLEEP)


@cache
def course():
    found = load("course")
    relmat = {"animal": Pedigree(found.pedigree)}
    return fit("y ~ sex + (1 | animal)", found.data, relmat)


@cache
def offset_in_formula():
    return fit("Reaction ~ 1 + offset(10 * Days) + (1 | Subject)", SLEEP)


def run(*arguments, data=None, formula=FORMULA, **keywords):
    """A call of `fit` for later, on the usual records unless told otherwise."""
    return lambda: fit(formula, records() if data is None else data, *arguments, **keywords)


def new(**columns):
    return pd.DataFrame(columns)


def case(name, call, error, *pieces):
    return pytest.param(call, error, pieces, id=name)


def syntax(name, formula, place, *pieces):
    """A formula error: its message shows the formula and a caret below `place`."""
    position = len(formula) if place is None else formula.index(place)
    shown = re.escape(f"\n  {formula}\n  {' ' * position}^") + r"\Z"
    return case(name, run(formula=formula), FormulaError, *pieces, shown)


COLUMNS = [
    syntax("unknown column", "y ~ x + sx + (1|animal)", "sx", "no column 'sx'", "mean 'sex'"),
    syntax("unknown group", "y ~ x + (1|anmal)", "anmal", "'anmal'", "mean 'animal'"),
    syntax("unknown slope", "y ~ x + (xx|animal)", "xx", "'xx'", r"mean 'x'\?"),
    syntax("unknown response", "yy ~ x + (1|animal)", "yy", "no column 'yy'", r"mean 'y'\?"),
    syntax("unknown function", "y ~ sqroot(x) + (1|animal)", "sqroot", "'sqroot'", "mean 'sqrt'"),
    case(
        "column twice in the data",
        run(data=pd.concat([records(), records()[["x"]]], axis=1)),
        DataError,
        "2 columns .* called 'x'",
        "rename",
    ),
    case("empty data", run(data=records().iloc[:0]), DataError, "no rows"),
    case("no columns", run(data=pd.DataFrame()), FormulaError, "no column 'animal'"),
    case("array for data", run(data=np.ones((3, 3))), DataError, "DataFrame", "ndarray"),
    case("path for data", run(data="records.csv"), DataError, "DataFrame", "str"),
    case("data and formula swapped", lambda: fit(records(), FORMULA), FormulaError, "string"),
    case(
        "nothing left",
        run(
            formula="y ~ x + w + (1|animal)",
            data=records(
                x=at(slice(20), np.nan),
                w=at(slice(20, N), np.nan),
            ),
        ),
        DataError,
        "no row is left",
        "x missing in 20",
        "w missing in 20",
    ),
    case(
        "column without values", run(formula="y ~ void + (1|animal)"), DataError, "void", "all 40"
    ),
    case(
        "missing values forbidden",
        run(data=records(x=at(slice(3), np.nan)), na_action="fail"),
        DataError,
        "3 of 40 rows",
        "x missing in 3",
    ),
    case("unknown na_action", run(na_action="omit"), ArgumentError, "'drop' or 'fail'", "'omit'"),
    case("constant response", run(data=records(y=1.0)), DataError, "response y is 1 in all 40"),
    case(
        "text response",
        run(formula="herd ~ x + (1|animal)"),
        DataError,
        "response herd is not numeric",
        "numbers",
    ),
    case(
        "infinite response", run(data=records(y=at(3, np.inf))), DataError, "^y is inf", "1 of 40"
    ),
    case("infinite covariate", run(data=records(x=at(3, -np.inf))), DataError, "^x is inf", "1 of"),
    case(
        "log of a negative response",
        run(formula="log(y) ~ x + (1|animal)"),
        DataError,
        r"log\(y\) is not finite",
        "of 40 rows",
    ),
    case(
        "log of a negative covariate",
        run(formula="y ~ log(x) + (1|animal)"),
        DataError,
        r"log\(x\) is not finite",
        "of 40 rows",
    ),
    case("dates", run(data=records(x=pd.Timestamp("2020-01-01"))), DataError, "^x ", "datetime"),
    case("complex covariate", run(data=records(x=1j * np.arange(N))), DataError, "^x ", "complex"),
    case(
        "complex response",
        run(data=records(y=1j * np.arange(N))),
        DataError,
        r"\by\b",
        "complex|not numeric",
    ),
    case(
        "lists in a grouping column",
        run(data=records(animal=[[i] for i in range(N)])),
        DataError,
        "animal",
    ),
]

WEIGHTS = [
    case("zero weights", run(weights=at([0, 1], 0.0)), DataError, "weights has 2 zeros", "remove"),
    case("negative weights", run(weights=at([0, 1], -1.0)), DataError, "weights has 2 negative"),
    case(
        "missing weights", run(weights=np.full(N, np.nan)), DataError, "weights is missing in all"
    ),
    case("infinite weights", run(weights=at([0, 1], np.inf)), DataError, "weights has 2 infinite"),
    case("too few weights", run(weights=np.ones(39)), DataError, "weights has 39", "40 rows"),
    case("unknown weights", run(weights="ww"), DataError, "'ww' for weights", "mean 'w'"),
    case("text weights", run(weights="herd"), DataError, "weights must be numbers"),
    case("unknown offset", run(offset="ww"), DataError, "'ww' for offset", "mean 'w'"),
    case("too few offsets", run(offset=np.ones(39)), DataError, "offset has 39", "40 rows"),
]

SYNTAX = [
    syntax("no tilde", "y x + (1|animal)", None, "no '~'", "response ~ terms"),
    syntax("two tildes", "y ~ x ~ z", "~ z", "only one '~'"),
    syntax("no response", "~ x + (1|animal)", "~", "response is missing"),
    syntax("no right side", "y ~ ", None, "right side is empty", "y ~ 1"),
    syntax("never closed", "y ~ x + (1|animal", "(", r"'\(' is never closed"),
    syntax("closes nothing", "y ~ x) + (1|animal)", ")", r"'\)' closes nothing"),
    syntax("backtick never closed", "y ~ `x + (1|animal)", "`", "backtick is never closed"),
    syntax("bar without parentheses", "y ~ x + 1|animal", "1|", r"parentheses: write \(1 \| g\)"),
    syntax("nothing left of the bar", "y ~ x + (|animal)", "|", "left of the bar is empty"),
    syntax("nothing right of the bar", "y ~ x + (1|)", "|", "group is missing", r"\(1 \| g\)"),
    syntax("no column left of the bar", "y ~ x + (0|animal)", "0|", "leaves no column"),
    syntax("too many bars", "y ~ (1|a|b|animal)", "|animal", "one bar too many", "tag"),
    syntax("unknown wrapper", "y ~ x + dag(x|animal)", "dag", "us.*diag.*cs.*ar1", "mean 'diag'"),
    syntax("random term in a product", "y ~ x*(1|animal)", "x*", "stands by itself", r"\+ \(1 \|"),
    syntax("random term taken away", "y ~ x - (1|animal)", "(1|", "cannot be taken away"),
    syntax("several traits", "cbind(y, x) ~ 1 + (1|animal)", "cbind", "one trait at a time"),
    syntax("sum of groups", "y ~ x + (1|animal+herd)", "+herd", "no meaning among groups", "a:b"),
    syntax("call as group", "y ~ (1|factor(animal))", "factor", "cannot be a group", "column"),
    syntax("ide of two", "y ~ (1|ide(animal, herd))", "ide", "ide.. takes one column"),
    case(
        "random term twice",
        run(formula="y ~ x + (1|herd) + (1|herd)"),
        FormulaError,
        "there twice: leave one out",
        r"\n {21}\^\Z",
    ),
    syntax("all columns", "y ~ . + (1|animal)", ".", "write the columns out"),
    syntax("quoted column", "y ~ 'x' + (1|animal)", "'x'", "backticks"),
    syntax("comparison", "y ~ x > 3 + (1|animal)", "> 3", r"I\(x > 3\)"),
    syntax("dollar", "y ~ data$x + (1|animal)", "$", "names of columns only"),
    syntax("dangling plus", "y ~ x +", "+", "term is missing"),
    syntax("number times column", "y ~ 2*x + (1|animal)", "2*x", r"I\(2 \* x\)"),
    case(
        "no random term", run(formula="y ~ x"), FormulaError, "no random term", r"\(1 \| animal\)"
    ),
    case("formula is None", lambda: fit(None, records()), FormulaError, "string", "NoneType"),
]

RELMAT = [
    case(
        "misspelt key",
        run({"anmal": kinship()}, formula="y ~ x + (1|animal) + (1|herd)"),
        ArgumentError,
        "'anmal' matches no random term",
        "'animal', 'herd'",
        "mean 'animal'",
    ),
    case(
        "key that is no name",
        run({1: kinship()}),
        ArgumentError,
        "key 1 matches no random term",
        "'animal'",
    ),
    case(
        "relmat is a list", run([kinship()]), ArgumentError, "mapping", r"\{'animal': A\}", "list"
    ),
    case("relmat is the matrix", run(kinship()), ArgumentError, "mapping", "DataFrame"),
    case("precision is a list", run(precision=[kinship()]), ArgumentError, "precision takes a map"),
    case(
        "in relmat and in precision",
        run({"animal": kinship()}, precision={"animal": kinship()}),
        ArgumentError,
        "'animal'",
        "relmat",
        "precision",
        "once",
    ),
    case(
        "kernel without matrix",
        run(formula="y ~ x + (1|gr(animal, G))"),
        FormulaError,
        "kernel 'G'",
        r"gr\(animal, G\)",
        r"relmat=\{'G': ...\}",
        r"\n {10}\^\Z",
    ),
    case(
        "kernel under another name",
        run({"Gm": kinship()}, formula="y ~ x + (1|gr(animal, G))"),
        ArgumentError,
        "'Gm' matches no random term",
        "'G'",
    ),
    case(
        "array without labels",
        run({"animal": kinship().to_numpy()}),
        RelationshipError,
        r"relmat\['animal'\]",
        "without labels",
        "index=ids, columns=ids",
    ),
    case(
        "array of another size than the categories",
        run({"animal": np.eye(19)}, data=records(animal=pd.Categorical(IDS * 2))),
        RelationshipError,
        r"relmat\['animal'\]",
        "without labels",
        "index=ids, columns=ids",
    ),
    case(
        "list of lists",
        run({"animal": kinship().to_numpy().tolist()}),
        RelationshipError,
        r"relmat\['animal'\] is a list",
        "DataFrame",
        r"\(matrix, ids\)",
    ),
    case(
        "path", run({"animal": "A.csv"}), RelationshipError, r"\['animal'\] is a str", "DataFrame"
    ),
    case("None", run({"animal": None}), RelationshipError, "NoneType", "DataFrame"),
    case(
        "integers in the data, text in K",
        run({"animal": labelled(NUMBERS)}, data=records(animal=[int(a[1:]) for a in IDS * 2])),
        RelationshipError,
        "20 levels of column 'animal'",
        "look alike",
        "str there, int in the data",
        r"astype\(str\)",
    ),
    case(
        "text in the data, integers in K",
        run({"animal": labelled(range(1, 21))}, data=records(animal=NUMBERS * 2)),
        RelationshipError,
        "look alike",
        "int there, str in the data",
        r"astype\(int\)",
    ),
    case(
        "seven levels that K lacks",
        run({"animal": kinship().iloc[7:, 7:]}),
        RelationshipError,
        "7 levels of column 'animal' are not in",
        r"'a01', 'a02', 'a03', 'a04', 'a05', \.\.\. \(7 in all\)",
        "leave their records out",
    ),
    case(
        "one level that K lacks",
        run({"animal": kinship().iloc[1:, 1:]}),
        RelationshipError,
        "1 level of column 'animal' is not in",
        "'a01'",
    ),
    case(
        "levels that the pedigree lacks",
        run({"animal": Pedigree(pedigree_table().iloc[:18])}),
        RelationshipError,
        "2 levels of column 'animal'",
        "'a19', 'a20'",
    ),
    case(
        "NaN",
        run({"animal": kinship(r3c4=np.nan)}),
        RelationshipError,
        r"relmat\['animal'\]",
        "not finite",
        "rows of 'a04'",
        "leave those ids out",
    ),
    case(
        "asymmetric",
        run({"animal": kinship(r3c4=0.5)}),
        RelationshipError,
        "not symmetric",
        "0.4",
        "'a04', 'a05'",
        r"\(K \+ K.T\) / 2",
    ),
    case(
        "one triangle",
        run({"animal": kinship().where(np.tri(20, dtype=bool), 0.0)}),
        RelationshipError,
        "not symmetric",
        r"\(20 in all\)",
        "triangle",
    ),
    *(
        case(
            f"indefinite, engine {engine}",
            run({"animal": INDEFINITE}, engine=engine),
            RelationshipError,
            r"relmat\['animal'\]",
            "smallest eigenvalue is -2",
            r"animalmm\.bend",
        )
        for engine in ("auto", "mme", "whitened")
    ),
    case(
        "negative definite",
        run({"animal": -kinship()}),
        RelationshipError,
        r"relmat\['animal'\]",
        "diagonal is negative for",
    ),
    case("zero matrix", run({"animal": 0.0 * kinship()}), RelationshipError, r"relmat\['animal'\]"),
    case(
        "singular, engine mme",
        run({"animal": low_rank()}, engine="mme"),
        RelationshipError,
        "singular",
        "rank 5 of 20",
        "engine='whitened'",
        r"0.95 \* G",
    ),
    case(
        "not square",
        run({"animal": kinship().iloc[:, :19]}),
        RelationshipError,
        r"shape \(20, 19\)",
        "not square",
    ),
    case(
        "not square, with labels",
        run({"animal": (np.ones((20, 19)), IDS)}),
        RelationshipError,
        r"relmat\['animal'\]",
        r"shape \(20, 19\)",
        "not square",
    ),
    case(
        "too few labels",
        run({"animal": (np.eye(20), IDS[:19])}),
        RelationshipError,
        "20 x 20 but has 19 labels",
    ),
    case(
        "duplicated labels",
        run({"animal": (np.eye(20), ["a02", *IDS[1:]])}),
        RelationshipError,
        "duplicated labels: 'a02'",
        "once",
    ),
    case(
        "duplicated labels of a table",
        run({"animal": labelled(["a02", *IDS[1:]])}),
        RelationshipError,
        "duplicated labels: 'a02'",
    ),
    case(
        "a label is missing",
        run({"animal": (np.eye(20), [None, *IDS[1:]])}),
        RelationshipError,
        "missing labels",
    ),
    case(
        "index and columns differ",
        run({"animal": kinship().reset_index(drop=True)}),
        RelationshipError,
        "index and columns hold different ids",
        r"\(40 in all\)",
        "index=ids, columns=ids",
    ),
    case(
        "not numbers",
        run({"animal": kinship().astype(str) + "?"}),
        RelationshipError,
        r"relmat\['animal'\] holds values that are not numbers",
    ),
    case(
        "pedigree table",
        run({"animal": pedigree_table()}),
        RelationshipError,
        "looks like a pedigree",
        r"animalmm\.Pedigree\(table\)",
    ),
    case(
        "pedigree table that happens to be square",
        run({"animal": pedigree_table().iloc[:3]}),
        RelationshipError,
        r"animalmm\.Pedigree\(table\)",
    ),
    *(
        case(
            f"precision {name}, engine {engine}",
            run(precision={"animal": P}, engine=engine),
            RelationshipError,
            r"precision\['animal'\] is not positive definite",
        )
        for name, P in (("indefinite", INDEFINITE), ("singular", low_rank()))
        for engine in ("mme", "whitened")
    ),
    case(
        "covariance object under precision",
        run(precision={"animal": CovarianceRelationship(pd.Index(IDS), kinship().to_numpy())}),
        AnimalmmError,
        r"precision\['animal'\]",
        "relmat",
    ),
    case(
        "tagged terms with two kernels",
        run(
            {"animal": kinship(), "dam": 2.0 * kinship()},
            data=records(dam=np.roll(IDS * 2, 1)),
            formula="y ~ x + (1|m|animal) + (1|m|dam)",
        ),
        ArgumentError,
        "tag 'm'",
        "'animal', 'dam'",
        "one relationship",
    ),
    case(
        "tagged terms with two structures",
        run(data=records(dam=IDS * 2), formula="y ~ us(1|m|animal) + diag(1|m|dam)"),
        ArgumentError,
        "tag 'm'",
        "'diag', 'us'",
    ),
]

MODEL = [
    case(
        "one level",
        run(formula="y ~ x + (1|one)"),
        DataError,
        "column 'one'",
        r"\(1\|one\)",
        "one level",
        "at least two",
    ),
    case(
        "a level for each record",
        run(formula="y ~ x + (1|record)"),
        DataError,
        "term 'record'",
        "40 random effects for 40 records",
        r"\(relmat=\)",
    ),
    case(
        "as many slopes as records",
        run(formula="y ~ x + (x|animal)"),
        DataError,
        "term 'animal'",
        "40 random effects for 40 records",
    ),
    case(
        "factor with one level",
        run(formula="y ~ one + (1|animal)"),
        DataError,
        "one has only one level",
        "leave it out",
    ),
    case(
        "more fixed effects than records",
        run(formula="y ~ 0 + factor(record) + (1|animal)"),
        DataError,
        "40 fixed effects for 40 records",
        "random",
    ),
    case("unknown method", run(method="REM"), ArgumentError, "'REML' or 'ML'", "'REM'"),
    case("unknown engine", run(engine="mmee"), ArgumentError, "'mmee'", "whitened", "mean 'mme'"),
    case("engine class", run(engine=animalmm.MME), ArgumentError, r"MME\(\)"),
    case("engine is no engine", run(engine=3), ArgumentError, "engine takes a name", "int"),
    case("unknown algorithm", run(algorithm="dff"), ArgumentError, "'dff'", "'auto'", "mean 'df'"),
    case("algorithm is none", run(algorithm=3), ArgumentError, "algorithm takes a name", "int"),
    case(
        "contrasts of nothing",
        run(formula="y ~ sex + (1|animal)", contrasts={"sx": "sum"}),
        ArgumentError,
        "contrasts names 'sx'",
        "mean 'sex'",
    ),
    case("contrasts of numbers", run(contrasts={"x": "sum"}), ArgumentError, "'x'", r"factor\(x\)"),
    case(
        "unknown contrasts",
        run(formula="y ~ sex + (1|animal)", contrasts={"sex": "summ"}),
        ArgumentError,
        "'summ' for sex",
        "'treatment', 'sum'",
    ),
]


def components(argument):
    """What `fixed` and `start` refuse alike."""
    place = rf"{argument}\['animal'\]"
    slopes = {"formula": "Reaction ~ Days + (Days | Subject)", "data": SLEEP}
    return [
        case(
            f"{argument}: unknown component",
            run(**{argument: {"anmal": 1.0}}),
            ArgumentError,
            f"{argument} names 'anmal'",
            "'animal', 'Residual'",
            "mean 'animal'",
        ),
        case(
            f"{argument}: residual in lower case",
            run(**{argument: {"residual": 1.0}}),
            ArgumentError,
            "mean 'Residual'",
        ),
        case(f"{argument}: no mapping", run(**{argument: [1.0]}), ArgumentError, "'Residual': 40"),
        case(
            f"{argument}: shape",
            run(**{argument: {"animal": np.eye(2)}}),
            ArgumentError,
            place,
            r"shape \(2, 2\)",
            "1 x 1",
        ),
        case(
            f"{argument}: negative",
            run(**{argument: {"animal": -1.0}}),
            ArgumentError,
            place,
            "negative eigenvalue.*-1",
        ),
        case(
            f"{argument}: residual of zero",
            run(**{argument: {"Residual": 0.0}}),
            ArgumentError,
            f"{argument}.'Residual'. must be positive",
        ),
        case(
            f"{argument}: indefinite",
            run(**slopes, **{argument: {"Subject": [[1.0, 2.0], [2.0, 1.0]]}}),
            ArgumentError,
            rf"{argument}\['Subject'\]",
            "negative eigenvalue",
            "-1",
        ),
        case(
            f"{argument}: asymmetric",
            run(**slopes, **{argument: {"Subject": [[1.0, 0.2], [0.5, 1.0]]}}),
            ArgumentError,
            rf"{argument}\['Subject'\]",
            "symmetric",
        ),
        case(f"{argument}: text", run(**{argument: {"animal": "big"}}), ArgumentError, place),
        case(f"{argument}: None", run(**{argument: {"animal": None}}), ArgumentError, place),
        case(
            f"{argument}: NaN",
            run(**{argument: {"animal": np.nan}}),
            ArgumentError,
            place,
            "finite|NaN|number",
        ),
        case(
            f"{argument}: covariance under diag()",
            run(
                formula="Reaction ~ Days + diag(Days | Subject)",
                data=SLEEP,
                **{argument: {"Subject": [[600.0, 50.0], [50.0, 36.0]]}},
            ),
            ArgumentError,
            rf"{argument}\['Subject'\]",
            "diag",
        ),
    ]


AFTER = [
    *(
        case(
            f"{method} of an unknown term",
            lambda method=method: getattr(sleep(), method)("Subjct"),
            ArgumentError,
            "no random term 'Subjct'",
            "mean 'Subject'",
        )
        for method in ("ranef", "blup", "condvar")
    ),
    case(
        "ranef needs a name",
        lambda: fit("diameter ~ 1 + (1|plate) + (1|sample)", load("penicillin").data).ranef(),
        ArgumentError,
        "several random terms",
        "'plate', 'sample'",
    ),
    case(
        "blup of unknown levels",
        lambda: sleep().blup("Subject", [f"x{i}" for i in range(7)]),
        ArgumentError,
        "'Subject' has no level 'x0', 'x1', 'x2', 'x3', 'x4'",
        r"\(7 in all\)",
    ),
    case(
        "blup of one level, not in a list",
        lambda: sleep().blup("Subject", "309"),
        ArgumentError,
        "levels",
        r"\['309'\]",
    ),
    case(
        "get_me of an unknown part",
        lambda: sleep().get_me("betas"),
        ArgumentError,
        "no part 'betas'",
        "'theta'",
        "mean 'beta'",
    ),
    case("unknown constant", lambda: sleep().loglik("R"), ArgumentError, "'lme4' or 'asreml'"),
    case(
        "predict without a fixed column",
        lambda: sleep().predict(SLEEP.drop(columns="Days")),
        DataError,
        "lack the column 'Days'",
    ),
    case(
        "predict without a grouping column",
        lambda: sleep().predict(SLEEP.drop(columns="Subject")),
        ArgumentError,
        "lack 'Subject'",
        "random=False",
    ),
    case(
        "predict for an unseen category",
        lambda: course().predict(new(sex=["X"], animal=["a0001"])),
        DataError,
        "sex has levels that were not in the fit: 'X'",
        "'F', 'M'",
    ),
    case(
        "predict for an unseen animal",
        lambda: course().predict(new(sex=["F"], animal=["nobody"])),
        RelationshipError,
        "'animal'",
        "'nobody'",
        "allow_new_levels=True",
    ),
    case(
        "predict for an unseen subject",
        lambda: sleep().predict(new(Days=[1, 2], Subject=["308", "999"])),
        RelationshipError,
        "'Subject'",
        "'999'",
        "allow_new_levels=True",
    ),
    case(
        "predict for numbers that are text in the fit",
        lambda: sleep().predict(new(Days=[1, 2], Subject=[308, 309])),
        RelationshipError,
        "look alike",
        "str there, int in the data",
        r"astype\(str\)",
    ),
    case(
        "predict with an unknown term",
        lambda: sleep().predict(SLEEP, random="Sbject"),
        ArgumentError,
        "no random term 'Sbject'",
        "mean 'Subject'",
    ),
    case("predict with random=None", lambda: sleep().predict(random=None), ArgumentError, "random"),
    case(
        "predict for a dict of scalars",
        lambda: sleep().predict({"Days": 1, "Subject": "308"}),
        DataError,
        "DataFrame|table",
    ),
    case(
        "predict without the offset",
        lambda: sleep(offset=True).predict(SLEEP),
        ArgumentError,
        "offset=",
        "0 for none",
    ),
    case(
        "predict with too few offsets",
        lambda: sleep(offset=True).predict(SLEEP, offset=np.ones(3)),
        DataError,
        "offset has 3 values",
        "180 rows",
    ),
    case(
        "predict with an unknown offset column",
        lambda: sleep(offset=True).predict(SLEEP, offset="oo"),
        DataError,
        "'oo' for offset",
    ),
    case(
        "predict with text for an offset",
        lambda: sleep(offset=True).predict(SLEEP, offset="Subject"),
        DataError,
        "offset must be numbers",
    ),
    case(
        "predict without the column of an offset term",
        lambda: offset_in_formula().predict(SLEEP.drop(columns="Days")),
        DataError,
        "lack the column 'Days'",
    ),
]

PEDIGREE = [
    case(
        "listed twice",
        lambda: Pedigree(pd.concat([pedigree_table()] * 2)),
        PedigreeError,
        "20 animal.s. are listed more than once",
        r"'a01', 'a02', 'a03', 'a04', 'a05', \.\.\. \(20 in all\)",
        "drop_duplicates",
    ),
    case(
        "loop",
        lambda: Pedigree(new(id=["a", "b"], sire=["b", "a"], dam=[None, None])),
        PedigreeError,
        "descend from themselves",
        "a -> b -> a",
        "unknown",
    ),
    case(
        "no such column",
        lambda: Pedigree(pedigree_table().rename(columns={"sire": "pater"})),
        ArgumentError,
        "no column 'sire'",
        "'pater'",
        r"Pedigree\(table, sire=\.\.\.\)",
    ),
    case("no table", lambda: Pedigree([("a", "b")]), ArgumentError, "pandas.DataFrame", "list"),
]

TABLE = [
    *COLUMNS,
    *WEIGHTS,
    *SYNTAX,
    *RELMAT,
    *MODEL,
    *components("fixed"),
    *components("start"),
    *AFTER,
    *PEDIGREE,
]


@pytest.mark.parametrize(("call", "error", "pieces"), TABLE)
def test_bad_input(call, error, pieces):
    with pytest.raises(AnimalmmError) as caught:
        call()
    assert isinstance(caught.value, error)
    assert isinstance(caught.value, ValueError)
    message = str(caught.value)
    for piece in pieces:
        assert re.search(piece, message), f"no {piece!r} in: {message}"


def test_position_of_a_formula_error():
    with pytest.raises(FormulaError) as caught:
        fit("y ~ x + 1|animal", records())
    error = pickle.loads(pickle.dumps(caught.value))
    assert error.position == 8
    assert error.text == "y ~ x + 1|animal"
    assert str(error) == str(caught.value)


def test_other_columns_of_the_data_do_not_matter():
    data = pd.concat([records(), records()[["herd", "void"]]], axis=1)
    known = {"gr(animal, G)": 0.5, "Residual": 1.0}
    found = fit("y ~ x + (1 | gr(animal, G))", data, {"G": kinship()}, fixed=known)
    assert found.nobs == N
