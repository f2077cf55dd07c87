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
from ..passes import optimize
from ..stats import stats
from .lower import lower
from .stage import eval_jaxpr


class Evaluate(Trace):
    """Runs primitives on concrete arrays."""
    __slots__ = ()

    def __init__(self):
        self.parent = self

    def process(self, prim, args, params):
        if prim.eager is not None and not config.disable_jit:
            return prim.eager(args, params)
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


def executable(jaxpr, *, device=None, outline=None, donated=(), options=()):
    """The compiled form of a program; kept with the program.

    donated : positions of inputs whose memory the results may take; options : pairs for XLA
    """
    key = (device, outline, donated, options)
    found = jaxpr.cache.get(key)
    if found is None:
        base = jaxpr.cache.get((None, outline, donated, options))
        if base is not None:
            found = base.on(device)
        else:
            program = optimize(jaxpr)
            text, callbacks = lower(program, donated)
            found = xla.compile(text, [(a.shape, a.dtype) for a in jaxpr.out_avals], device=device,
                                outline=_outlines(program) if outline is None else outline,
                                host_callbacks=callbacks,
                                extra_options=_options(program, options))
        jaxpr.cache[key] = found
    else:
        stats.cache_hits += 1
    return found


def run_compiled(jaxpr, args):
    """Run a program through XLA on concrete arrays; returns a list of arrays."""
    out = run_executable(executable(jaxpr), args, jaxpr.out_avals)
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


def all_eqns(jaxpr):
    """The equations of a program and of the programs inside it."""
    for eqn in jaxpr.eqns:
        yield eqn
        for inner in eqn.prim.programs(eqn.params):
            yield from all_eqns(inner)


ROOT = Evaluate()
set_root(ROOT)


def is_concrete(x):
    """Whether x is a number or array known now."""
    return type(x) is Array or isinstance(x, (np.ndarray, np.generic))
