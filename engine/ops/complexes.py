"""Complex numbers: real and imaginary parts, conjugate, and numbers made of two parts.

Cotangents follow the convention that g pairs with a tangent t as Re(g t), so that the gradient of a real function f(x
+ iy) is ∂f/∂x - i ∂f/∂y.
"""
import numpy as np

from ..avals import Aval
from ..core import Primitive
from .structural import asvalue, elementwise, elementwise_batch, unbroadcast, zeros_like_aval


def _part_dtype(dtype):
    return np.dtype(f"f{dtype.itemsize // 2}")


def _part(name, impl, op, transpose):
    return Primitive(
        name,
        uniform=True,
        shape=lambda a: Aval(a.shape, _part_dtype(a.dtype)),
        impl=impl,
        lower=lambda b, x: b.op(op, [x], b.out[0]),
        jvp=(lambda t, y, x: PARTS[name].bind(t),),
        transpose=(transpose,),
        batch=elementwise_batch,
    )


PARTS = {
    "real": _part("real", np.real, "stablehlo.real", lambda c, x: complex_p.bind(c, np.zeros((), c.dtype))),
    "imag": _part("imag", np.imag, "stablehlo.imag", lambda c, x: complex_p.bind(np.zeros((), c.dtype), -c)),
}

complex_p = Primitive(
    "complex",
    uniform=True,
    shape=lambda a, b: Aval(elementwise(a, b).shape, np.dtype(f"c{2 * a.dtype.itemsize}")),
    impl=lambda x, y: (x + 1j * y).astype(f"c{2 * x.dtype.itemsize}"),
    lower=lambda b, x, y: b.elementwise("stablehlo.complex", x, y, dtype=b.out[0].dtype),
    jvp=(lambda t, z, x, y: complex_p.bind(t, np.zeros((), t.dtype)),
         lambda t, z, x, y: complex_p.bind(np.zeros((), t.dtype), t)),
    transpose=(lambda c, x, y: unbroadcast(real(c), x), lambda c, x, y: unbroadcast(-imag(c), y)),
    batch=elementwise_batch,
)


def lower_conj(b, x):
    """The conjugate of a complex operand."""
    part = Aval(x.shape, _part_dtype(x.dtype))
    re, im = b.op("stablehlo.real", [x], part), b.op("stablehlo.imag", [x], part)
    return b.op("stablehlo.complex", [re, b.op("stablehlo.negate", [im], part)], x.aval)


conj_p = Primitive(
    "conj",
    uniform=True,
    shape=elementwise,
    impl=np.conj,
    lower=lower_conj,
    jvp=(lambda t, y, x: conj_p.bind(t),),
    transpose=(lambda c, x: conj_p.bind(c),),
    batch=elementwise_batch,
)


def real(x):
    """The real part."""
    x = asvalue(x)
    return PARTS["real"].bind(x) if x.dtype.kind == "c" else x


def imag(x):
    """The imaginary part: 0 for real numbers."""
    x = asvalue(x)
    return PARTS["imag"].bind(x) if x.dtype.kind == "c" else zeros_like_aval(x.aval)


def conj(x):
    """The complex conjugate."""
    x = asvalue(x)
    return conj_p.bind(x) if x.dtype.kind == "c" else x


def make_complex(re, im):
    """re + i im, of two real arrays of one dtype."""
    return complex_p.bind(re, im)
