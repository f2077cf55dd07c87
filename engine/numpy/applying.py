"""Functions of users applied along axes, and made to broadcast: apply_along_axis, apply_over_axes, vectorize."""
import functools
import math
import re

from ..api import vmap
from ..avals import as_dtype, broadcast_shapes, canonical_axis
from ..errors import ShapeError
from ..ops import structural as st
from ..ops.structural import asvalue, cast
from .shapes import expand_dims, moveaxis, several


def apply_along_axis(func1d, axis, arr, *args, **kwargs):
    """func1d(vector, *args, **kwargs) of every vector of `arr` along an axis, by `vmap`.

    The axes of its result stand in place of the axis. The function sees traced values, so it cannot ask for numbers.
    """
    x = asvalue(arr)
    if not x.ndim:
        raise ShapeError("apply_along_axis takes an array with axes; got a number.")
    axis = canonical_axis(axis, x.ndim)
    moved = moveaxis(x, axis, -1)
    lead = moved.shape[:-1]
    if 0 in lead:
        raise ShapeError(f"apply_along_axis: there is no vector along axis {axis} of shape {x.shape}.")
    rows = st.reshape(moved, (math.prod(lead), x.shape[axis]))
    out = vmap(lambda row: asvalue(func1d(row, *args, **kwargs)))(rows)
    new = out.ndim - 1
    out = st.reshape(out, (*lead, *out.shape[1:]))
    return moveaxis(out, tuple(range(len(lead), len(lead) + new)), tuple(range(axis, axis + new)))


def apply_over_axes(func, a, axes):
    """func(x, axis) over one axis after another; an axis that it takes away is put back with length one."""
    x = asvalue(a)
    n = x.ndim
    for axis in (axes if several(axes) else (axes,)):
        axis = canonical_axis(axis, n)
        y = asvalue(func(x, axis))
        y = expand_dims(y, axis) if y.ndim == n - 1 else y
        if y.ndim != n:
            raise ShapeError(f"apply_over_axes: the function made shape {y.shape} of {x.shape}; it may take away one "
                             "axis, or none.")
        x = y
    return x


# ---- vectorize ----

_NAME = r"[^\W\d]\w*"
_CORE = rf"\((?:{_NAME}|\d+)?(?:,(?:{_NAME}|\d+))*\)"
_SIGNATURE = re.compile(rf"{_CORE}(?:,{_CORE})*->{_CORE}(?:,{_CORE})*")


def _parsed(signature):
    """([axes of each argument], [axes of each result])."""
    text = re.sub(r"\s", "", signature)
    if not _SIGNATURE.fullmatch(text):
        raise ShapeError(f"vectorize: {signature!r} is not a signature such as '(n),(n,m)->(m)'.")
    return [[tuple(filter(None, core.split(","))) for core in re.findall(r"\(([^()]*)\)", side)]
            for side in text.split("->")]


class vectorize:
    """A function made to broadcast over its arguments: over their elements, or, with a signature such as
    "(n),(n)->()", over all axes before those that it names. It is `vmap` underneath: the function is called once, with
    traced values.

    otypes : dtypes of the results, as a list or as a string of type codes
    excluded : positions and names of arguments to hand on as they are

    >>> vectorize(lambda a, b: a + b)([1, 2, 3], 4)
    Array([5, 6, 7])
    """

    def __init__(self, pyfunc=None, otypes=None, doc=None, excluded=None, cache=False, signature=None):
        self.options = dict(otypes=otypes, doc=doc, excluded=excluded, cache=cache, signature=signature)
        self.pyfunc, self.excluded = pyfunc, frozenset(excluded or ())
        self.otypes = None if otypes is None else [as_dtype(t) for t in otypes]
        self.signature = None if signature is None else _parsed(signature)
        if pyfunc is not None:
            functools.update_wrapper(self, pyfunc)
            self.__doc__ = doc or pyfunc.__doc__

    def __call__(self, *args, **kwargs):
        if self.pyfunc is None:                          # a decorator with options
            return vectorize(*args, **self.options)
        mapped = [i for i in range(len(args)) if i not in self.excluded]
        names = [k for k in kwargs if k not in self.excluded]
        if not mapped and not names:
            raise ShapeError("vectorize: there is no argument to run over; all are excluded.")
        values = [asvalue(args[i]) for i in mapped] + [asvalue(kwargs[k]) for k in names]
        cores, sizes = self._cores(values), {}
        for x, core in zip(values, cores):
            self._match(x, core, sizes)
        loops = [x.shape[:x.ndim - len(core)] for x, core in zip(values, cores)]
        loop = broadcast_shapes(*loops)

        def call(*xs):
            full, named = list(args), dict(kwargs)
            for i, x in zip(mapped, xs):
                full[i] = x
            named.update(zip(names, xs[len(mapped):]))
            return self._results(self.pyfunc(*full, **named), sizes)
        if not loop:
            return self._unpacked(call(*values))
        count = math.prod(loop)
        flat = [st.reshape(st.broadcast_to(x, (*loop, *x.shape[len(s):])), (count, *x.shape[len(s):])) if s else x
                for x, s in zip(values, loops)]
        out = vmap(call, tuple([0 if s else None for s in loops]))(*flat)
        return self._unpacked([st.reshape(y, (*loop, *y.shape[1:])) for y in out])

    def _cores(self, values):
        if self.signature is None:
            return [()] * len(values)
        if len(self.signature[0]) != len(values):
            raise ShapeError(f"vectorize: the signature {self.options['signature']!r} has {len(self.signature[0])} "
                             f"arguments; got {len(values)}.")
        return self.signature[0]

    def _match(self, x, core, sizes):
        """Note the sizes that names in the signature stand for."""
        if x.ndim < len(core):
            raise ShapeError(f"vectorize: an argument of shape {x.shape} has fewer axes than {core} of the signature "
                             f"{self.options['signature']!r}.")
        for name, n in zip(core, x.shape[x.ndim - len(core):]):
            want = int(name) if name.isdigit() else sizes.setdefault(name, n)
            if n != want:
                raise ShapeError(f"vectorize: axis {name!r} of the signature {self.options['signature']!r} has size "
                                 f"{want} and {n}.")

    def _results(self, out, sizes):
        self.several = isinstance(out, tuple)
        outs = [asvalue(y) for y in (out if self.several else (out,))]
        cores = [()] * len(outs) if self.signature is None else self.signature[1]
        if len(cores) != len(outs) or (self.otypes is not None and len(self.otypes) != len(outs)):
            raise ShapeError(f"vectorize: the function gave {len(outs)} results; the signature or otypes say "
                             f"{len(cores) if self.signature else len(self.otypes)}.")
        for y, core in zip(outs, cores):
            if y.ndim != len(core):
                raise ShapeError(f"vectorize: the function gave a result of shape {y.shape} where "
                                 f"{'a number' if not core else core} is expected; see `signature`.")
            self._match(y, core, sizes)
        return [cast(y, d) for y, d in zip(outs, self.otypes)] if self.otypes else outs

    def _unpacked(self, outs):
        return tuple(outs) if self.several else outs[0]
