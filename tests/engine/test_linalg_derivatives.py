"""Derivatives of linear algebra: real and complex, forward against finite differences (1e-7 of the largest element) and
reverse as its transpose; and the places where a derivative is delicate."""
import numpy as np
import pytest

import chainrule.engine.numpy as cnp
import chainrule.engine.scipy.linalg as csl
from chainrule.engine import grad, hessian, jacfwd, jit, jvp, vjp, vmap
from chainrule.engine.errors import TransformError

RNG = np.random.default_rng(33)
KINDS = pytest.mark.parametrize("kind", ["real", "complex"])


def matrix(m, n, kind="real"):
    a = RNG.normal(size=(m, n))
    return a + 1j * RNG.normal(size=(m, n)) if kind == "complex" else a


def adjoint(a):
    return cnp.conj(cnp.matrix_transpose(a))


def arrays(out):
    return [np.asarray(x) for x in (out if isinstance(out, tuple) else (out,))]


def frames(a):
    """What of singular vectors does not depend on their phases."""
    u, s, vh = cnp.linalg.svd(a, full_matrices=False)
    weights = cnp.arange(1.0, s.shape[-1] + 1)
    return (u * weights) @ adjoint(u), (adjoint(vh) * weights) @ vh, u @ vh


def projections(a):
    _, v = cnp.linalg.eigh(a)
    return (v * cnp.arange(1.0, 4.0)) @ adjoint(v)


def spd(a):
    return a @ adjoint(a) + np.eye(3)


RIGHT = RNG.normal(size=(3, 2))
SQUARE = {
    "qr": lambda a: tuple(cnp.linalg.qr(a)),
    "svdvals": cnp.linalg.svdvals,
    "svd": frames,
    "eigvalsh": cnp.linalg.eigvalsh,
    "eigvalsh-upper": lambda a: cnp.linalg.eigvalsh(a, "U"),
    "eigh": projections,
    "eig": lambda a: tuple(cnp.linalg.eig(a)),
    "eigvals": cnp.linalg.eigvals,
    "slogdet": lambda a: tuple(cnp.linalg.slogdet(a)),
    "det": cnp.linalg.det,
    "det-4": lambda a: cnp.linalg.det(csl.block_diag(a, a[:1, :1] + 1)),
    "inv": cnp.linalg.inv,
    "solve": lambda a: cnp.linalg.solve(a, RIGHT),
    "cholesky": lambda a: cnp.linalg.cholesky(spd(a)),
    "matrix_power": lambda a: cnp.linalg.matrix_power(a, -3),
    "norms": lambda a: tuple(cnp.linalg.norm(a, p, (0, 1)) for p in ("fro", "nuc", 1, -1, 2, -2, np.inf)),
    "cond": lambda a: (cnp.linalg.cond(a), cnp.linalg.cond(a, 1)),
    "lu": lambda a: csl.lu(a)[1:],
    "lu_solve": lambda a: csl.lu_solve(csl.lu_factor(a), RIGHT, 1),
    "expm": csl.expm,
    "sqrtm": lambda a: csl.sqrtm(spd(a)),
    "logm": lambda a: csl.logm(spd(a)),
    "sylvester": lambda a: csl.solve_sylvester(spd(a), spd(a.T), a),
    "eigh-general": lambda a: csl.eigh(a, spd(a))[0],
    "cholesky_update": lambda a: csl.cholesky_update(cnp.linalg.cholesky(spd(a)), a[0]),
    "tridiagonal": lambda a: csl.tridiagonal_solve(a[0], a[1] + 4, a[2], RIGHT),
}
RECTANGULAR = {"qr": SQUARE["qr"], "svdvals": SQUARE["svdvals"], "svd": frames, "pinv": cnp.linalg.pinv,
               "lu": SQUARE["lu"], "lstsq": lambda a: cnp.linalg.lstsq(a, RNG_RIGHT[:a.shape[0]])[0],
               "polar": lambda a: csl.polar(a, "right" if a.shape[0] >= a.shape[1] else "left")}
RNG_RIGHT = RNG.normal(size=(5, 2))


def check(f, a):
    t = matrix(*a.shape, "complex" if a.dtype.kind == "c" else "real")
    out, pushed = jvp(f, (a,), (t,))
    h = 1e-5
    at = [arrays(f(a + s * h * t)) for s in (-1, 1, -2, 2)]
    for d, low, high, lower, higher in zip(arrays(pushed), *at):
        expected = (8 * (high - low) - (higher - lower)) / (12 * h)
        assert np.abs(d - expected).max(initial=0) <= 1e-7 * max(1.0, np.abs(expected).max(initial=0))
    weights = [matrix(1, x.size, "complex" if x.dtype.kind == "c" else "real").reshape(x.shape) for x in arrays(out)]
    pulled = np.asarray(vjp(f, a)[1](tuple(weights) if isinstance(out, tuple) else weights[0])[0])
    forward = sum(np.sum(c * d).real for c, d in zip(weights, arrays(pushed)))
    assert pulled.dtype == a.dtype
    assert abs(forward - np.sum(pulled * t).real) <= 1e-10 * max(1.0, abs(forward))


@KINDS
@pytest.mark.parametrize("name", SQUARE)
def test_derivatives_at_square_matrices(name, kind):
    check(SQUARE[name], matrix(3, 3, kind))


@KINDS
@pytest.mark.parametrize("shape", [(4, 3), (3, 4)])
@pytest.mark.parametrize("name", RECTANGULAR)
def test_derivatives_at_rectangular_matrices(name, shape, kind):
    check(RECTANGULAR[name], matrix(*shape, kind))


