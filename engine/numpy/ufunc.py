"""What NumPy's universal functions have besides their call: `add.reduce`, `accumulate`, `reduceat`, `outer`, `at`.

A function of this library is a plain function, so that a call costs no more; its methods are attributes of it.
`frompyfunc` makes a universal function of a function of scalars that is traced, not called for each element.
"""
import builtins
import math

import numpy as _np

from ..api import vmap
from ..avals import broadcast_shapes, canonical_axes, canonical_axis
from ..errors import DtypeError, ShapeError
from ..indexing import At, getitem
from ..ops import arithmetic as ar
from ..ops import elementwise as ew
from ..ops import reduce as rd
from ..ops.shaping import concatenate, slice_axis
from ..ops.structural import asvalue, broadcast_to, cast, full, reshape
from . import elementary as el
from . import reductions as red
from .cumulative import cumprod, cumsum
from .direct import no_out


def _fold(f, x, axis):
    """f over one axis, in halves: f must be associative."""
    n = x.shape[axis]
    while n > 1:
        half = n // 2
        y = f(slice_axis(x, 0, 2 * half, axis, 2), slice_axis(x, 1, 2 * half, axis, 2))
        x = y if n % 2 == 0 else concatenate([y, cast(slice_axis(x, n - 1, n, axis), y.dtype)], axis)
        n = x.shape[axis]
    return x


def _one_by_one(f, x, axis):
    """f over one axis from the left."""
    y = slice_axis(x, 0, 1, axis)
    for i in builtins.range(1, x.shape[axis]):
        y = f(y, slice_axis(x, i, i + 1, axis))
    return y


def _reduce(f, identity, associative, quick):
    def reduce(array, axis=0, dtype=None, out=None, keepdims=False, initial=None, where=None):
        """The function over axes, from the left."""
        no_out(out)
        x = asvalue(array)
        if quick is not None:
            options = {} if dtype is None else {"dtype": dtype}
            if where is not None or initial is not None:
                options.update(where=where, initial=initial)
            return quick(x, axis, keepdims=keepdims, **options)
        x = x if dtype is None else cast(x, _np.dtype(dtype))
        if where is not None and where is not True:
            if initial is None and identity is None:
                raise ShapeError(f"{f.__name__}.reduce with where= needs initial=: the function has no identity.")
            x = red.masked(x, where, identity if initial is None else initial)
        axes = canonical_axes(axis, x.ndim)
        y = x
        for a in axes:
            if y.shape[a] == 0:
                if identity is None:
                    raise ShapeError(f"{f.__name__} over an empty axis of shape {x.shape} has no value.")
                y = full([1 if i == a else n for i, n in enumerate(y.shape)], identity, y.dtype)
            y = (_fold if associative else _one_by_one)(f, y, a)
        y = y if keepdims else reshape(y, [n for i, n in enumerate(y.shape) if i not in axes])
        return y if initial is None else f(cast(asvalue(initial), y.dtype), y)
    return reduce


def _accumulate(f, associative, quick):
    def accumulate(array, axis=0, dtype=None, out=None):
        """The results of the function so far, along an axis."""
        no_out(out)
        x = asvalue(array)
        axis = canonical_axis(axis, x.ndim)
        if quick is not None:
            return quick(x, axis, dtype)
        x = x if dtype is None else cast(x, _np.dtype(dtype))
        if not associative:
            parts = [slice_axis(x, 0, builtins.min(1, x.shape[axis]), axis)]
            for i in builtins.range(1, x.shape[axis]):
                parts.append(f(parts[-1], slice_axis(x, i, i + 1, axis)))
            return concatenate([cast(p, parts[-1].dtype) for p in parts], axis)
        n, step = x.shape[axis], 1
        while step < n:                                  # by doubling: each element takes in the one `step` before
            head = slice_axis(x, 0, step, axis)
            y = f(slice_axis(x, 0, n - step, axis), slice_axis(x, step, n, axis))
            x = concatenate([cast(head, y.dtype), y], axis)
            step *= 2
        return x
    return accumulate


def _reduceat(f):
    def reduceat(array, indices, axis=0, dtype=None, out=None):
        """The function over the elements from each index up to the next one; the indices must be known."""
        no_out(out)
        x = asvalue(array)
        axis = canonical_axis(axis, x.ndim)
        places = [int(i) for i in asvalue(indices).concrete("the places of reduceat")]
        ends = [*places[1:], x.shape[axis]]
        parts = [f.reduce(slice_axis(x, i, j if i < j else i + 1, axis), axis, dtype, keepdims=True)
                 for i, j in zip(places, ends)]
        return concatenate(parts, axis)
    return reduceat


def _outer(f):
    def outer(a, b):
        """The function of all pairs: the axes of a, then those of b."""
        a, b = asvalue(a), asvalue(b)
        return f(reshape(a, (*a.shape, *(1,) * b.ndim)), b)
    return outer


