"""numpy.linalg beyond its factors: norms, conditions, ranks, tensors, keywords, NumPy 2's rules, errors."""
import inspect

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
import chainrule.engine.scipy.linalg as csl
from chainrule.engine import jit
from chainrule.engine.errors import ConcretizationError, DtypeError, ShapeError

RNG = np.random.default_rng(44)
T = RNG.normal(size=(2, 3, 4))
Z = T + 1j * RNG.normal(size=(2, 3, 4))
S = RNG.normal(size=(2, 3, 3))
ORDERS = [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf]
close = np.testing.assert_allclose


@pytest.mark.parametrize("x", [T, Z], ids=["real", "complex"])
def test_norms_of_matrices_are_numpys(x):
    for ord in ORDERS:
        for axis in ((0, 2), (2, 1), (-2, -1)):
            for keep in (False, True):
                close(cnp.linalg.norm(x, ord, axis, keep), np.linalg.norm(x, ord, axis, keep), rtol=1e-13)
        close(cnp.linalg.norm(x[0], ord), np.linalg.norm(x[0], ord), rtol=1e-13)
        if ord is not None:
            close(cnp.linalg.matrix_norm(x, ord=ord), np.linalg.matrix_norm(x, ord=ord), rtol=1e-13)


@pytest.mark.parametrize("x", [T, Z], ids=["real", "complex"])
def test_norms_of_vectors_are_numpys(x):
    for ord in (1, 2, 3, 0.5, -1, -2.5, 0, np.inf, -np.inf):
        close(cnp.linalg.vector_norm(x, ord=ord), np.linalg.vector_norm(x, ord=ord), rtol=1e-13)
        close(jit(lambda x, ord=ord: cnp.linalg.vector_norm(x, axis=(0, 2), ord=ord))(x),
              np.linalg.vector_norm(x, axis=(0, 2), ord=ord), rtol=1e-13)
        close(cnp.linalg.norm(x, ord, 1, True), np.linalg.norm(x, ord, 1, True), rtol=1e-13)
    close(cnp.linalg.norm(x), np.linalg.norm(x), rtol=1e-14)


