"""Singular values and vectors, pseudo-inverses and least squares."""
import numpy as np

from ..avals import Aval
from ..core import Primitive
from ..errors import TransformError
from .complexes import real
from .lapack import lapack, lower_identity, lower_spoiled, lower_usable
from .matrices import (
    I32,
    all_lanes,
    columns_to_lanes,
    diagonal_of,
    each_matrix,
    identity_like,
    lanes_to_columns,
    mH,
    mm,
    mT,
    real_dtype,
    scale,
)
from .structural import cast

# ---- singular values ----

def _svd_shape(a, *, full_matrices, vectors):
    m, n = a.shape[-2:]
    k, lead = min(m, n), a.shape[:-2]
    s = Aval((*lead, k), real_dtype(a.dtype))
    if not vectors:
        return [s]
    return [Aval((*lead, m, m if full_matrices else k), a.dtype), s,
            Aval((*lead, n if full_matrices else k, n), a.dtype)]


def _svd_impl(a, *, full_matrices, vectors):
    outs = _svd_shape(Aval(a.shape, a.dtype), full_matrices=full_matrices, vectors=vectors)

    def one(a):
        out = np.linalg.svd(a, full_matrices, vectors)
        return list(out) if vectors else [out]
    return each_matrix(one, a, [(o.shape[a.ndim - 2:], o.dtype) for o in outs])


def lower_svd(b, a, *, full_matrices, vectors):
    """[u, s, v*], or [s] without vectors"""
    outs = _svd_shape(a.aval, full_matrices=full_matrices, vectors=True)
    keep = (lambda x: x) if vectors else (lambda x: x[1:2])
    if not a.aval.size:
        u, s, vh = outs
        return keep([lower_identity(b, u.shape, u.dtype), b.constant(0, s.dtype, s.shape),
                     lower_identity(b, vh.shape, vh.dtype)])
    safe, bad = lower_usable(b, a)
    mode = ord("A" if full_matrices else "S") if vectors else ord("N")
    u, s, vh = outs
    _, s, u, vh, info = lapack(b, "gesdd", [safe], [a.aval, s, u, vh, Aval(a.shape[:-2], I32)], mode=f"{mode} : ui8")
    return lower_spoiled(b, keep([u, s, vh]), bad, info)


def _svd_jvp(xs, ts, *, full_matrices, vectors):
    """With P = U* dA V and F = 1 / (s_j² - s_i²): ds = diag P, dU = U (F ∘ (P S + S P*)) + (1 - U U*) dA V S⁻¹, and
    dV likewise from the adjoint.

    Townsend (2016), "Differentiating the singular value decomposition"; Wan & Zhang (2019) for complex matrices, where
    the diagonal of U* dU takes half of P's imaginary part over s, and that of V* dV the other half.
    """
    (a,), (t,) = xs, ts
    m, n = a.shape[-2:]
    if vectors and full_matrices and m != n:
        raise TransformError(
            f"svd of a matrix of shape {a.shape} with full_matrices=True has no derivative: {abs(m - n)} vectors are "
            "any basis of what the others leave.\nWrite full_matrices=False, or svdvals for the values alone.")
    u, s, vh = svd_p.bind(a, full_matrices=False, vectors=True)
    v = mH(vh)
    p = mm(mm(mH(u), t), v)
    ds = real(diagonal_of(p))
    if not vectors:
        return [s], [ds]
    row, column = s[..., None, :], s[..., :, None]
    eye = identity_like(row)
    f = (1 / (row - column + eye) - eye) / (row + column + eye)
    row, column = cast(row, a.dtype), cast(column, a.dtype)
    ph = mH(p)
    left, right = scale(p * row + column * ph, f), scale(column * p + ph * row, f)
    if a.dtype.kind == "c":                              # turns the two vectors of a singular value together
        phase = scale((p - ph) * cast(eye, a.dtype) * np.asarray(0.25, a.dtype), 1 / s[..., None, :])
        left, right = left + phase, right - phase
    du, dv = mm(u, left), mm(v, right)
    if m > n:
        tv = mm(t, v)
        du = du + scale(tv - mm(u, mm(mH(u), tv)), 1 / s[..., None, :])
    if n > m:
        tu = mm(mH(t), u)
        dv = dv + scale(tu - mm(v, mm(vh, tu)), 1 / s[..., None, :])
    return [u, s, vh], [du, ds, mH(dv)]


svd_p = Primitive(
    "svd",                                               # -> u, descending s, v* with a = u s v*
    multiple=True,
    shape=_svd_shape,
    impl=_svd_impl,
    lower=lower_svd,
    jvp=_svd_jvp,
    batch=lambda b, mine, a, **params: (b.bind(a, **params), [True] * (3 if params["vectors"] else 1)),
)


