"""Where a program runs: on the devices of its meshes, or where its arguments were put."""
from ..array import Array
from ..core import state
from ..errors import PlacementError
from ..sharding.specs import NamedSharding, P


def where_to_run(jaxpr, args):
    """(device or devices, a sharding for each input, meshes) of a program whose meshes, or arguments that were put
    somewhere, say where it runs; None for a program that runs in the usual place.

    Raises PlacementError when they say different things.
    """
    meshes = meshes_of(jaxpr)
    given = [a._sharding if type(a) is Array else None for a in args]
    if not meshes and not any([s is not None for s in given]):
        return None if state.device is None else (state.device, None, ())
    homes = {}
    for s, a in zip(given, args):
        if s is not None:
            homes.setdefault(frozenset(s.devices), (
                f"an argument of shape {a.shape} lies on {shown_devices(s.devices)}", s.devices))
    for mesh in meshes:
        homes.setdefault(frozenset(mesh.flat), (f"its mesh is {mesh!r}", mesh.flat))
    if len(homes) > 1:
        raise PlacementError(f"{jaxpr.name}: {', '.join([text for text, _ in homes.values()])}; a program runs on "
                             "one set of devices.\nPut them on the same with device_put.")
    devices = next(iter(homes.values()))[1]
    if len(devices) == 1:
        return devices[0], None, ()
    meshes = tuple(dict.fromkeys([*meshes, *[s.mesh for s in given if s is not None]]))
    first = meshes[0]
    whole = NamedSharding(first, P())
    taken = inputs_of_meshes(jaxpr)
    shardings = tuple([s if s is not None else taken.get(i) or whole for i, s in enumerate(given)])
    return first.flat, shardings, meshes


def shown_devices(devices):
    """A few devices, as errors name them."""
    return ", ".join(map(repr, devices[:4])) + (f" and {len(devices) - 4} more" if len(devices) > 4 else "")


def meshes_of(jaxpr):
    """The meshes of several devices that a program speaks of, through the programs in it; kept with the program."""
    found = jaxpr.cache.get("meshes")
    if found is None:
        every = []
        for e in jaxpr.eqns:
            own = [m for m in e.prim.meshes(e.params) if m.size > 1]
            every += own or [m for p in e.prim.programs(e.params) for m in meshes_of(p)]
        found = jaxpr.cache["meshes"] = tuple(dict.fromkeys(every))
    return found


def inputs_of_meshes(jaxpr):
    """{number of an input: the sharding in which the first operation that wants one wants it}"""
    found = jaxpr.cache.get("wanted shardings")
    if found is None:
        number = {v: i for i, v in enumerate(jaxpr.invars)}
        found = jaxpr.cache["wanted shardings"] = {}
        for e in jaxpr.eqns:
            if e.prim.name == "jit":
                inner = inputs_of_meshes(e.params["jaxpr"])
                wanted = [inner.get(i) for i in range(len(e.inputs))]
            elif e.prim.name in ("shard_map", "sharding_constraint"):
                wanted = e.prim.wanted(e.params, [v.aval for v in e.inputs])
            else:
                continue
            for v, s in zip(e.inputs, wanted):
                if s is not None and v in number:
                    found.setdefault(number[v], s)
    return found
