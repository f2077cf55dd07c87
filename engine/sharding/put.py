"""Arrays on devices: which sharding is meant, and concrete arrays laid out by it."""
import dataclasses

import numpy as np

from .. import xla
from ..array import HOST, Array
from ..avals import Aval
from ..core import state
from ..errors import PlacementError
from .specs import NamedSharding, PartitionSpec, Sharding, SingleDeviceSharding


@dataclasses.dataclass(frozen=True)
class Shard:
    """The part of an array that one device holds.

    device : where it is          index : the slices of the whole that it is          data : the part, an array
    """

    device: xla.Device
    index: tuple
    data: Array


def device_named(device):
    """The device, or sharding, that is meant by it, its name, or the name of its platform."""
    if not isinstance(device, str):
        return device
    platform, _, _ = device.partition(":")
    try:
        there = xla.devices(platform)
    except RuntimeError as e:
        raise ValueError(f"there is no device {device!r}: {e}") from None
    for d in there:
        if device in (repr(d), platform):
            return d
    raise ValueError(f"there is no device {device!r}; there are {there}.")


def sharding_of(device):
    """The `Sharding` that is meant by a device, its name, or a sharding."""
    if device is None or isinstance(device, Sharding):
        return device
    if isinstance(device, PartitionSpec):
        if state.mesh is None:
            raise PlacementError(f"{device!r} stands alone, and there is no mesh.\n"
                                 f"Write NamedSharding(mesh, {device!r}), or `with mesh:` around it.")
        return NamedSharding(state.mesh, device)
    try:
        found = device_named(device)
    except ValueError as e:
        raise PlacementError(str(e)) from None
    if not isinstance(found, xla.Device):
        raise PlacementError(f"{device!r} is neither a device nor a sharding; devices() lists the devices.")
    return SingleDeviceSharding(found)


def put(x, sharding):
    """A concrete array laid out like this: itself where it already is."""
    if x._sharding == sharding:
        return x
    spread = sharding.spread(x.shape)
    if x._sharding is None and x._buffer is not None and x._value is None and len(spread.devices) == 1 \
            and xla.buffer_device(x._buffer) == spread.devices[0]:
        return Array(None, x._buffer, x.aval, None, sharding)
    if x._sharding is None or len(x._sharding.devices) == 1:
        read = x.value.__getitem__
    else:
        read = _reader(x)
    parts = [read(i) for d, i in zip(spread.devices, spread.indices(x.shape)) if xla.is_local(d)]
    return Array(None, xla.put_shards(x.shape, x.dtype, spread, parts), x.aval, None, sharding)


def _reader(x):
    """A function from slices to that part of an array of several devices, made of the parts that hold it."""
    held = [(s.index, s.data) for s in shards_of(x)]

    def read(index):
        want = [s.indices(n)[:2] for s, n in zip(index, x.shape)]
        out = np.empty([b - a for a, b in want], x.dtype)
        filled = 0
        seen = set()
        for part, data in held:
            have = [s.indices(n)[:2] for s, n in zip(part, x.shape)]
            both = [(max(a, c), min(b, d)) for (a, b), (c, d) in zip(want, have)]
            if tuple(both) in seen or any(a >= b for a, b in both):
                continue
            seen.add(tuple(both))
            out[tuple([slice(a - w, b - w) for (a, b), (w, _) in zip(both, want)])] = \
                data.value[tuple([slice(a - h, b - h) for (a, b), (h, _) in zip(both, have)])]
            filled += int(np.prod([b - a for a, b in both], dtype=int))
        if filled < out.size:
            raise PlacementError(f"a part of an array of shape {x.shape} lies with another process.")
        return out
    return read


def sharding_of_array(x):
    """On which devices the array lies, and which part of it on each: a `NamedSharding` or `SingleDeviceSharding`."""
    return SingleDeviceSharding(HOST) if x._sharding is None else x._sharding


def shards_of(x):
    """The parts of an array that this process's devices hold: a list of `Shard(device, index, data)`."""
    if x._sharding is None:
        return [Shard(x.device, tuple([slice(None)] * x.ndim), x)]
    spread = x._sharding.spread(x.shape)
    index = dict(zip(spread.devices, spread.indices(x.shape)))
    part = Aval(spread.shard_shape(x.shape), x.dtype)
    return [Shard(d, index[d], Array(None, b, part, None, SingleDeviceSharding(d))) for d, b in xla.shards(x._buffer)]
