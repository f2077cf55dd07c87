"""Special functions of log densities: x log y."""
import numpy as np

from ..core import Primitive
from .elementwise import div, eq, log, log1p, where
from .readings import scipy_impl, xla_lower
from .structural import elementwise, elementwise_batch, promote_inexact

# ---- x log y ----

def _x_times_log(name, lower_log, log_of, slope):
    """x · f(y), 0 where x is 0; df(y)/dy = slope."""
    def lower(b, x, y):
        product = b.elementwise("stablehlo.multiply", x, lower_log(b, y))
        x = b.broadcast_to(x, product.shape)
        y = b.broadcast_to(y, product.shape)
        is_zero = b.op("stablehlo.and", [b.compare("EQ", x, b.like(x, 0)), b.compare("EQ", y, y)],
                       b.compare("EQ", y, y).aval)
        return b.select(is_zero, b.like(product, 0), product)

    return Primitive(
        name, shape=elementwise, uniform=True, impl=scipy_impl(name), lower=lower,
        jvp=(lambda t, out, x, y: t * log_of(y),
             lambda t, out, x, y: t * where(eq(x, 0), np.zeros((), x.dtype), div(x, slope(y)))),
        batch=elementwise_batch)


def _log1p(b, y):
    return b.op("stablehlo.log_plus_one", [y], y.aval) if y.dtype.kind == "c" else _LOG1P(b, y)


_LOG1P = xla_lower(lambda m, y: m.log1p(y), True)
xlogy_p = _x_times_log("xlogy", lambda b, y: b.op("stablehlo.log", [y], y.aval), log, lambda y: y)
xlog1py_p = _x_times_log("xlog1py", _log1p, log1p, lambda y: y + 1)


def xlogy(x, y):
    """x log y, 0 where x is 0. The derivative in y is 0 there too."""
    return xlogy_p.bind(*promote_inexact(x, y))


def xlog1py(x, y):
    """x log(1 + y), 0 where x is 0."""
    return xlog1py_p.bind(*promote_inexact(x, y))
