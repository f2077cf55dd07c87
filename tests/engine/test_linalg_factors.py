"""Factors, eigenvalues, singular values and least squares: residuals, and values where they are unique.

Residuals are at most 10 max(m, n) eps |A|, which is LAPACK's own bound with a generous constant; quantities that
NumPy computes too agree to the same bound.
"""
import itertools
from functools import partial

import numpy as np
import pytest

import chainrule.engine.numpy as cnp
from chainrule.engine import jit, vmap

RNG = np.random.default_rng(21)
DTYPES = pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "complex64"])
SHAPES = [(0, 0), (1, 1), (3, 0), (0, 2), (5, 3), (3, 5), (2, 4, 4), (0, 3, 3), (40, 40)]
COMPILED = {(0, 0), (5, 3), (2, 4, 4), (40, 40)}
SQUARE = [shape for shape in SHAPES if shape[-1] == shape[-2]]


def matrix(shape, dtype="float64"):
    a = RNG.normal(size=shape)
    return (a + 1j * RNG.normal(size=shape) if dtype[0] == "c" else a).astype(dtype)


def adjoint(a):
    return np.conj(np.swapaxes(a, -1, -2))


def bound(a):
    """10 max(m, n) eps |A|"""
    return 10 * max(*a.shape[-2:], 1) * np.finfo(a.dtype).eps * max(1.0, float(np.abs(a).max(initial=0)) * max(a.shape))


def runs(f, a):
    """The results as NumPy arrays, run plainly and (in double precision, at some shapes) compiled."""
    yield arrays(f(a))
    if a.dtype.name in ("float64", "complex128") and a.shape in COMPILED:
        yield arrays(jit(f)(a))


def arrays(out):
    return [np.asarray(x) for x in (out if isinstance(out, tuple) else (out,))]


def orthonormal(q):
    return np.abs(adjoint(q) @ q - np.eye(q.shape[-1])).max(initial=0)


@DTYPES
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("mode", ["reduced", "complete"])
def test_qr_is_a_product_of_orthonormal_columns_and_a_triangle(dtype, shape, mode):
    a = matrix(shape, dtype)
    expected = np.linalg.qr(a, mode)
    for q, r in runs(lambda a: cnp.linalg.qr(a, mode), a):
        assert (q.shape, r.shape, q.dtype, r.dtype) == (expected.Q.shape, expected.R.shape, a.dtype, a.dtype)
        assert np.abs(q @ r - a).max(initial=0) <= bound(a) and orthonormal(q) <= bound(a)
        assert not np.tril(r, -1).any()


@DTYPES
@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_are_numpys_and_give_the_matrix_back(dtype, shape):
    a = matrix(shape, dtype)
    expected = np.linalg.svd(a, compute_uv=False)
    for (s,) in runs(cnp.linalg.svdvals, a):
        assert s.shape == expected.shape and s.dtype == expected.dtype
        assert np.abs(s - expected).max(initial=0) <= bound(a)
    for full in (False, True):
        for u, s, vh in runs(partial(cnp.linalg.svd, full_matrices=full), a):
            k = s.shape[-1]
            assert np.abs(u[..., :k] * s[..., None, :] @ vh[..., :k, :] - a).max(initial=0) <= bound(a)
            assert max(orthonormal(u), orthonormal(adjoint(vh))) <= bound(a)
            assert u.shape[-1] == (a.shape[-2] if full else k) and vh.shape[-2] == (a.shape[-1] if full else k)


@DTYPES
@pytest.mark.parametrize("shape", SQUARE)
def test_eigenvalues_of_hermitian_matrices(dtype, shape):
    a = matrix(shape, dtype)
    h = a + adjoint(a)
    expected = np.linalg.eigvalsh(h)
    for w, v in runs(lambda a: cnp.linalg.eigh(a), h):
        assert w.dtype == expected.dtype and np.abs(w - expected).max(initial=0) <= bound(h)
        assert np.abs(h @ v - v * w[..., None, :]).max(initial=0) <= bound(h) and orthonormal(v) <= bound(h)
    for uplo in "LU":
        for (w,) in runs(partial(cnp.linalg.eigvalsh, UPLO=uplo), a):
            assert np.abs(w - np.linalg.eigvalsh(a, uplo)).max(initial=0) <= bound(h)


@DTYPES
@pytest.mark.parametrize("shape", SQUARE)
def test_eigenvalues_of_general_matrices(dtype, shape):
    a = matrix(shape, dtype)
    for w, v in runs(lambda a: cnp.linalg.eig(a), a):
        assert w.dtype.kind == v.dtype.kind == "c"
        assert np.abs(a @ v - v * w[..., None, :]).max(initial=0) <= bound(a)
        assert np.abs(np.linalg.norm(v, axis=-2) - 1).max(initial=0) <= bound(a)
        assert np.abs(np.sum(w, -1) - np.trace(a, axis1=-2, axis2=-1)).max(initial=0) <= bound(a) * (1 + shape[-1])
    (plain,) = arrays(cnp.linalg.eigvals(a))
    assert plain.shape == a.shape[:-1]


