"""Means, variances, averages, covariances and correlations."""
import numpy as _np

from ..avals import canonical_axes, default_float, promote_types, roomy, to_inexact_dtype
from ..errors import DtypeError, ShapeError
from ..ops.complexes import conj, imag, make_complex, real
from ..ops.elementwise import lt, sqrt
from ..ops.elementwise import where as _where
from ..ops.structural import asvalue, broadcast_to, cast, promote_inexact, reduce_sum, reshape, transpose
from . import shapes as sh
from .diagonals import diagonal
from .direct import at_once, known, no_out
from .elementary import clip
from .joining import concatenate
from .products import matmul
from .reductions import count, kept, masked


def _floating(a, dtype):
    """(a in a dtype to compute in, the dtype of the result): halves are computed in float32."""
    d = _np.dtype(dtype) if dtype is not None else to_inexact_dtype(a.dtype)
    return cast(a, roomy(d)), d


def _plain(a, *others):
    """The NumPy array behind a, where NumPy's function does the same with it and has nothing to warn of."""
    v = known(a)
    return v if v is not None and v.size and v.dtype.kind in "fc" and not any(o is not None for o in others) else None


def mean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=None):
    """The mean over axes, of the elements where `where` holds."""
    no_out(out)
    if (v := _plain(a, dtype, where)) is not None:
        found = at_once(_np.mean, v, axis, None, None, keepdims)
        if found is not None:
            return found
    a = asvalue(a)
    axes = canonical_axes(axis, a.ndim)
    x, d = _floating(a, dtype)
    return cast(kept(a, axes, keepdims, _mean(x, axes, where)), d)


def _mean(x, axes, where):
    return reduce_sum(masked(x, where, 0), axes) / cast(count(x, axes, where), x.dtype)


def var(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None, mean=None, correction=None):
    """Σ |x - mean|² / (n - ddof) over axes; `correction` is the array API's name of ddof.

    mean : the mean, with the reduced axes kept as ones, where it is known
    """
    no_out(out)
    if correction is not None:
        if ddof != 0:
            raise DtypeError("ddof and correction are two names of one number: pass one of them.")
        ddof = correction
    a = asvalue(a)
    axes = canonical_axes(axis, a.ndim)
    if (v := _plain(a, dtype, where, mean)) is not None and count(a, axes, None) > ddof:
        found = at_once(_np.var, v, axes, None, None, ddof, keepdims)
        if found is not None:
            return found
    x, d = _floating(a, dtype)
    center = kept(x, axes, True, _mean(x, axes, where)) if mean is None else cast(asvalue(mean), x.dtype)
    off = x - center
    square = real(off * conj(off)) if x.dtype.kind == "c" else off * off
    n = cast(count(x, axes, where), square.dtype) - ddof
    n = _where(lt(n, 0), _np.zeros((), n.dtype), n)
    y = kept(x, axes, keepdims, reduce_sum(masked(square, where, 0), axes) / n)
    return cast(y, _np.dtype(f"f{d.itemsize // 2}") if d.kind == "c" else d)


def std(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None, mean=None, correction=None):
    """The square root of the variance."""
    return sqrt(var(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction))


def weights_like(a, axis, axes, weights):
    """Weights of the shape of a, or of its reduced axes, with the rank of a."""
    w = asvalue(weights)
    if w.shape == a.shape:
        return w
    if axis is None:
        raise ShapeError(f"weights have shape {w.shape} and the array {a.shape}: name the axes that the weights are "
                         "for with axis=, or give them the shape of the array.")
    order = [x % a.ndim for x in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    if w.shape != tuple([a.shape[i] for i in order]):
        raise ShapeError(f"weights have shape {w.shape}; over axis {axis} of an array of shape {a.shape} they need "
                         f"{tuple([a.shape[i] for i in order])}.")
    w = transpose(w, [order.index(i) for i in axes])
    return reshape(w, [n if i in axes else 1 for i, n in enumerate(a.shape)])


def average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    """Σ w x / Σ w over axes; with `returned` also Σ w."""
    a = asvalue(a)
    axes = canonical_axes(axis, a.ndim)
    if weights is None:
        y = mean(a, axis, keepdims=keepdims)
        total = cast(asvalue(count(a, axes, None)), y.dtype)
    else:
        x, w = promote_inexact(a, weights_like(a, axis, axes, weights))
        total = kept(x, axes, keepdims, reduce_sum(broadcast_to(w, x.shape), axes))
        y = kept(x, axes, keepdims, reduce_sum(x * w, axes)) / total
    return (y, broadcast_to(total, y.shape)) if returned else y


def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None):
    """The covariance matrix of variables in rows (in columns unless `rowvar`).

    m, y : [variables, observations] or [observations]
    fweights : int[observations], how often each was seen; aweights : its importance
    """
    m = asvalue(m)
    x = sh.atleast_2d(m) if rowvar or m.ndim < 2 else sh.transpose(m)
    if m.ndim > 2:
        raise ShapeError(f"cov takes a vector or a matrix of observations; got an array of shape {m.shape}.")
    if y is not None:
        y = sh.atleast_2d(asvalue(y))
        x = concatenate([x, y if rowvar or y.shape[0] == 1 else sh.transpose(y)], 0)
    d = promote_types(to_inexact_dtype(x.dtype), default_float()) if dtype is None else _np.dtype(dtype)
    x = cast(x, d)
    ddof = (0 if bias else 1) if ddof is None else ddof
    w = None
    for each in (fweights, aweights):
        if each is not None:
            each = asvalue(each)
            if each.shape != (x.shape[1],):
                raise ShapeError(f"weights of {x.shape[1]} observations have shape {each.shape}.")
            w = cast(each, d) if w is None else w * cast(each, d)
    if w is None:
        off, n = x - _mean_of_rows(x), x.shape[1] - ddof
        right = off
    else:
        total = reduce_sum(w, (0,))
        off = x - reshape(reduce_sum(x * w, (1,)) / total, (-1, 1))
        right = off * w
        n = total - ddof if aweights is None else total if ddof == 0 else (
            total - ddof * reduce_sum(w * cast(asvalue(aweights), d), (0,)) / total)
    n = _where(lt(n, 0), _np.zeros((), _np.dtype("float64")), n) if w is not None else _np.float64(max(n, 0))
    c = matmul(off, conj(sh.transpose(right))) / cast(real(asvalue(n)), _real_dtype(d))
    return sh.squeeze(c)


def _mean_of_rows(x):
    return reshape(reduce_sum(x, (1,)) / x.shape[1], (-1, 1))


def _real_dtype(d):
    return _np.dtype(f"f{d.itemsize // 2}") if d.kind == "c" else d


def corrcoef(x, y=None, rowvar=True, *, dtype=None):
    """The correlation matrix of variables in rows, limited to [-1, 1]."""
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    d = sqrt(real(diagonal(c)))
    c = c / d[:, None] / d[None, :]
    if c.dtype.kind == "c":
        return make_complex(clip(real(c), -1, 1), clip(imag(c), -1, 1))
    return clip(c, -1, 1)
