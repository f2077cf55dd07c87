"""Polynomials as vectors of coefficients, the highest power first: values, products, quotients, roots, fits."""
import builtins

import numpy as _np

from ..array import Array
from ..avals import to_inexact_dtype
from ..errors import ShapeError
from ..indexing import getitem
from ..ops.elementwise import sqrt, where
from ..ops.shaping import concatenate
from ..ops.structural import asvalue, cast, full, promote, promote_inexact, reduce_sum, reshape
from . import linalg
from . import shapes as sh
from .creation import zeros_like
from .padding import pad
from .products import matmul, outer


def _vector(p, what="a polynomial"):
    p = sh.atleast_1d(asvalue(p))
    if p.ndim != 1:
        raise ShapeError(f"{what} is a vector of coefficients; got an array of shape {p.shape}.")
    return p


def _to_length(p, n):
    """p with zeros before it"""
    return p if p.shape[0] >= n else concatenate([full((n - p.shape[0],), 0, p.dtype), p], 0)


def _leading_zeros(p):
    """How many of the first coefficients are 0, where p is known."""
    known = p.concrete("which of the leading coefficients are zero")
    some = _np.flatnonzero(known)
    return int(some[0]) if some.size else known.size


def polyval(p, x):
    """p[0] x**(n-1) + … + p[n-1], by Horner's rule.   p : [n]; x : any shape"""
    p, x = promote(_vector(p), asvalue(x))
    y = zeros_like(x)
    for i in builtins.range(p.shape[0]):
        y = y * x + getitem(p, i)
    return y


def polyadd(a1, a2):
    """The sum of two polynomials."""
    a, b = promote(_vector(a1), _vector(a2))
    n = builtins.max(a.shape[0], b.shape[0])
    return _to_length(a, n) + _to_length(b, n)


def polysub(a1, a2):
    """The difference of two polynomials."""
    a, b = promote(_vector(a1), _vector(a2))
    n = builtins.max(a.shape[0], b.shape[0])
    return _to_length(a, n) - _to_length(b, n)


def polymul(a1, a2, *, trim_leading_zeros=True):
    """The product of two polynomials. Leading zeros stay where the coefficients are traced (or on demand)."""
    a, b = promote(_vector(a1), _vector(a2))
    if trim_leading_zeros:
        a, b = (_trimmed(v) for v in (a, b))
    n, m = a.shape[0], b.shape[0]
    if n == 0 or m == 0:
        return full((1,), 0, a.dtype)
    rows = outer(a, b)                                   # their antidiagonals: each row one place further to the right
    rows = pad(rows, ((0, 0), (0, n)))
    skewed = reshape(reshape(rows, (-1,))[:n * (n + m - 1)], (n, n + m - 1))
    return reduce_sum(skewed, (0,))


def _trimmed(p):
    """p without leading zeros, where it is known."""
    if type(p) is not Array:
        return p
    return p[builtins.min(_leading_zeros(p), p.shape[0] - 1):]


def polydiv(u, v, *, trim_leading_zeros=True):
    """(quotient, remainder) of two polynomials.   v : its first coefficient is not 0"""
    u, v = promote_inexact(_vector(u), _vector(v))
    n = u.shape[0] - v.shape[0] + 1
    if n < 1:
        return full((1,), 0, u.dtype), u
    quotient, rest = [], u
    for k in builtins.range(n):
        c = getitem(rest, k) / getitem(v, 0)
        quotient.append(reshape(c, (1,)))
        low = k + v.shape[0]
        rest = concatenate([rest[:k], rest[k:low] - c * v, rest[low:]], 0)
    rest = rest[n:] if v.shape[0] > 1 else full((1,), 0, u.dtype)
    if trim_leading_zeros and type(rest) is Array:
        small = ~_np.isclose(rest.value, 0, rtol=1e-14)
        first = int(_np.flatnonzero(small)[0]) if small.any() else rest.shape[0] - 1
        rest = rest[first:]
    return concatenate(quotient, 0), rest


def polyder(p, m=1):
    """The m-th derivative."""
    p = _vector(p)
    if m < 0:
        raise ShapeError(f"the order of a derivative is 0 or more; got {m}.")
    for _ in builtins.range(m):
        n = p.shape[0]
        p = p[:n - 1] * _np.arange(n - 1, 0, -1).astype(p.dtype)
    return p


def polyint(p, m=1, k=None):
    """The m-th antiderivative, with the constants k (0 unless given)."""
    p = _vector(p)
    p = cast(p, to_inexact_dtype(p.dtype))
    if m < 0:
        raise ShapeError(f"the order of an integral is 0 or more; got {m}.")
    k = full((m,), 0, p.dtype) if k is None else sh.atleast_1d(asvalue(k))
    k = sh.broadcast_to(k, (m,)) if k.shape[0] == 1 and m > 1 else k
    if k.shape[0] < m:
        raise ShapeError(f"polyint of order {m} needs {m} constants; got {k.shape[0]}.")
    for i in builtins.range(m):
        n = p.shape[0]
        p = concatenate([p / _np.arange(n, 0, -1).astype(p.dtype), reshape(cast(getitem(k, i), p.dtype), (1,))], 0)
    return p


