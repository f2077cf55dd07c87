"""Plain evaluation, the root of every world.

An operation on concrete arrays runs its NumPy meaning at once: nothing is compiled. Programs (jit, scan,
while) are compiled by XLA, once for each program, unless `config.disable_jit` is on.
"""
from functools import partial

import numpy as np

from .. import xla
from ..array import Array
from ..avals import is_inexact
from ..config import config
from ..core import REGISTRY, Trace, Tracer, aval_of, quietly, raw, set_root, state
from ..errors import NanError
from ..ir import Eqn, Jaxpr, Var, all_eqns
from ..passes import optimize
from ..sharding import SingleDeviceSharding
from ..sharding.specs import named
from ..stats import stats
from .lower import lower
from .placing import where_to_run
from .stage import eval_jaxpr


class Evaluate(Trace):
    """Runs primitives on concrete arrays."""
    __slots__ = ()

    def __init__(self):
        self.parent = self

    def process(self, prim, args, params):
        if prim.eager is not None and not config.disable_jit:
            return prim.eager(args, params)
        for a in args:
            if type(a) is Array and a._sharding is not None:
                return placed(prim, args, params)
        if not args and not prim.multiple:
            return Array(aval=prim.shape(**params), recipe=(prim, params))
        if prim.uniform:
            for a in args:                               # most often one of them has values of its own
                if type(a) is Array and a.recipe is None and a._value is not None and a._value.ndim:
                    break
            else:
                scalars = [one_value(a) for a in args]
                if all([v is not None for v in scalars]) and (prim.name == "broadcast" or any([a.ndim for a in args])):
                    return self.uniform(prim, args, scalars, params)
        values = [a._value if type(a) is Array and a._value is not None else raw(a) for a in args]
        try:
            if prim.multiple or prim.inner:              # the user's functions may run inside
                with np.errstate(all="ignore"):
                    out = prim.rule("impl")(*values, **params)
            elif params:
                out = quietly(partial(prim.rule("impl"), **params), *values)
            else:
                out = quietly(prim.rule("impl"), *values)
        except (ValueError, IndexError):
            prim.out_avals([aval_of(a) for a in args], params)       # says what is wrong in our words
            raise
        if config.debug_nans:
            check_nans(prim, values, out if prim.multiple else [out])
        if prim.multiple:
            return [Array(np.asarray(o)) for o in out]
        out = out if type(out) is np.ndarray else np.asarray(out)
        if values[-1].dtype.kind == "V":                 # NumPy computes with int4 in int8
            out = out.astype(prim.out_avals([aval_of(a) for a in args], params)[0].dtype, copy=False)
        return Array(out)

    def uniform(self, prim, args, scalars, params):
        """An operation on arrays of one value each: done on the values, and the result is a recipe again."""
        out = prim.out_avals([aval_of(a) for a in args], params)[0]
        with np.errstate(all="ignore"):
            value = scalars[0] if prim.name == "broadcast" else prim.impl(*scalars, **params)
        full = REGISTRY["full"]
        return Array(aval=out, recipe=(full, dict(shape=out.shape, value=np.asarray(value, out.dtype).item(),
                                                  dtype=out.dtype)))


def one_value(x):
    """The scalar that all elements of a concrete operand are known to equal, or None."""
    if type(x) is Array:
        if x.recipe is not None:
            return np.asarray(x.recipe[1]["value"], x.dtype) if x.recipe[0].name == "full" else None
        return x.value if x.ndim == 0 else None
    return None if isinstance(x, Tracer) or np.ndim(x) else x


def placed(prim, args, params):
    """An operation on arrays that were put on devices: a program of one operation, which runs there."""
    args = [a if type(a) is Array else Array(np.asarray(raw(a))) for a in args]
    avals = tuple([a.aval for a in args])
    key = (prim, tuple(params.items()), avals)
    try:
        program = _ONE_OPERATION.get(key)
    except TypeError:                                    # a parameter that cannot be a key
        key, program = None, None
    if program is None:
        ins = [Var(a) for a in avals]
        outs = [Var(a) for a in prim.out_avals(avals, params)]
        program = Jaxpr(ins, [Eqn(prim, ins, params, outs)], outs, prim.name)
        if key is not None:
            _ONE_OPERATION[key] = program
            if len(_ONE_OPERATION) > 4096:
                _ONE_OPERATION.pop(next(iter(_ONE_OPERATION)))
    out = run_compiled(program, args)
    return out if prim.multiple else out[0]


_ONE_OPERATION: dict = {}


