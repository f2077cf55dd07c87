"""Complex numbers: values against NumPy, derivatives against the Cauchy-Riemann equations."""
import numpy as onp
import pytest

import chainrule.engine.numpy as np
from chainrule.engine import grad, jit, jvp, vjp, vmap
from chainrule.engine.errors import TransformError

Z = onp.array([0.3 + 0.7j, -1.2 + 0.1j, 2.0 - 0.5j])
ANALYTIC = [("exp", np.exp, onp.exp), ("sin", np.sin, onp.sin), ("tanh", np.tanh, onp.tanh), ("log", np.log, onp.log),
            ("sqrt", np.sqrt, onp.sqrt), ("cube", lambda z: z ** 3, lambda z: z ** 3),
            ("ratio", lambda z: z / (1 + z * z), lambda z: z / (1 + z * z))]


@pytest.mark.parametrize("name, f, reference", ANALYTIC, ids=[r[0] for r in ANALYTIC])
def test_values_and_holomorphic_derivatives(name, f, reference):
    onp.testing.assert_allclose(f(Z), reference(Z), rtol=1e-13)
    onp.testing.assert_allclose(jit(f)(Z), reference(Z), rtol=1e-13)
    h = 1e-6
    want = (reference(Z + h) - reference(Z - h)) / (2 * h)
    for slope in (vmap(grad(f, holomorphic=True)), jit(vmap(grad(f, holomorphic=True)))):
        onp.testing.assert_allclose(slope(Z), want, rtol=1e-8)
    onp.testing.assert_allclose(jvp(f, (Z,), (1j * onp.ones(3),))[1], 1j * want, rtol=1e-8)


REAL = [("modulus squared", lambda z: np.abs(z) ** 2), ("parts", lambda z: np.real(z) * np.imag(z) ** 2),
        ("conj", lambda z: np.real(np.conj(z) * np.exp(z))), ("angle", lambda z: np.angle(z))]


@pytest.mark.parametrize("name, f", REAL, ids=[r[0] for r in REAL])
def test_the_gradient_of_a_real_function_is_dx_minus_i_dy(name, f):
    h = 1e-6
    for z in Z:
        dx = (float(f(z + h)) - float(f(z - h))) / (2 * h)
        dy = (float(f(z + 1j * h)) - float(f(z - 1j * h))) / (2 * h)
        for g in (grad(f), jit(grad(f))):
            onp.testing.assert_allclose(g(z), dx - 1j * dy, rtol=1e-7, atol=1e-9)


def test_a_real_function_through_complex_numbers():
    f = lambda x: np.real(np.exp(1j * x) * x)
    assert float(grad(f)(0.3)) == pytest.approx(onp.cos(0.3) - 0.3 * onp.sin(0.3), rel=1e-14)


def test_vjp_is_the_transpose_of_jvp_over_the_reals():
    f = lambda z: np.sin(z) * np.conj(z)
    rng = onp.random.default_rng(1)
    t, c = (rng.normal(size=3) + 1j * rng.normal(size=3) for _ in range(2))
    push, (pull,) = jvp(f, (Z,), (t,))[1], vjp(f, Z)[1](c)
    forwards, backwards = onp.real(onp.sum(c * onp.asarray(push))), onp.real(onp.sum(onp.asarray(pull) * t))
    assert forwards == pytest.approx(backwards, rel=1e-12)


def test_a_complex_result_needs_holomorphic():
    with pytest.raises(TransformError, match="holomorphic=True"):
        grad(np.exp)(1.0 + 1j)
    with pytest.raises(TransformError, match="is real; it must be complex"):
        grad(np.exp, holomorphic=True)(1.0)


def test_linear_algebra_of_complex_vectors():
    onp.testing.assert_allclose(jit(lambda z: z @ np.conj(z))(Z), Z @ onp.conj(Z), rtol=1e-14)
    onp.testing.assert_allclose(np.einsum("i,j->ij", Z, Z), onp.einsum("i,j->ij", Z, Z), rtol=1e-15)
