"""The transformations as users call them: argument numbers, pytrees, auxiliary results.

    jit(f)   grad(f)   value_and_grad(f)   vmap(f)   jvp(f, primals, tangents)   vjp(f, *primals)
    linearize(f, *primals)   jacfwd(f)   jacrev(f)   hessian(f)   make_jaxpr(f)   eval_shape(f)
"""
import functools
import weakref

import numpy as np

from . import tree
from .array import Array
from .avals import Aval, is_inexact
from .config import config
from .control.call import jit_p
from .core import Tracer, aval_of, context_key, state
from .errors import DtypeError, ShapeError, TransformError, TreeError
from .interpreters.batch import batch_flat
from .interpreters.evaluate import ROOT, executable, run_executable
from .interpreters.jvp import jvp_flat, zero_tangent
from .interpreters.linearize import linearize_flat
from .interpreters.lower import lower_to_text
from .interpreters.stage import eval_jaxpr, stage
from .interpreters.transpose import backward
from .ops.structural import asvalue, broadcast_to, cast, full, moveaxis, reshape
from .stats import stats


def name_of(f):
    """A function's name, for messages and programs."""
    return getattr(f, "__name__", None) or type(f).__name__


# ---- jit ----

class Staged:
    """A function staged for one set of types: its program, closed-over values and the structure of its result."""
    __slots__ = ("jaxpr", "consts", "out_tree")

    def __init__(self, jaxpr, consts, out_tree):
        self.jaxpr, self.consts, self.out_tree = jaxpr, consts, out_tree


_STAGED: "weakref.WeakKeyDictionary" = weakref.WeakKeyDictionary()


def stage_function(f, args, kwargs, statics=()):
    """The `Staged` form of f for these arguments' types; kept as long as f lives. Counts as one trace when new.

    `statics` are positions or names of arguments that stay Python values.
    """
    static_args = {i: args[i] for i in statics if isinstance(i, int) and -len(args) <= i < len(args)}
    static_args = {i % len(args): v for i, v in static_args.items()}
    static_kwargs = {k: kwargs[k] for k in statics if isinstance(k, str) and k in kwargs}
    dynamic = ([a for i, a in enumerate(args) if i not in static_args], {k: v for k, v in kwargs.items() if k not in static_kwargs})
    leaves, treedef = tree.flatten(dynamic)
    leaves = [as_argument(x, f) for x in leaves]
    key = (treedef, tuple([x.aval for x in leaves]), static_key(static_args, f), static_key(static_kwargs, f), context_key(),
           config.default_float)
    table = _table_of(f)
    found = table.get(key) if table is not None else None
    if found is not None:
        return found, leaves

    trees = []

    def run(*flat):
        rest, named = tree.unflatten(treedef, flat)
        rest = iter(rest)
        full_args = [static_args[i] if i in static_args else next(rest) for i in range(len(args))]
        out, out_tree = tree.flatten(f(*full_args, **named, **static_kwargs))
        trees.append(out_tree)
        return [as_result(o, f) for o in out]

    stats.traces += 1
    jaxpr, consts, pure = stage(run, [x.aval for x in leaves], name_of(f))
    found = Staged(jaxpr, consts, trees[0])
    if pure and table is not None:
        table[key] = found
    return found, leaves


def _table_of(f):
    owner = getattr(f, "__self__", None)
    inner = getattr(f, "__func__", None)
    try:
        if owner is not None and inner is not None:       # a bound method is a new object each time
            return _STAGED.setdefault(owner, {}).setdefault(inner, {})
        return _STAGED.setdefault(f, {})
    except TypeError:
        return None


def static_key(values, f):
    """A hashable key of static arguments in which 1, 1.0 and True differ."""
    try:
        out = tuple([(k, type(v), v) for k, v in sorted(values.items())])
        hash(out)
    except TypeError:
        bad = next((k for k, v in values.items() if getattr(type(v), "__hash__", None) is None), next(iter(values)))
        raise TransformError(f"static argument {bad!r} of {name_of(f)} is a {type(values[bad]).__name__}, which is not hashable; a "
                             "compiled function is kept for each of its values.\nPass a tuple, a number or a string, or make it not static.") from None
    return out