def executable(jaxpr, *, device=None, outline=None, donated=(), options=(), shardings=None, whole=False):
    """The compiled form of a program; kept with the program.

    donated : positions of inputs whose memory the results may take; options : pairs for XLA
    shardings : how the inputs lie on several devices, for a program of several; whole : each gets whole results
    """
    first = device[0] if type(device) is tuple else device or xla.default_device()
    settings = None if first.platform == "cpu" else (config.matmul_precision, config.cuda_graphs)
    key = (device, outline, donated, options, shardings, whole, settings)
    found = jaxpr.cache.get(key)
    if found is None:
        base = jaxpr.cache.get((None, *key[1:])) if shardings is None else None
        if base is not None and base.device.platform == first.platform:
            found = base.on(device)
        else:
            program, host = optimize(jaxpr), settings is None
            platform = "cuda" if first.platform == "gpu" else first.platform
            precision, graphs = settings or ("default", False)
            text, callbacks = lower(program, donated, platform, shardings, precision, whole)
            found = xla.compile(text, [(a.shape, a.dtype) for a in jaxpr.out_avals], device=device, whole=whole,
                                outline=host and (_outlines(program) if outline is None else outline),
                                cuda_graphs=graphs and platform == "cuda", host_callbacks=callbacks,
                                extra_options=_options(program, options) if host else dict(options))
        jaxpr.cache[key] = found
    else:
        stats.cache_hits += 1
    return found


def run(jaxpr, args, donated=(), options=(), whole=False):
    """The results of a program, where its arguments and its meshes say that it runs.

    whole : of several devices each gets whole results; unless it is set XLA chooses how they lie
    """
    place = where_to_run(jaxpr, args)
    if place is None:
        return run_executable(executable(jaxpr, donated=donated, options=options), args, jaxpr.out_avals)
    device, shardings, meshes = place
    exe = executable(jaxpr, device=device, donated=donated, options=options, shardings=shardings,
                     whole=whole and shardings is not None)
    return run_placed(exe, args, jaxpr.out_avals, shardings, meshes)


def run_compiled(jaxpr, args, whole=False):
    """Run a program through XLA on concrete arrays; returns a list of arrays. whole : see `run`."""
    out = run(jaxpr, args, whole=whole)
    if config.debug_nans and any(has_nan(o.value) for o in out):
        # again in NumPy, operation by operation: it raises at the first nan
        with config(disable_jit=True):
            eval_jaxpr(jaxpr, args)
    return out


def has_nan(x):
    """Whether a NumPy array holds a nan."""
    return is_inexact(x.dtype) and bool(np.isnan(x).any())


def check_nans(prim, values, outs):
    """Raise when an operation gives nan for operands that have none."""
    if any(has_nan(np.asarray(o)) for o in outs) and not any(has_nan(np.asarray(v)) for v in values):
        shown = ", ".join(f"{np.asarray(v).dtype}{list(np.shape(v))}, {_range(np.asarray(v))}" for v in values)
        raise NanError(f"`{prim.name}` gave nan, and its operands have none: {shown}.\n"
                       "Keep its operand inside of the domain (np.where before the operation, clip, or a log-space "
                       "formula).", state.source)


def _range(v):
    return f"from {v.min():.6g} to {v.max():.6g}" if v.size and v.dtype.kind in "iuf" else "empty" if not v.size else ""


def run_executable(exe, args, out_avals):
    """Call an executable with concrete operands."""
    buffers = [a.buffer if type(a) is Array else xla.put(np.asarray(raw(a))) for a in args]
    stats.executions += 1
    return [Array(None, b, a) for b, a in zip(exe(buffers), out_avals)]


def run_placed(exe, args, out_avals, shardings, meshes):
    """Call an executable of given devices: arguments that lie elsewhere in the host's memory are put there first."""
    stats.executions += 1
    if shardings is None:
        here = SingleDeviceSharding(exe.device)
        buffers = [a._buffer if type(a) is Array and a._sharding is not None
                   else xla.put(np.asarray(raw(a)), exe.device) for a in args]
        return [Array(None, b, a, None, here) for b, a in zip(exe(buffers), out_avals)]
    buffers = [a._buffer if type(a) is Array and a._sharding is not None
               else xla.put_spread(np.asarray(raw(a)), s.spread(np.shape(a))) for a, s in zip(args, shardings)]
    return [Array(None, b, a, None, named(spread, len(a.shape), meshes))
            for b, a, spread in zip(exe(buffers), out_avals, exe.out_spreads)]


def _outlines(jaxpr):
    """Whether the program's loops are small enough to be compiled into one native function each."""
    return any(e.prim.inner for e in jaxpr.eqns) and not any(heavy(e) for e in all_eqns(jaxpr))


def _options(jaxpr, given):
    """XLA's options. LLVM needs gigabytes for vector code of `bessel_k` on some processors, so it gets scalar code."""
    first = {"xla_backend_optimization_level": 1} if any(e.prim.name == "bessel_k" for e in all_eqns(jaxpr)) else {}
    return {**first, **dict(given)}


def heavy(eqn):
    """A product large enough that XLA's own kernels beat a native loop (JAXLIB: past about 1,000 x 25)."""
    if eqn.prim.name != "dot_general":
        return False
    return max(v.aval.size for v in eqn.inputs) > 500_000


ROOT = Evaluate()
set_root(ROOT)


def is_concrete(x):
    """Whether x is a number or array known now."""
    return type(x) is Array or isinstance(x, (np.ndarray, np.generic))
