"""XLA's general gather and scatter: blocks at computed places, with the axes laid out by dimension numbers.

A block starts at the place that the last axis of the indices names; `mode` says what happens where it does not fit:
CLIP moves it, FILL_OR_DROP gives fill_value or leaves the update out, PROMISE_IN_BOUNDS is CLIP.
"""
import enum
from typing import NamedTuple

import numpy as _np

from ..avals import is_inexact
from ..errors import ShapeError
from ..ops.elementwise import bitwise_and, ge, le, maximum, minimum, where
from ..ops.index import gather_nd, scatter_nd
from ..ops.structural import asvalue, broadcast_to, cast, iota, reshape, transpose

_INT = _np.dtype("int64")


class GatherScatterMode(enum.Enum):
    """What happens to a block that does not fit."""
    CLIP = "clip"
    FILL_OR_DROP = "fill"
    PROMISE_IN_BOUNDS = "promise_in_bounds"

    @staticmethod
    def from_any(mode):
        """A mode, its name, or None for FILL_OR_DROP."""
        if isinstance(mode, GatherScatterMode):
            return mode
        names = {None: "fill", "drop": "fill"}
        try:
            return GatherScatterMode(names.get(mode, mode))
        except ValueError:
            raise ShapeError(f'mode={mode!r}: it is "clip", "fill", "drop" or "promise_in_bounds".') from None


class GatherDimensionNumbers(NamedTuple):
    """The axes of a gather, as XLA names them.

    offset_dims : axes of the result that run within a block      collapsed_slice_dims : axes of the operand of which a
    block has one place, left out of the result      start_index_map : the axis of the operand that each index is for
    operand_batching_dims, start_indices_batching_dims : axes of both that go along together
    """
    offset_dims: tuple
    collapsed_slice_dims: tuple
    start_index_map: tuple
    operand_batching_dims: tuple = ()
    start_indices_batching_dims: tuple = ()


class ScatterDimensionNumbers(NamedTuple):
    """The axes of a scatter, as XLA names them; those of a gather with the updates for its result."""
    update_window_dims: tuple
    inserted_window_dims: tuple
    scatter_dims_to_operand_dims: tuple
    operand_batching_dims: tuple = ()
    scatter_indices_batching_dims: tuple = ()


def _blocks(x, indices, sizes, index_map, kept, batching):
    """(index arrays [*batch, *block], one for each axis of x; whether each block fits, [*batch, 1, …])."""
    batch, rest = indices.shape[:-1], (1,) * len(kept)
    index, fits = [], None
    for d, n in enumerate(x.shape):
        start = None
        if d in index_map:
            start = reshape(cast(indices[..., index_map.index(d)], _INT), (*batch, *rest))
            ok = bitwise_and(ge(start, 0), le(start, n - sizes[d]))
            fits = ok if fits is None else bitwise_and(fits, ok)
            start = minimum(maximum(start, 0), n - sizes[d])
        elif d in batching:
            axis = batching[d]
            start = reshape(iota(n), [n if k == axis else 1 for k in range(len(batch) + len(rest))])
        if d in kept:
            at = len(batch) + kept.index(d)
            step = reshape(iota(sizes[d]), [sizes[d] if k == at else 1 for k in range(len(batch) + len(rest))])
            start = step if start is None else start + step
        index.append(reshape(iota(1), (1,) * (len(batch) + len(rest))) if start is None else start)
    return index, fits


def _checked(what, x, indices, index_map, sizes):
    if indices.ndim < 1 or indices.shape[-1] != len(index_map):
        raise ShapeError(f"{what}: indices of shape {indices.shape} for axes {tuple(index_map)}: the last axis holds "
                         "one index for each of them.")
    if len(sizes) != x.ndim or any(not 0 <= k <= n for k, n in zip(sizes, x.shape)):
        raise ShapeError(f"{what}: blocks of shape {tuple(sizes)} do not fit into shape {x.shape}.")


def _no_value(dtype):
    if is_inexact(dtype):
        return _np.nan
    return True if dtype.kind == "b" else _np.iinfo(dtype).max if dtype.kind == "u" else _np.iinfo(dtype).min