def as_argument(x, f):
    """A leaf of the arguments as a value."""
    try:
        return asvalue(x)
    except DtypeError as e:
        raise DtypeError(f"{name_of(f)} got an argument that is not an array: {x!r:.80}.\n"
                         "Pass arrays and numbers; mark strings, functions and flags as static (static_argnums, static_argnames).") from e


def as_result(x, f):
    """A leaf of the result as a value."""
    try:
        return asvalue(x)
    except DtypeError as e:
        raise DtypeError(f"{name_of(f)} returned something that is not an array: {x!r:.80}.") from e


def jit(f=None, *, static_argnums=(), static_argnames=()):
    """f compiled by XLA: traced once for each set of argument types, then run as one program.

    static_argnums, static_argnames : arguments that stay Python values; a new program for each value
    The result has `.lower(*args)`, whose `.as_text()` is the StableHLO and `.jaxpr` the program.

    >>> square = jit(lambda x: x * x)
    >>> float(square(3.0))
    9.0
    """
    if f is None:
        return functools.partial(jit, static_argnums=static_argnums, static_argnames=static_argnames)
    nums = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)
    names = (static_argnames,) if isinstance(static_argnames, str) else tuple(static_argnames)
    statics = nums + names

    @functools.wraps(f)
    def compiled(*args, **kwargs):
        staged, leaves = stage_function(f, args, kwargs, statics)
        if state.trace is ROOT and not config.disable_jit and not staged.jaxpr.effects:
            out = run_executable(executable(staged.jaxpr), [*staged.consts, *leaves], staged.jaxpr.out_avals)
        else:
            out = jit_p.bind(*staged.consts, *leaves, jaxpr=staged.jaxpr)
        return tree.unflatten(staged.out_tree, out)

    compiled.lower = lambda *args, **kwargs: Lowered(stage_function(f, args, kwargs, statics)[0])
    return compiled


class Lowered:
    """A staged function before compilation."""

    def __init__(self, staged):
        self.staged, self.jaxpr = staged, staged.jaxpr

    def as_text(self):
        """The StableHLO module."""
        return lower_to_text(self.jaxpr)

    def compile(self):
        """The executable: `cost_analysis()`, `memory_stats()`, `optimized_hlo()`."""
        return executable(self.jaxpr)


def make_jaxpr(f, static_argnums=()):
    """A function that gives the program of f for the types of its arguments.

    >>> print(make_jaxpr(lambda x: x * 2)(1.0))
    { lambda a:f64[] . let
        b:f64[] = mul a 2.0:f64[]
      in (b) }
    """
    statics = (static_argnums,) if isinstance(static_argnums, int) else tuple(static_argnums)

    @functools.wraps(f)
    def made(*args, **kwargs):
        return stage_function(f, args, kwargs, statics)[0].jaxpr
    return made


class ShapeDtype:
    """The shape and dtype of an array that need not exist: an argument or a result of `eval_shape`."""
    __slots__ = ("shape", "dtype")

    def __init__(self, shape, dtype):
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)

    def __array_value__(self):
        return Array(np.broadcast_to(np.zeros((), self.dtype), self.shape))

    def __eq__(self, other):
        return isinstance(other, ShapeDtype) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self):
        return hash((self.shape, self.dtype))

    def __repr__(self):
        return f"ShapeDtype({self.shape}, {self.dtype})"


def eval_shape(f, *args, **kwargs):
    """The types of f(*args, **kwargs), as a tree of `ShapeDtype`, without computing it."""
    staged, _ = stage_function(f, args, kwargs)
    return tree.unflatten(staged.out_tree, [ShapeDtype(a.shape, a.dtype) for a in staged.jaxpr.out_avals])


# ---- derivatives ----

def _flat_function(f, treedef, trees):
    def flat(*leaves):
        out, out_tree = tree.flatten(f(*tree.unflatten(treedef, leaves)))
        trees.append(out_tree)
        return [as_result(o, f) for o in out]
    return flat


