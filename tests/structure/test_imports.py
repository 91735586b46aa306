"""Who may import whom: the order of the rooms, read from the source and not from a run."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "animalmm"

# From left to right; a room imports only from those to its left, never from one beside it.
ORDER = [
    ["errors"],
    ["core"],
    ["linalg"],
    ["pedigree", "covariance", "formula"],
    ["relationship"],
    ["markers", "design"],
    ["engines"],
    ["algorithms"],
    ["estimation"],
    ["inference"],
    ["result"],
    ["pipeline"],
    ["simulation", "datasets", "plots", "report"],
    ["cli"],  # shows all the others
    ["__main__"],
]
PLACE = {room: place for place, rooms in enumerate(ORDER) for room in rooms}
FACE = PACKAGE / "__init__.py"  # loads every room lazily, and belongs to none
MODULES = sorted(set(PACKAGE.rglob("*.py")) - {FACE})


def parts(path):
    """``animalmm/linalg/dense.py`` -> ``("animalmm", "linalg", "dense")``."""
    return path.relative_to(PACKAGE.parent).with_suffix("").parts


def imported(node, here):
    """Full dotted names that one node of the syntax tree imports, if it is an import."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = ".".join(here[: -node.level] if node.level else ())
        module = ".".join(filter(None, [base, node.module]))
        return [f"{module}.{alias.name}" for alias in node.names]
    return []


def imports(path, tree=None):
    here = parts(path)
    nodes = ast.walk(tree or ast.parse(path.read_text(encoding="utf-8")))
    return [name for node in nodes for name in imported(node, here)]


def rooms(names):
    """Rooms of animalmm among dotted names; "" for the face itself."""
    own = [name.split(".") for name in names if name.split(".")[0] == "animalmm"]
    return {name[1] if len(name) > 1 and name[1] in PLACE else "" for name in own}


@pytest.fixture(params=MODULES, ids=lambda path: ".".join(parts(path)[1:]))
def module(request):
    return request.param


def test_the_module_stands_in_a_room_of_the_design(module):
    assert parts(module)[1] in PLACE


def test_the_module_imports_only_from_rooms_to_its_left(module):
    room = parts(module)[1]
    others = rooms(imports(module)) - {room}
    assert "" not in others, "a room imports from rooms, not from the public face"
    wrong = {other for other in others if PLACE[other] >= PLACE[room]}
    assert not wrong, f"{room} may not import from {wrong}"


def test_no_import_of_a_room_hides_inside_a_function(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    hidden = {f.name: rooms(imports(module, f)) for f in functions}
    assert not {name: found for name, found in hidden.items() if found}


def test_the_adapter_alone_imports_scikit_sparse(module):
    uses = any(name.split(".")[0] == "sksparse" for name in imports(module))
    assert uses == (parts(module) == ("animalmm", "linalg", "cholmod"))


def test_the_reader_of_imports_reads_every_form():
    path = PACKAGE / "design" / "some.py"
    code = """
import animalmm.errors, numpy.linalg
from animalmm import core
from animalmm.linalg.dense import DenseFactor
from ..formula import parse
from .. import engines
from . import problem
from animalmm import fit
"""
    found = rooms(imports(path, ast.parse(code)))
    assert found == {"errors", "core", "linalg", "formula", "engines", "design", ""}
