"""NumPy indexing: x[...] and x.at[...], in terms of slices, gather and scatter.

Indices out of range: where the index is known, a read or a write raises IndexError as NumPy does. Where it is traced,
a read is clipped to the nearest element and a write is dropped.
"""
import operator

import numpy as np

from .array import Array, Value
from .avals import broadcast_shapes, is_inexact
from .core import Tracer
from .errors import ConcretizationError, DtypeError, IndexOutOfRange, ShapeError
from .ops.dynamic import dynamic_update_slice
from .ops.elementwise import add, lt, maximum, minimum, mul, where
from .ops.index import gather_nd, scatter_nd
from .ops.shaping import pad, reverse, static_slice
from .ops.structural import asvalue, broadcast_to, cast, full, reshape, transpose

_INT = np.dtype("int64")
PICKED = -1                                              # stands in `Plan.axes` for the axes that index arrays give
COMBINE = {"set": lambda old, new: new, "add": add, "mul": mul, "min": minimum, "max": maximum}


# ---- what an index means ----

class Plan:
    """An index sorted out, for reading and for writing.

    shape : the array's shape, with an axis of size one wherever None or a scalar boolean stands
    starts, limits, strides : a slice of every axis, forwards; `flips` are the axes to turn round afterwards
    arrays : the axes that index arrays pick from, {axis: index array}
    axes : the axes of the result: those kept, with PICKED once where the picked ones stand
    """
    __slots__ = ("shape", "starts", "limits", "strides", "flips", "arrays", "axes")

    def __init__(self, index, shape):
        entries, self.shape = _entries(index, shape)
        self.starts, self.limits, self.strides = [0] * len(entries), list(self.shape), [1] * len(entries)
        self.flips, self.arrays, self.axes = [], {}, []
        integers = {}
        for axis, (e, n) in enumerate(zip(entries, self.shape)):
            if isinstance(e, slice):
                self.cut(axis, *_bounds(e, n))
                self.axes.append(axis)
            elif isinstance(e, int):
                if not -n <= e < n:
                    raise IndexOutOfRange(f"index {e} is out of range for axis {axis} with size {n}.")
                integers[axis] = e % n
            else:
                self.arrays[axis] = _turned_round(e, n, axis)
        if self.arrays:                                  # an integer beside arrays is an array too, as in NumPy
            self.arrays = dict(sorted((self.arrays | integers).items()))
            first, last = min(self.arrays), max(self.arrays)
            together = last - first + 1 == len(self.arrays)
            self.axes.insert(first if together else 0, PICKED)
        else:
            for axis, i in integers.items():
                self.cut(axis, i, i + 1, 1)

    def cut(self, axis, start, stop, step):
        """Slice one axis; a negative step is a positive one, turned round."""
        count = len(range(start, stop, step))
        if step < 0:
            start, step = start + (count - 1) * step, -step
            self.flips.append(axis)
        self.starts[axis], self.strides[axis] = (start, step) if count else (0, 1)
        self.limits[axis] = start + (count - 1) * step + 1 if count else 0

    def block(self, x):
        """The part of x that the slices name."""
        return reverse(static_slice(reshape(x, self.shape), self.starts, self.limits, self.strides), self.flips)

    def write_block(self, x, block):
        """x with that part replaced."""
        block, whole = reverse(block, self.flips), reshape(x, self.shape)
        if block.shape == whole.shape:
            out = block
        elif all(k == 1 for k in self.strides):
            out = dynamic_update_slice(whole, block, self.starts) if block.size else whole
        else:                                            # with gaps: spread the block out, and choose
            gaps = [k - 1 for k in self.strides]
            widths = [(s, n - z) for s, z, n in zip(self.starts, self.limits, self.shape)]
            out = where(pad(full(block.shape, True, bool), widths, False, gaps), pad(block, widths, 0, gaps), whole)
        return reshape(out, x.shape)

    @property
    def picked(self):
        """The shape that the index arrays broadcast to."""
        return broadcast_shapes(*[np.shape(a) for a in self.arrays.values()])

    def result_shape(self):
        """The shape of x[index]."""
        sizes = [len(range(s, z, k)) for s, z, k in zip(self.starts, self.limits, self.strides)]
        return tuple([n for a in self.axes for n in (self.picked if a == PICKED else (sizes[a],))])

    def orders(self):
        """(axes of the block with the indexed ones first, axes of the gathered block as they stand in the result)."""
        kept, n, at = [a for a in self.axes if a != PICKED], len(self.picked), self.axes.index(PICKED)
        return (*self.arrays, *kept), (*range(n, n + at), *range(n), *range(n + at, n + len(kept)))


