"""Shardings: on which devices an array lies, and which part of it on each."""
import functools
import itertools

import numpy as np

from .. import xla
from ..errors import ShapeError, TransformError
from .mesh import Mesh


class PartitionSpec:
    """For each axis of an array the axis of a mesh along which it is cut: a name, a tuple of names, or None.

    Axes that are not mentioned are not cut. `P` is the same.

    >>> P("data", None, ("x", "y"))
    P('data', None, ('x', 'y'))
    """
    __slots__ = ("parts",)

    def __init__(self, *parts):
        for p in parts:
            if not (p is None or isinstance(p, str) or (isinstance(p, (tuple, list))
                                                        and all(isinstance(n, str) for n in p))):
                raise TransformError(f"PartitionSpec: {p!r} is not an axis of a mesh; an entry is a name, a tuple of "
                                     "names, or None.")
        self.parts = tuple([tuple(p) if isinstance(p, list) else p for p in parts])

    def axes(self, ndim=None):
        """For each axis of an array the tuple of the mesh axes along which it is cut."""
        out = tuple([() if p is None else (p,) if isinstance(p, str) else p for p in self.parts])
        return out if ndim is None else out + ((),) * (ndim - len(out))

    def __iter__(self):
        return iter(self.parts)

    def __len__(self):
        return len(self.parts)

    def __getitem__(self, i):
        return self.parts[i]

    def _trimmed(self):
        axes = self.axes()
        while axes and not axes[-1]:
            axes = axes[:-1]
        return axes

    def __eq__(self, other):
        return isinstance(other, PartitionSpec) and self._trimmed() == other._trimmed()

    def __hash__(self):
        return hash(self._trimmed())

    def __repr__(self):
        return f"P({', '.join(map(repr, self.parts))})"

    def __reduce__(self):
        return PartitionSpec, self.parts


P = PartitionSpec


class Sharding:
    """Where an array lies. `device_set`, `shard_shape(shape)` and `devices_indices_map(shape)` say it."""
    __slots__ = ()

    @property
    def device_set(self):
        """The devices that hold a part."""
        return set(self.devices)

    def shard_shape(self, shape):
        """The shape of each device's part of an array of this shape."""
        return self.spread(shape).shard_shape(shape)

    def devices_indices_map(self, shape):
        """{device: the slices of the part that it holds}"""
        return dict(zip(self.devices, self.spread(shape).indices(shape)))

    @property
    def num_devices(self):
        return len(self.devices)


class SingleDeviceSharding(Sharding):
    """The whole array on one device."""
    __slots__ = ("device",)

    def __init__(self, device):
        self.device = device

    @property
    def devices(self):
        return (self.device,)

    is_fully_replicated = True

    def spread(self, shape):
        return xla.Spread((self.device,))

    def __eq__(self, other):
        return isinstance(other, SingleDeviceSharding) and self.device == other.device

    def __hash__(self):
        return hash(self.device)

    def __repr__(self):
        return f"SingleDeviceSharding({self.device!r})"