def _tangent_leaves(f, primals, tangents, treedef):
    out = []
    for i, (x, t) in enumerate(zip(primals, tree.flatten_up_to(treedef, tangents, "tree of tangents"))):
        if not is_inexact(x.dtype):
            out.append(None)
            continue
        t = cast(asvalue(t), x.dtype)
        if t.shape != x.shape:
            raise ShapeError(f"tangent {i} of {name_of(f)} has shape {t.shape}; its primal has shape {x.shape}.")
        out.append(t)
    return out


def _fill(ys, tys):
    return [zero_value(y) if t is None else t for y, t in zip(ys, tys)]


def zero_value(y):
    """A zero tangent as a value: zeros of the type of y (floating zeros for an integer)."""
    return asvalue(zero_tangent(y))


def jvp(f, primals, tangents):
    """(f(*primals), the derivative of f there along tangents): forward mode.

    primals, tangents : tuples of pytrees with equal structure and types. Integers have no tangent: theirs is not looked at.

    >>> y, t = jvp(lambda x: x ** 3, (2.0,), (1.0,))
    >>> float(y), float(t)
    (8.0, 12.0)
    """
    leaves, treedef = tree.flatten(tuple(primals))
    leaves = [as_argument(x, f) for x in leaves]
    trees: list = []
    ys, tys = jvp_flat(_flat_function(f, treedef, trees), leaves, _tangent_leaves(f, leaves, tuple(tangents), treedef))
    return tree.unflatten(trees[0], ys), tree.unflatten(trees[0], _fill(ys, tys))


def _linearized(f, primals):
    leaves, treedef = tree.flatten(tuple(primals))
    leaves = [as_argument(x, f) for x in leaves]
    trees: list = []
    wanted = [is_inexact(x.dtype) for x in leaves]
    ys, linear, residuals, marks = linearize_flat(_flat_function(f, treedef, trees), leaves, wanted)
    return leaves, treedef, wanted, ys, linear, residuals, marks, trees[0]


def linearize(f, *primals):
    """(f(*primals), the linear map from tangents to tangents), the primal work done once."""
    leaves, treedef, wanted, ys, linear, residuals, marks, out_tree = _linearized(f, primals)

    def push(*tangents):
        ts = [t for t in _tangent_leaves(f, leaves, tuple(tangents), treedef) if t is not None]
        out = iter(eval_jaxpr(linear, [*residuals, *ts]))
        return tree.unflatten(out_tree, _fill(ys, [next(out) if m else None for m in marks]))
    return tree.unflatten(out_tree, ys), push


def vjp(f, *primals, has_aux=False):
    """(f(*primals), pull): pull takes the cotangent of the result to a tuple of cotangents of the primals.

    With has_aux, f returns (result, aux) and vjp (result, pull, aux).
    Integers among the primals get zeros.
    """
    aux = []

    def main(*args):
        out = f(*args)
        if has_aux:
            out, extra = out
            flat, aux_tree = tree.flatten(extra)
            aux.append((aux_tree, flat))
        return out

    if has_aux:
        def both(*args):
            return f(*args)
        leaves, treedef, wanted, ys, linear, residuals, marks, out_tree = _linearized(both, primals)
        pair = tree.unflatten(out_tree, list(range(len(ys))))
        if not (isinstance(pair, (tuple, list)) and len(pair) == 2):
            raise TreeError(f"with has_aux, {name_of(f)} must return a pair (result, aux).")
        result_places = tree.leaves(pair[0])
        result_tree = tree.structure(pair[0])
        value = tree.unflatten(result_tree, [ys[i] for i in result_places])
        extra = tree.map(lambda i: ys[i], pair[1])
    else:
        leaves, treedef, wanted, ys, linear, residuals, marks, out_tree = _linearized(main, primals)
        result_places, result_tree, value, extra = list(range(len(ys))), out_tree, tree.unflatten(out_tree, ys), None

    def pull(cotangent):
        given = [None] * len(ys)
        for i, c in zip(result_places, tree.flatten_up_to(result_tree, cotangent, "cotangent")):
            if marks[i]:
                c = cast(asvalue(c), ys[i].dtype)
                if c.shape != ys[i].shape:
                    raise ShapeError(f"a cotangent has shape {c.shape}; the result of {name_of(f)} has shape {ys[i].shape}.")
                given[i] = c
        cts = backward(linear, [*residuals, *[None] * sum(wanted)], [c for c, m in zip(given, marks) if m])[len(residuals):]
        it = iter(cts)
        out = [next(it) if w else None for w in wanted]
        return tree.unflatten(treedef, [zero_value(x) if c is None else c for x, c in zip(leaves, out)])

    return (value, pull, extra) if has_aux else (value, pull)


