"""The contract of every backend: what `analyze`, `Symbolic` and `Factor` promise."""

import gc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

from animalmm.errors import ArgumentError
from animalmm.linalg import NotPositiveDefiniteError, analyze


def lower_of(A):
    lower = sparse.tril(csc_array(A), format="csc")
    lower.sort_indices()
    return lower


def grid(side, shift=0.1):
    """Laplacian of a square grid: n = side^2, and real fill."""
    path = sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(side, side))
    eye = sparse.eye_array(side)
    return sparse.kron(path, eye) + sparse.kron(eye, path) + shift * sparse.eye_array(side**2)


@st.composite
def dominant(draw):
    """Diagonally dominant matrix with any pattern, explicit zeros among its entries."""
    n = draw(st.integers(1, 25))
    places = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    edges = sorted({(max(e), min(e)) for e in draw(st.lists(places, max_size=40)) if e[0] != e[1]})
    entry = st.floats(-3, 3, width=32) | st.just(0.0)
    values = draw(st.lists(entry, min_size=len(edges), max_size=len(edges)))
    diagonal = np.array(draw(st.lists(st.floats(0.125, 8), min_size=n, max_size=n)))
    for (i, j), v in zip(edges, values, strict=True):
        diagonal[[i, j]] += abs(v)
    rows, columns = (np.r_[np.arange(n), [e[k] for e in edges]].astype(int) for k in (0, 1))
    return csc_array((np.r_[diagonal, values], (rows, columns)), shape=(n, n))