def gather(operand, start_indices, dimension_numbers, slice_sizes, *, unique_indices=False, indices_are_sorted=False,
           mode=None, fill_value=None):
    """Blocks of shape slice_sizes of the operand.   start_indices : int[*batch, number of indexed axes]

    >>> numbers = GatherDimensionNumbers((1,), (), (0,))
    >>> gather(asvalue([1.0, 2.0, 3.0]), asvalue([[1], [0]]), numbers, (2,)).tolist()
    [[2.0, 3.0], [1.0, 2.0]]
    """
    x, i, n = asvalue(operand), asvalue(start_indices), GatherDimensionNumbers(*dimension_numbers)
    mode = GatherScatterMode.from_any(mode)
    _checked("gather", x, i, n.start_index_map, slice_sizes)
    gone = {*n.collapsed_slice_dims, *n.operand_batching_dims}
    kept = [d for d in range(x.ndim) if d not in gone]
    batching = dict(zip(n.operand_batching_dims, n.start_indices_batching_dims))
    index, fits = _blocks(x, i, slice_sizes, list(n.start_index_map), kept, batching)
    rank = i.ndim - 1 + len(kept)
    shape = (*i.shape[:-1], *[slice_sizes[d] for d in kept])
    if not x.size:
        return broadcast_to(cast(_no_value(x.dtype), x.dtype), shape)
    out = broadcast_to(gather_nd(x, index), shape) if x.ndim else broadcast_to(x, shape)
    if mode is GatherScatterMode.FILL_OR_DROP and fits is not None:
        fill = _no_value(x.dtype) if fill_value is None else fill_value
        out = where(fits, out, _np.asarray(fill).astype(x.dtype))
    offsets = iter(range(i.ndim - 1, rank))
    batch = iter(range(i.ndim - 1))
    return transpose(out, [next(offsets) if d in n.offset_dims else next(batch) for d in range(rank)])


def _scatter(what, how, doc):
    def f(operand, scatter_indices, updates, dimension_numbers, *, indices_are_sorted=False, unique_indices=False,
          mode=None):
        x, i, u, n = asvalue(operand), asvalue(scatter_indices), asvalue(updates), ScatterDimensionNumbers(
            *dimension_numbers)
        mode = GatherScatterMode.from_any(mode)
        gone = {*n.inserted_window_dims, *n.operand_batching_dims}
        kept = [d for d in range(x.ndim) if d not in gone]
        if len(kept) != len(n.update_window_dims) or u.ndim != i.ndim - 1 + len(kept):
            raise ShapeError(f"{what}: updates of shape {u.shape} for indices of shape {i.shape} into shape {x.shape}: "
                             f"they have {i.ndim - 1} axes of the indices and {len(kept)} within a block.")
        sizes = [1] * x.ndim
        for d, w in zip(kept, n.update_window_dims):
            sizes[d] = u.shape[w]
        _checked(what, x, i, n.scatter_dims_to_operand_dims, sizes)
        if not u.size:
            return x
        u = transpose(u, [*[d for d in range(u.ndim) if d not in n.update_window_dims], *n.update_window_dims])
        batching = dict(zip(n.operand_batching_dims, n.scatter_indices_batching_dims))
        index, fits = _blocks(x, i, sizes, list(n.scatter_dims_to_operand_dims), kept, batching)
        if mode is GatherScatterMode.FILL_OR_DROP and fits is not None:
            index[0] = where(fits, index[0], x.shape[0])             # out of range, and so left out
        return scatter_nd(x, index, -u if what == "scatter_sub" else u, how)
    f.__name__ = f.__qualname__ = what
    f.__doc__ = doc
    return f


scatter = _scatter("scatter", "set", "x with blocks replaced by the updates.")
scatter_add = _scatter("scatter_add", "add", "x with the updates added at blocks.")
scatter_sub = _scatter("scatter_sub", "add", "x with the updates subtracted at blocks.")
scatter_mul = _scatter("scatter_mul", "mul", "x with blocks multiplied by the updates.")
scatter_min = _scatter("scatter_min", "min", "x with the minimum of blocks and updates.")
scatter_max = _scatter("scatter_max", "max", "x with the maximum of blocks and updates.")