def value_and_grad(f, argnums=0, has_aux=False):
    """A function that gives (f(*args), the gradient of f with respect to the arguments `argnums`).

    f gives one real scalar, or with has_aux a pair (scalar, aux), and then the result is ((scalar, aux), gradient).
    Raises TransformError when the result is not a real scalar or an argument is not floating.

    >>> value, slope = value_and_grad(lambda x: x ** 2)(3.0)
    >>> float(value), float(slope)
    (9.0, 6.0)
    """
    nums = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @functools.wraps(f)
    def wrapped(*args, **kwargs):
        for i in nums:
            if not -len(args) <= i < len(args):
                raise TransformError(f"grad of {name_of(f)} with argnums={argnums}: it got {len(args)} positional arguments.")
        places = [i % len(args) for i in nums]
        _check_floating(f, [args[i] for i in places], places)

        def partial(*chosen):
            full_args = list(args)
            for i, a in zip(places, chosen):
                full_args[i] = a
            return f(*full_args, **kwargs)

        out = vjp(partial, *[args[i] for i in places], has_aux=has_aux)
        value, pull = out[:2]
        _check_scalar(f, value)
        grads = pull(np.ones((), value.dtype))
        grads = grads[0] if isinstance(argnums, int) else grads
        return ((value, out[2]), grads) if has_aux else (value, grads)
    return wrapped


def _check_floating(f, chosen, places):
    for place, argument in zip(places, chosen):
        for path, x in tree.flatten_with_path(argument)[0]:
            x = as_argument(x, f)
            if not is_inexact(x.dtype):
                raise TransformError(f"grad of {name_of(f)}: argument {place}{tree.keystr(path)} has dtype {x.dtype}, and only "
                                     "floating-point numbers have derivatives.\nPass a float (3.0 instead of 3), or choose other argnums.")
            if x.dtype.kind == "c":
                raise TransformError(f"grad of {name_of(f)}: argument {place}{tree.keystr(path)} is complex; use vjp, and say which derivative is meant.")


def _check_scalar(f, value):
    if not isinstance(value, (Array, Tracer)) or value.shape != () or not is_inexact(value.dtype) or value.dtype.kind == "c":
        what = repr(aval_of(value)) if isinstance(value, (Array, Tracer)) else f"a {type(value).__name__}"
        raise TransformError(f"grad needs a function that gives one real number; {name_of(f)} gave {what}.\n"
                             "Sum the result (np.sum), or use jacrev, jacfwd or vjp; for a pair (value, extra) pass has_aux=True.")


def grad(f, argnums=0, has_aux=False):
    """The gradient of a scalar function as a function; see `value_and_grad`.

    With has_aux the result is (gradient, aux).

    >>> float(grad(grad(lambda x: x ** 3))(2.0))
    12.0
    """
    both = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f)
    def gradient(*args, **kwargs):
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g
    return gradient


def _basis(x):
    """The unit vectors of x's shape, stacked."""
    n = x.size
    return reshape(asvalue(np.eye(n, dtype=x.dtype)), (n, *x.shape))


def _jacobian(f, argnums, has_aux, rows):
    def jacobian(*args, **kwargs):
        single = isinstance(argnums, int)
        nums = (argnums,) if single else tuple(argnums)
        _check_floating(f, [args[i] for i in nums], nums)

        def partial(*chosen):
            full_args = list(args)
            for i, a in zip(nums, chosen):
                full_args[i] = a
            return f(*full_args, **kwargs)

        chosen = tuple(tree.map(asvalue, args[i]) for i in nums)
        out, aux = rows(partial, chosen, has_aux)
        out = tree.map(lambda columns: columns[0] if single else columns, out, is_leaf=lambda v: isinstance(v, _Columns))
        out = tree.map(lambda c: c.value if isinstance(c, _Columns) else c, out, is_leaf=lambda v: isinstance(v, _Columns))
        return (out, aux) if has_aux else out
    return functools.wraps(f)(jacobian)