def _entries(index, shape):
    """([a slice, an int or an index array for each axis], the shape with the new axes in it)."""
    items = [_item(i) for i in (index if isinstance(index, tuple) else (index,))]
    dots = [k for k, i in enumerate(items) if i is Ellipsis]
    used = sum([i.ndim if _is_mask(i) else 1 for i in items if i is not None and i is not Ellipsis])
    if used > len(shape):
        raise IndexOutOfRange(f"too many indices: {used} for an array with shape {shape}.")
    if len(dots) > 1:
        raise IndexOutOfRange("an index can have one `...` only; two leave open which axes are meant.")
    at = dots[0] if dots else len(items)
    items[at:at + 1] = [slice(None)] * (len(shape) - used)
    entries, sizes, axis = [], [], 0
    for i in items:
        if i is None:
            entries.append(slice(None))
            sizes.append(1)
        elif _is_mask(i):
            entries.extend(_places(i, shape[axis:axis + i.ndim], axis))
            sizes.extend(shape[axis:axis + i.ndim] if i.ndim else (1,))
            axis += i.ndim
        else:
            entries.append(i)
            sizes.append(shape[axis])
            axis += 1
    return entries, tuple(sizes)


def _item(i):
    """One part of an index as None, Ellipsis, a slice, an int or an array."""
    if i is None or i is Ellipsis or isinstance(i, slice):
        return i
    if isinstance(i, (bool, np.bool_)):
        return np.asarray(i)
    if isinstance(i, (int, np.integer)):
        return int(i)
    if isinstance(i, (list, range)):
        i = np.zeros(0, _INT) if len(i) == 0 else asvalue(list(i))
    if not isinstance(i, (Value, np.ndarray)) or i.dtype.kind not in "iub":
        raise DtypeError(f"arrays are indexed by integers, slices, None, ... and booleans; got {i!r:.60}.")
    return int(i) if i.ndim == 0 and i.dtype.kind != "b" and not isinstance(i, Tracer) else i


def _is_mask(i):
    return isinstance(i, (Value, np.ndarray)) and i.dtype.kind == "b"


def _places(mask, shape, axis):
    """A boolean mask as index arrays; its number of true elements must be known."""
    if mask.shape != shape:
        raise IndexOutOfRange(f"a boolean mask of shape {mask.shape} indexes axes of shape {shape} (from axis {axis} "
                              "on).")
    if isinstance(mask, Tracer):
        try:
            mask = mask.concrete("a boolean mask")
        except ConcretizationError:
            raise ConcretizationError(
                "a traced boolean mask selects a number of elements that is not known while tracing.\n"
                "Use np.where(mask, x, fill) to keep the shape, a reduction with where=mask, or x.at[mask].set(scalar)."
            ) from None
    return np.nonzero(np.atleast_1d(np.asarray(mask)))


def _bounds(s, n):
    """start, stop and step of a slice of an axis of size n."""
    def known(v):
        if isinstance(v, Tracer):
            raise ConcretizationError(
                "the bounds of a slice must be known while tracing, because they decide the shape of the result.\n"
                "Use lax.dynamic_slice(x, (start,), (size,)), with a traced start and a fixed size.")
        return None if v is None else operator.index(v)
    step = known(s.step)
    if step == 0:
        raise IndexOutOfRange("the step of a slice cannot be 0.")
    return slice(known(s.start), known(s.stop), step).indices(n)


def _turned_round(i, n, axis):
    """An index array with negative entries counted from the front; known entries are checked."""
    i = asvalue(i)
    if isinstance(i, Array):
        v = i.value
        bad = v[(v < -n) | (v >= n)]
        if bad.size:
            raise IndexOutOfRange(f"index {bad.flat[0]} is out of range for axis {axis} with size {n}.")
        return cast(asvalue(np.where(v < 0, v + n, v)) if v.size and v.min() < 0 else i, _INT)
    if n == 0 and i.size:
        raise IndexOutOfRange(f"axis {axis} has size 0, so no index is in range.")
    i = cast(i, _INT)
    return where(lt(i, 0), i + n, i)


