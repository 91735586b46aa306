"""Which library is chosen, and what is said when CHOLMOD is absent."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse import csc_array

from animalmm.errors import FallbackWarning, MissingDependencyError
from animalmm.linalg import analyze, backend, cholmod

CHAIN = sparse.diags_array([2.0, -0.5], offsets=[0, -1], shape=(500, 500), format="csc")

WITHOUT_SKSPARSE = """
import sys, warnings
sys.modules["sksparse"] = None
from scipy import sparse
from animalmm.linalg import analyze, backend
chain = sparse.diags_array([2.0, -0.5], offsets=[0, -1], shape=(500, 500), format="csc")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    names = [analyze(chain).backend for _ in range(3)]
print(backend() == names[0] == names[2], names[0].split()[0], *(w.message for w in caught))
"""


@pytest.fixture
def no_cholmod(monkeypatch):
    monkeypatch.setattr(cholmod, "sk", None)
    monkeypatch.setattr(cholmod, "NAME", "")
    monkeypatch.setattr(cholmod, "WHY_ABSENT", "No module named 'sksparse'")
    cholmod._announce_fallback.cache_clear()
    yield
    cholmod._announce_fallback.cache_clear()


def test_cholmod_is_chosen_for_large_sparse_patterns():
    version = pytest.importorskip("sksparse").__version__
    assert analyze(CHAIN).backend == backend() == f"CHOLMOD (scikit-sparse {version})"


def test_lapack_is_chosen_for_small_and_for_full_patterns():
    full = csc_array(np.tri(150))
    for lower in (CHAIN[:36, :36], CHAIN[:0, :0], full):
        assert analyze(lower).backend == "LAPACK"


def test_the_fallback_is_announced_once(no_cholmod):
    with pytest.warns(FallbackWarning, match=r'pip install "animalmm\[cholmod\]"'):
        assert analyze(CHAIN).backend.startswith("SuperLU (SciPy ")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        analyze(CHAIN)


def test_nothing_is_said_when_cholmod_would_not_be_used(no_cholmod):
    analyze(CHAIN[:36, :36])
    analyze(CHAIN, backend="superlu")


def test_cholmod_asked_for_and_absent(no_cholmod):
    with pytest.raises(MissingDependencyError, match="libsuitesparse-dev"):
        analyze(CHAIN, backend="cholmod")


def test_a_process_that_cannot_import_scikit_sparse():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SKSPARSE], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("True SuperLU SciPy's SuperLU serves in place of CHOLMOD")
    assert done.stdout.count("SuperLU serves") == 1