@KINDS
@pytest.mark.parametrize("name", ["expm", "sqrtm", "logm", "det-4", "eigvals", "pinv"])
def test_derivatives_of_derivatives(name, kind):
    f = {**RECTANGULAR, **SQUARE}[name]
    direction = matrix(3, 3, kind)
    check(lambda a: jvp(f, (a,), (cnp.asarray(direction),))[1], matrix(3, 3, kind))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_the_gradient_of_a_determinant_is_the_adjugate_at_every_rank(rank):
    a = RNG.normal(size=(4, rank)) @ RNG.normal(size=(rank, 4))
    minors = np.array([[np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) * (-1) ** (i + j) for j in range(4)]
                       for i in range(4)])
    for g in (grad(cnp.linalg.det), jit(grad(cnp.linalg.det))):
        np.testing.assert_allclose(g(a), minors, rtol=0, atol=1e-13 * max(1, np.abs(a).max()) ** 3)
    t = RNG.normal(size=(4, 4))
    push = lambda a: jvp(cnp.linalg.det, (a,), (cnp.asarray(t),))[1]
    h = 1e-4
    expected = (8 * (push(a + h * t) - push(a - h * t)) - (push(a + 2 * h * t) - push(a - 2 * h * t))) / (12 * h)
    np.testing.assert_allclose(jvp(push, (a,), (t,))[1], expected, rtol=0, atol=1e-7)


def test_sums_over_equal_eigenvalues_have_derivatives():
    g = grad(lambda a: cnp.sum(cnp.exp(cnp.linalg.eigvalsh(a))))(np.eye(3))
    np.testing.assert_allclose(g, np.e * np.eye(3), rtol=1e-14)
    np.testing.assert_allclose(grad(lambda a: cnp.linalg.norm(a, "nuc"))(2 * np.eye(3)), np.eye(3), rtol=0, atol=1e-14)


def test_a_simple_eigenvector_has_its_gradient_beside_equal_eigenvalues():
    a = np.diag([1.0, 1.0, 3.0])
    weights = np.array([0.3, -0.2, 0.5])

    def f(a):
        v = cnp.linalg.eigh(a).eigenvectors[:, 2]
        return (v @ weights) ** 2
    for g in (grad(f), jit(grad(f))):
        found = np.asarray(g(a))
        expected = np.zeros((3, 3))                      # d v₂ = Σ_j v_j (v_j' T v₂) / (3 - 1)
        for j in (0, 1):
            expected[j, 2] = expected[2, j] = 2 * weights[2] * weights[j] / 2 / 2
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-14)
    every = grad(lambda a: cnp.linalg.eigh(a).eigenvectors[1, 0])(a)
    assert not np.isfinite(every).all()


def test_the_gradient_of_the_norm_at_zero_is_zero():
    zero = np.zeros(3)
    for p in (2, 3, 1.5):
        assert np.array_equal(grad(lambda x, p=p: cnp.linalg.norm(x, p))(zero), zero)
    assert np.array_equal(grad(cnp.linalg.norm)(np.zeros((2, 2))), np.zeros((2, 2)))
    assert np.array_equal(grad(lambda z: cnp.linalg.norm(z, 1))(np.zeros(2, complex)), np.zeros(2))
    np.testing.assert_allclose(vmap(grad(cnp.linalg.norm))(np.array([[3.0, 4.0], [0.0, 0.0]])), [[0.6, 0.8], [0, 0]])


def test_the_hessian_of_a_norm_is_right_away_from_zero():
    x = np.array([3.0, 4.0])
    np.testing.assert_allclose(hessian(cnp.linalg.norm)(x), (np.eye(2) - np.outer(x, x) / 25) / 5, rtol=1e-13)


def test_least_squares_of_fixed_rank_have_derivatives():
    u, v = RNG.normal(size=(4, 2)), RNG.normal(size=(2, 3))
    b = RNG.normal(size=4)

    def f(u):
        return cnp.linalg.lstsq(u @ cnp.asarray(v), b, rcond=1e-10)[0]
    t, h = RNG.normal(size=(4, 2)), 1e-5
    expected = (np.asarray(f(u + h * t)) - np.asarray(f(u - h * t))) / (2 * h)
    np.testing.assert_allclose(jvp(f, (u,), (t,))[1], expected, rtol=1e-6, atol=1e-8)


def test_derivatives_compile_and_batch():
    a = RNG.normal(size=(2, 3, 3))

    def f(a):
        return cnp.sum(cnp.linalg.svd(a, full_matrices=False).U ** 3) + cnp.linalg.slogdet(a).logabsdet
    expected = np.stack([np.asarray(grad(f)(x)) for x in a])
    np.testing.assert_allclose(jit(vmap(grad(f)))(a), expected, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(jacfwd(f)(a[0]), expected[0], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("f, instead", [
    (lambda a: csl.schur(a)[0], "expm"), (lambda a: csl.hessenberg(a), "directly"),
    (lambda a: cnp.linalg.svd(a[:2]).U, "full_matrices=False"),
    (lambda a: cnp.linalg.qr(a[:, :2], "complete").Q, "mode='reduced'"),
    (lambda a: csl.polar(a[:2])[0], "side='left'"), (lambda a: csl.funm(a, cnp.sin).real, "expm")])
def test_what_has_no_derivative_says_what_to_write(f, instead):
    with pytest.raises(TransformError, match=instead):
        grad(lambda a: cnp.sum(f(a)))(np.eye(3) + 0.1)
