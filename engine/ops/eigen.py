"""Eigenvalues and eigenvectors of Hermitian and of general matrices."""
import numpy as np

from ..avals import Aval
from ..core import Primitive
from .complexes import conj, imag, real
from .elementwise import div, eq
from .lapack import lapack, lower_spoiled, lower_usable, on_host
from .lu import solve_matrices
from .matrices import (
    I32,
    complex_dtype,
    diagonal_of,
    each_matrix,
    mH,
    mm,
    real_dtype,
    scale,
)
from .reduce import argmax_p
from .structural import cast, iota, reduce_sum, reshape


def gaps(w):
    """1 / (w_j - w_i) with zeros on the diagonal; infinite for eigenvalues that are equal."""
    n = w.shape[-1]
    eye = cast(eq(reshape(iota(n), (n, 1)), iota(n)), w.dtype)
    return 1 / (w[..., None, :] - w[..., :, None] + eye) - eye


# ---- Hermitian ----

def _eigh_shape(a, *, lower, vectors):
    w = Aval(a.shape[:-1], real_dtype(a.dtype))
    return [w, a] if vectors else [w]


def _eigh_impl(a, *, lower, vectors):
    n, uplo = a.shape[-1], "L" if lower else "U"
    outs = [((n,), real_dtype(a.dtype)), ((n, n), a.dtype)][:1 + vectors]

    def one(a):
        bad = ~np.isfinite(a).all((-2, -1))
        if np.any(bad):
            raise np.linalg.LinAlgError("a nan or an infinity")
        return list(np.linalg.eigh(a, uplo)) if vectors else [np.linalg.eigvalsh(a, uplo)]
    return each_matrix(one, a, outs)


def _lower_eigh(b, a, *, lower, vectors):
    outs = _eigh_shape(a.aval, lower=lower, vectors=vectors)
    if not a.aval.size:
        return [b.constant(0, o.dtype, o.shape) for o in outs]
    safe, bad = lower_usable(b, a)
    v, w, info = lapack(b, "heevd" if a.dtype.kind == "c" else "syevd", [safe],
                        [a.aval, outs[0], Aval(a.shape[:-2], I32)],
                        mode=f"{86 if vectors else 78} : ui8", uplo=f"{76 if lower else 85} : ui8")
    return lower_spoiled(b, [w, v][:1 + vectors], bad, info)


def _eigh_jvp(xs, ts, *, lower, vectors):
    """With M = V* dA V: dw = diag M, dV = V (M / (w_j - w_i)) off the diagonal. M is 0 where it is exactly 0 even if
    eigenvalues are equal, so that only vectors without a derivative get infinities or nan."""
    (a,), (t,) = xs, ts
    w, v = eigh_p.bind(a, lower=lower, vectors=True)
    m = mm(mH(v), mm(t, v))
    dw = real(diagonal_of(m))
    if not vectors:
        return [w], [dw]
    return [w, v], [dw, mm(v, scale(m, gaps(w)))]


eigh_p = Primitive(
    "eigh",                                              # of a Hermitian matrix -> ascending w, and v with a v = v w
    multiple=True,
    shape=_eigh_shape,
    impl=_eigh_impl,
    lower=_lower_eigh,
    jvp=_eigh_jvp,
    batch=lambda b, mine, a, *, lower, vectors: (b.bind(a, lower=lower, vectors=vectors), [True] * (1 + vectors)),
)


# ---- general ----

def _eig_shape(a, *, vectors):
    dtype = complex_dtype(a.dtype)
    return [Aval(a.shape[:-1], dtype), Aval(a.shape, dtype)][:1 + vectors]


def _eig_impl(a, *, vectors):
    n, dtype = a.shape[-1], complex_dtype(a.dtype)
    outs = [((n,), dtype), ((n, n), dtype)][:1 + vectors]
    return each_matrix(lambda a: list(np.linalg.eig(a)) if vectors else [np.linalg.eigvals(a)], a, outs)


def _lower_eig(b, a, *, vectors):
    outs = _eig_shape(a.aval, vectors=True)
    if not a.aval.size:
        return [b.constant(0, o.dtype, o.shape) for o in outs[:1 + vectors]]
    if b.platform != "cpu":
        return on_host(b, lambda a: _eig_impl(a, vectors=vectors), a, outs[:1 + vectors])
    safe, bad = lower_usable(b, a)
    info = Aval(a.shape[:-2], I32)
    options = dict(compute_left="78 : ui8", compute_right=f"{86 if vectors else 78} : ui8")
    if a.dtype.kind == "c":
        w, _, v, info = lapack(b, "geev", [safe], [outs[0], outs[1], outs[1], info], **options)
    else:
        part = Aval(a.shape[:-1], a.dtype)
        re, im, _, v, info = lapack(b, "geev", [safe], [part, part, outs[1], outs[1], info], **options)
        w = b.op("stablehlo.complex", [re, im], outs[0])
    return lower_spoiled(b, [w, v][:1 + vectors], bad, info)


def _eig_jvp(xs, ts, *, vectors):
    """With M = V⁻¹ dA V: dw = diag M, dV = V (M / (w_j - w_i)) off the diagonal, then each vector moves so as to stay
    of norm 1 with a real largest element, as LAPACK has them."""
    (a,), (t,) = xs, ts
    w, v = eig_p.bind(a, vectors=True)
    m = solve_matrices(v, mm(cast(t, v.dtype), v))
    dw = diagonal_of(m)
    if not vectors:
        return [w], [dw]
    dv = mm(v, scale(m, gaps(w)))
    size = real(v) * real(v) + imag(v) * imag(v)
    n, axis = a.shape[-1], a.ndim - 2
    top = cast(eq(reshape(iota(n), (n, 1)), argmax_p.bind(size, axis=axis)[..., None, :]), v.dtype)
    length = real(reduce_sum(conj(v) * dv, (axis,)))
    turn = imag(div(reduce_sum(top * dv, (axis,)), reduce_sum(top * v, (axis,))))
    return [w, v], [dw, dv - v * (cast(length, v.dtype) + np.asarray(1j, v.dtype) * cast(turn, v.dtype))[..., None, :]]


eig_p = Primitive(
    "eig",                                               # -> complex w, and v of norm 1 with a v = v w
    multiple=True,
    shape=_eig_shape,
    impl=_eig_impl,
    lower=_lower_eig,
    jvp=_eig_jvp,
    batch=lambda b, mine, a, *, vectors: (b.bind(a, vectors=vectors), [True] * (1 + vectors)),
)
