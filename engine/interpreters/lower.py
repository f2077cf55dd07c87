"""Lowering: write a jaxpr as StableHLO text.

`Builder` is what a primitive's `lower` rule gets: it names values, emits operations and opens regions.
"""
import functools
from contextlib import contextmanager

import numpy as np

from ..avals import Aval
from ..avals import kind as kind_of_dtype
from ..errors import TransformError
from ..ir import Literal
from ..sharding.specs import P

_TYPES = {"bool": "i1", "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64", "uint8": "ui8", "uint16": "ui16",
          "uint32": "ui32", "uint64": "ui64", "float16": "f16", "bfloat16": "bf16", "float32": "f32", "float64": "f64",
          "complex64": "complex<f32>", "complex128": "complex<f64>",
          "float4_e2m1fn": "f4E2M1FN", "float8_e3m4": "f8E3M4", "float8_e4m3": "f8E4M3",
          "float8_e4m3b11fnuz": "f8E4M3B11FNUZ", "float8_e4m3fn": "f8E4M3FN", "float8_e4m3fnuz": "f8E4M3FNUZ",
          "float8_e5m2": "f8E5M2", "float8_e5m2fnuz": "f8E5M2FNUZ", "float8_e8m0fnu": "f8E8M0FNU",
          "int4": "i4", "uint4": "ui4"}


@functools.lru_cache(4096)
def type_text(aval):
    """`tensor<2x3xf64>`"""
    return f"tensor<{''.join(f'{n}x' for n in aval.shape)}{_TYPES.get(aval.dtype.name, aval.dtype.name)}>"


def number(x):
    """A scalar as StableHLO writes it, exactly."""
    x = np.asarray(x)
    kind = kind_of_dtype(x.dtype)
    if kind == "b":
        return "true" if x else "false"
    if kind in "iu":
        return str(int(x))
    if kind == "c":
        return f"({number(x.real)}, {number(x.imag)})"
    if not np.isfinite(x.astype(np.float64)):
        bits = x.view(np.dtype(f"u{x.dtype.itemsize}"))
        return f"0x{int(bits):0{2 * x.dtype.itemsize}X}"
    return f"{float(x):.17e}"


class Val:
    """An SSA value: its name and type."""
    __slots__ = ("name", "aval")

    def __init__(self, name, aval):
        self.name, self.aval = name, aval

    @property
    def shape(self):
        return self.aval.shape

    @property
    def dtype(self):
        return self.aval.dtype

    @property
    def type(self):
        return type_text(self.aval)


