"""device_put and its kin; arrays from their parts."""
import numpy as np

from .. import tree, xla
from ..array import HOST, Array
from ..avals import Aval
from ..core import Tracer, state
from ..errors import PlacementError, ShapeError
from ..ops.structural import asvalue
from .constraint import with_sharding_constraint
from .put import device_named, put, sharding_of
from .specs import PartitionSpec, Sharding, SingleDeviceSharding

_HOST_NAMES = (None, HOST, "cpu", "cpu:0")


def device_put(x, device=None, *, donate=False):
    """x, an array or a tree of them, on a device or on several.

    device : a device, a `Sharding`, or a tree of them whose structure begins the one of x; None leaves x where it is
    donate : x itself may be given up
    Programs run where their arguments were put. Inside of a transformation a sharding is a wish to XLA
    (`with_sharding_constraint`), and a device is passed over.

    Raises ShapeError for an axis that cannot be cut evenly, PlacementError for what is no device.

    >>> import chainrule.engine.numpy as np
    >>> device_put(np.ones(2), xla.devices()[0]).device
    cpu:0
    """
    if device is None or isinstance(device, (str, xla.Device, Sharding)):
        return tree.map(lambda v: _put(asvalue(v), device), x)
    wanted = tree.broadcast(device, x, is_leaf=lambda s: s is None or isinstance(s, (Sharding, PartitionSpec)))
    leaves, treedef = tree.flatten(x)
    places = tree.leaves(wanted, is_leaf=lambda s: s is None or isinstance(s, (Sharding, PartitionSpec)))
    return tree.unflatten(treedef, [_put(asvalue(v), s) for v, s in zip(leaves, places)])


class default_device:
    """`with default_device(d):` makes d the device of compiled programs whose arguments were not put anywhere.

    d : a device or its name; their results lie there

    >>> with default_device("cpu:0"):
    ...     pass
    """

    def __init__(self, device):
        self.device = sharding_of(device).devices[0]

    def __enter__(self):
        self.before, state.device = state.device, self.device
        return self.device

    def __exit__(self, *exc):
        state.device = self.before


def device_get(x):
    """x with NumPy arrays, in the host's memory, for its arrays."""
    return tree.map(np.asarray, x)


def _put(x, device):
    sharding = sharding_of(device)
    if sharding is None:
        return x
    if isinstance(x, Tracer):
        return x if isinstance(sharding, SingleDeviceSharding) else with_sharding_constraint(x, sharding)
    return put(x, sharding)


def on_device(x, device):
    """x on a device, given as one or by its name ("cpu:1"); raises ValueError for what is none."""
    if device in _HOST_NAMES and (type(x) is not Array or x._sharding is None):
        return x
    place = device_named(device)
    return x if x is None else _put(asvalue(x), place)


# ---- arrays from their parts ----

def make_array_from_single_device_arrays(shape, sharding, arrays):
    """The array of this shape whose parts are `arrays`, one on each of this process's devices of the sharding.

    Nothing is copied. Raises ShapeError when a part has the wrong shape, PlacementError when one is missing.
    """
    spread = sharding.spread(shape)
    wanted = sharding.shard_shape(shape)
    by_device = {}
    for a in arrays:
        if a.shape != wanted:
            raise ShapeError(f"make_array_from_single_device_arrays: a part has shape {a.shape}; each part of an array "
                             f"of shape {tuple(shape)} under {sharding!r} has shape {wanted}.")
        by_device[a.device] = a
    here = [d for d in spread.devices if xla.is_local(d)]
    missing = [d for d in here if d not in by_device]
    if missing:
        raise PlacementError(f"make_array_from_single_device_arrays: there is no part on {missing[0]!r}; the parts "
                             f"lie on "
                             f"{sorted(map(repr, by_device))}.\nPut one there with device_put(part, device).")
    parts = [by_device[d]._buffer if by_device[d]._sharding is not None else by_device[d].value for d in here]
    buffer = xla.put_shards(tuple(shape), arrays[0].dtype, spread, parts)
    return Array(None, buffer, Aval(tuple(shape), arrays[0].dtype), None, sharding)


def make_array_from_callback(shape, sharding, data_callback, dtype=None):
    """The array of this shape whose part at `index` (a tuple of slices) is data_callback(index).

    It is asked for the parts of this process's devices alone, once for each.
    """
    spread = sharding.spread(shape)
    made, parts = {}, []
    for d, index in zip(spread.devices, spread.indices(shape)):
        if xla.is_local(d):
            key = tuple([(s.start, s.stop) for s in index])
            if key not in made:
                made[key] = np.asarray(data_callback(index), dtype)
                if made[key].shape != sharding.shard_shape(shape):
                    raise ShapeError(f"make_array_from_callback: the part at {index} has shape {made[key].shape}; "
                                     f"it must "
                                     f"have {sharding.shard_shape(shape)}.")
            parts.append(made[key])
    return _of_parts(shape, sharding, spread, parts)


def make_array_from_process_local_data(sharding, local_data, global_shape=None):
    """The array whose part in this process is `local_data`; the processes' parts follow one another along the axes that
    are cut.

    global_shape : when it is not given, the parts of all processes have one shape
    """
    local = np.asarray(local_data)
    if isinstance(sharding, SingleDeviceSharding):
        return device_put(local, sharding)
    tiles = sharding.tiles(local.ndim)
    unit = sharding.layout(local.ndim)
    held = [i for d, i in zip(unit.devices, unit.indices(tiles)) if xla.is_local(d)]
    first = [min(s.indices(k)[0] for s in axis) for axis, k in zip(zip(*held), tiles)]
    last = [max(s.indices(k)[1] for s in axis) for axis, k in zip(zip(*held), tiles)]
    if global_shape is None:
        global_shape = [n * k // (b - a) for n, k, a, b in zip(local.shape, tiles, first, last)]
    spread = sharding.spread(global_shape)
    start = [a * n // k for a, n, k in zip(first, global_shape, tiles)]

    def part(index):
        return local[tuple([slice(s.indices(n)[0] - o, s.indices(n)[1] - o)
                            for s, n, o in zip(index, global_shape, start)])]
    parts = [part(i) for d, i in zip(spread.devices, spread.indices(global_shape)) if xla.is_local(d)]
    return _of_parts(tuple(global_shape), sharding, spread, parts)


def _of_parts(shape, sharding, spread, parts):
    shape, dtype = tuple(shape), parts[0].dtype
    return Array(None, xla.put_shards(shape, dtype, spread, parts), Aval(shape, dtype), None, sharding)
