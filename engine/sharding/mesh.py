"""Meshes: devices in a box whose axes have names."""
import numpy as np

from .. import xla
from ..core import state
from ..errors import TransformError


class Mesh:
    """Devices in an array whose axes are named.

    devices : devices, nested as deep as there are names          axis_names : one string for each axis
    `with mesh:` makes it the mesh of specs that stand alone, in `with_sharding_constraint` and `jit`.

    >>> mesh = Mesh(xla.devices()[:1], ("data",))
    >>> mesh.shape
    {'data': 1}
    """
    __slots__ = ("devices", "axis_names", "flat", "_hash", "_before")

    def __init__(self, devices, axis_names):
        names = (axis_names,) if isinstance(axis_names, str) else tuple(axis_names)
        given = np.asarray(devices, dtype=object)
        if given.ndim != len(names):
            raise TransformError(f"Mesh: the devices have shape {given.shape} and there are {len(names)} axis names, "
                                 f"{names}; each axis has one name.\nmake_mesh(shape, names) arranges the devices.")
        flat = tuple(given.ravel())
        if len(set(names)) < len(names) or len(set(flat)) < len(flat):
            raise TransformError(f"Mesh: {names} and {flat} must name every axis and every device once.")
        if not flat:
            raise TransformError("Mesh: there are no devices in it.")
        wrong = next((d for d in flat if not isinstance(d, xla.Device)), None)
        if wrong is not None:
            raise TransformError(f"Mesh: {wrong!r} is not a device; those are devices()'s.")
        self.devices, self.axis_names, self.flat = given, names, flat
        self._hash, self._before = hash((given.shape, names, flat)), []

    @property
    def shape(self):
        """{name of an axis: its size}"""
        return dict(zip(self.axis_names, self.devices.shape))

    @property
    def size(self):
        """The number of devices."""
        return len(self.flat)

    def __eq__(self, other):
        return self is other or (isinstance(other, Mesh) and self.axis_names == other.axis_names
                                 and self.devices.shape == other.devices.shape and self.flat == other.flat)

    def __hash__(self):
        return self._hash

    def __repr__(self):
        return f"Mesh({', '.join(f'{k}={v}' for k, v in self.shape.items())}; {_shown(self.flat)})"

    def __reduce__(self):
        return _remade, (self.devices.shape, self.axis_names, self.flat)

    def __enter__(self):
        self._before.append(state.mesh)
        state.mesh = self
        return self

    def __exit__(self, *exc):
        state.mesh = self._before.pop()


def _remade(shape, names, flat):
    devices = np.empty(len(flat), dtype=object)
    devices[:] = flat
    return Mesh(devices.reshape(shape), names)


def _shown(devices):
    return f"{devices[0]!r} to {devices[-1]!r}" if len(devices) > 2 else ", ".join(map(repr, devices))


def make_mesh(axis_shapes, axis_names, *, devices=None):
    """A mesh of these sizes, out of `devices` or the first ones of the default platform.

    Raises TransformError when there are too few devices.

    >>> make_mesh((1,), ("i",)).size
    1
    """
    shape = (axis_shapes,) if isinstance(axis_shapes, (int, np.integer)) else tuple(axis_shapes)
    here = list(devices) if devices is not None else xla.devices(xla.default_device().platform)
    n = int(np.prod(shape))
    if n > len(here) or (devices is not None and n < len(here)):
        raise TransformError(f"make_mesh: a mesh of shape {shape} has {n} devices, and there are {len(here)}: "
                             f"{_shown(here)}.\n{MORE_DEVICES.format(n)}")
    return _remade(shape, (axis_names,) if isinstance(axis_names, str) else tuple(axis_names), tuple(here[:n]))


MORE_DEVICES = "set_cpu_device_count({}) makes more devices of a CPU, before anything else runs."