class _Columns(tuple):
    """The derivatives of one output leaf, one tree per chosen argument."""
    @property
    def value(self):
        return tuple(self)


def _forward_rows(partial, chosen, has_aux):
    leaves, treedef = tree.flatten(chosen)
    aux = partial(*chosen)[1] if has_aux else None

    def main(*a):
        return partial(*a)[0] if has_aux else partial(*a)

    y, push = linearize(main, *chosen)
    y_leaves, y_tree = tree.flatten(y)
    blocks = [[] for _ in y_leaves]
    for k, x in enumerate(leaves):
        def column(e, k=k, x=x):
            ts = [e if i == k else full(z.shape, 0, z.dtype) for i, z in enumerate(leaves)]
            return tree.leaves(push(*tree.unflatten(treedef, ts)))
        columns = vmap(column)(_basis(x))
        for block, c, yl in zip(blocks, columns, y_leaves):
            block.append(reshape(moveaxis(c, 0, c.ndim - 1), (*yl.shape, *x.shape)))
    return tree.unflatten(y_tree, [_Columns(tree.unflatten(treedef, b)) for b in blocks]), aux


def _reverse_rows(partial, chosen, has_aux):
    out = vjp(partial, *chosen, has_aux=has_aux)
    y, pull, aux = out[0], out[1], (out[2] if has_aux else None)
    y_leaves, y_tree = tree.flatten(y)
    rows = []
    for k, yl in enumerate(y_leaves):
        def row(e, k=k):
            return pull(tree.unflatten(y_tree, [e if i == k else full(z.shape, 0, z.dtype) for i, z in enumerate(y_leaves)]))
        made = vmap(row)(_basis(yl))
        rows.append(_Columns(tree.map(lambda c, yl=yl: reshape(c, (*yl.shape, *c.shape[1:])), made)))
    return tree.unflatten(y_tree, rows), aux


def jacfwd(f, argnums=0, has_aux=False):
    """The Jacobian, column by column in forward mode: shape [*out, *in]. Best for few inputs."""
    return _jacobian(f, argnums, has_aux, _forward_rows)


def jacrev(f, argnums=0, has_aux=False):
    """The Jacobian, row by row in reverse mode: shape [*out, *in]. Best for few outputs.

    >>> jacrev(lambda x: x * x)([1.0, 2.0])
    Array([[2., 0.],
           [0., 4.]])
    """
    return _jacobian(f, argnums, has_aux, _reverse_rows)


jacobian = jacrev


def hessian(f, argnums=0, has_aux=False):
    """The matrix of second derivatives: jacfwd of jacrev."""
    return jacfwd(jacrev(f, argnums, has_aux), argnums, has_aux)


def hvp(f, primals, tangents):
    """The product of f's Hessian with a vector, by forward over reverse."""
    return jvp(grad(f), primals, tangents)[1]


# ---- vmap ----

def _axes_of(spec, trees, f, what):
    """One axis (or None) for each leaf, from an int, None, or a tree prefix."""
    out = []
    for path, sub in _prefix(spec, trees, f, what):
        out.extend([path] * len(tree.leaves(sub)))
    return out


def _prefix(spec, whole, f, what):
    if spec is None or isinstance(spec, (int, np.integer)):
        return [(spec, whole)]
    spec_leaves, spec_tree = tree.flatten(spec, is_leaf=lambda s: s is None)
    try:
        subs = tree.flatten_up_to(spec_tree, _shape_like(spec, whole), what)
    except TreeError as e:
        raise TransformError(f"{what} of vmap of {name_of(f)}, {spec!r}, is not a prefix of the tree of its "
                             f"{'arguments' if what == 'in_axes' else 'results'}: {tree.structure(whole)}.") from e
    return list(zip(spec_leaves, subs))