# ---- reading ----

def getitem(x, index):
    """x[index], with NumPy's meaning."""
    p = Plan(index, x.shape)
    y = p.block(x)
    if not p.arrays:
        return reshape(y, [y.shape[a] for a in p.axes])
    indexed_first, as_result = p.orders()
    return transpose(gather_nd(transpose(y, indexed_first), list(p.arrays.values())), as_result)


# ---- writing ----

def update(x, index, value, how):
    """x with x[index] replaced by, or combined with, value."""
    value = asvalue(value)
    if how != "set" and is_inexact(value.dtype) and not is_inexact(x.dtype):
        raise DtypeError(f"x.at[...] combines {value.dtype} values with an array of dtype {x.dtype}, which cannot hold "
                         "the result.\nConvert the array first: x.astype(float).at[...].")
    value = cast(value, x.dtype)
    if isinstance(index, Tracer) and _is_mask(index):
        return _update_where(x, index, value, how)
    p = Plan(index, x.shape)
    target = p.result_shape()
    while value.ndim > len(target) and value.shape[0] == 1:          # NumPy's assignment ignores leading ones
        value = reshape(value, value.shape[1:])
    value = broadcast_to(value, target)
    block = p.block(x)
    if not p.arrays:
        return p.write_block(x, COMBINE[how](block, reshape(value, block.shape)))
    indexed_first, as_result = p.orders()
    block = scatter_nd(transpose(block, indexed_first), list(p.arrays.values()),
                       transpose(value, np.argsort(as_result).tolist()), how)
    return p.write_block(x, transpose(block, np.argsort(indexed_first).tolist()))


def _update_where(x, mask, value, how):
    """An update under a traced mask: one value for all its places."""
    rest = x.shape[mask.ndim:]
    if mask.shape != x.shape[:mask.ndim] or value.ndim > len(rest):
        raise ShapeError(f"x.at[mask] with a traced mask takes one value of shape {rest} for all its places, and a "
                         f"mask that matches the leading axes of shape {x.shape}; got a value of shape {value.shape} "
                         f"and a mask of shape {mask.shape}.\nFor a value per place write np.where(mask, values, x).")
    return where(reshape(mask, (*mask.shape, *(1,) * len(rest))), COMBINE[how](x, broadcast_to(value, rest)), x)


class At:
    """x.at: functional updates, `x.at[index].set(value)`."""
    __slots__ = ("x",)

    def __init__(self, x):
        self.x = x

    def __getitem__(self, index):
        return AtIndex(self.x, index)


class AtIndex:
    """x.at[index]: set, add, subtract, multiply, divide, power, min, max, apply, get."""
    __slots__ = ("x", "index")

    def __init__(self, x, index):
        self.x, self.index = x, index

    def set(self, value):
        """The array with x[index] replaced by value; of several values for one place the last counts."""
        return update(self.x, self.index, value, "set")

    def add(self, value):
        """The array with value added at x[index]; repeated places add up."""
        return update(self.x, self.index, value, "add")

    def subtract(self, value):
        """The array with value subtracted at x[index]."""
        return update(self.x, self.index, -asvalue(value), "add")

    def multiply(self, value):
        """The array with x[index] multiplied by value; repeated places multiply.

        Of more than 256 values there is a first derivative and no second one: it raises TransformError.
        """
        return update(self.x, self.index, value, "mul")

    mul = multiply

    def divide(self, value):
        """The array with x[index] divided by value."""
        return update(self.x, self.index, 1 / asvalue(value), "mul")

    def min(self, value):
        """The array with the smaller of x[index] and value."""
        return update(self.x, self.index, value, "min")

    def max(self, value):
        """The array with the larger of x[index] and value."""
        return update(self.x, self.index, value, "max")

    def power(self, value):
        """The array with x[index] raised to value."""
        return self.set(self.get() ** value)

    def apply(self, f):
        """The array with f applied to x[index]."""
        return self.set(f(self.get()))

    def get(self):
        """x[index]."""
        return getitem(self.x, self.index)
