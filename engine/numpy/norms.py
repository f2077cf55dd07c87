"""Norms of vectors and matrices, condition numbers and ranks.

The 2-norm (and every other order above 0) has derivative 0 at 0, where the true norm has none.
"""
import numpy as _np

from ..avals import canonical_axes
from ..errors import ShapeError
from ..ops.complexes import imag, real
from ..ops.elementwise import abs, bitwise_and, eq, gt, integer_pow, isnan, mul, ne, power, where
from ..ops.lu import inv
from ..ops.matrices import matrix, real_dtype, root_p, square_matrix
from ..ops.reduce import reduce_max_p, reduce_min_p, reduce_or_p
from ..ops.structural import asvalue, cast, promote_inexact, reduce_sum, reshape
from ..ops.svd import svd_p

__all__ = ["cond", "matrix_norm", "matrix_rank", "norm", "svdvals", "vector_norm"]


def svdvals(x, /):
    """The singular values, the largest first.   inexact[*batch, m, n] -> float[*batch, min(m, n)]

    >>> svdvals([[0.0, 3.0], [4.0, 0.0]]).tolist()
    [4.0, 3.0]
    """
    return svd_p.bind(matrix(x, "svdvals", "x"), full_matrices=False, vectors=False)[0]


def _modulus(x):
    """|x|, with derivative 0 at 0 for complex numbers too."""
    if x.dtype.kind != "c":
        return abs(x)
    zero = eq(x, _np.zeros((), x.dtype))
    return where(zero, _np.zeros((), real_dtype(x.dtype)), abs(where(zero, _np.ones((), x.dtype), x)))


def _root(total, f):
    """f(total), and 0 with derivative 0 where total is 0."""
    zero = eq(total, _np.zeros((), total.dtype))
    return where(zero, _np.zeros((), total.dtype), f(where(zero, _np.ones((), total.dtype), total)))


def _kept(x, out, axes, keepdims):
    return reshape(out, tuple([1 if i in axes else n for i, n in enumerate(x.shape)])) if keepdims else out


def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    """(Σ |x|^ord)^(1/ord) over the axes; the largest |x| for inf, the smallest for -inf, the number of non-zeros for
    0."""
    x = promote_inexact(asvalue(x))[0]
    axes = canonical_axes(axis, x.ndim)
    if ord == 2:
        squares = mul(x, x) if x.dtype.kind != "c" else mul(real(x), real(x)) + mul(imag(x), imag(x))
        out = root_p.bind(reduce_sum(squares, axes))
    elif ord in (_np.inf, -_np.inf):
        out = (reduce_max_p if ord > 0 else reduce_min_p).bind(_modulus(x), axes=axes)
    elif ord == 0:
        out = reduce_sum(cast(ne(x, _np.zeros((), x.dtype)), real_dtype(x.dtype)), axes)
    elif ord == 1:
        out = reduce_sum(_modulus(x), axes)
    elif isinstance(ord, str):
        raise ValueError(f"a vector norm has a number as its order; got ord={ord!r}.")
    else:
        size = _modulus(x)
        total = reduce_sum(integer_pow(size, ord) if isinstance(ord, int) else power(size, float(ord)), axes)
        out = _root(total, lambda s: power(s, 1.0 / ord)) if ord > 0 else power(total, 1.0 / ord)
    return _kept(x, out, axes, keepdims)


def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    """The norm of the matrices in the last two axes.   ord : 'fro', 'nuc', 1, -1, 2, -2, inf or -inf"""
    return norm(matrix(x, "matrix_norm", "x"), ord, (-2, -1), keepdims)


