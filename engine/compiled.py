"""jit: staged functions compiled by XLA, at the first call or ahead of it."""
import functools

import numpy as np

from . import retrace, tree
from .array import Array
from .config import config
from .control.call import jit_p
from .core import OPEN_EFFECTS, state
from .errors import TransformError
from .interpreters.evaluate import ROOT, executable, run, run_compiled
from .interpreters.lower import lower
from .interpreters.placing import where_to_run
from .ops.structural import asvalue
from .passes import optimize
from .sharding.constraint import with_sharding_constraint
from .sharding.place import device_put
from .sharding.specs import PartitionSpec
from .staged import name_of, stage_function, table_of, take_apart
from .stats import stats


def jit(f=None, *, in_shardings=None, out_shardings=None, static_argnums=(), static_argnames=(), donate_argnums=(),
        donate_argnames=(), compiler_options=None):
    """f compiled by XLA: traced once for each set of argument types, then run as one program.

    in_shardings, out_shardings : how the arguments and the results lie on the devices of a mesh: a sharding (or a
        PartitionSpec in a `with mesh:`), or a tree of them that begins theirs; None leaves it to the arguments and to
        XLA. Arguments that lie otherwise are moved. out_shardings=P() outside of a `with mesh:` asks for whole results
        on each of the devices that the program runs on.
    static_argnums, static_argnames : arguments that stay Python values; a new program for each value
    donate_argnums, donate_argnames : arguments whose memory the results may take; their arrays are deleted by the call.
        Only a call from outside of every transformation donates.
    compiler_options : XLA's options by name, e.g. {"xla_backend_optimization_level": 0}

    The result has `.lower(*args)`, the program before it is compiled, and `.explain()`, what is kept and why a call
    would be traced again.

    >>> square = jit(lambda x: x * x)
    >>> float(square(3.0))
    9.0
    """
    if f is None:
        return functools.partial(jit, in_shardings=in_shardings, out_shardings=out_shardings,
                                 static_argnums=static_argnums, static_argnames=static_argnames,
                                 donate_argnums=donate_argnums, donate_argnames=donate_argnames,
                                 compiler_options=compiler_options)
    statics = _listed(static_argnums, int) + _listed(static_argnames, str)
    donated = _listed(donate_argnums, int) + _listed(donate_argnames, str)
    options = tuple(sorted((compiler_options or {}).items()))
    if set(statics) & set(donated):
        raise TransformError(f"jit of {name_of(f)}: {sorted(set(statics) & set(donated), key=str)} are static and "
                             "donated; a static argument has no memory to give.")

    whole = isinstance(out_shardings, PartitionSpec) and out_shardings == PartitionSpec() and state.mesh is None
    if whole:
        out_shardings = None
    if in_shardings is not None or out_shardings is not None:
        f = _laid_out(f, in_shardings, out_shardings)
    plain = not (statics or donated or options or in_shardings is not None)
    ready: dict = {}                                     # types of array arguments -> what a call needs

    @functools.wraps(f)
    def compiled(*args, **kwargs):
        key, arrays = _types(args) if plain and not kwargs and state.trace is ROOT else (None, None)
        known = ready.get(key)
        if known is not None:
            return _call(*known, arrays)
        if in_shardings is not None:
            args = device_put(args, in_shardings)
        staged, leaves = stage_function(f, args, kwargs, statics)
        if state.trace is not ROOT or config.disable_jit or staged.jaxpr.effects & OPEN_EFFECTS:
            out = jit_p.bind(*staged.consts, *leaves, jaxpr=staged.jaxpr)
        elif not donated and not options or config.debug_nans:
            out = run_compiled(staged.jaxpr, [*staged.consts, *leaves], whole)
            if key is not None and where_to_run(staged.jaxpr, staged.consts) is None:
                consts = [asvalue(c).buffer for c in staged.consts]
                ready[key] = executable(staged.jaxpr), consts, staged.jaxpr.out_avals, staged.out_tree
        else:
            places = staged.jaxpr.cache.get(("donated", donated))
            if places is None:
                places = _donated_inputs(staged, args, kwargs, statics, donated)
                staged.jaxpr.cache["donated", donated] = places
            out = _run_donating(name_of(f), staged, places, options, leaves, whole)
        return tree.unflatten(staged.out_tree, out)

    def lowered(*args, **kwargs):
        """The program of f for these arguments' types, before it is compiled."""
        return Lowered(f, args, kwargs, statics, donated, options)

    compiled.lower = lowered
    compiled.explain = lambda *args, **kwargs: explain(f, statics, args, kwargs)
    return compiled


def _laid_out(f, in_shardings, out_shardings):
    """f whose arguments and results are laid out like this."""
    @functools.wraps(f)
    def run(*args, **kwargs):
        if in_shardings is not None:
            args = with_sharding_constraint(args, in_shardings)
        out = f(*args, **kwargs)
        return out if out_shardings is None else with_sharding_constraint(out, out_shardings)
    return run


def _types(args):
    """A key made of the arguments' types and the setting they are read under, and the arrays in the order of tree.

    (None, None) where an argument is neither an array nor a dict of arrays by name, or was put somewhere.
    """
    if config.debug_nans or config.disable_jit or state.device is not None:
        return None, None
    key, arrays = [config.default_float, config.matmul_precision, config.cuda_graphs], []
    for a in args:
        if type(a) is Array and a._sharding is None:
            key.append(a.aval)
            arrays.append(a)
        elif type(a) is dict:
            key.append(len(a))
            for name in sorted(a, key=str):
                v = a[name]
                if type(v) is not Array or v._sharding is not None or type(name) is not str:
                    return None, None
                key.append(name)
                key.append(v.aval)
                arrays.append(v)
        else:
            return None, None
    return tuple(key), arrays