@DTYPES
@pytest.mark.parametrize("shape", SHAPES)
def test_the_pseudo_inverse_has_the_four_properties_of_penrose(dtype, shape):
    a = matrix(shape, dtype)
    for (p,) in runs(cnp.linalg.pinv, a):
        limit = bound(a) * max(1.0, float(np.abs(p).max(initial=0))) ** 2
        assert p.shape == (*a.shape[:-2], a.shape[-1], a.shape[-2]) and p.dtype == a.dtype
        assert np.abs(a @ p @ a - a).max(initial=0) <= limit * max(1.0, float(np.abs(a).max(initial=0)))
        assert np.abs(p @ a @ p - p).max(initial=0) <= limit
        for product in (a @ p, p @ a):
            assert np.abs(product - adjoint(product)).max(initial=0) <= limit


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("m, n", [(5, 3), (3, 5), (4, 4)])
def test_least_squares_are_numpys(dtype, m, n):
    full, b = matrix((m, n), dtype), matrix((m, 2), dtype)
    deficient = full.copy()
    deficient[:, -1] = deficient[:, 0]
    for a, right in itertools.product((full, deficient), (b, b[:, 0])):
        expected = np.linalg.lstsq(a, right, rcond=1e-10)
        for run in (lambda f: f, jit):
            for x, residuals, rank, s in [arrays(run(partial(cnp.linalg.lstsq, rcond=1e-10))(a, right))]:
                np.testing.assert_allclose(x, expected[0], rtol=1e-12, atol=1e-12)
                np.testing.assert_allclose(s, expected[3], rtol=0, atol=bound(a))
                assert rank == expected[2] and residuals.shape == ((0,) if m <= n else right.shape[1:] or (1,))
                rest = np.sum(np.abs(right - a @ expected[0]) ** 2, 0)
                if m > n:
                    np.testing.assert_allclose(residuals, np.reshape(rest, residuals.shape), rtol=1e-12)


@DTYPES
@pytest.mark.parametrize("shape", SQUARE)
def test_cholesky_inverse_and_determinants(dtype, shape):
    a = matrix(shape, dtype)
    n = a.shape[-1]
    spd = (a @ adjoint(a) + n * np.eye(n)).astype(dtype)
    for (upper,) in runs(lambda a: cnp.linalg.cholesky(a, upper=True), spd):
        assert np.abs(adjoint(upper) @ upper - spd).max(initial=0) <= bound(spd) and not np.tril(upper, -1).any()
    for (x,) in runs(cnp.linalg.inv, spd):
        assert np.abs(x @ spd - np.eye(n)).max(initial=0) <= bound(spd)
    for sign, log in runs(lambda a: cnp.linalg.slogdet(a), a):
        expected = np.linalg.slogdet(a)
        assert sign.dtype == expected.sign.dtype and log.dtype == expected.logabsdet.dtype
        limit = bound(a) * (np.linalg.cond(a).max(initial=1) if n else 1)
        assert np.abs(sign - expected.sign).max(initial=0) <= limit
        assert np.abs(log - expected.logabsdet).max(initial=0) <= limit
    if n < 10:
        for (d,) in runs(cnp.linalg.det, a):
            np.testing.assert_allclose(d, np.linalg.det(a), rtol=1e-12 if a.dtype.itemsize >= 8 and dtype not in (
                "complex64",) else 1e-4, atol=1e-13 if dtype in ("float64", "complex128") else 1e-5)


ROWS = {
    "qr": lambda a: cnp.linalg.qr(a), "svd": lambda a: cnp.linalg.svd(a), "svdvals": cnp.linalg.svdvals,
    "eigh": lambda a: cnp.linalg.eigh(a), "eig": lambda a: cnp.linalg.eig(a), "eigvals": cnp.linalg.eigvals,
    "pinv": cnp.linalg.pinv, "inv": cnp.linalg.inv, "det": cnp.linalg.det, "slogdet": lambda a: cnp.linalg.slogdet(a),
    "cholesky": cnp.linalg.cholesky, "norm": lambda a: cnp.linalg.norm(a, 2, (-2, -1)), "cond": cnp.linalg.cond,
}


@pytest.mark.parametrize("name", ROWS)
def test_a_nan_stays_in_its_own_matrix(name):
    good = matrix((4, 4)) + 8 * np.eye(4)
    bad = np.full((4, 4), np.nan)
    stack = np.stack([good + good.T, bad, np.eye(4)])
    for out in runs(ROWS[name], stack):
        for x in out:
            assert np.isfinite(x[[0, 2]]).all()
        assert any(np.isnan(x[1]).any() for x in out)


@pytest.mark.parametrize("name", ROWS)
def test_batches_are_loops(name):
    a = matrix((2, 3, 3, 3))
    a = a @ adjoint(a) + np.eye(3)
    f = ROWS[name]
    for out in (arrays(f(a)), arrays(vmap(vmap(f))(a)), arrays(jit(vmap(f))(a))):
        for i in np.ndindex(2, 3):
            for x, one in zip(out, arrays(f(a[i]))):
                np.testing.assert_allclose(x[i], one, rtol=1e-11, atol=1e-12)


def test_results_have_numpys_names():
    a = np.eye(2)
    assert cnp.linalg.qr(a)._fields == np.linalg.qr(a)._fields
    assert cnp.linalg.svd(a)._fields == np.linalg.svd(a)._fields
    assert cnp.linalg.eigh(a)._fields == np.linalg.eigh(a)._fields
    assert cnp.linalg.eig(a)._fields == np.linalg.eig(a)._fields
    assert cnp.linalg.slogdet(a)._fields == np.linalg.slogdet(a)._fields
    names = set(np.linalg.__all__)
    assert names <= set(dir(cnp.linalg))
