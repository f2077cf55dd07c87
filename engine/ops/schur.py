"""Schur and Hessenberg forms, and the order of columns of a pivoted QR: what has no derivative of its own."""
import numpy as np

from ..avals import Aval
from ..core import Primitive
from ..errors import TransformError
from ..lazy import scipy_linalg
from .lapack import lapack, lower_spoiled, lower_usable, on_host, scipy_lapack
from .matrices import (
    I32,
    each_matrix,
)


def _refuse(name, instead):
    def jvp(xs, ts, **params):
        raise TransformError(f"{name} has no derivative here: its factors are not unique, and no formula holds where "
                             f"eigenvalues meet.\n{instead}")
    return jvp


# ---- Schur ----

def _schur_impl(a):
    kind = "complex" if a.dtype.kind == "c" else "real"
    n = a.shape[-1]

    def one(a):
        if a.ndim > 2:
            made = [one(x) for x in a.reshape(-1, n, n)]
            return [np.array([m[k] for m in made]).reshape(a.shape) for k in (0, 1)]
        return list(scipy_linalg.schur(a, output=kind))
    return [np.array(a), np.array(a)] if not a.size else each_matrix(one, a, [((n, n), a.dtype)] * 2)


def _lower_schur(b, a):
    if not a.aval.size:
        return [a, a]
    if b.platform != "cpu":
        return on_host(b, _schur_impl, a, [a.aval, a.aval])
    safe, bad = lower_usable(b, a)
    info, part = Aval(a.shape[:-2], I32), Aval(a.shape[:-1], a.dtype)
    values = [part] if a.dtype.kind == "c" else [part, part]
    out = lapack(b, "gees", [safe], [a.aval, a.aval, *values, info, info], mode="86 : ui8", sort="78 : ui8")
    return lower_spoiled(b, out[:2], bad, out[-1])


schur_p = Primitive(
    "schur",                                             # -> t, z with a = z t z*: triangular, or 2 x 2 blocks if real
    multiple=True,
    shape=lambda a: [a, a],
    impl=_schur_impl,
    lower=_lower_schur,
    jvp=_refuse("schur", "Write the function of the matrix as expm, logm, sqrtm or solve_sylvester, which have one."),
    batch=lambda b, mine, a: (b.bind(a), [True, True]),
)


# ---- Hessenberg ----

def _hessenberg_shape(a):
    return [a, Aval((*a.shape[:-2], max(a.shape[-1] - 1, 0)), a.dtype)]


def _hessenberg_impl(a):
    packed, tau = np.array(a), np.zeros((*a.shape[:-2], max(a.shape[-1] - 1, 0)), a.dtype)
    if a.size:
        gehrd = scipy_lapack("gehrd", a.dtype)
        for i in np.ndindex(a.shape[:-2]):
            packed[i], tau[i] = gehrd(a[i])[:2]
    return [packed, tau]


def _lower_hessenberg(b, a):
    out = _hessenberg_shape(a.aval)
    n = a.shape[-1]
    if n < 2 or not a.aval.size:
        return [a, b.constant(0, a.dtype, out[1].shape)]
    if b.platform != "cpu":
        return on_host(b, _hessenberg_impl, a, out)
    return lapack(b, "gehrd", [a], [*out, Aval(a.shape[:-2], I32)], low="1 : i32", high=f"{n} : i32")[:2]


hessenberg_p = Primitive(
    "hessenberg",                                        # -> h above the second diagonal and reflections below it, tau
    multiple=True,
    shape=_hessenberg_shape,
    impl=_hessenberg_impl,
    lower=_lower_hessenberg,
    jvp=_refuse("hessenberg", "Differentiate what you compute from it, e.g. a determinant or a solve, directly."),
    batch=lambda b, mine, a: (b.bind(a), [True, True]),
)


# ---- the columns of a pivoted QR ----

def _column_order_impl(a):
    out = np.empty((*a.shape[:-2], a.shape[-1]), I32)
    out[...] = np.arange(a.shape[-1])
    if a.size:
        geqp3 = scipy_lapack("geqp3", a.dtype)
        for i in np.ndindex(a.shape[:-2]):
            out[i] = geqp3(a[i])[1] - 1
    return out


def _lower_column_order(b, a):
    order = b.out[0]
    if not a.aval.size:
        return b.op("stablehlo.iota", [], order, f"iota_dimension = {len(order.shape) - 1} : i64")
    if b.platform != "cpu":
        return on_host(b, lambda a: [_column_order_impl(a)], a, [order])[0]
    tau = Aval((*a.shape[:-2], min(a.shape[-2:])), a.dtype)
    made = lapack(b, "geqp3", [a, b.constant(0, I32, order.shape)], [a.aval, order, tau])[1]
    return b.elementwise("stablehlo.subtract", made, b.like(made, 1))


column_order_p = Primitive(
    "column_order",                                      # the order in which QR with pivoting takes the columns
    shape=lambda a: Aval((*a.shape[:-2], a.shape[-1]), I32),
    impl=_column_order_impl,
    lower=_lower_column_order,
    jvp=(None,),
    batch=lambda b, mine, a: b.bind(a),
)
