"""Rounding to a float with fewer bits."""
import numpy as np

from ..core import Primitive
from .structural import elementwise, elementwise_batch


def _reduced(x, *, exponent, mantissa):
    """Round the bits to nearest, halves to even, then what is too large to inf and what is too small to 0.

    Source: IEEE 754-2019, sections 3.4 and 4.3.
    """
    info, bits = np.finfo(x.dtype), np.dtype(f"u{x.dtype.itemsize}")
    drop, y = max(0, info.nmant - mantissa), x
    if drop:
        u = np.asarray(x).view(bits)
        one = bits.type(1)
        half = (one << bits.type(drop - 1)) - one
        u = (u + half + ((u >> bits.type(drop)) & one)) & ~((one << bits.type(drop)) - one)
        y = np.where(np.isfinite(x), u.view(x.dtype), x)
    if exponent < info.nexp:
        bias = 2 ** (exponent - 1) - 1
        size = np.abs(y.astype(np.float64))
        y = np.where(size >= 2.0 ** (bias + 1), np.copysign(np.asarray(np.inf, x.dtype), x), y)
        y = np.where(size < 2.0 ** (1 - bias), np.copysign(np.zeros((), x.dtype), x), y)
        y = np.where(np.isnan(x), x, y)
    return np.asarray(y, x.dtype)


reduce_precision_p = Primitive(
    "reduce_precision",
    shape=elementwise,
    impl=_reduced,
    lower=lambda b, x, *, exponent, mantissa: b.op(
        "stablehlo.reduce_precision", [x], x.aval,
        f"exponent_bits = {exponent} : i32, mantissa_bits = {mantissa} : i32"),
    jvp=(lambda t, y, x, **params: reduce_precision_p.bind(t, **params),),
    transpose=(lambda c, x, **params: reduce_precision_p.bind(c, **params),),
    batch=elementwise_batch,
)
