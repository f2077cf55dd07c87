"""QR factors by Householder reflections."""
import numpy as np

from ..avals import Aval
from ..core import Primitive
from ..errors import TransformError
from .lapack import lapack, lower_identity, scipy_lapack
from .linalg import triangular_solve
from .matrices import (
    I32,
    all_lanes,
    diagonal_of,
    identity_like,
    mH,
    mm,
    mT,
    triangle,
)
from .shaping import concatenate_p
from .structural import asvalue

# ---- reflections as LAPACK packs them ----

def _geqrf_shape(a):
    return [a, Aval((*a.shape[:-2], min(a.shape[-2:])), a.dtype)]


def _geqrf_impl(a):
    packed, tau = np.array(a), np.zeros((*a.shape[:-2], min(a.shape[-2:])), a.dtype)
    if a.size:
        geqrf = scipy_lapack("geqrf", a.dtype)
        for i in np.ndindex(a.shape[:-2]):
            packed[i], tau[i] = geqrf(a[i])[:2]
    return [packed, tau]


def lower_geqrf(b, a):
    """(packed reflections and R, their factors tau)"""
    out = _geqrf_shape(a.aval)
    return lapack(b, "geqrf", [a], out) if a.aval.size else [a, b.constant(0, a.dtype, out[1].shape)]


geqrf_p = Primitive(
    "geqrf",                                             # -> R above the diagonal and reflections below it, tau
    multiple=True,
    shape=_geqrf_shape,
    impl=_geqrf_impl,
    lower=lower_geqrf,
    batch=lambda b, mine, a: (b.bind(a), [True, True]),
)


def _ormqr_impl(a, tau, c, *, left, adjoint):
    out = np.array(c)
    name = "unmqr" if a.dtype.kind == "c" else "ormqr"
    ormqr = scipy_lapack(name, a.dtype)
    trans = ("C" if a.dtype.kind == "c" else "T") if adjoint else "N"
    if c.size and a.size:
        for i in np.ndindex(a.shape[:-2]):
            args = ("L" if left else "R", trans, a[i], tau[i], c[i])
            work = ormqr(*args, lwork=-1)[1]
            out[i] = ormqr(*args, lwork=max(1, int(work[0].real)))[0]
    return out


def _lower_ormqr(b, a, tau, c, *, left, adjoint):
    if not (c.aval.size and a.aval.size):
        return c
    flag = ["false", "true"]
    return lapack(b, "unmqr" if a.dtype.kind == "c" else "ormqr", [a, tau, c], [c.aval],
                  left=flag[left], transpose=flag[adjoint])[0]


ormqr_p = Primitive(
    "ormqr",                                             # (packed [m, k], tau [k], c) -> Q c, Q* c, c Q or c Q*
    shape=lambda a, tau, c, *, left, adjoint: c,
    impl=_ormqr_impl,
    lower=_lower_ormqr,
    batch=all_lanes,
)


# ---- the factors ----

def _qr_shape(a, *, full):
    m, n = a.shape[-2:]
    k = m if full else min(m, n)
    return [Aval((*a.shape[:-2], m, k), a.dtype), Aval((*a.shape[:-2], k, n), a.dtype)]


def _qr_impl(a, *, full):
    if not a.size:
        q, r = _qr_shape(Aval(a.shape, a.dtype), full=full)
        return [np.broadcast_to(np.eye(*q.shape[-2:], dtype=a.dtype), q.shape), np.zeros(r.shape, a.dtype)]
    return list(np.linalg.qr(a, "complete" if full else "reduced"))


def _lower_qr(b, a, *, full):
    q_aval, r_aval = _qr_shape(a.aval, full=full)
    n, k = a.shape[-1], q_aval.shape[-1]
    if not a.aval.size:
        return [lower_identity(b, q_aval.shape, a.dtype), b.constant(0, a.dtype, r_aval.shape)]
    packed, tau = lower_geqrf(b, a)
    i, j = (b.op("stablehlo.iota", [], Aval(a.shape, I32), f"iota_dimension = {len(a.shape) - d} : i64")
            for d in (2, 1))
    upper = b.select(b.compare("LE", i, j), packed, b.like(a, 0))
    r = b.slice(upper, [0] * len(a.shape), r_aval.shape)
    if k < n:
        start = b.slice(packed, [0] * len(a.shape), q_aval.shape)
    elif k > n:                                          # more columns than reflections: the rest starts as zeros
        rest = b.constant(0, a.dtype, (*a.shape[:-1], k - n))
        start = b.op("stablehlo.concatenate", [packed, rest], q_aval, f"dimension = {len(a.shape) - 1} : i64")
    else:
        start = packed
    q = lapack(b, "ungqr" if a.dtype.kind == "c" else "orgqr", [start, tau], [q_aval])[0]
    return [q, r]


def _skew(x):
    """The skew-Hermitian matrix with the strictly lower triangle of x, and the imaginary part of its diagonal."""
    low = triangle(x, k=-1)
    out = low - mH(low)
    if x.dtype.kind != "c":
        return out
    d = diagonal_of(x)
    return out + identity_like(x) * ((d - d.conj()) * np.asarray(0.5, x.dtype))[..., None, :]


def _qr_jvp(xs, ts, *, full):
    """With X = Q* dA R⁻¹ and Ω the skew part of X below the diagonal: dQ = Q (Ω - X) + dA R⁻¹, dR = (X - Ω) R.

    Walter & Lehmann (2018), "Algorithmic differentiation of linear algebra functions with application in optimum
    experimental design", section 3; columns of a wide matrix beyond the square part follow from R₂ = Q* A₂.
    """
    (a,), (t,) = xs, ts
    m, n = a.shape[-2:]
    if full and m > n:
        raise TransformError(
            f"qr of a matrix of shape {a.shape} with mode='complete' has no derivative: {m - n} columns of q are any "
            "basis of what the others leave.\nWrite mode='reduced' (or mode='r').")
    q, r = qr_p.bind(a, full=full)
    if not a.aval.size:
        return [q, r], [asvalue(np.zeros(q.shape, q.dtype)), asvalue(np.zeros(r.shape, r.dtype))]
    k = min(m, n)
    front, r1 = t[..., :, :k], r[..., :, :k]
    tail = mT(triangular_solve(r1, mT(front), lower=False, trans=True))
    x = mm(mH(q), tail)
    skew = _skew(x)
    dq = mm(q, skew - x) + tail
    dr = mm(x - skew, r1)
    if n > k:
        dr = concatenate_p.bind(dr, mm(mH(dq), a[..., :, k:]) + mm(mH(q), t[..., :, k:]), axis=a.ndim - 1)
    return [q, r], [dq, dr]


qr_p = Primitive(
    "qr",                                                # -> q with orthonormal columns, upper triangular r
    multiple=True,
    shape=_qr_shape,
    impl=_qr_impl,
    lower=_lower_qr,
    jvp=_qr_jvp,
    batch=lambda b, mine, a, *, full: (b.bind(a, full=full), [True, True]),
)
