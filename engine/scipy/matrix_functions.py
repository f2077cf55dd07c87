"""Functions of square matrices: exponential, logarithm, square root, any analytic function.

Eagerly they are SciPy's; compiled they are the algorithms here, over complex Schur forms but for the exponential.
Derivatives of all orders are Fréchet derivatives: of the exponential and the logarithm as a block of the function of
a matrix of twice the size (Higham 2008, Functions of Matrices, equation 3.16), of the square root by Sylvester's
equation.
"""
import math
import warnings

import numpy as np

from ..control.composed import composed
from ..control.loops import while_loop
from ..core import Primitive
from ..errors import ShapeError
from ..lazy import scipy_linalg
from ..ops.complexes import real
from ..ops.elementwise import abs, bitcast, ceil, eq, gt, isfinite, log, maximum, minimum, sqrt, where
from ..ops.linalg import triangular_solve
from ..ops.lu import solve_matrices
from ..ops.matrices import (
    all_lanes,
    complex_dtype,
    diagonal_of,
    each_matrix,
    identity_like,
    mH,
    mm,
    mT,
    real_dtype,
    square_matrix,
)
from ..ops.reduce import reduce_max_p, reduce_or_p
from ..ops.schur import schur_p
from ..ops.shaping import concatenate_p
from ..ops.structural import asvalue, cast, full, iota, promote_inexact, reduce_sum, reshape
from .sylvester import above, column_of, for_each_column, nonzero, shifted_solve, sylvester_p

__all__ = ["expm", "expm_frechet", "funm", "logm", "sqrtm"]


# ---- pieces ----

def _norm1(a):
    """The largest column sum of |a|."""
    sums = reduce_sum(abs(a), (a.ndim - 2,))
    return reduce_max_p.bind(sums, axes=(a.ndim - 2,))


def _scaled(a, factor):
    """Each matrix times its own real number."""
    return a * cast(factor, a.dtype)[..., None, None]


def power_of_two(k, dtype):
    """2^k exactly, for integers k of int32 within the exponents of a float dtype."""
    if dtype == np.float64:
        return bitcast((cast(k, np.dtype("int64")) + 1023) << 52, dtype)
    return bitcast((k + np.int32(127)) << np.int32(23), dtype)


def _adjoint_pair(f):
    """f(T) back in the frame of Z: Z f Z*, real for a real matrix."""
    def run(a, **params):
        t, z = schur_p.bind(cast(a, complex_dtype(a.dtype)))
        return mm(mm(z, f(t, **params)), mH(z))
    return run


def _block(a, t):
    """[[A, T], [0, A]]"""
    axis = a.ndim - 1
    zero = full(a.shape, 0, a.dtype)
    return concatenate_p.bind(concatenate_p.bind(a, t, axis=axis), concatenate_p.bind(zero, a, axis=axis),
                              axis=axis - 1)


def _corner(x):
    n = x.shape[-1] // 2
    return x[..., :n, n:]


def _each(f):
    """The NumPy meaning of a function of one matrix, over the batch."""
    def impl(a, **params):
        if not a.size:
            return a

        def one(a):
            if not np.isfinite(a).all():
                raise np.linalg.LinAlgError("a nan or an infinity")
            rows = a.reshape(-1, *a.shape[-2:])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")          # of singular matrices: the result says it
                return [np.array([f(x, **params) for x in rows]).reshape(a.shape)]
        return each_matrix(one, a, [(a.shape[-2:], a.dtype)])[0]
    return impl


def _analytic(name, impl, compiled):
    """The primitive of a matrix function, and that of its Fréchet derivative (a, t) -> L(a, t), linear in t."""
    def frechet_jvp(xs, ts):
        a, t = xs
        y = frechet_p.bind(a, t)
        second = None
        if ts[0] is not None:
            zero = full(a.shape, 0, a.dtype)
            wide = concatenate_p.bind(concatenate_p.bind(ts[0], zero, axis=a.ndim - 1),
                                      concatenate_p.bind(zero, ts[0], axis=a.ndim - 1), axis=a.ndim - 2)
            second = _corner(frechet_p.bind(_block(a, t), wide))
        if ts[1] is not None:
            along = frechet_p.bind(a, ts[1])
            second = along if second is None else second + along
        return y, second

    function_p = Primitive(
        name,
        shape=lambda a: a,
        impl=impl,
        lower=composed(compiled),
        jvp=(lambda t, y, a: frechet_p.bind(a, t),),
        batch=lambda b, mine, a: b.bind(a),
    )
    frechet_p = Primitive(
        name + "_frechet",
        shape=lambda a, t: a,
        impl=lambda a, t: _corner(impl(np.block([[a, t], [np.zeros_like(a), a]]))),
        lower=composed(lambda a, t: _corner(compiled(_block(a, t)))),
        jvp=frechet_jvp,
        transpose=(None, lambda c, a, t: frechet_p.bind(mT(a), c)),
        batch=all_lanes,
    )
    return function_p, frechet_p


