import pytest

from animalmm import Pedigree, fit

from .herd import ANIMAL, SLOPES, herd, kinship, pedigree_table, slopes


@pytest.fixture(scope="session")
def reference():
    """The fit that the others must equal."""
    return fit(ANIMAL, herd(), {"animal": kinship()})


@pytest.fixture(scope="session")
def slope_reference():
    return fit(SLOPES, slopes())


@pytest.fixture
def pedigree():
    return Pedigree(pedigree_table())
