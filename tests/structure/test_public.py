"""The public face: quick to import, every name reachable, every name documented."""

import importlib
import inspect
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import animalmm

ROOT = Path(__file__).parents[2]
ROOMS = sorted(module.name for module in pkgutil.iter_modules(animalmm.__path__))
HEAVY = {"numpy", "scipy", "pandas", "formulaic", "sksparse", "matplotlib"}


def documented(thing):
    """Whether somebody wrote a docstring: a dataclass without one gets its signature."""
    text = (thing.__doc__ or "").strip()
    return bool(text) and not text.startswith(f"{getattr(thing, '__name__', '')}(")


def test_importing_the_package_loads_no_heavy_library():
    code = "import sys, animalmm; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "animalmm" in done.stdout.split()
    assert not HEAVY & set(done.stdout.split())


def test_no_public_name_is_there_twice_or_hidden_from_dir():
    assert len(set(animalmm.__all__)) == len(animalmm.__all__)
    assert set(animalmm.__all__) <= set(dir(animalmm))


@pytest.mark.parametrize("name", animalmm.__all__)
def test_public_name_is_reachable_and_documented(name):
    thing = getattr(animalmm, name)
    assert documented(thing)


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = animalmm.no_such_name


@pytest.mark.parametrize("room", ROOMS)
def test_every_name_of_a_room_is_there_and_documented(room):
    if room == "__main__":
        pytest.skip("runs on import")
    module = importlib.import_module(f"animalmm.{room}")
    assert documented(module)
    things = {name: getattr(module, name) for name in getattr(module, "__all__", [])}
    public = {n: t for n, t in things.items() if inspect.isclass(t) or inspect.isfunction(t)}
    assert not [name for name, thing in public.items() if not documented(thing)]


def test_version_is_that_of_the_project_file():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert animalmm.__version__ == project["version"]
