"""Rows for complex numbers, rules given by hand, callbacks, named axes and meshes of one device; see cases.py."""
import numpy as np

import chainrule.engine.numpy as cnp
from chainrule.engine import (
    NamedSharding,
    P,
    checkpoint,
    custom_jvp,
    custom_vjp,
    grad,
    io_callback,
    make_mesh,
    pure_callback,
    shard_map,
    vmap,
    with_sharding_constraint,
)
from chainrule.engine.api import ShapeDtype
from chainrule.engine.control import collective
from chainrule.engine.ops.complexes import complex_p
from tests.engine.cases import Case, F, V

U = V[::-1] + 0.5
W = np.arange(1.0, 5)


@custom_jvp
def by_jvp(x, y):
    """sin(x) y, its derivative given."""
    return cnp.sin(x) * y


by_jvp.defjvp(lambda xs, ts: (by_jvp(*xs), cnp.cos(xs[0]) * xs[1] * ts[0] + cnp.sin(xs[0]) * ts[1]))


@custom_vjp
def by_vjp(x, y):
    """sin(x) y, its pull-back given."""
    return cnp.sin(x) * y


by_vjp.defvjp(lambda x, y: (by_vjp(x, y), (x, y)), lambda xy, c: (c * cnp.cos(xy[0]) * xy[1], c * cnp.sin(xy[0])))


def on_host(x):
    return np.sin(np.asarray(x)) * 2


def along(f):
    """A collective over the lanes of a vmap."""
    return lambda x: vmap(f, axis_name="i")(x)


def on_mesh(f):
    """A program of one device's part, on a mesh of one device; what several do stands in tests/several."""
    return lambda x: shard_map(f, mesh=make_mesh((1,), ("d",)), in_specs=P("d"), out_specs=P("d"))(x)


CASES = [
    Case(lambda x, y: cnp.real(complex_p.bind(x, y) * complex_p.bind(x, y * y)), ("complex", "real"),
         lambda x, y: x * x - y ** 3, args=(V, U)),
    Case(lambda x, y: cnp.imag(complex_p.bind(x, y) * complex_p.bind(y, x + y)), "imag",
         lambda x, y: x * (x + y) + y * y, args=(V, U)),
    Case(lambda x, y: cnp.imag(complex_p.bind(x, y) * cnp.conj(complex_p.bind(y, x))), "conj",
         lambda x, y: y * y - x * x, args=(V, U)),
    Case(lambda x, y: by_jvp(x, y * 2), "custom_jvp", lambda x, y: np.sin(x) * y * 2, args=(V, U)),
    Case(lambda x, y: by_vjp(x, y * 2), "custom_vjp", lambda x, y: np.sin(x) * y * 2, args=(V, U)),
    Case(lambda x, y: grad(lambda v: cnp.sum(by_vjp(v, y)))(x), "custom_vjp_tangent", lambda x, y: np.cos(x) * y,
         args=(V, U)),
    Case(lambda x, y: checkpoint(lambda v: cnp.sin(v) * y)(x), "checkpoint", lambda x, y: np.sin(x) * y, args=(V, U)),
    Case(lambda x, y: grad(lambda v: cnp.sum(checkpoint(lambda u: cnp.sin(u) * y)(v)))(x),
         ("checkpoint_tangent", "optimization_barrier"), lambda x, y: np.cos(x) * y, args=(V, U)),
    Case(lambda x: pure_callback(on_host, ShapeDtype(x.shape, x.dtype), x), "pure_callback", on_host, args=(V,),
         order=0),
    Case(lambda x: io_callback(on_host, ShapeDtype(x.shape, x.dtype), x), "io_callback", on_host, args=(V,), order=0),
    Case(along(lambda x: collective.psum(x, "i") * x), "psum", lambda x: x.sum() * x, args=(V,)),
    Case(along(lambda x: collective.pmax(x, "i") * x), "pmax", lambda x: x.max() * x, args=(V,)),
    Case(along(lambda x: collective.pmin(x, "i") * x), "pmin", lambda x: x.min() * x, args=(V,)),
    Case(along(lambda x: collective.all_gather(x, "i") * x), "all_gather", lambda x: np.outer(x, x), args=(V,)),
    Case(along(lambda x: collective.ppermute(x, "i", [(0, 2), (1, 0)]) * x), "ppermute",
         lambda x: np.array([x[1], 0, x[0], 0]) * x, args=(V,)),
    Case(along(lambda x: collective.axis_index("i") * x), "axis_index", lambda x: np.arange(4) * x, args=(V,),
         dtypes=F),
    Case(along(lambda x: collective.psum_scatter(x * cnp.arange(1, 5, dtype=x.dtype), "i") * x), "psum_scatter",
         lambda x: x.sum() * W * x, args=(V,)),
    Case(along(lambda x: collective.all_to_all(x * cnp.arange(1, 5, dtype=x.dtype), "i", 0, 0) * x), "all_to_all",
         lambda x: np.outer(W * x, x), args=(V,)),
    Case(on_mesh(lambda x: collective.psum(cnp.sin(x), "d") * x), "shard_map", lambda x: np.sin(x) * x, args=(V,)),
    Case(lambda x: with_sharding_constraint(cnp.sin(x), NamedSharding(make_mesh((1,), ("d",)), P("d"))) * x,
         "sharding_constraint", lambda x: np.sin(x) * x, args=(V,)),
]
