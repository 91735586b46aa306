"""Roots and inverses of dense and sparse matrices, definite or not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse import csc_array

from animalmm.errors import ArgumentError
from animalmm.linalg import NotPositiveDefiniteError, analyze, inverse, root

TEXT = ("the factor", "Do without.")


def dense(M):
    return M.toarray() if sparse.issparse(M) else M


@st.composite
def families(draw):
    """Blocks of random rank, their members scattered over the order; some rows may be zero."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=6))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    blocks = []
    for size in sizes:
        M = rng.normal(size=(size, draw(st.integers(0, 2 * size))))
        blocks.append(M @ M.T)
    K = sparse.block_diag([csc_array(B) for B in blocks], format="csr")
    order = rng.permutation(K.shape[0])
    return csc_array(K[order][:, order]), sum(np.linalg.matrix_rank(B) for B in blocks)


@given(families())
def test_a_sparse_root_has_the_rank_and_the_blocks_of_the_matrix(case):
    K, rank = case
    found = root(K, *TEXT)
    assert sparse.issparse(found.L)
    assert found.L.shape == (K.shape[0], rank)
    np.testing.assert_allclose((found.L @ found.L.T).toarray(), K.toarray(), atol=1e-6)
    assert found.L.nnz <= K.nnz
    assert (found.logdet == -np.inf) == (rank < K.shape[0])


@pytest.mark.parametrize("form", [np.asarray, csc_array])
@pytest.mark.parametrize("q", [8, 300])
def test_definite_matrix(form, q):
    K = np.eye(q) * 2.0
    K[np.arange(q - 1), np.arange(1, q)] = K[np.arange(1, q), np.arange(q - 1)] = 0.9
    found = root(form(K), *TEXT)
    b = np.arange(2.0 * q).reshape(q, 2)
    np.testing.assert_allclose(dense(found.L) @ dense(found.L).T, K, atol=1e-12)
    np.testing.assert_allclose(K @ found.solve(b), b, atol=1e-9)
    assert found.logdet == pytest.approx(np.linalg.slogdet(K)[1])
    np.testing.assert_allclose(dense(inverse(form(K), found, *TEXT)) @ K, np.eye(q), atol=1e-10)


def test_the_worst_block_is_told():
    K = sparse.block_diag(
        [csc_array(np.array([[1.0, a], [a, 1.0]])) for a in (0.5, 1.2, 4.0, 1.1)], format="csc"
    )
    with pytest.raises(NotPositiveDefiniteError) as caught:
        root(csc_array(K), *TEXT)
    assert caught.value.smallest_eigenvalue == pytest.approx(-3.0)


@pytest.mark.parametrize("form", [np.asarray, csc_array])
def test_singular_matrix_has_no_inverse(form):
    K = form(np.ones((3, 3)))
    with pytest.raises(NotPositiveDefiniteError, match="singular"):
        inverse(K, root(K, *TEXT), *TEXT)


@pytest.mark.parametrize("form", [np.asarray, csc_array])
def test_memory(form, monkeypatch):
    monkeypatch.setattr("animalmm.linalg.memory.physical_memory", lambda: 1000)
    with pytest.raises(ArgumentError, match=r"the factor needs .* GiB.*Do without\."):
        root(form(np.ones((20, 20))), *TEXT)


@pytest.mark.parametrize("n", [5, 150])
def test_lower_of_every_backend(backend, n):
    """An arrow that points the wrong way, so that the order matters."""
    A = np.eye(n) * 3.0 * n
    A[0, :] = A[:, 0] = 1.0
    A[0, 0] = 3.0 * n
    lower = csc_array(sparse.tril(csc_array(A), format="csc"))
    factor = analyze(lower, backend=backend).factorize(lower)
    L, order = factor.lower()
    assert sparse.tril(L, format="csc").nnz == L.nnz
    np.testing.assert_allclose((L @ L.T).toarray(), A[np.ix_(order, order)], atol=1e-10)
    assert sorted(order) == list(range(n))
    b = np.ones(n)
    np.testing.assert_allclose(A @ factor.solve(b), b, atol=1e-10)  # asking changed nothing
