"""Algorithms by name."""

import pytest

from animalmm.algorithms import EM, algorithm_named
from animalmm.errors import ArgumentError


@pytest.mark.parametrize("name", ["auto", "ai", "em", "px-em", "df"])
def test_algorithms_have_names(name):
    assert algorithm_named(name).name == name


def test_a_configured_algorithm_is_taken_as_it_is():
    mine = EM(max_iterations=3)
    assert algorithm_named(mine) is mine


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ArgumentError, match="no algorithm 'nlopt'; there are 'auto', 'ai', 'em'"):
        algorithm_named("nlopt")


def test_something_that_is_no_algorithm_is_named_by_its_type():
    with pytest.raises(ArgumentError, match=r"minimise\(\); this is a list"):
        algorithm_named([])
