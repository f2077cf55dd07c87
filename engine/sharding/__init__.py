"""How arrays lie on several devices: meshes of devices with named axes, and specs of which axis of an array is cut
along which axis of the mesh.

    mesh = make_mesh((4, 2), ("data", "model"))
    x = device_put(x, NamedSharding(mesh, P("data", "model")))       # each device holds one tile
    jit(f)(x)                                                        # runs on all of them; XLA moves what must move

XLA's partitioner makes one program for all devices out of the program of the whole arrays; `shard_map` is the other
way, a program written for one device's part, with collectives. Arrays of several devices never come together on one
device: to print one or to make it a NumPy array brings its parts to the host's memory.
"""
from .mesh import Mesh, make_mesh
from .specs import NamedSharding, P, PartitionSpec, Sharding, SingleDeviceSharding

__all__ = [
    "Mesh",
    "NamedSharding",
    "P",
    "PartitionSpec",
    "Sharding",
    "SingleDeviceSharding",
    "make_mesh",
]
