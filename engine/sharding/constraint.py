"""with_sharding_constraint: how a value inside of a program should lie on several devices."""
from .. import tree
from ..array import Array
from ..core import Primitive, Tracer
from ..errors import PlacementError
from ..ops.structural import asvalue
from .put import put, sharding_of
from .specs import NamedSharding, P, Sharding, SingleDeviceSharding


class _Constraint(Primitive):
    __slots__ = ()

    def meshes(self, params):
        return (params["sharding"].mesh,)

    def wanted(self, params, avals):
        """For each operand the sharding that it is wanted in."""
        return [params["sharding"]]


sharding_constraint_p = _Constraint(
    "sharding_constraint",
    eager=lambda args, params: put(asvalue(args[0]), params["sharding"]),
    shape=lambda a, *, sharding: a,
    impl=lambda x, *, sharding: x,
    lower=lambda b, x, *, sharding: x if sharding.mesh.size == 1 or b.manual is not None else b.emit(
        x.aval, f"sdy.sharding_constraint {x.name} {b.sharding(sharding.mesh, sharding.spec, len(x.shape))} : "
                f"{x.type}"),
    jvp=(lambda t, y, x, *, sharding: sharding_constraint_p.bind(t, sharding=sharding),),
    transpose=(lambda c, x, *, sharding: sharding_constraint_p.bind(c, sharding=sharding),),
    batch=lambda b, mine, x, *, sharding: b.bind(x, sharding=NamedSharding(sharding.mesh, P(None, *sharding.spec))),
)


def with_sharding_constraint(x, shardings):
    """x, whose leaves XLA is to lay out like this; outside of a program it is `device_put`.

    shardings : a NamedSharding, a PartitionSpec of the mesh of the `with` block, or a tree of them that begins x's

    >>> import chainrule.engine.numpy as np
    >>> from chainrule.engine import jit, make_mesh
    >>> mesh = make_mesh((1,), ("i",))
    >>> jit(lambda x: with_sharding_constraint(2 * x, NamedSharding(mesh, P("i"))))(np.ones(2)).tolist()
    [2.0, 2.0]
    """
    def leaf(s):
        return s is None or isinstance(s, (Sharding, P))
    leaves, treedef = tree.flatten(x)
    wanted = tree.leaves(tree.broadcast(shardings, x, is_leaf=leaf), is_leaf=leaf)
    return tree.unflatten(treedef, [_constrained(asvalue(v), sharding_of(s)) for v, s in zip(leaves, wanted)])


def _constrained(x, sharding):
    if sharding is None:
        return x
    if isinstance(sharding, SingleDeviceSharding):
        if isinstance(x, Tracer):
            raise PlacementError(f"with_sharding_constraint: {sharding!r} inside of a program; a program runs as a "
                                 "whole on one set of devices.\nGive a NamedSharding, or device_put the arguments.")
        return put(x, sharding)
    sharding.spread(x.shape)
    return put(x, sharding) if type(x) is Array else sharding_constraint_p.bind(x, sharding=sharding)
