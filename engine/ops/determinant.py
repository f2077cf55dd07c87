"""Determinants and their logarithms: values from LU factors, derivatives from solves or, for the determinant itself,
from adjugates, which are right for singular matrices too."""
import numpy as np

from ..avals import Aval
from ..core import Primitive
from .complexes import conj, real
from .elementwise import eq, exp, ne, stop_gradient, where
from .lapack import lower_identity
from .lu import inv, lu_p, lu_sign_p
from .matrices import (
    all_lanes,
    diagonal_of,
    identity_like,
    mH,
    mm,
    mT,
)
from .reduce import reduce_prod_p
from .structural import cast, iota, reduce_sum, reshape
from .svd import svd_p

# ---- log det ----

def _log_det_impl(a, packed):
    d = np.diagonal(packed, axis1=-2, axis2=-1)
    return np.sum(np.log(d if a.dtype.kind == "c" else np.abs(d)), -1, dtype=a.dtype)


def _lower_log_det(b, a, packed):
    n = len(a.shape)
    size = packed if a.dtype.kind == "c" else b.op("stablehlo.abs", [packed], a.aval)
    one = lower_identity(b, a.shape, np.dtype(bool))
    logs = b.op("stablehlo.log", [b.select(one, size, b.like(a, 1))], a.aval)
    return b.reduce("stablehlo.add", logs, 0, [n - 2, n - 1])


def _log_det_jvp(xs, ts):
    """tr(A⁻¹ T)"""
    a, packed = xs
    y = log_det_p.bind(a, packed)
    if ts[0] is None:
        return y, None
    return y, reduce_sum(mT(inv(a)) * ts[0], (a.ndim - 2, a.ndim - 1))


log_det_p = Primitive(
    "log_det",                                           # (a, its packed factors) -> log |det a|; complex: Σ log u_ii
    shape=lambda a, packed: Aval(a.shape[:-2], a.dtype),
    impl=_log_det_impl,
    lower=_lower_log_det,
    jvp=_log_det_jvp,
    batch=all_lanes,
)


def sign_and_log(a):
    """(sign, log |det|) of matrices; the sign of a complex determinant is a number of modulus 1. (0, -inf) if
    singular."""
    packed, pivots, _ = lu_p.bind(stop_gradient(a))
    signs, logs = lu_sign_p.bind(packed, pivots), log_det_p.bind(a, packed)
    if a.dtype.kind != "c":
        return signs, logs
    usable = ne(signs, np.zeros((), a.dtype))
    return signs * exp(where(usable, logs - conj(logs), np.zeros((), a.dtype)) * np.asarray(0.5, a.dtype)), real(logs)


# ---- adjugate ----

def _on_diagonal(n):
    return eq(reshape(iota(n), (n, 1)), iota(n))


def _others(s, count):
    """Products of the singular values s[..., n] that leave one (or each pair) out, without a division."""
    n = s.shape[-1]
    left = _on_diagonal(n)
    if count == 2:
        left = left[:, None, :] | left[None, :, :]
    wide = reshape(s, (*s.shape[:-1], *(1,) * count, n))
    return reduce_prod_p.bind(where(left, np.ones((), s.dtype), wide), axes=(s.ndim - 1 + count,))


def _frame(a):
    """(u, s, v*, det u · det v*) with A = U S V*"""
    u, s, vh = svd_p.bind(a, full_matrices=False, vectors=True)
    return u, s, vh, sign_and_log(u)[0] * sign_and_log(vh)[0]


def adjugate(a):
    """adj(A) with A adj(A) = det(A) I, right at every rank: V adj(S) U* det(U) det(V*).   square, n >= 1"""
    u, s, vh, phase = _frame(stop_gradient(a))
    out = mm(mH(vh) * cast(_others(s, 1), a.dtype)[..., None, :], mH(u)) * phase[..., None, None]
    return adjugate_p.bind(a, stop_gradient(out))


def _adjugate_jvp(xs, ts):
    """In the frame of the singular vectors, with M = U* T V and e_ij the product of all singular values but i and j:
    the diagonal gets Σ_k e_ik M_kk (k ≠ i), the other elements -e_ij M_ij."""
    a, value = xs
    y = adjugate_p.bind(a, value)
    if ts[0] is None:
        return y, None
    u, s, vh, phase = _frame(a)
    m = mm(mm(mH(u), ts[0]), mH(vh))
    n = a.shape[-1]
    pairs = cast(_others(s, 2), a.dtype)
    eye = _on_diagonal(n)
    off = where(eye, np.zeros((), a.dtype), pairs)
    on_diagonal = mm(off, diagonal_of(m)[..., :, None])
    inner = where(eye, on_diagonal, -off * m)
    return y, mm(mm(mH(vh), inner), mH(u)) * phase[..., None, None]


adjugate_p = Primitive(
    "adjugate",                                          # (a, its adjugate) -> the adjugate, with its derivative
    shape=lambda a, value: value,
    impl=lambda a, value: value,
    lower=lambda b, a, value: value,
    jvp=_adjugate_jvp,
    batch=all_lanes,
)


# ---- det ----

def _det_jvp(xs, ts):
    """tr(adj(A) T), Jacobi's formula"""
    a, value = xs
    y = det_p.bind(a, value)
    if ts[0] is None:
        return y, None
    return y, reduce_sum(mT(adjugate(a)) * ts[0], (a.ndim - 2, a.ndim - 1))


det_p = Primitive(
    "det",                                               # (a, its determinant) -> the determinant, with its derivative
    shape=lambda a, value: value,
    impl=lambda a, value: value,
    lower=lambda b, a, value: value,
    jvp=_det_jvp,
    batch=all_lanes,
)


def det(a):
    """The determinants of square matrices, up to n = 3 by expansion and from there on by LU."""
    n = a.shape[-1]
    if n == 0:
        return diagonal_of(identity_like(a, 1))[..., 0]
    if n == 1:
        return a[..., 0, 0]
    if n == 2:
        return a[..., 0, 0] * a[..., 1, 1] - a[..., 0, 1] * a[..., 1, 0]
    if n == 3:
        return (a[..., 0, 0] * (a[..., 1, 1] * a[..., 2, 2] - a[..., 1, 2] * a[..., 2, 1])
                - a[..., 0, 1] * (a[..., 1, 0] * a[..., 2, 2] - a[..., 1, 2] * a[..., 2, 0])
                + a[..., 0, 2] * (a[..., 1, 0] * a[..., 2, 1] - a[..., 1, 1] * a[..., 2, 0]))
    signs, logs = sign_and_log(stop_gradient(a))
    return det_p.bind(a, signs * cast(exp(logs), a.dtype))