class NamedSharding(Sharding):
    """An array cut along the axes of a mesh: NamedSharding(mesh, P("rows", None)).

    Raises TransformError for axes that the mesh does not have, or that the spec names twice.
    """
    __slots__ = ("mesh", "spec", "_spreads")

    def __init__(self, mesh, spec):
        if not isinstance(mesh, Mesh):
            raise TransformError(f"NamedSharding: {mesh!r} is not a Mesh.")
        spec = spec if isinstance(spec, PartitionSpec) else PartitionSpec(*([] if spec is None else spec))
        named = [n for names in spec.axes() for n in names]
        unknown = [n for n in named if n not in mesh.axis_names]
        if unknown or len(set(named)) < len(named):
            what = f"names {unknown[0]!r}, which is not an axis" if unknown else "names an axis twice"
            raise TransformError(f"NamedSharding: {spec!r} {what}; the axes of the mesh are {mesh.axis_names}.")
        self.mesh, self.spec, self._spreads = mesh, spec, {}

    @property
    def devices(self):
        return self.mesh.flat

    @property
    def is_fully_replicated(self):
        """Whether every device holds the whole array."""
        shape = self.mesh.shape
        return all(shape[n] == 1 for names in self.spec.axes() for n in names)

    def tiles(self, ndim):
        """The number of parts of each axis."""
        shape = self.mesh.shape
        return tuple([int(np.prod([shape[n] for n in names], dtype=int)) for names in self.spec.axes(ndim)])

    def spread(self, shape):
        """The layout of an array of this shape, checked. Raises ShapeError when an axis cannot be cut evenly."""
        ndim = len(shape)
        if len(self.spec) > ndim and self.spec._trimmed()[ndim:]:
            raise ShapeError(f"{self.spec!r} speaks of {len(self.spec)} axes, and the array has shape {tuple(shape)}.")
        tiles = self.tiles(ndim)
        for i, (n, k) in enumerate(zip(shape, tiles)):
            if n % k:
                raise ShapeError(f"axis {i} of an array of shape {tuple(shape)} is cut into {k} parts by {self.spec!r} "
                                 f"on {self.mesh!r}, and {n} is not a multiple of {k}.\nPad the array, or cut another "
                                 "axis.")
        return self.layout(ndim)

    def layout(self, ndim):
        """The `Spread` of an array with this many axes."""
        found = self._spreads.get(ndim)
        if found is None:
            tiles = self.tiles(ndim)
            if int(np.prod(tiles)) == 1:
                found = xla.Spread(self.mesh.flat)
            else:
                names = self.mesh.axis_names
                first = [names.index(n) for part in self.spec.axes(ndim) for n in part]
                order = [*first, *[i for i in range(len(names)) if i not in first]]
                places = np.arange(self.mesh.size).reshape(self.mesh.devices.shape).transpose(order)
                found = xla.Spread(self.mesh.flat, tiles, tuple(places.ravel().tolist()))
            self._spreads[ndim] = found
        return found

    def __eq__(self, other):
        return isinstance(other, NamedSharding) and self.spec == other.spec and self.mesh == other.mesh

    def __hash__(self):
        return hash((self.mesh, self.spec))

    def __repr__(self):
        return f"NamedSharding({self.mesh!r}, {self.spec!r})"

    def __reduce__(self):
        return NamedSharding, (self.mesh, self.spec)


@functools.lru_cache(4096)
def named(spread, ndim, meshes=()):
    """The sharding that a layout is: one of these meshes' where it fits, else one of a mesh with names of our own."""
    for mesh in meshes:
        if mesh.flat == spread.devices:
            found = _spec_of(spread, ndim, mesh)
            if found is not None:
                return NamedSharding(mesh, found)
    if not spread.tiles:
        return NamedSharding(Mesh(spread.devices, ("devices",)), P())
    parts = int(np.prod(spread.tiles))
    shape = (*spread.tiles, len(spread.devices) // parts)
    devices = np.empty(len(spread.devices), dtype=object)
    devices[:] = [spread.devices[i] for i in spread.order]
    axes = [f"axis{i}" for i in range(len(spread.tiles))]
    return NamedSharding(Mesh(devices.reshape(shape), [*axes, "copies"]),
                         P(*[a if k > 1 else None for a, k in zip(axes, spread.tiles)]))


def _spec_of(spread, ndim, mesh):
    """The spec by which a mesh lays an array out like this, or None."""
    if not spread.tiles:
        return P()
    sizes = mesh.shape

    def search(tiles, left):
        if not tiles:
            yield ()
            return
        for k in range(len(left) + 1):
            for names in itertools.permutations(left, k):
                if int(np.prod([sizes[n] for n in names], dtype=int)) == tiles[0]:
                    for rest in search(tiles[1:], [n for n in left if n not in names]):
                        yield (names or None, *rest)

    want = spread.indices(spread.tiles)
    for parts in search(spread.tiles, [n for n in mesh.axis_names if sizes[n] > 1]):
        spec = P(*[p[0] if p is not None and len(p) == 1 else p for p in parts])
        if NamedSharding(mesh, spec).layout(ndim).indices(spread.tiles) == want:
            return spec
    return None