def norm(x, ord=None, axis=None, keepdims=False):
    """The norm of vectors (one axis) or matrices (a pair of axes); without `ord` the root of the sum of squares.

    Matrices: 'fro' (root of the sum of squares), 'nuc' (sum of the singular values), 2 and -2 (the largest and smallest
    of them), 1 and -1 (largest and smallest column sum of |x|), inf and -inf (the same of rows). Vectors: any number.
    """
    x = promote_inexact(asvalue(x))[0]
    if axis is None:
        if ord is None:
            return vector_norm(x, keepdims=keepdims)
        if x.ndim not in (1, 2):
            raise ShapeError(f"norm with ord={ord!r} takes a vector or a matrix; `x` has shape {x.shape}. Say which "
                             "axes: axis=-1 for vectors, axis=(-2, -1) for matrices.")
        axis = tuple(range(x.ndim))
    axes = canonical_axes(axis, x.ndim)
    if len(axes) == 1:
        return vector_norm(x, axis=axes, keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2:
        raise ShapeError(f"norm is over one axis (vectors) or two (matrices); got axis={axis!r}.")
    rows, cols = (a % x.ndim for a in axis)
    if ord in (None, "fro", "f"):
        return vector_norm(x, axis=axes, keepdims=keepdims)
    if ord in ("nuc", 2, -2):
        out = _singular_norm(x, ord, rows, cols)
        return _kept(x, out, axes, keepdims)
    if ord not in (1, -1, _np.inf, -_np.inf):
        raise ValueError(f"a matrix norm has ord 'fro', 'nuc', 1, -1, 2, -2, inf or -inf; got {ord!r}.")
    along, over = (rows, cols) if ord in (1, -1) else (cols, rows)
    sums = reduce_sum(_modulus(x), (along,))
    out = (reduce_max_p if ord > 0 else reduce_min_p).bind(sums, axes=(over - (over > along),))
    return _kept(x, out, axes, keepdims)


def _singular_norm(x, ord, rows, cols):
    rest = [i for i in range(x.ndim) if i not in (rows, cols)]
    s = svdvals(x.transpose((*rest, rows, cols)))
    if ord == "nuc":
        return reduce_sum(s, (s.ndim - 1,))
    if not s.shape[-1]:
        raise ShapeError(f"the norm of order {ord} of a matrix without elements, of shape {x.shape}, does not exist.")
    return s[..., 0 if ord == 2 else -1]


def cond(x, p=None):
    """The condition number |x| |x⁻¹| in the norm p; without p, or with 2, the ratio of the outer singular values.

    x : inexact[*batch, n, n] (any shape for p None, 2 or -2)   infinite for a singular matrix
    """
    x = matrix(x, "cond", "x")
    if p in (None, 2, -2):
        s = svdvals(x)
        if not s.shape[-1]:
            raise ShapeError(f"cond of a matrix without elements, of shape {x.shape}, does not exist.")
        out = s[..., -1] / s[..., 0] if p == -2 else s[..., 0] / s[..., -1]
    else:
        x = square_matrix(x, "cond", "x")
        out = norm(x, p, (-2, -1)) * norm(inv(x), p, (-2, -1))
    bad = reduce_or_p.bind(isnan(x), axes=(x.ndim - 2, x.ndim - 1))
    return where(bitwise_and(isnan(out), ~bad), _np.asarray(_np.inf, out.dtype), out)


def matrix_rank(A, tol=None, hermitian=False, *, rtol=None):
    """The number of singular values above tol, or above rtol times the largest.   [*batch, m, n] -> int64[*batch]

    rtol : max(m, n) eps if neither is given   hermitian : changes nothing but is accepted
    """
    A = promote_inexact(asvalue(A))[0]
    if tol is not None and rtol is not None:
        raise ValueError("matrix_rank takes `tol` or `rtol`, not both.")
    if A.ndim < 2:
        axes = tuple(range(A.ndim))
        return cast(reduce_or_p.bind(ne(A, _np.zeros((), A.dtype)), axes=axes), _np.dtype("int64"))
    s = svdvals(A)
    if tol is None:
        rtol = max(A.shape[-2:]) * _np.finfo(s.dtype).eps if rtol is None else rtol
        top = reduce_max_p.bind(s, axes=(s.ndim - 1,)) if s.shape[-1] else reduce_sum(s, (s.ndim - 1,))
        tol = top * cast(asvalue(rtol), s.dtype)
    tol = cast(asvalue(tol), s.dtype)
    return reduce_sum(cast(gt(s, tol[..., None]), _np.dtype("int64")), (s.ndim - 1,))
