"""Samplers on a mesh of devices: chains on its rows, and each chain's data cut over the devices of its row."""
from typing import NamedTuple

import numpy as onp

from ..engine import Mesh, NamedSharding, P, device_put, make_mesh
from ..engine import numpy as np
from ..engine.sharding import SingleDeviceSharding
from ..engine.sharding.put import sharding_of
from ..engine.tree import map as tree_map

AXES = ("chains", "data")


class Row(NamedTuple):
    """The devices of some chains: `whole` and `cut` are the shardings of what each holds, and of the data's rows.

    Without `cut` each holds all of the data; without `whole` the devices are the usual ones, and nothing is put there.
    """
    whole: object = None
    cut: object = None

    def put(self, x):
        """A tree of arrays, whole on each device."""
        return x if self.whole is None else device_put(self.on_host(x), self.whole)

    def on_host(self, x):
        """A tree of these devices' arrays, in the host's memory, for any device."""
        return x if self.whole is None else tree_map(lambda a: np.asarray(onp.asarray(a)), x)

    def lengths(self, data, what):
        """For each array the number of its rows if it is cut: those whose first axis is the longest are. Else None.

        Raises ValueError, of `what`, where the rows are fewer than the devices.
        """
        if self.cut is None:
            return (None,) * len(data)
        parts, rows = self.cut.mesh.shape["data"], max([x.shape[0] for x in data if x.ndim], default=0)
        if rows < parts:
            raise ValueError(f"{what}: the mesh cuts the data in {parts}, and the longest first axis among the model's "
                             f"arrays has {rows} entries. Pass the data as arguments, with their rows first, or leave "
                             '"data" out of the mesh.')
        return tuple([rows if x.ndim and x.shape[0] == rows else None for x in data])

    def put_data(self, data, lengths):
        """The data's arrays, those with `lengths` cut, after zeros that make their rows even."""
        if self.whole is None:
            return data
        return [device_put(x, self.whole) if n is None else
                device_put(padded(x, self.cut.mesh.shape["data"]), self.cut) for x, n in zip(data, lengths)]


HERE = Row()                       # the usual devices, which groups of chains may share


def mesh_of(given, axes=AXES):
    """The `Mesh` with these axes that is meant by {"chains": a, "data": b}, a Mesh, or None.

    Raises ValueError for other axes; TransformError where there are too few devices.
    """
    if given is None:
        return None
    sizes = given.shape if isinstance(given, Mesh) else given
    if not isinstance(sizes, dict) or not set(sizes) <= set(axes) or not all(
            isinstance(n, int) and n >= 1 for n in sizes.values()):
        sizes_of = ", ".join(f'"{a}": 2' for a in axes)
        raise ValueError(f"mesh={given!r}: give {{{sizes_of}}}, the number of devices along each, or a Mesh with "
                         "those axes.")
    shape = tuple([sizes.get(a, 1) for a in axes])
    if not isinstance(given, Mesh):
        return make_mesh(shape, axes)
    order = [given.axis_names.index(a) for a in axes if a in sizes]
    return Mesh(given.devices.transpose(order).reshape(shape), axes)


def mesh_on(device):
    """The mesh of one device, given as one or by its name ("gpu", "cpu:1")."""
    return Mesh(onp.asarray([[sharding_of(device).devices[0]]], dtype=object), AXES)


def rows_of(mesh):
    """A `Row` for each part of the chains; of a mesh that has the axis "data" alone, one."""
    out = []
    for devices in mesh.devices.reshape(-1, mesh.shape["data"]):
        if len(devices) == 1:
            out.append(Row(SingleDeviceSharding(devices[0])))
        else:
            own = Mesh(devices, ("data",))
            out.append(Row(NamedSharding(own, P()), NamedSharding(own, P("data"))))
    return out


def padded(x, parts):
    """An array with zeros after its rows, so that they can be cut in equal parts."""
    missing = -x.shape[0] % parts
    return x if not missing else np.concatenate([x, np.zeros((missing, *x.shape[1:]), x.dtype)])


def unpadded(data, lengths):
    """The arrays as they were, inside of a program; lengths : see `Row.lengths`"""
    return [x if n is None or x.shape[0] == n else x[:n] for x, n in zip(data, lengths)]