def _at(f, update):
    def at(a, indices, b=None, *, inplace=False):
        """A copy of a with the function applied at the indices, once for each time that one occurs."""
        if inplace:
            no_out(a)
        a = asvalue(a)
        if update is not None:
            return getattr(At(a)[indices], update)(b)
        places = asvalue(indices)
        others = [] if b is None else [broadcast_to(asvalue(b), (*places.shape, *a.shape[1:]))]
        others = [reshape(v, (places.size, *a.shape[1:])) for v in others]
        places = reshape(places, (-1,))
        for k in builtins.range(places.size):
            i = getitem(places, k)
            a = At(a)[i].set(cast(f(getitem(a, i), *[getitem(v, k) for v in others]), a.dtype))
        return a
    return at


def methods(f, nin=2, identity=None, associative=True, reduce=None, accumulate=None, update=None):
    """Give a function the methods of a universal function."""
    f.nin, f.nout, f.nargs, f.identity = nin, 1, nin + 1, identity
    f.at = _at(f, update)
    if nin == 2:
        f.reduce = _reduce(f, identity, associative, reduce)
        f.accumulate = _accumulate(f, associative, accumulate)
        f.reduceat, f.outer = _reduceat(f), _outer(f)
    return f


def _running(prim):
    return lambda x, axis, dtype: prim.bind(x if dtype is None else cast(x, _np.dtype(dtype)), axis=axis)


methods(ew.add, identity=0, reduce=red.sum, accumulate=cumsum, update="add")
methods(ew.mul, identity=1, reduce=red.prod, accumulate=cumprod, update="multiply")
methods(ew.maximum, reduce=red.max, accumulate=_running(rd.cummax_p), update="max")
methods(ew.minimum, reduce=red.min, accumulate=_running(rd.cummin_p), update="min")
methods(el.logical_and, identity=True, reduce=red.all)
methods(el.logical_or, identity=False, reduce=red.any)
methods(el.logical_xor, identity=False)
methods(ew.bitwise_and, identity=-1)
methods(ew.bitwise_or, identity=0)
methods(ew.bitwise_xor, identity=0)
methods(ar.logaddexp, identity=-math.inf, accumulate=_running(rd.cumlogsumexp_p))
methods(ar.logaddexp2, identity=-math.inf)
methods(ar.hypot, identity=0)
methods(ar.gcd, identity=0)
for _f in (el.lcm, ar.fmax, ar.fmin):
    methods(_f)
for _f, _update in ((ew.sub, "subtract"), (ew.div, "divide"), (ew.power, "power")):
    methods(_f, associative=False, update=_update)
for _f in (ew.fmod, ew.arctan2, ew.nextafter, ew.left_shift, ew.right_shift, ew.eq, ew.ne, ew.lt,
           ew.le, ew.gt, ew.ge, ar.floor_divide, ar.remainder, ar.copysign, ar.ldexp, el.float_power, el.heaviside):
    methods(_f, associative=False)
for _f in (ew.abs, ew.neg, ew.sign, ew.exp, ew.expm1, ew.log, ew.log1p, ew.sqrt, ew.square, ew.reciprocal, ew.cbrt,
           ew.sin, ew.cos, ew.tan, ew.arcsin, ew.arccos, ew.arctan, ew.sinh, ew.cosh, ew.tanh, ew.arcsinh, ew.arccosh,
           ew.arctanh, ew.floor, ew.ceil, ew.trunc, ew.rint, ew.invert, ew.isfinite, ew.isnan, ar.exp2, ar.log2,
           ar.log10, ar.signbit, el.positive, el.fabs, el.isinf, el.logical_not, el.degrees, el.radians, el.deg2rad,
           el.rad2deg, el.spacing, el.bitwise_count):
    methods(_f, nin=1)


class ufunc:
    """A universal function made by `frompyfunc`: called with arrays that broadcast, with the methods of NumPy's."""

    def __init__(self, func, nin, nout, identity=None):
        self.__name__, self._func = getattr(func, "__name__", "function"), func
        methods(self, nin, identity, associative=False)
        self.nout, self.nargs = nout, nin + nout

    def __call__(self, *args):
        """The function of the elements of the arguments, which is traced once."""
        if len(args) != self.nin:
            raise DtypeError(f"{self.__name__} takes {self.nin} arrays; it got {len(args)}.")
        values = [asvalue(a) for a in args]
        shape = broadcast_shapes(*[v.shape for v in values])
        flat = [reshape(broadcast_to(v, shape), (-1,)) for v in values]
        out = vmap(self._func)(*flat)
        if self.nout == 1:
            return reshape(asvalue(out), shape)
        return tuple([reshape(asvalue(o), shape) for o in out])

    def __repr__(self):
        return f"<ufunc {self.__name__!r}>"


def frompyfunc(func, /, nin, nout, *, identity=None):
    """A universal function of a function of `nin` scalars that gives `nout` of them.

    >>> print(frompyfunc(lambda x, y: x * y + 1, 2, 1).outer([1, 2], [10, 20]))
    [[11 21]
     [21 41]]
    """
    return ufunc(func, nin, nout, identity)