class Builder:
    """Emits StableHLO. `out` holds the types of the equation that is being lowered."""

    type_text = staticmethod(type_text)

    def __init__(self, platform="cpu", precision="default"):
        self.platform, self.precision = platform, precision.upper()
        self.meshes, self.manual, self.channels = {}, None, 0      # of several devices; see control/shard_map.py
        self.lines, self.count, self.out = [], 0, None
        self.callbacks, self.last = [], None             # host functions; the last one with an effect in this block

    @property
    def of_products(self):
        """The attribute that says the precision of a dot_general, with a comma before it."""
        return "" if self.precision == "DEFAULT" else f", precision = [{self.precision}, {self.precision}]"

    def fresh(self):
        self.count += 1
        return f"%{self.count}"

    def emit(self, aval, right):
        """`%n = right`"""
        name = self.fresh()
        self.lines.append(f"{name} = {right}")
        return Val(name, aval)

    def emit_many(self, avals, right):
        """`%n:k = right`"""
        name = self.fresh()
        self.lines.append(f"{name}:{len(avals)} = {right}")
        return [Val(f"{name}#{i}", a) for i, a in enumerate(avals)]

    def op(self, name, operands, aval, attributes=""):
        """An operation in generic form: `"stablehlo.name"(operands) <{attributes}> : types`."""
        attrs = f" <{{{attributes}}}>" if attributes else ""
        return self.emit(aval, f'"{name}"({", ".join([x.name for x in operands])}){attrs} : '
                               f'({", ".join([x.type for x in operands])}) -> {type_text(aval)}')

    def elementwise(self, name, *operands, dtype=None):
        """An element-wise operation with NumPy broadcasting."""
        shape = np.broadcast_shapes(*[x.shape for x in operands])
        operands = [self.broadcast_to(x, shape) for x in operands]
        return self.op(name, operands, Aval(shape, operands[0].dtype if dtype is None else dtype))

    def constant(self, value, dtype, shape=()):
        """A scalar, repeated over `shape`."""
        aval = Aval(tuple(shape), np.dtype(dtype))
        return self.emit(aval, f"stablehlo.constant dense<{number(np.asarray(value).astype(dtype))}> : "
                               f"{type_text(aval)}")

    def literal(self, value):
        """A small array written into the program."""
        value = np.asarray(value)
        if value.ndim == 0 or value.size == 0:
            return self.constant(value if value.ndim == 0 else 0, value.dtype, value.shape)

        def nested(v):
            return "[" + ", ".join([nested(r) for r in v]) + "]" if v.ndim else number(v)

        aval = Aval(value.shape, value.dtype)
        return self.emit(aval, f"stablehlo.constant dense<{nested(value)}> : {type_text(aval)}")

    def like(self, x, value):
        """A scalar with the type of x."""
        return self.constant(value, x.dtype, x.shape)

    def broadcast(self, x, shape, dims):
        """broadcast_in_dim: axis i of x becomes axis dims[i]."""
        if x.shape == tuple(shape):
            return x
        aval = Aval(tuple(shape), x.dtype)
        return self.emit(aval, f"stablehlo.broadcast_in_dim {x.name}, dims = [{', '.join(map(str, dims))}] : "
                               f"({x.type}) -> {type_text(aval)}")

    def broadcast_to(self, x, shape):
        """NumPy's broadcast_to."""
        offset = len(shape) - len(x.shape)
        return self.broadcast(x, shape, range(offset, len(shape)))

    def reshape(self, x, shape):
        if x.shape == tuple(shape):
            return x
        aval = Aval(tuple(shape), x.dtype)
        return self.emit(aval, f"stablehlo.reshape {x.name} : ({x.type}) -> {type_text(aval)}")

    def transpose(self, x, permutation):
        aval = Aval(tuple([x.shape[p] for p in permutation]), x.dtype)
        return self.emit(aval, f"stablehlo.transpose {x.name}, dims = [{', '.join(map(str, permutation))}] : "
                               f"({x.type}) -> {type_text(aval)}")

    def convert(self, x, dtype):
        if x.dtype == dtype:
            return x
        if np.dtype(dtype) == np.bool_:
            return self.compare("NE", x, self.like(x, 0))
        aval = Aval(x.shape, np.dtype(dtype))
        return self.emit(aval, f"stablehlo.convert {x.name} : ({x.type}) -> {type_text(aval)}")

    def compare(self, direction, x, y):
        shape = np.broadcast_shapes(x.shape, y.shape)
        x, y = self.broadcast_to(x, shape), self.broadcast_to(y, shape)
        kind = {"b": "UNSIGNED", "u": "UNSIGNED", "i": "SIGNED"}.get(kind_of_dtype(x.dtype), "FLOAT")
        aval = Aval(shape, np.dtype(bool))
        return self.emit(aval, f"stablehlo.compare {direction}, {x.name}, {y.name}, {kind} : "
                               f"({x.type}, {y.type}) -> {type_text(aval)}")

    def select(self, pred, x, y):
        return self.op("stablehlo.select", [pred, x, y], x.aval)

    def reduce(self, op, x, init, axes):
        """Fold `op` over axes, starting from the scalar init."""
        aval = Aval(tuple([n for i, n in enumerate(x.shape) if i not in axes]), x.dtype)
        start = self.constant(init, x.dtype)
        return self.emit(aval, f"stablehlo.reduce({x.name} init: {start.name}) applies {op} across dimensions = "
                               f"[{', '.join(map(str, axes))}] : ({x.type}, {start.type}) -> {type_text(aval)}")

    def slice(self, x, starts, limits, strides=None):
        strides = strides or [1] * len(starts)
        shape = tuple([max(0, -(-(hi - lo) // st)) for lo, hi, st in zip(starts, limits, strides)])
        parts = ", ".join(f"{lo}:{hi}:{st}" for lo, hi, st in zip(starts, limits, strides))
        aval = Aval(shape, x.dtype)
        return self.emit(aval, f"stablehlo.slice {x.name} [{parts}] : ({x.type}) -> {type_text(aval)}")

    def dynamic_slice(self, x, starts, sizes):
        aval = Aval(tuple(sizes), x.dtype)
        names = ", ".join([s.name for s in starts])
        types = ", ".join([x.type, *[s.type for s in starts]])
        return self.emit(aval, f"stablehlo.dynamic_slice {x.name}, {names}, sizes = [{', '.join(map(str, sizes))}] : "
                               f"({types}) -> {type_text(aval)}")

    def dynamic_update_slice(self, x, update, starts):
        return self.op("stablehlo.dynamic_update_slice", [x, update, *starts], x.aval)

    # ---- regions ----

    @contextmanager
    def region(self, avals):
        """A block with arguments; yields them. Its lines are in `self.closed` afterwards."""
        outer, self.lines, last, self.last = self.lines, [], self.last, None
        args = [Val("%a" + self.fresh()[1:], a) for a in avals]
        try:
            yield args
        finally:
            head = f"^bb0({', '.join(f'{a.name}: {a.type}' for a in args)}):" if args else ""
            self.closed = "\n".join(([head] if head else []) + self.lines)
            self.lines, self.last = outer, last

    def give_back(self, values):
        """The return of a region."""
        self.lines.append(f'"stablehlo.return"({", ".join([v.name for v in values])}) : '
                          f'({", ".join([v.type for v in values])}) -> ()')

    def op_with_region(self, name, operands, aval, attributes):
        """An operation whose region is the one closed last."""
        return self.emit(aval, f'"{name}"({", ".join([x.name for x in operands])}) <{{{attributes}}}> '
                               f'({{\n{self.closed}\n}}) : ({", ".join([x.type for x in operands])}) -> '
                               f'{type_text(aval)}')

    def while_loop(self, init, cond, body):
        """stablehlo.while over a list of values; cond(*vals) -> Val, body(*vals) -> list."""
        avals = [v.aval for v in init]
        with self.region(avals) as args:
            self.give_back([cond(*args)])
        test = self.closed
        with self.region(avals) as args:
            self.give_back(body(*args))
        types = ", ".join([type_text(a) for a in avals])
        return self.emit_many(avals, f'"stablehlo.while"({", ".join([v.name for v in init])}) ({{\n{test}\n}}, '
                                     f'{{\n{self.closed}\n}}) : ({types}) -> ({types})')

    def case(self, index, branches, out_avals):
        """stablehlo.case; branches are functions () -> list of values."""
        blocks = []
        for branch in branches:
            with self.region([]):
                self.give_back(branch())
            blocks.append("{\n" + self.closed + "\n}")
        types = ", ".join([type_text(a) for a in out_avals])
        return self.emit_many(out_avals, f'"stablehlo.case"({index.name}) ({", ".join(blocks)}) : '
                                         f'({index.type}) -> ({types})')

    # ---- several devices ----

    @property
    def partitioned(self):
        """Whether XLA divides arrays among devices here, so that a slice of one may have to travel."""
        return self.manual is None and any(mesh.size > 1 for mesh in self.meshes)

    def mesh(self, mesh):
        """The name of a mesh in the module: `@mesh0`. The first one's devices are the program's partitions."""
        if mesh not in self.meshes:
            first = next(iter(self.meshes), mesh)
            axes = ", ".join([f'"{k}"={n}' for k, n in mesh.shape.items()])
            ids = [first.flat.index(d) for d in mesh.flat]
            where = "" if ids == sorted(ids) else f", device_ids=[{', '.join(map(str, ids))}]"
            self.meshes[mesh] = f"sdy.mesh @mesh{len(self.meshes)} = <[{axes}]{where}>"
        return f"@mesh{list(self.meshes).index(mesh)}"

    def sharding(self, mesh, spec, ndim):
        """`<@mesh0, [{"rows"}, {}]>`"""
        parts = ", ".join(["{" + ", ".join([f'"{n}"' for n in names]) + "}" for names in spec.axes(ndim)[:ndim]])
        return f"<{self.mesh(mesh)}, [{parts}]>"

    def callback(self, host, operands, out_avals, effect):
        """A call of a host function, a tuple of arrays for a tuple of arrays. With an effect it follows the block's
        last one."""
        index = len(self.callbacks)
        flag = Aval((), np.dtype(bool))
        chained = effect and self.last is not None
        self.callbacks.append(_with_flag(host, chained))
        operands = [*operands, self.last] if chained else list(operands)
        types = [*out_avals, flag]
        if self.platform not in ("cpu", "cuda"):
            raise TransformError(f"a program for the platform {self.platform!r} cannot call Python; run it on the CPU.")
        kind = "cpu" if self.platform == "cpu" else "gpu"
        attributes = (f'call_target_name = "xla_ffi_python_{kind}_callback", api_version = 4 : i32, '
                      f'backend_config = {{index = {index} : ui64}}, '
                      f'has_side_effect = {"true" if effect else "false"}, '
                      f'operand_layouts = [{_rows_first(operands)}], result_layouts = [{_rows_first(types)}]')
        made = self.emit_many(types, f'"stablehlo.custom_call"({", ".join([x.name for x in operands])}) '
                                     f'<{{{attributes}}}> : ({", ".join([x.type for x in operands])}) -> '
                                     f'({", ".join([type_text(a) for a in types])})')
        if effect:
            self.last = made[-1]
        return made[:-1]

    def program(self, jaxpr, args):
        """Lower a jaxpr in place; returns its outputs."""
        env = dict(zip(jaxpr.invars, args))

        def read(v):
            return self.constant(v.value, v.aval.dtype) if type(v) is Literal else env[v]

        before = self.out
        for eqn in jaxpr.eqns:
            self.out = [v.aval for v in eqn.outs]
            operands, first = [read(v) for v in eqn.inputs], len(self.lines)
            rule = eqn.prim.rule("lower")
            if type(rule) is str:
                env[eqn.outs[0]] = self.elementwise(rule, *operands)
            else:
                made = rule(self, *operands, **eqn.params)
                env.update(zip(eqn.outs, made if eqn.prim.multiple else [made]))
            if eqn.scope:
                name = f' loc("{eqn.scope}/{eqn.prim.name}")'
                self.lines[first:] = [line + name for line in self.lines[first:]]
        self.out = before
        return [read(v) for v in jaxpr.outs]


def _rows_first(values):
    """The layouts of NumPy's arrays: the last axis is the fastest."""
    return ", ".join([f"dense<[{', '.join(map(str, reversed(range(n))))}]> : tensor<{n}xindex>" if n else
                      "dense<> : tensor<0xindex>" for n in [len(v.shape) for v in values]])


def _with_flag(host, chained):
    """The host function with one more result, on which the next one with an effect waits."""
    def run(*values):
        return (*host(*(values[:-1] if chained else values)), np.asarray(True))
    return run


def lower(jaxpr, donated=(), platform="cpu", shardings=None, precision="default", whole=False):
    """(StableHLO module, host functions that it calls); the memory of the `donated` inputs may be used for results.

    platform : "cpu", "cuda" or "tpu", whose libraries linear algebra calls
    whole : each of several devices gets whole results; unless it is set XLA chooses how they lie
    precision : of matrix products, where the platform has several; see config.matmul_precision
    shardings : how the inputs lie on several devices
    """
    b = Builder(platform, precision)
    args = [Val(f"%arg{i}", v.aval) for i, v in enumerate(jaxpr.invars)]
    attributes = [["jax.buffer_donor = true"] if i in donated else [] for i in range(len(args))]
    if shardings is not None:
        for a, s, own in zip(args, shardings, attributes):
            own.append(f"sdy.sharding = #sdy.sharding{b.sharding(s.mesh, s.spec, len(a.shape))}")
    outs = b.program(jaxpr, args)
    params = ", ".join([f"{a.name}: {a.type}" + (f" {{{', '.join(own)}}}" if own else "")
                        for a, own in zip(args, attributes)])
    types = ", ".join([v.type for v in outs])
    results = types
    if whole and shardings:
        copies = [b.sharding(shardings[0].mesh, P(), len(v.shape)) for v in outs]
        results = ", ".join([f"{v.type} {{sdy.sharding = #sdy.sharding{s}}}" for v, s in zip(outs, copies)])
    body = "\n".join(b.lines)
    meshes = "".join([f"{line}\n" for line in b.meshes.values()])
    text = (f"module @{jaxpr.name if jaxpr.name.isidentifier() else 'main'} {{\n{meshes}"
            f"func.func public @main({params}) -> ({results}) {{\n{body}\n"
            f"\"func.return\"({', '.join([v.name for v in outs])}) : ({types}) -> ()\n}}\n}}\n")
    return text, b.callbacks