def _shape_like(spec, whole):
    """in_axes may be a list where the arguments are a tuple."""
    return type(spec)(whole) if isinstance(spec, (list, tuple)) and isinstance(whole, (list, tuple)) and not hasattr(spec, "_fields") else whole


def vmap(f, in_axes=0, out_axes=0, axis_name=None, axis_size=None):
    """f applied to each slice of its arguments at once: a batch axis pushed into every operation.

    in_axes : the axis of each argument to run over, None for those that all lanes share; an int, or a tree prefix of
        the positional arguments. Keyword arguments run over axis 0.
    out_axes : where the new axis stands in the results
    Raises ShapeError when the axes have different sizes, naming the arguments.

    >>> vmap(lambda x, y: x + y, in_axes=(0, None))([1.0, 2.0], 10.0)
    Array([11., 12.])
    """
    @functools.wraps(f)
    def mapped(*args, **kwargs):
        args = tuple(_sequences(a) for a in args)
        spec = tuple(in_axes) if isinstance(in_axes, list) else in_axes
        if isinstance(spec, tuple) and len(spec) != len(args):
            raise TransformError(f"vmap of {name_of(f)}: in_axes has {len(spec)} entries and there are {len(args)} positional arguments.")
        axes = _axes_of(spec, args, f, "in_axes") + [0] * len(tree.leaves(kwargs))
        pairs, treedef = tree.flatten_with_path((args, kwargs))
        leaves = [as_argument(x, f) for _, x in pairs]
        size = _batch_size(f, [p for p, _ in pairs], leaves, axes, axis_size)
        moved = [x if a is None else moveaxis(x, a, 0) for x, a in zip(leaves, axes)]
        trees = []

        def flat(*values):
            a, k = tree.unflatten(treedef, values)
            out, out_tree = tree.flatten(f(*a, **k))
            trees.append(out_tree)
            return [as_result(o, f) for o in out]

        outs, marks = batch_flat(flat, size, moved, [a is not None for a in axes], axis_name)
        result = tree.unflatten(trees[0], outs)
        places = _axes_of(out_axes, result, f, "out_axes")
        return tree.unflatten(trees[0], [_place(f, o, m, p, size) for o, m, p in zip(outs, marks, places)])
    return mapped


def _sequences(a):
    """A plain list of numbers is one array (NumPy's habit), not a tree of scalars."""
    if isinstance(a, (list, tuple)) and not hasattr(a, "_fields") and a and all(isinstance(v, (int, float)) for v in a):
        return asvalue(a)
    return a


def _batch_size(f, paths, leaves, axes, axis_size):
    sizes = {}
    for path, x, a in zip(paths, leaves, axes):
        if a is None:
            continue
        where = (f"argument {path[1]}{tree.keystr(path[2:])}" if path[0] == 0 else f"argument {path[1]!r}{tree.keystr(path[2:])}")
        if not -x.ndim <= a < x.ndim:
            raise ShapeError(f"vmap of {name_of(f)} runs over axis {a} of {where}, which has shape {x.shape}.\n"
                             "Use in_axes=None for arguments that all lanes share.")
        sizes[where] = x.shape[a]
    if axis_size is not None:
        sizes["axis_size"] = axis_size
    if not sizes:
        raise TransformError(f"vmap of {name_of(f)}: no argument has a mapped axis, so the size is not known. Pass axis_size.")
    if len(set(sizes.values())) > 1:
        raise ShapeError(f"vmap of {name_of(f)}: the mapped axes have different sizes: {sizes}.")
    return next(iter(sizes.values()))


def _place(f, out, mark, axis, size):
    if axis is None:
        if mark:
            raise TransformError(f"vmap of {name_of(f)}: out_axes is None for a result that differs between lanes.")
        return out
    if not mark:
        out = broadcast_to(reshape(out, (1, *out.shape)), (size, *out.shape))
    if not -out.ndim <= axis < out.ndim:
        raise TransformError(f"vmap of {name_of(f)}: out_axes={axis} is out of range for a result with {out.ndim} axes.")
    return moveaxis(out, 0, axis)


def aval_leaf(shape, dtype):
    """A type, for functions that take types."""
    return Aval(tuple(shape), np.dtype(dtype))