# ---- exponential ----

_PADE = {13: (64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
              670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1),
         7: (17297280, 8648640, 1995840, 277200, 25200, 1512, 56, 1)}
_REACH = {13: 5.371920351148152, 7: 3.925724783138660}               # Higham (2005), tables 2.1 and 2.3


def _expm(a):
    """Scaling, a Padé approximant of degree 13 (7 in single precision), squaring: Higham (2005), "The scaling and
    squaring method for the matrix exponential revisited"."""
    if not a.aval.size:
        return a
    part = real_dtype(a.dtype)
    degree = 13 if part == np.float64 else 7
    b = [np.asarray(c, a.dtype) for c in _PADE[degree]]
    size = _norm1(a)
    wanted = log(maximum(size, np.asarray(_REACH[degree], part)) * np.asarray(1 / _REACH[degree], part))
    wanted = ceil(wanted * np.asarray(1 / math.log(2), part))
    bad = ~isfinite(size)
    s = cast(where(bad, np.zeros((), part), minimum(wanted, np.asarray(1000 if degree == 13 else 120, part))),
             np.dtype("int32"))
    a = _scaled(a, power_of_two(-s, part))
    eye = identity_like(a)
    a2 = mm(a, a)
    a4 = mm(a2, a2)
    a6 = mm(a4, a2)
    if degree == 13:
        odd = mm(a6, a6 * b[13] + a4 * b[11] + a2 * b[9]) + a6 * b[7] + a4 * b[5] + a2 * b[3] + eye * b[1]
        even = mm(a6, a6 * b[12] + a4 * b[10] + a2 * b[8]) + a6 * b[6] + a4 * b[4] + a2 * b[2] + eye * b[0]
    else:
        odd = a6 * b[7] + a4 * b[5] + a2 * b[3] + eye * b[1]
        even = a6 * b[6] + a4 * b[4] + a2 * b[2] + eye * b[0]
    odd = mm(a, odd)
    x = solve_matrices(even - odd, even + odd)

    def square(state):
        k, x = state
        return k + np.int32(1), where((k < s)[..., None, None], mm(x, x), x)
    most = reduce_max_p.bind(s, axes=tuple(range(s.ndim))) if s.ndim else s
    return while_loop(lambda state: state[0] < most, square, (asvalue(np.int32(0)), x))[1]


expm_p, expm_frechet_p = _analytic("expm", _each(lambda a: scipy_linalg.expm(a)), _expm)