# ---- pseudo-inverse and least squares ----

def _cut(s, rcond):
    """1 / s, and 0 for the singular values of rcond times the largest or less."""
    with np.errstate(all="ignore"):
        keep = ~(s <= rcond * s.max(-1, keepdims=True, initial=0))
        return np.where(keep, 1 / np.where(s == 0, 1, s), 0).astype(s.dtype)


def _lower_cut(b, s, rcond):
    n = len(s.shape)
    top = b.reduce("stablehlo.maximum", s, 0, [n - 1])
    limit = b.elementwise("stablehlo.multiply", b.broadcast(top, s.shape, range(n - 1)), b.constant(rcond, s.dtype))
    drop = b.compare("LE", s, limit)
    return b.select(drop, b.like(s, 0), b.elementwise("stablehlo.divide", b.like(s, 1), s))


def _product(b, x, y):
    n = len(x.shape)
    lead = ", ".join(map(str, range(n - 2)))
    batching = f"batching_dims = [{lead}] x [{lead}], " if n > 2 else ""
    out = Aval((*x.shape[:-1], y.shape[-1]), x.dtype)
    return b.emit(out, f"stablehlo.dot_general {x.name}, {y.name}, {batching}contracting_dims = [{n - 1}] x [{n - 2}]"
                       f"{b.of_products} : ({x.type}, {y.type}) -> {b.type_text(out)}")


def _lower_adjoint(b, x):
    n = len(x.shape)
    x = b.transpose(x, (*range(n - 2), n - 1, n - 2))
    if x.dtype.kind != "c":
        return x
    part = Aval(x.shape, real_dtype(x.dtype))
    re, im = b.op("stablehlo.real", [x], part), b.op("stablehlo.imag", [x], part)
    return b.op("stablehlo.complex", [re, b.op("stablehlo.negate", [im], part)], x.aval)


def _lstsq_impl(a, y, *, rcond):
    u, s, vh = _svd_impl(a, full_matrices=False, vectors=True)
    adjoint = np.conj(np.swapaxes(u, -1, -2)) @ y
    return np.conj(np.swapaxes(vh, -1, -2)) @ (adjoint * _cut(s, rcond)[..., :, None])


def _lower_lstsq(b, a, y, *, rcond):
    out = b.out[0]
    if not (a.aval.size and y.aval.size):
        return b.constant(0, out.dtype, out.shape)
    u, s, vh = lower_svd(b, a, full_matrices=False, vectors=True)
    cut = b.convert(_lower_cut(b, s, rcond), a.dtype)
    z = _product(b, _lower_adjoint(b, u), y)
    z = b.elementwise("stablehlo.multiply", z, b.broadcast(cut, z.shape, range(len(z.shape) - 1)))
    return _product(b, _lower_adjoint(b, vh), z)


def _lstsq_jvp(xs, ts, *, rcond):
    """dx = A⁺ (dy - dA x) + A⁺ A⁺* dA* r + (1 - A⁺ A) dA* A⁺* x, with r = y - A x, where the rank does not change.

    Golub & Pereyra (1973), "The differentiation of pseudo-inverses and nonlinear least squares problems whose
    variables separate", theorem 4.3.
    """
    a, y = xs
    ta, ty = ts
    x = lstsq_p.bind(a, y, rcond=rcond)

    def solve(c):
        return lstsq_p.bind(a, c, rcond=rcond)

    def adjoint_solve(c):
        return lstsq_p.bind(mH(a), c, rcond=rcond)
    if ta is None:
        return x, None if ty is None else solve(ty)
    push = -mm(ta, x) if ty is None else ty - mm(ta, x)
    residual = mm(mH(ta), y - mm(a, x))
    inside = mm(mH(ta), adjoint_solve(x))
    return x, solve(push + adjoint_solve(residual)) + inside - solve(mm(a, inside))


def _lstsq_transpose(cs, a, y, *, rcond):
    return [None, lstsq_p.bind(mT(a), cs, rcond=rcond)]


lstsq_p = Primitive(
    "lstsq",                                             # the shortest x with the least |a x - y|
    shape=lambda a, y, *, rcond: Aval((*a.shape[:-2], a.shape[-1], y.shape[-1]), a.dtype),
    impl=_lstsq_impl,
    lower=_lower_lstsq,
    jvp=_lstsq_jvp,
    transpose=_lstsq_transpose,
)


@lstsq_p.define("batch")
def _(b, mine, a, y, *, rcond):
    if mine == [False, True]:                            # one matrix: the lanes become columns
        x = b.bind(a, lanes_to_columns(y), rcond=rcond)
        return columns_to_lanes(x, (b.size, *a.shape[:-2], a.shape[-1], y.shape[-1]))
    return all_lanes(b, mine, a, y, rcond=rcond)
