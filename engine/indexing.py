"""NumPy indexing: x[...] and x.at[...], in terms of slices, gather and scatter.

Indices out of range: where the index is known, a read or a write raises IndexError as NumPy does. Where it is traced,
a read is clipped to the nearest element and a write is dropped. `x.at[index].get(mode=...)` and the updates with `mode`
say what else is meant, known or traced (MODES).
"""
import operator

import numpy as np

from .array import Array, Value
from .avals import broadcast_shapes, is_inexact
from .core import Tracer, quietly, state
from .errors import ConcretizationError, DtypeError, IndexOutOfRange, ShapeError
from .ops.dynamic import dynamic_update_slice
from .ops.elementwise import add, bitwise_and, fmod, ge, lt, maximum, minimum, mul, where
from .ops.index import gather_nd, scatter_nd
from .ops.shaping import pad, reverse, static_slice
from .ops.structural import asvalue, broadcast_to, cast, full, reshape, transpose

_INT = np.dtype("int64")
PICKED = -1                                              # stands in `Plan.axes` for the axes that index arrays give
MODES = {                                                # negative indices are counted from the end first
    "clip": "the nearest element in range", "wrap": "modulo the size of the axis",
    "fill": "a read gives `fill_value`, a write is dropped", "drop": "the same as fill",
    "promise_in_bounds": "there is none, says the caller: nothing is checked",
}
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

    def __init__(self, index, shape, mode=None):
        if mode is not None and mode not in MODES:
            raise ValueError(f"x.at[...] has no mode {mode!r}; there are {sorted(MODES)} (and None: see the module).")
        entries, self.shape = _entries(index, shape)
        self.starts, self.limits, self.strides = [0] * len(entries), list(self.shape), [1] * len(entries)
        self.flips, self.arrays, self.axes = [], {}, []
        integers = {}
        for axis, (e, n) in enumerate(zip(entries, self.shape)):
            if isinstance(e, slice):
                self.cut(axis, *_bounds(e, n))
                self.axes.append(axis)
            elif isinstance(e, int):
                if -n <= e < n:
                    integers[axis] = e % n
                elif mode is None:
                    raise IndexOutOfRange(f"index {e} is out of range for axis {axis} with size {n}.")
                else:
                    self.arrays[axis] = _turned_round(np.asarray(e), n, axis, mode)
            else:
                self.arrays[axis] = _turned_round(e, n, axis, mode)
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

    def inside(self):
        """Whether each place that the index arrays pick is in range."""
        out = np.asarray(True)
        for axis, i in self.arrays.items():
            out = bitwise_and(out, bitwise_and(ge(i, 0), lt(i, self.shape[axis])))
        return out

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


def _turned_round(i, n, axis, mode):
    """An index array with negative entries counted from the front; known entries are checked unless there is a mode."""
    i = asvalue(i)
    if isinstance(i, Array) and mode is None:
        v = i.value
        bad = v[(v < -n) | (v >= n)]
        if bad.size:
            raise IndexOutOfRange(f"index {bad.flat[0]} is out of range for axis {axis} with size {n}.")
        return cast(asvalue(np.where(v < 0, v + n, v)) if v.size and v.min() < 0 else i, _INT)
    if n == 0 and i.size:
        raise IndexOutOfRange(f"axis {axis} has size 0, so no index is in range.")
    i = cast(i, _INT)
    if mode == "wrap":
        i = fmod(i, n)
    i = where(lt(i, 0), i + n, i)
    return minimum(maximum(i, 0), n - 1) if mode == "clip" else i


# ---- reading ----

_BASIC = frozenset([int, slice, type(None), type(Ellipsis), bool, np.int64, np.bool_])


def _known(index):
    """The index as NumPy takes it, where all of it is known and of a kind that means the same there; else None."""
    kind = type(index)
    if kind in _BASIC:
        return (None,) if index is None else index
    if kind is Array:
        return index.value if index.dtype.kind in "biu" else None
    if kind is np.ndarray:
        return index if index.dtype.kind in "biu" else None
    if kind is tuple:
        parts = [_known(i) for i in index if i is not None]
        if all([p is not None for p in parts]):
            parts = iter(parts)
            return tuple([None if i is None else next(parts) for i in index])
    return None

def getitem(x, index):
    """x[index], with NumPy's meaning."""
    if type(x) is Array and state.trace is state.root:
        known = _known(index)
        if known is not None:
            try:
                return Array(np.asarray(x.value[known]))
            except IndexError:                           # said in our words below
                pass
    return read(x, index)