def roots(p, *, strip_zeros=True):
    """The roots, as eigenvalues of the companion matrix: complex numbers, also where all of them are real.

    strip_zeros : leading and trailing zeros are taken away first, so the coefficients must be known; without it p[0]
    must not be 0
    """
    p = _vector(p)
    p = cast(p, to_inexact_dtype(p.dtype))
    complex_dtype, at_zero = _np.result_type(p.dtype, _np.complex64), 0
    if strip_zeros:
        some = _np.flatnonzero(p.concrete("which coefficients are zero (strip_zeros=False keeps them)"))
        if some.size == 0:
            return full((0,), 0, complex_dtype)
        at_zero = p.shape[0] - 1 - int(some[-1])
        p = p[int(some[0]):int(some[-1]) + 1]
    n = p.shape[0] - 1
    if n < 1:
        return full((at_zero,), 0, complex_dtype)
    first = reshape(-p[1:] / p[0], (1, n))
    companion = concatenate([first, asvalue(_np.eye(n - 1, n, dtype=p.dtype))], 0)
    out = cast(linalg.eigvals(companion), complex_dtype)
    return out if at_zero == 0 else concatenate([out, full((at_zero,), 0, complex_dtype)], 0)


def poly(seq_of_zeros):
    """The polynomial with these roots, or the characteristic polynomial of a square matrix."""
    x = sh.atleast_1d(asvalue(seq_of_zeros))
    x = cast(x, to_inexact_dtype(x.dtype))
    if x.ndim == 2 and x.shape[0] == x.shape[1] and x.shape[0] > 0:
        x = linalg.eigvals(x)
    elif x.ndim != 1:
        raise ShapeError(f"poly takes a vector of roots or a square matrix; got an array of shape {x.shape}.")
    a = full((1,), 1, x.dtype)
    zero = full((1,), 0, x.dtype)
    for i in builtins.range(x.shape[0]):
        a = concatenate([a, zero], 0) - getitem(x, i) * concatenate([zero, a], 0)
    if a.dtype.kind == "c" and type(x) is Array:
        known = _np.sort(x.value)
        if _np.all(known == _np.sort(known.conjugate())):
            return a.real
    return a


def _powers(x, n):
    """x**(n-1), …, x, 1 in columns"""
    columns, power = [], full(x.shape, 1, x.dtype)
    for _ in builtins.range(n):
        columns.insert(0, reshape(power, (-1, 1)))
        power = power * x
    return concatenate(columns, 1)


def polyfit(x, y, deg, rcond=None, full=False, w=None, cov=False):
    """The coefficients of the polynomial of degree `deg` nearest to points, in least squares.

    x : [n]; y : [n] or [n, k]; w : [n], by which the residuals are multiplied
    With `full` also (squared residuals, rank, singular values, rcond); with `cov` also the covariance, times the
    variance of the residuals unless cov="unscaled".
    """
    x, y = promote_inexact(_vector(x, "x"), asvalue(y))
    if y.ndim not in (1, 2) or y.shape[0] != x.shape[0]:
        raise ShapeError(f"polyfit takes y[n] or y[n, k] for x[n]; got shapes {y.shape} and {x.shape}.")
    if deg < 0:
        raise ShapeError(f"the degree of a polynomial is 0 or more; got {deg}.")
    n = deg + 1
    rcond = x.shape[0] * float(_np.finfo(x.dtype).eps) if rcond is None else rcond
    a, b = _powers(x, n), y if y.ndim == 2 else reshape(y, (-1, 1))
    if w is not None:
        w = cast(_vector(w, "w"), x.dtype)
        if w.shape != x.shape:
            raise ShapeError(f"polyfit has weights of shape {w.shape} for {x.shape[0]} points.")
        a, b = a * w[:, None], b * w[:, None]
    scale = sqrt(reduce_sum(a * a, (0,)))
    u, s, vt = linalg.svd(a / scale, full_matrices=False)
    kept = s > rcond * s[0]
    inverse = where(kept, 1 / where(kept, s, 1.0), 0.0)
    c = matmul(vt.T, inverse[:, None] * matmul(u.T, b)) / scale[:, None]
    out = c[:, 0] if y.ndim == 1 else c
    if full:
        off = matmul(a, c) - b
        residuals = reduce_sum(off * off, (0,))
        return out, residuals, reduce_sum(cast(kept, _np.dtype("int32")), (0,)), s, asvalue(rcond)
    if not cov:
        return out
    v = vt.T / scale[:, None]
    base = matmul(v * (inverse * inverse)[None, :], v.T)
    if cov == "unscaled":
        factor = 1.0
    else:
        if x.shape[0] <= n:
            raise ShapeError(f"polyfit of degree {deg} needs more than {n} points for a covariance; got {x.shape[0]}.")
        off = matmul(a, c) - b
        factor = reduce_sum(off * off, (0,)) / (x.shape[0] - n)
        if y.ndim == 1:
            factor = factor[0]
    return (out, base * factor) if y.ndim == 1 or cov == "unscaled" else (out, base[:, :, None] * factor)