@pytest.mark.parametrize("p", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_condition_numbers_are_numpys(p):
    close(cnp.linalg.cond(S, p), np.linalg.cond(S, p), rtol=1e-11)
    singular = np.ones((2, 2))
    if p not in (-2, -1, -np.inf, 2, None, "nuc", "fro"):
        assert float(cnp.linalg.cond(singular, p)) == float(jit(lambda a: cnp.linalg.cond(a, p))(singular)) == np.inf
    assert np.isnan(cnp.linalg.cond(np.full((2, 2), np.nan), p))


def test_ranks_are_numpys():
    low = np.stack([np.outer([1.0, 2, 3], [1.0, 0, 1]), np.eye(3), np.zeros((3, 3))])
    for run in (lambda f: f, jit):
        assert run(cnp.linalg.matrix_rank)(low).tolist() == np.linalg.matrix_rank(low).tolist() == [1, 3, 0]
    assert int(cnp.linalg.matrix_rank(np.ones(3))) == 1 and int(cnp.linalg.matrix_rank(np.zeros(3))) == 0
    assert cnp.linalg.matrix_rank(np.diag([1.0, 0.5, 0.1]), rtol=0.3) == 2
    assert cnp.linalg.matrix_rank(np.diag([1.0, 0.5, 0.1]), tol=0.05) == 3
    assert cnp.linalg.matrix_rank(np.diag([1.0, 1e-10])[None], rtol=np.array([1e-5])).tolist() == [1]


def test_products_traces_and_diagonals_are_numpys():
    a, b, c = RNG.normal(size=(3, 8)), RNG.normal(size=(8, 2)), RNG.normal(size=(2, 5))
    close(cnp.linalg.multi_dot([a, b, c]), a @ b @ c, rtol=1e-13)
    close(cnp.linalg.multi_dot([a[0], b, c, c[0]]), a[0] @ b @ c @ c[0], rtol=1e-13)
    close(cnp.linalg.trace(T, offset=1), np.linalg.trace(T, offset=1))
    assert cnp.linalg.trace(np.ones((2, 2), np.int8)).dtype == np.linalg.trace(np.ones((2, 2), np.int8)).dtype
    close(cnp.linalg.diagonal(T, offset=-1), np.linalg.diagonal(T, offset=-1))
    close(cnp.linalg.matrix_transpose(T), np.linalg.matrix_transpose(T))
    close(cnp.linalg.cross(T[:, :, :3].swapaxes(1, 2), S.swapaxes(1, 2), axis=1),
          np.linalg.cross(T[:, :, :3].swapaxes(1, 2), S.swapaxes(1, 2), axis=1), rtol=1e-14)
    close(cnp.linalg.outer(a[0], b[0]), np.linalg.outer(a[0], b[0]))
    close(cnp.linalg.vecdot(Z, Z[0]), np.linalg.vecdot(Z, Z[0]), rtol=1e-14)
    close(cnp.linalg.tensordot(T, T, axes=([1, 2], [1, 2])), np.linalg.tensordot(T, T, axes=([1, 2], [1, 2])))
    for n in (-2, -1, 0, 1, 2, 5):
        close(cnp.linalg.matrix_power(S, n), np.linalg.matrix_power(S, n), rtol=1e-9, atol=1e-11)
    assert cnp.linalg.matrix_power(np.arange(4).reshape(2, 2), 3).dtype == np.int64


def test_tensor_equations_are_numpys():
    a, b = RNG.normal(size=(2, 3, 6)), RNG.normal(size=(2, 3))
    close(cnp.linalg.tensorsolve(a, b), np.linalg.tensorsolve(a, b), rtol=1e-10)
    c = RNG.normal(size=(2, 6, 3))
    close(cnp.linalg.tensorsolve(c, b, axes=(1,)), np.linalg.tensorsolve(c, b, axes=(1,)), rtol=1e-10)
    close(cnp.linalg.tensorinv(a), np.linalg.tensorinv(a), rtol=1e-10)
    close(cnp.linalg.tensorinv(RNG.normal(size=(6, 2, 3)), 1).shape, (2, 3, 6))


def test_only_a_right_side_of_one_axis_is_a_vector():
    a, b = RNG.normal(size=(3, 4, 4)) + 4 * np.eye(4), RNG.normal(size=(3, 4, 4))
    close(cnp.linalg.solve(a, b), np.linalg.solve(a, b), rtol=1e-11)
    close(cnp.linalg.solve(a, b[0, 0]), np.linalg.solve(a, b[0, 0]), rtol=1e-11)
    close(cnp.linalg.solve(a, b[0]), np.linalg.solve(a, b[0]), rtol=1e-11)       # 4 columns, not a batch of vectors
    close(cnp.linalg.solve(a + 1j, b), np.linalg.solve(a + 1j, b), rtol=1e-11)


def test_integers_become_floats():
    a = np.array([[2, 1], [1, 3]])
    for f, g in ((cnp.linalg.inv, np.linalg.inv), (cnp.linalg.det, np.linalg.det), (cnp.linalg.norm, np.linalg.norm),
                 (cnp.linalg.cholesky, np.linalg.cholesky), (cnp.linalg.eigvalsh, np.linalg.eigvalsh),
                 (cnp.linalg.svdvals, np.linalg.svdvals), (cnp.linalg.pinv, np.linalg.pinv)):
        assert np.asarray(f(a)).dtype == np.float64
        close(f(a), g(a), rtol=1e-13)


@pytest.mark.parametrize("name", sorted(set(np.linalg.__all__) - {"LinAlgError", "matmul", "vecdot"}))
def test_a_function_takes_numpys_arguments(name):
    """By the same names, and in the same places where NumPy takes them by place. (matmul and vecdot are ufuncs.)"""
    theirs = [p for p in inspect.signature(getattr(np.linalg, name)).parameters.values() if p.name != "out"]
    ours = inspect.signature(getattr(cnp.linalg, name)).parameters
    places = [p.name for p in ours.values() if p.kind != p.KEYWORD_ONLY]
    for place, p in enumerate(theirs):
        if p.kind == p.POSITIONAL_ONLY:
            assert place < len(places)
        elif p.kind == p.POSITIONAL_OR_KEYWORD:
            assert places[place] == p.name
        else:
            assert p.name in ours


@pytest.mark.parametrize("call, words", [
    (lambda: cnp.linalg.eigh(np.ones((2, 3))), r"`a` has shape \(2, 3\)"),
    (lambda: cnp.linalg.qr(np.ones(3)), r"`a` has shape \(3,\)"),
    (lambda: cnp.linalg.svdvals(np.ones(3)), r"`x` has shape \(3,\)"),
    (lambda: cnp.linalg.matrix_power(np.ones((2, 3)), 2), r"`a` has shape \(2, 3\)"),
    (lambda: cnp.linalg.multi_dot([np.ones(3)]), "at least two"),
    (lambda: cnp.linalg.multi_dot([np.ones((2, 2)), np.ones(2), np.ones((2, 2))]), "vectors at its ends"),
    (lambda: cnp.linalg.tensorinv(np.ones((2, 3, 4))), r"\(2, 3, 4\)"),
    (lambda: cnp.linalg.tensorsolve(np.ones((2, 3, 4)), np.ones((2, 3))), r"\(2, 3, 4\)"),
    (lambda: cnp.linalg.cross(np.ones(2), np.ones(2)), "3 elements"),
    (lambda: cnp.linalg.outer(np.ones((2, 2)), np.ones(2)), "two vectors"),
    (lambda: cnp.linalg.lstsq(np.ones((3, 2)), np.ones(2)), "right side"),
    (lambda: csl.solve_sylvester(np.eye(2), np.eye(3), np.ones((3, 2))), "`q` is"),
    (lambda: csl.cholesky_update(np.eye(2), np.ones(3)), "`x`"),
    (lambda: csl.solve_banded((1, 1), np.ones((2, 4)), np.ones(4)), r"`ab` \[3, n\]"),
    (lambda: csl.eigh_tridiagonal(np.ones(3), np.ones(3)), "`e`"),
    (lambda: csl.expm(np.ones((2, 3))), r"`A` has shape \(2, 3\)"),
])
def test_shapes_that_do_not_fit_name_the_argument(call, words):
    with pytest.raises(ShapeError, match=words):
        call()


def test_words_that_mean_nothing_are_refused():
    for call in (lambda: cnp.linalg.qr(np.eye(2), "thin"), lambda: cnp.linalg.eigh(np.eye(2), "X"),
                 lambda: cnp.linalg.norm(np.eye(2), "inf"), lambda: csl.schur(np.eye(2), "int"),
                 lambda: csl.solve(np.eye(2), np.ones(2), assume_a="odd"), lambda: csl.polar(np.eye(2), "top"),
                 lambda: cnp.linalg.matrix_rank(np.eye(2), 0.1, rtol=0.1)):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(DtypeError, match="float16"):
        cnp.linalg.inv(np.eye(2, dtype=np.float16))
    with pytest.raises(ConcretizationError):
        jit(csl.null_space)(np.eye(2))