@given(lower=dominant(), seed=st.integers(0, 99))
def test_solves_and_logdet_agree_with_numpy(backend, lower, seed):
    A = (lower + sparse.tril(lower, -1).T).toarray()
    factor = analyze(lower, backend=backend).factorize(lower)
    b = np.random.default_rng(seed).normal(size=(len(A), 3))
    np.testing.assert_allclose(factor.logdet(), np.linalg.slogdet(A)[1], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(factor.solve(b), np.linalg.solve(A, b), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(factor.solve(b[:, 0]), factor.solve(b)[:, 0], rtol=1e-13)


@pytest.mark.parametrize("ordering", ["amd", "metis", "nesdis", "natural", "best"])
def test_every_ordering_gives_the_same_numbers(backend, ordering):
    A = grid(14)
    lower = lower_of(A)
    factor = analyze(lower, ordering=ordering, backend=backend).factorize(lower)
    b = np.arange(lower.shape[0], dtype=float)
    np.testing.assert_allclose(A @ factor.solve(b), b, atol=1e-10)
    assert factor.logdet() == pytest.approx(np.linalg.slogdet(A.toarray())[1], rel=1e-12)
    assert lower.nnz <= factor.nnz <= lower.shape[0] ** 2


def test_a_factor_outlives_later_factorisations(backend):
    lower = lower_of(grid(12))
    n = lower.shape[0]
    symbolic = analyze(lower, backend=backend)
    first = symbolic.factorize(lower)
    logdet, x = first.logdet(), first.solve(np.ones(n))
    second = symbolic.factorize(4 * lower)
    assert second is not first
    assert second.logdet() == pytest.approx(logdet + n * np.log(4))
    assert first.logdet() == logdet
    np.testing.assert_array_equal(first.solve(np.ones(n)), x)
    del second, symbolic
    np.testing.assert_array_equal(first.solve(np.ones(n)), x)


def test_a_failed_factorisation_leaves_the_analysis_usable(backend):
    lower = lower_of(grid(12))
    symbolic = analyze(lower, backend=backend)
    before = symbolic.factorize(lower)
    logdet = before.logdet()
    with pytest.raises(NotPositiveDefiniteError):
        symbolic.factorize(-lower)
    assert before.logdet() == logdet
    assert symbolic.factorize(lower).logdet() == logdet


def test_the_values_of_the_analysed_matrix_do_not_matter(backend):
    lower = lower_of(grid(12))
    for useless in (0.0, np.nan, -1.0):
        pattern = lower.copy()
        pattern.data[:] = useless
        factor = analyze(pattern, backend=backend).factorize(lower)
        assert factor.logdet() == pytest.approx(np.linalg.slogdet(grid(12).toarray())[1])


def test_inputs_are_neither_changed_nor_needed_writeable(backend):
    lower = lower_of(grid(12))
    b = np.ones((lower.shape[0], 2))
    parts = [lower.data, lower.indices, lower.indptr, b]
    copies = [part.copy() for part in parts]
    for part in parts:
        part.setflags(write=False)
    factor = analyze(lower, backend=backend).factorize(lower)
    for rhs in (b, np.asfortranarray(b), b[:, 0], b[::1, :1]):
        factor.solve(rhs)
    lower.data = lower.data * 0.0  # the factor holds no view of it
    np.testing.assert_allclose(grid(12) @ factor.solve(b), b)
    for part, copy in zip(parts, copies, strict=True):
        np.testing.assert_array_equal(part, copy)


def test_solution_is_no_view_of_the_right_hand_side(backend):
    lower = lower_of(np.eye(3))
    b = np.ones(3)
    x = analyze(lower, backend=backend).factorize(lower).solve(b)
    x[:] = 7.0
    np.testing.assert_array_equal(b, np.ones(3))


@pytest.mark.parametrize("pivot", [0.0, -1.0])
@pytest.mark.parametrize("at", [0, 60, 120])
def test_a_bad_pivot_is_reported_with_its_column(backend, pivot, at):
    lower = lower_of(sparse.eye_array(121))
    lower.data[at] = pivot
    with pytest.raises(NotPositiveDefiniteError) as caught:
        analyze(lower, backend=backend).factorize(lower)
    unknown = backend == "superlu" and pivot == 0
    assert caught.value.column == (None if unknown else at)


@pytest.mark.parametrize("at", range(5))
def test_what_is_not_a_number_is_not_positive(backend, at):
    lower = lower_of([[2.0, 0, 0], [1, 2, 0], [0, 1, 2]])
    lower.data[at] = np.nan
    with pytest.raises(NotPositiveDefiniteError):
        analyze(lower, backend=backend).factorize(lower)


@pytest.mark.parametrize("side", [3, 12])
def test_indefinite_without_a_negative_diagonal(backend, side):
    lower = lower_of(grid(side))
    lower.data[lower.data < 0] *= 10
    with pytest.raises(NotPositiveDefiniteError, match="not positive definite"):
        analyze(lower, backend=backend).factorize(lower)


@pytest.mark.parametrize(
    "A", [np.ones((2, 2)), [[0.0, 1.0], [1.0, 0.0]], np.zeros((3, 3)), np.ones((5, 5))]
)
def test_exactly_singular(backend, A):
    n = len(A)
    lower = csc_array((np.ones(n * (n + 1) // 2), np.tril_indices(n)))
    lower.data[:] = np.asarray(A)[lower.indices, np.repeat(np.arange(n), np.diff(lower.indptr))]
    with pytest.raises(NotPositiveDefiniteError):
        analyze(lower, backend=backend).factorize(lower)


def test_nearly_singular_passes_without_a_warning(backend):
    lower = lower_of(sparse.diags_array(np.geomspace(1e-13, 1e13, 130)))
    factor = analyze(lower, backend=backend).factorize(lower)
    assert factor.logdet() == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(factor.solve(np.ones(130)), 1 / lower.diagonal())


def test_no_rows_and_no_right_hand_sides(backend):
    empty = csc_array((0, 0))
    factor = analyze(empty, backend=backend).factorize(empty)
    assert (factor.n, factor.nnz, factor.logdet()) == (0, 0, 0.0)
    assert factor.solve(np.empty(0)).shape == (0,)
    one = lower_of([[4.0]])
    factor = analyze(one, backend=backend).factorize(one)
    assert factor.solve(np.empty((1, 0))).shape == (1, 0)
    np.testing.assert_allclose(factor.solve(np.array([2.0])), [0.5])


@pytest.mark.parametrize("index", [np.int32, np.int64])
def test_either_width_of_indices(backend, index):
    lower = lower_of(grid(12))
    lower.indices, lower.indptr = lower.indices.astype(index), lower.indptr.astype(index)
    factor = analyze(lower, backend=backend).factorize(lower)
    np.testing.assert_allclose(grid(12) @ factor.solve(np.ones(144)), 1.0)


def test_integers_are_taken_as_numbers(backend):
    lower = lower_of(2 * np.eye(3, dtype=int))
    factor = analyze(lower, backend=backend).factorize(lower)
    np.testing.assert_allclose(factor.solve(np.array([2, 4, 6])), [1.0, 2.0, 3.0])


def test_another_pattern_is_refused(backend):
    symbolic = analyze(lower_of(grid(3)), backend=backend)
    for other in (grid(4), np.eye(9), np.tri(9)):
        with pytest.raises(ArgumentError, match="another pattern"):
            symbolic.factorize(lower_of(other))
    equal = lower_of(grid(3))  # other arrays, same pattern
    assert symbolic.factorize(equal).n == 9


@pytest.mark.parametrize(
    "bad",
    [
        csc_array(np.ones((2, 3))),
        csc_array(np.ones((2, 2))),  # both triangles
        csc_array(np.array([[1.0, 0.0], [1.0, 0.0]])),  # no diagonal in the last column
        csc_array((np.ones(3), [1, 0, 1], [0, 2, 3])),  # not sorted
        csc_array((np.ones(3), [0, 0, 1], [0, 2, 3])),  # a duplicate
        lower_of(np.eye(2)).tocsr(),
    ],
)
def test_a_matrix_of_another_form_is_refused(backend, bad):
    with pytest.raises(ArgumentError, match="is needed"):
        analyze(bad, backend=backend)


@pytest.mark.parametrize("shape", [(2,), (4, 1), (1, 3), (), (3, 1, 1)])
def test_right_hand_sides_of_another_shape_are_refused(backend, shape):
    lower = lower_of(np.eye(3))
    with pytest.raises(ArgumentError, match="3 rows"):
        analyze(lower, backend=backend).factorize(lower).solve(np.ones(shape))


def test_options_that_do_not_exist_are_refused():
    lower = lower_of(np.eye(3))
    with pytest.raises(ArgumentError, match="'amd'"):
        analyze(lower, ordering="amdd")
    with pytest.raises(ArgumentError, match="'cholmod'"):
        analyze(lower, backend="umfpack")


def test_memory_of_a_factor_does_not_wait_for_the_garbage_collector(backend):
    def living():
        return sum(type(o).__module__ == "sksparse.cholmod" for o in gc.get_objects())

    lower = lower_of(grid(12))
    symbolic = analyze(lower, backend=backend)
    gc.collect()
    gc.disable()
    try:
        before = living()
        for _ in range(5):
            factor = symbolic.factorize(lower)
            factor.logdet(), factor.solve(np.ones(144)), factor.nnz
        del factor
        assert living() == before
    finally:
        gc.enable()


def test_superlu_keeps_the_fill_of_its_own_ordering():
    A = grid(30)
    direct = splu(
        csc_array(A),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    lower = lower_of(A)
    assert analyze(lower, backend="superlu").factorize(lower).nnz <= 1.05 * direct.L.nnz


def test_superlu_rejects_a_pivot_that_is_only_rounding():
    lower = lower_of([[1.0, 0.0], [1.0, 1.0 + 2.0**-52]])
    with pytest.raises(NotPositiveDefiniteError):
        analyze(lower, backend="superlu").factorize(lower)


def test_indices_of_64_bits_where_the_factor_needs_them():
    pytest.importorskip("sksparse")
    n = 70_000  # an arrow whose head comes first: its factor would hold 2.4e9 entries
    rows = np.r_[np.arange(n), np.arange(1, n)]
    indptr = np.r_[0, n + np.arange(n)]
    lower = csc_array((np.ones(2 * n - 1), rows, indptr), shape=(n, n))
    assert analyze(lower, ordering="natural", backend="cholmod").n == n