def expm(A):
    """The matrix exponential Σ Aᵏ / k!.   A : inexact[*batch, n, n]

    >>> expm([[0.0, 1.0], [0.0, 0.0]]).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    return expm_p.bind(square_matrix(A, "expm", "A"))


def expm_frechet(A, E, compute_expm=True):
    """(exp(A), L): the exponential and its derivative at A along E; L alone without compute_expm."""
    A, E = promote_inexact(asvalue(A), asvalue(E))
    A, E = square_matrix(A, "expm_frechet", "A"), square_matrix(E, "expm_frechet", "E")
    if A.shape != E.shape:
        raise ShapeError(f"expm_frechet takes a direction of the shape of `A`, {A.shape}; `E` has shape {E.shape}.")
    along = expm_frechet_p.bind(A, E)
    return (expm_p.bind(A), along) if compute_expm else along


# ---- square root ----

def _sqrt_triangular(t):
    """Björck & Hammarling (1983): column j of R solves (R + r_jj) r_j = t_j above the diagonal."""
    d = sqrt(diagonal_of(t))

    def step(j, r):
        shift = reduce_sum(where(eq(iota(t.shape[-1]), j), d, np.zeros((), d.dtype)), (d.ndim - 1,))
        column = shifted_solve(r, shift[..., None], above(column_of(t, j), j))
        return r + where(eq(iota(t.shape[-1]), j), above(column, j), np.zeros((), t.dtype))
    return for_each_column(t.shape[-1], step, identity_like(t) * d[..., None, :])


def _sqrtm_impl(a):
    return _each(lambda a: scipy_linalg.sqrtm(a))(a)


sqrtm_p = Primitive(
    "sqrtm",                                             # of a complex matrix
    shape=lambda a: a,
    impl=_sqrtm_impl,
    lower=composed(lambda a: _adjoint_pair(_sqrt_triangular)(a) if a.aval.size else a),
    jvp=(lambda t, y, a: sylvester_p.bind(y, y, t),),
    batch=lambda b, mine, a: b.bind(a),
)


def sqrtm(A):
    """The principal square root, complex always.   A : inexact[*batch, n, n]

    Its derivative D along T solves X D + D X = T, and exists where X is not singular.
    """
    A = square_matrix(A, "sqrtm", "A")
    return sqrtm_p.bind(cast(A, complex_dtype(A.dtype)))


# ---- logarithm ----

def _log_triangular(t):
    """Inverse scaling and squaring: square roots until T is near 1, then the Padé approximant of degree 7 as a sum of
    partial fractions, times 2ᵏ. Higham (2008), Functions of Matrices, algorithm 11.9 and equation 11.18."""
    part = real_dtype(t.dtype)
    eye = identity_like(t)
    reach = np.asarray(0.25, part)

    def far(t):
        return gt(_norm1(t - eye), reach)

    def go(state):
        k, t, _ = state
        some = far(t)
        return (k < np.int32(100)) & (reduce_or_p.bind(some, axes=tuple(range(some.ndim))) if some.ndim else some)

    def root(state):
        k, t, count = state
        again = far(t)
        return (k + np.int32(1), where(again[..., None, None], _sqrt_triangular(t), t),
                count + cast(again, np.dtype("int32")))
    counts = full(t.shape[:-2], 0, "int32")
    d = diagonal_of(t)
    _, t, counts = while_loop(go, root, (asvalue(np.int32(0)), t, counts))
    x = t - eye
    nodes, weights = np.polynomial.legendre.leggauss(7)
    nodes, weights = (asvalue(v.reshape(-1, *(1,) * t.ndim) / 2).astype(t.dtype) for v in (nodes + 1, weights))
    terms = triangular_solve(eye + x * nodes, x * weights, lower=False)      # the seven fractions at once
    total = reduce_sum(terms, (0,))
    total = _scaled(total, power_of_two(counts, part))
    return where(eq(reshape(iota(t.shape[-1]), (-1, 1)), iota(t.shape[-1])), log(d)[..., None, :], total)


logm_p, logm_frechet_p = _analytic(
    "logm", _each(lambda a: scipy_linalg.logm(a)), lambda a: _adjoint_pair(_log_triangular)(a) if a.aval.size else a)


def logm(A):
    """The principal logarithm, complex always.   A : inexact[*batch, n, n] without eigenvalues on (-∞, 0]"""
    A = square_matrix(A, "logm", "A")
    return logm_p.bind(cast(A, complex_dtype(A.dtype)))


# ---- any function ----

def _parlett_impl(t, d):
    n = t.shape[-1]
    out = d[..., None, :] * np.eye(n, dtype=t.dtype)
    for j in range(1, n):
        for i in range(j - 1, -1, -1):
            inner = slice(i + 1, j)
            s = t[..., i, j] * (d[..., j] - d[..., i]) + np.sum(
                t[..., i, inner] * out[..., inner, j] - out[..., i, inner] * t[..., inner, j], -1)
            gap = t[..., j, j] - t[..., i, i]
            out[..., i, j] = np.where(gap == 0, s, s / np.where(gap == 0, 1, gap))
    return out


def _parlett(t, d):
    """Column j of F solves (T - t_jj) f = (F - f_jj) t_j above the diagonal."""
    n = t.shape[-1]
    values = diagonal_of(t)

    def step(j, f):
        at = eq(iota(n), j)

        def pick(v):
            return reduce_sum(where(at, v, np.zeros((), v.dtype)), (v.ndim - 1,))[..., None]
        column = above(column_of(t, j), j)
        right = above(mm(f, column) - column * pick(d)[..., None], j)
        solved = shifted_solve(t, -pick(values), right)
        return f + where(at, above(solved, j), np.zeros((), t.dtype))
    return for_each_column(n, step, identity_like(t) * d[..., None, :])


parlett_p = Primitive(
    "parlett",                                           # upper triangular t, f of its diagonal -> f(t)
    shape=lambda t, d: t,
    impl=_parlett_impl,
    lower=composed(_parlett),
    batch=all_lanes,
)


def funm(A, func, disp=True):
    """func of a matrix, for an analytic func of arrays of complex numbers; complex always.   A : inexact[*batch, n, n]

    By Parlett's recurrence on the Schur form (Golub & Van Loan, Matrix Computations, section 9.1.4), which loses
    accuracy as eigenvalues come near each other. There is no derivative; with disp=False also an error estimate, 0 for
    a diagonal result.
    """
    A = square_matrix(A, "funm", "A")
    t, z = schur_p.bind(cast(A, complex_dtype(A.dtype)))
    d = diagonal_of(t)
    f = parlett_p.bind(t, cast(asvalue(func(d)), t.dtype))
    out = mm(mm(z, f), mH(z))
    if disp:
        return out
    gaps = abs(d[..., :, None] - d[..., None, :]) + real(identity_like(t)) * np.asarray(np.inf, real_dtype(t.dtype))
    smallest = -reduce_max_p.bind(-where(gaps == gaps, gaps, np.inf), axes=(t.ndim - 2, t.ndim - 1))
    eps = np.asarray(np.finfo(t.dtype).eps, real_dtype(t.dtype))
    off = _norm1(t - identity_like(t) * d[..., None, :])
    return out, minimum(np.ones((), eps.dtype), maximum(eps, eps / nonzero(smallest) * off))
