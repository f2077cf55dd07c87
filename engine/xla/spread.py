"""Arrays that lie on several devices: how they lie there, and their shards.

A `Spread` says how an array lies on an ordered list of devices: into how many tiles each axis is cut, and
which device holds which tile. Nothing here ever brings the tiles together on one device: `shards` gives them
one by one, `put_shards` makes an array of them. A device of another process holds a tile that this process cannot
read; the shards here are those of the devices that are its own.
"""
import dataclasses

import numpy as np

from .client import Aval, Buffer, Device, buffer_device, put, start, to_numpy


@dataclasses.dataclass(frozen=True, slots=True)
class Spread:
    """devices : in the order of the program's partitions
    tiles : the number of parts of each axis; () for a copy on every device
    order : positions in `devices`: of the first tile's copies, of the second's, … (row-major tiles)
    """

    devices: tuple[Device, ...]
    tiles: tuple[int, ...] = ()
    order: tuple[int, ...] = ()

    def sharding(self):
        """The same for jaxlib; kept with the client."""
        runtime = start()
        found = runtime.spreads.get(self)
        if found is None:
            xc = runtime.xc
            listed = xc.DeviceList(tuple([runtime.place(d).devices[0] for d in self.devices]))
            found = runtime.spreads[self] = xc.GSPMDSharding(listed, self._hlo(xc))
        return found

    def _hlo(self, xc):
        n, parts = len(self.devices), int(np.prod(self.tiles, dtype=int))
        if parts == 1:
            return xc.HloSharding.replicate()
        proto = xc.OpSharding()
        proto.type = xc.OpSharding.Type.OTHER
        proto.tile_assignment_dimensions = [*self.tiles, *([n // parts] if n > parts else [])]
        proto.tile_assignment_devices = list(self.order)
        proto.replicate_on_last_tile_dim = n > parts
        return xc.HloSharding.from_proto(proto)

    def indices(self, shape) -> list[tuple[slice, ...]]:
        """For each device the part of an array of this shape that it holds."""
        whole = tuple([slice(None)] * len(shape))
        parts = int(np.prod(self.tiles, dtype=int))
        if parts == 1:
            return [whole] * len(self.devices)
        copies = len(self.devices) // parts
        sizes = [n // k for n, k in zip(shape, self.tiles)]
        out = [whole] * len(self.devices)
        for t, position in enumerate(np.ndindex(*self.tiles)):
            part = tuple([slice(i * s, (i + 1) * s) if k > 1 else slice(None)
                          for i, s, k in zip(position, sizes, self.tiles)])
            for c in range(copies):
                out[self.order[t * copies + c]] = part
        return out

    def shard_shape(self, shape):
        """The shape of each device's part."""
        return tuple([n // k for n, k in zip(shape, self.tiles)]) if self.tiles else tuple(shape)


def spread_of(sharding, devices) -> Spread:
    """The `Spread` of XLA's own record of how a result lies on the program's devices."""
    xc = start().xc
    hlo = sharding if isinstance(sharding, xc.HloSharding) else xc.HloSharding.from_proto(sharding)
    if hlo.is_replicated():
        return Spread(devices)
    tiles = list(hlo.tile_assignment_dimensions())
    if hlo.replicate_on_last_tile_dim() or hlo.subgroup_types():
        tiles.pop()
    if int(np.prod(tiles)) == 1:
        return Spread(devices)
    return Spread(devices, tuple(tiles), tuple(hlo.tile_assignment_devices()))


def put_spread(value: np.ndarray, spread: Spread) -> Buffer:
    """A copy of a NumPy array, cut for these devices."""
    return put_shards(value.shape, value.dtype, spread, [value[i] for i in spread.indices(value.shape)])


def put_shards(shape, dtype, spread: Spread, parts) -> Buffer:
    """An array made of one part for each device of this process: NumPy arrays, or buffers on those devices."""
    runtime = start()
    held = [d for d in spread.devices if is_local(d)]
    buffers = [put(np.asarray(p), d) if isinstance(p, (np.ndarray, np.generic)) else p for p, d in zip(parts, held)]
    return runtime.xc.ArrayImpl(Aval(shape, dtype), spread.sharding(), buffers, True, _skip_checks=True)


def is_local(device: Device) -> bool:
    """Whether a device belongs to this process."""
    return start().is_local(device)


def shards(buffer: Buffer) -> list[tuple[Device, Buffer]]:
    """(device, its part) for each device of this process that holds a part of the array."""
    return [(buffer_device(part), part) for part in buffer._arrays]


def gathered(buffer: Buffer, spread: Spread) -> np.ndarray:
    """The values, brought together in the host's memory, each part once. Raises RuntimeError when a part lies with
    another process."""
    if len(spread.devices) == 1 or buffer.is_deleted():  # the latter raises
        return to_numpy(buffer)
    aval = buffer.aval
    held = dict(shards(buffer))
    parts, seen = spread.indices(aval.shape), set()
    out = np.empty(aval.shape, aval.dtype)
    for device, index in zip(spread.devices, parts):
        key = tuple([(s.start, s.stop) for s in index])
        if device in held and key not in seen:
            seen.add(key)
            out[index] = to_numpy(held[device])
    if len(seen) < len({tuple([(s.start, s.stop) for s in index]) for index in parts}):
        raise RuntimeError("A part of this array lies on another process's devices: read addressable_shards, or make "
                           "a replicated copy first.")
    out.flags.writeable = False
    return out
