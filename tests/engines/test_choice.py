"""Engines by name, and what is said of the choice."""

import pytest
from scipy import sparse

from animalmm.engines import MME, Auto, ManyKernels, OneKernel, Whitened, engine_spec
from animalmm.errors import ArgumentError

from .models import random_case


def test_names_stand_for_the_default_engines():
    assert engine_spec("auto") == Auto()
    assert engine_spec("many_kernels") == ManyKernels()
    assert engine_spec("mme") == MME()
    assert engine_spec("one_kernel") == OneKernel()
    assert engine_spec("whitened") == Whitened()


def test_a_configured_engine_is_taken_as_it_is():
    mine = Whitened(join=True)
    assert engine_spec(mine) is mine


def test_an_unknown_name_lists_the_known_ones_and_the_nearest():
    with pytest.raises(ArgumentError, match=r"'auto', 'many_kernels', .*Did you mean 'whitened'"):
        engine_spec("whiten")


def test_something_that_is_no_engine_is_named_by_its_type():
    with pytest.raises(ArgumentError, match=r"prepare\(\); this is a int"):
        engine_spec(3)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("pedigree", "mme: 'g0' by its inverse"),
        ("precision", "mme: 'g0' by its inverse"),
        ("covariance", "whitened: 'g0' by its Cholesky factor"),
        ("sparse covariance", "whitened: 'g0' by its Cholesky factor"),
    ],
)
def test_auto_takes_the_form_at_hand_and_says_so(form, words):
    case = random_case(0, forms=(form,))
    assert Auto().prepare(case.problem).description.startswith(words)


def test_x_joins_the_system_when_it_is_sparse():
    dense, wide = random_case(0), random_case(1)
    assert not sparse.issparse(dense.problem.X)
    assert sparse.issparse(wide.problem.X)
    assert Auto().prepare(dense.problem).description.endswith("X dense and apart")
    assert Auto().prepare(wide.problem).description.endswith("X in the sparse system")