def read(x, index, mode=None, fill_value=None):
    """x[index] by slices and a gather."""
    p = Plan(index, x.shape, mode)
    y = p.block(x)
    if not p.arrays:
        return reshape(y, [y.shape[a] for a in p.axes])
    indexed_first, as_result = p.orders()
    y = gather_nd(transpose(y, indexed_first), list(p.arrays.values()))
    if mode in ("fill", "drop"):
        there = p.inside()
        value = cast(asvalue(_missing(x.dtype) if fill_value is None else fill_value), x.dtype)
        y = where(reshape(there, (*there.shape, *(1,) * (y.ndim - there.ndim))), y, value)
    return transpose(y, as_result)


def _missing(dtype):
    """What stands for an element that is not there: nan, True, or the integer farthest from zero."""
    if dtype.kind in "iu":
        return np.iinfo(dtype).max if dtype.kind == "u" else np.iinfo(dtype).min
    return True if dtype.kind == "b" else np.nan


# ---- writing ----

_UFUNCS = {"add": np.add, "mul": np.multiply, "min": np.minimum, "max": np.maximum}


def update(x, index, value, how, mode=None):
    """x with x[index] replaced by, or combined with, value."""
    value = asvalue(value)
    if how != "set" and is_inexact(value.dtype) and not is_inexact(x.dtype):
        raise DtypeError(f"x.at[...] combines {value.dtype} values with an array of dtype {x.dtype}, which cannot hold "
                         "the result.\nConvert the array first: x.astype(float).at[...].")
    value = cast(value, x.dtype)
    if mode is None and type(x) is Array and type(value) is Array and state.trace is state.root:
        known = _known(index)
        if known is not None:
            try:
                return _update_known(x, known, value, how)
            except (IndexError, ValueError):             # said in our words below
                pass
    if isinstance(index, Tracer) and _is_mask(index):
        return _update_where(x, index, value, how)
    p = Plan(index, x.shape, mode)
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


def _update_known(x, index, value, how):
    """The update by NumPy."""
    out = np.array(x.value)
    if how == "set":
        out[index] = value.value
    else:
        ufunc = np.logical_or if how == "add" and x.dtype.kind == "b" else _UFUNCS[how]
        quietly(ufunc.at, out, index, value.value)
    return Array(out)


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
    """x.at[index]: set, add, subtract, multiply, divide, power, min, max, apply, get.

    mode : what an index out of range means, one of MODES; by default an error where it is known, and where it is
        traced a read of the nearest element and no write
    indices_are_sorted, unique_indices : accepted for the sake of programs that promise it; nothing depends on them

    >>> from chainrule.engine import numpy as np
    >>> np.zeros(3).at[np.array([1, 7])].add(2.0, mode="drop").tolist()
    [0.0, 2.0, 0.0]
    """
    __slots__ = ("x", "index")

    def __init__(self, x, index):
        self.x, self.index = x, index

    def set(self, value, *, mode=None, indices_are_sorted=False, unique_indices=False):
        """The array with x[index] replaced by value; of several values for one place the last counts."""
        return update(self.x, self.index, value, "set", mode)

    def add(self, value, *, mode=None, indices_are_sorted=False, unique_indices=False):
        """The array with value added at x[index]; repeated places add up."""
        return update(self.x, self.index, value, "add", mode)

    def subtract(self, value, *, mode=None, indices_are_sorted=False, unique_indices=False):
        """The array with value subtracted at x[index]."""
        return update(self.x, self.index, -asvalue(value), "add", mode)

    def multiply(self, value, *, mode=None, indices_are_sorted=False, unique_indices=False):
        """The array with x[index] multiplied by value; repeated places multiply.

        Of more than 256 values there is a first derivative and no second one: it raises TransformError.
        """
        return update(self.x, self.index, value, "mul", mode)

    mul = multiply

    def divide(self, value, *, mode=None, indices_are_sorted=False, unique_indices=False):
        """The array with x[index] divided by value."""
        return update(self.x, self.index, 1 / asvalue(value), "mul", mode)

    def min(self, value, *, mode=None, indices_are_sorted=False, unique_indices=False):
        """The array with the smaller of x[index] and value."""
        return update(self.x, self.index, value, "min", mode)

    def max(self, value, *, mode=None, indices_are_sorted=False, unique_indices=False):
        """The array with the larger of x[index] and value."""
        return update(self.x, self.index, value, "max", mode)

    def power(self, value, *, mode=None, indices_are_sorted=False, unique_indices=False):
        """The array with x[index] raised to value."""
        return self.set(self.get(mode=mode) ** value, mode=mode)

    def apply(self, f, *, mode=None, indices_are_sorted=False, unique_indices=False):
        """The array with f applied to x[index], once for each place."""
        return self.set(f(self.get(mode=mode)), mode=mode)

    def get(self, *, mode=None, fill_value=None, indices_are_sorted=False, unique_indices=False):
        """x[index]. With mode="fill", `fill_value` (by default nan, True or the integer farthest from 0) where it is
        out of range."""
        return getitem(self.x, self.index) if mode is None else read(self.x, self.index, mode, fill_value)