def _call(exe, consts, out_avals, out_tree, args):
    """Run a compiled function on arrays, without looking at anything else."""
    stats.cache_hits += 1
    stats.executions += 1
    out = [Array(None, b, a) for b, a in zip(exe([*consts, *[a.buffer for a in args]]), out_avals)]
    return out[0] if out_tree.kind is None else tree.unflatten(out_tree, out)


def _listed(given, kind):
    return (given,) if isinstance(given, kind) else tuple(given)


class Lowered:
    """A staged function before compilation."""

    def __init__(self, f, args, kwargs, statics, donated, options):
        self._call = f, args, kwargs, statics, donated, options
        self.staged, _ = stage_function(f, args, kwargs, statics)
        self.jaxpr = self.staged.jaxpr

    def as_text(self):
        """The StableHLO module that XLA gets."""
        _, args, kwargs, statics, donated, _ = self._call
        return lower(optimize(self.jaxpr), _donated_inputs(self.staged, args, kwargs, statics, donated))[0]

    def compile(self):
        """The compiled function, callable with arguments of the same types."""
        f, args, kwargs, statics, donated, options = self._call
        return Compiled(f, self.staged, args, kwargs, statics, donated, options)


def _donated_inputs(staged, args, kwargs, statics, donated):
    """The inputs of the program that belong to donated arguments."""
    if not donated:
        return ()
    places = {i % len(args) for i in donated if isinstance(i, int) and -len(args) <= i < len(args)}
    fixed = {i % len(args) for i in statics if isinstance(i, int) and -len(args) <= i < len(args)}
    marks = []
    for i, a in enumerate(args):
        if i not in fixed:
            marks.extend([i in places] * len(tree.leaves(a)))
    for k in sorted(kwargs):
        if k not in statics:
            marks.extend([k in donated] * len(tree.leaves(kwargs[k])))
    n = len(staged.consts)
    return tuple([n + i for i, m in enumerate(marks) if m])


class Compiled:
    """A function compiled for one set of types: `compiled(*args)` neither traces nor compiles.

    `executable` is the program on the device.
    """

    def __init__(self, f, staged, args, kwargs, statics, donated, options):
        self.f, self.staged, self.statics = f, staged, statics
        self.key = take_apart(f, args, kwargs, statics)[0]
        self.donated, self.options = _donated_inputs(staged, args, kwargs, statics, donated), options
        self.executable = executable(staged.jaxpr, donated=self.donated, options=options)

    def __call__(self, *args, **kwargs):
        key, leaves, _, _ = take_apart(self.f, args, kwargs, self.statics)
        if key != self.key:
            changes = retrace.differences(self.f, self.key, key)
            raise TransformError(f"{name_of(self.f)} was compiled ahead of time for other arguments: "
                                 f"{'; '.join(changes)}.\nCall the jitted function itself: it compiles for new types.")
        if state.trace is not ROOT:
            out = jit_p.bind(*self.staged.consts, *leaves, jaxpr=self.staged.jaxpr)
        else:
            out = _run_donating(name_of(self.f), self.staged, self.donated, self.options, leaves)
        return tree.unflatten(self.staged.out_tree, out)

    def as_text(self):
        """XLA's own code after its optimisations."""
        return self.executable.optimized_hlo()

    def cost_analysis(self):
        """XLA's estimates for one run: 'flops', 'transcendentals', 'bytes accessed', …"""
        return self.executable.cost_analysis()

    def memory_analysis(self):
        """Bytes by use: argument, output, alias, temp, generated code, …, as XLA planned them."""
        return self.executable.memory_stats()


def _run_donating(name, staged, donated, options, leaves, whole=False):
    """The results for the leaves of the arguments; those in the places `donated` are deleted."""
    inputs = [*staged.consts, *leaves]
    given = [inputs[i] for i in donated]
    others = {id(a) for i, a in enumerate(inputs) if i not in donated}
    if len({id(a) for a in given}) < len(given) or not others.isdisjoint([id(a) for a in given]):
        raise TransformError(f"{name}: one array is donated and is another argument too (or a value that the function "
                             "closes over).\nPass a copy of it, or do not donate it.")
    out = run(staged.jaxpr, inputs, donated, options, whole)
    for a in given:
        if type(a) is Array:                             # its values are gone, its type is not
            a._aval, a._value, a.recipe = a.aval, None, None
    return out


def explain(f, statics, args, kwargs):
    """What is kept of a jitted function, a line for each program; with arguments, what a call with them would do."""
    table = table_of(f) or {}
    lines = [f"{name_of(f)}: {len(table)} program{'s' * (len(table) != 1)}"]
    for number, (key, staged) in enumerate(table.items(), 1):
        key = retrace.Key._make(key)
        types = [f"{name}: {a!r}" for name, a in zip(retrace.argument_names(f, key), key.avals)]
        types += [f"{retrace.place_name(f, k)} = {v!r}" for k, _, v in (*key.static_args, *key.static_kwargs)]
        size = sum(np.prod(c.shape, dtype=int) * c.dtype.itemsize for c in staged.consts)
        closed = f", closes over {len(staged.consts)} array(s) of {size} bytes" if staged.consts else ""
        lines.append(f"  {number}. ({', '.join(types)}): {len(staged.jaxpr.eqns)} equations{closed}")
    if args or kwargs:
        key = take_apart(f, args, kwargs, statics)[0]
        if key in table:
            lines.append(f"A call with these arguments runs program {list(table).index(key) + 1}.")
        else:
            reason = retrace.explain(f, key, table) or "it is the first"
            lines.append(f"A call with these arguments is traced: {reason}.")
    return "\n".join(lines)
