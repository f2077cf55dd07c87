"""The transformations as users call them: argument numbers, pytrees, auxiliary results.

    jit(f)   grad(f)   value_and_grad(f)   vmap(f)   jvp(f, primals, tangents)   vjp(f, *primals)
    linearize(f, *primals)   jacfwd(f)   jacrev(f)   hessian(f)   make_jaxpr(f)   eval_shape(f)
"""
import functools

import numpy as np

from . import tree
from .array import Array
from .avals import Aval, is_inexact
from .core import Tracer, aval_of
from .errors import ShapeError, TransformError, TreeError
from .interpreters.batch import batch_flat
from .interpreters.jvp import jvp_flat, zero_tangent
from .interpreters.linearize import linearize_flat
from .interpreters.stage import eval_jaxpr, stage
from .interpreters.transpose import backward
from .ops.structural import asvalue, broadcast_to, cast, moveaxis, reshape
from .staged import as_argument, as_result, name_of, stage_function

# ---- programs and types ----

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

    primals, tangents : tuples of pytrees with equal structure and types. Integers have no tangent: theirs is not
    looked at.

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


def _with_aux(f):
    """f, checked to give a pair (result, aux)."""
    def main(*args):
        out = f(*args)
        if not (isinstance(out, (tuple, list)) and len(out) == 2):
            raise TreeError(f"with has_aux, {name_of(f)} must return a pair (result, aux).")
        return tuple(out)
    return functools.wraps(f)(main)


def linear_transpose(f, *primals):
    """The transpose of a linear function: takes the cotangent of its result to a tuple of cotangents of its arguments.

    primals : arrays or `ShapeDtype`s; only their types matter

    >>> import numpy
    >>> turn = linear_transpose(lambda x: 3.0 * x, ShapeDtype((2,), float))
    >>> turn(numpy.ones(2))[0].tolist()
    [3.0, 3.0]
    """
    leaves, treedef = tree.flatten(tuple(primals), is_leaf=lambda x: isinstance(x, ShapeDtype))
    avals = [Aval(x.shape, x.dtype) if isinstance(x, ShapeDtype) else as_argument(x, f).aval for x in leaves]
    trees: list = []
    jaxpr, consts, _ = stage(_flat_function(f, treedef, trees), avals, name_of(f))

    def pull(cotangent):
        cts = [cast(asvalue(c), v.aval.dtype) for c, v in zip(tree.flatten_up_to(trees[0], cotangent, "cotangent"),
                                                              jaxpr.outs)]
        out = backward(jaxpr, [*consts, *[None] * len(avals)], cts)[len(consts):]
        return tree.unflatten(treedef, [asvalue(zero_tangent(a)) if c is None else c for a, c in zip(avals, out)])
    return pull


def vjp(f, *primals, has_aux=False):
    """(f(*primals), pull): pull takes the cotangent of the result to a tuple of cotangents of the primals.

    With has_aux, f returns (result, aux) and vjp (result, pull, aux).
    Integers among the primals get zeros.
    """
    leaves, treedef, wanted, ys, linear, residuals, marks, out_tree = _linearized(_with_aux(f) if has_aux else f,
                                                                                  primals)
    result_tree, aux_tree = out_tree.children if has_aux else (out_tree, None)
    n = result_tree.num_leaves                           # the leaves of aux come after those of the result

    def pull(cotangent):
        given = []
        for c, y, mark in zip(tree.flatten_up_to(result_tree, cotangent, "cotangent"), ys, marks):
            if mark:
                c = cast(asvalue(c), y.dtype)
                if c.shape != y.shape:
                    raise ShapeError(f"a cotangent has shape {c.shape}; "
                                     f"the result of {name_of(f)} has shape {y.shape}.")
                given.append(c)
        cts = iter(backward(linear, [*residuals, *[None] * sum(wanted)], given)[len(residuals):])
        out = [next(cts) if w else None for w in wanted]
        return tree.unflatten(treedef, [zero_value(x) if c is None else c for x, c in zip(leaves, out)])

    value = tree.unflatten(result_tree, ys[:n])
    return (value, pull, tree.unflatten(aux_tree, ys[n:])) if has_aux else (value, pull)


def _chosen(f, argnums, args, kwargs, holomorphic=False):
    """(f as a function of the arguments `argnums` alone, those arguments), all of them checked to be floating."""
    nums = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for i in nums:
        if not -len(args) <= i < len(args):
            raise TransformError(f"grad of {name_of(f)} with argnums={argnums}: it got {len(args)} positional "
                                 "arguments.")
    places = [i % len(args) for i in nums]
    _check_floating(f, [args[i] for i in places], places, holomorphic)

    @functools.wraps(f)
    def partial(*chosen):
        full_args = list(args)
        for i, a in zip(places, chosen):
            full_args[i] = a
        return f(*full_args, **kwargs)
    return partial, [args[i] for i in places]


def value_and_grad(f, argnums=0, has_aux=False, holomorphic=False):
    """A function that gives (f(*args), the gradient of f with respect to the arguments `argnums`).

    f gives one real scalar, or with has_aux a pair (scalar, aux), and then the result is ((scalar, aux), gradient).
    For a complex argument x + iy of a real function the gradient is ∂f/∂x - i ∂f/∂y; a complex function of complex
    arguments needs holomorphic=True, and then it is the complex derivative.
    Raises TransformError when the result is not a real scalar or an argument is not floating.

    >>> value, slope = value_and_grad(lambda x: x ** 2)(3.0)
    >>> float(value), float(slope)
    (9.0, 6.0)
    """
    @functools.wraps(f)
    def wrapped(*args, **kwargs):
        partial, chosen = _chosen(f, argnums, args, kwargs, holomorphic)
        out = vjp(partial, *chosen, has_aux=has_aux)
        value, pull = out[:2]
        _check_scalar(f, value, holomorphic)
        grads = pull(np.ones((), value.dtype))
        grads = grads[0] if isinstance(argnums, int) else grads
        return ((value, out[2]), grads) if has_aux else (value, grads)
    return wrapped


def _check_floating(f, chosen, places, holomorphic=False):
    for place, argument in zip(places, chosen):
        for path, x in tree.flatten_with_path(argument)[0]:
            x = as_argument(x, f)
            if not is_inexact(x.dtype):
                raise TransformError(f"grad of {name_of(f)}: argument {place}{tree.keystr(path)} has dtype {x.dtype}, "
                                     "and only floating-point numbers have derivatives.\nPass a float (3.0 instead of "
                                     "3), or choose other argnums.")
            if holomorphic and x.dtype.kind != "c":
                raise TransformError(f"grad of {name_of(f)} with holomorphic=True: argument {place}{tree.keystr(path)} "
                                     "is real; it must be complex.")


def _check_scalar(f, value, holomorphic=False):
    if isinstance(value, (Array, Tracer)) and value.shape == () and value.dtype.kind == "c":
        if holomorphic:
            return
        raise TransformError(f"grad of {name_of(f)}: the result is complex. For a holomorphic function of a complex "
                             "argument pass holomorphic=True; else take its real part, its modulus, or use vjp.")
    if holomorphic or not isinstance(value, (Array, Tracer)) or value.shape != () or not is_inexact(value.dtype):
        what = repr(aval_of(value)) if isinstance(value, (Array, Tracer)) else f"a {type(value).__name__}"
        raise TransformError(f"grad needs a function that gives one real number; {name_of(f)} gave {what}.\n"
                             "Sum the result (np.sum), or use jacrev, jacfwd or vjp; for a pair (value, extra) pass "
                             "has_aux=True.")


def grad(f, argnums=0, has_aux=False, holomorphic=False):
    """The gradient of a scalar function as a function; see `value_and_grad`.

    With has_aux the result is (gradient, aux).

    >>> float(grad(grad(lambda x: x ** 3))(2.0))
    12.0
    """
    both = value_and_grad(f, argnums, has_aux, holomorphic)

    @functools.wraps(f)
    def gradient(*args, **kwargs):
        value, g = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g
    return gradient


def _basis(x):
    """The unit vectors of x's shape, stacked."""
    n = x.size
    return reshape(asvalue(np.eye(n, dtype=x.dtype)), (n, *x.shape))


def _jacobian(f, argnums, has_aux, blocks):
    @functools.wraps(f)
    def jacobian(*args, **kwargs):
        partial, chosen = _chosen(f, argnums, args, kwargs)
        out_tree, made, aux = blocks(partial, tuple(tree.map(asvalue, c) for c in chosen), has_aux)
        out = tree.unflatten(out_tree, [block[0] if isinstance(argnums, int) else block for block in made])
        return (out, aux) if has_aux else out
    return jacobian


def _unit(e, k, like):
    """The leaves `like` as zeros, but for e in place k."""
    return [e if i == k else zero_value(z) for i, z in enumerate(like)]


def _forward_blocks(partial, chosen, has_aux):
    """(tree of the result, for each of its leaves the derivatives by the chosen arguments, aux): one push per input."""
    def main(out):
        return out[0] if has_aux else out
    y, push = linearize(_with_aux(partial) if has_aux else partial, *chosen)
    leaves, treedef = tree.flatten(chosen)
    y_leaves, y_tree = tree.flatten(main(y))
    blocks = [[] for _ in y_leaves]
    for k, x in enumerate(leaves):
        columns = vmap(lambda e, k=k: tree.leaves(main(push(*tree.unflatten(treedef, _unit(e, k, leaves))))))(_basis(x))
        for block, c, yl in zip(blocks, columns, y_leaves):
            block.append(reshape(moveaxis(c, 0, c.ndim - 1), (*yl.shape, *x.shape)))
    return y_tree, [tree.unflatten(treedef, b) for b in blocks], y[1] if has_aux else None


def _reverse_blocks(partial, chosen, has_aux):
    """The same, by one pull per output."""
    y, pull, *aux = vjp(partial, *chosen, has_aux=has_aux)
    y_leaves, y_tree = tree.flatten(y)
    blocks = []
    for k, yl in enumerate(y_leaves):
        rows = vmap(lambda e, k=k: pull(tree.unflatten(y_tree, _unit(e, k, y_leaves))))(_basis(yl))
        blocks.append(tree.map(lambda c, yl=yl: reshape(c, (*yl.shape, *c.shape[1:])), rows))
    return y_tree, blocks, aux[0] if has_aux else None


def jacfwd(f, argnums=0, has_aux=False):
    """The Jacobian, column by column in forward mode: shape [*out, *in]. Best for few inputs."""
    return _jacobian(f, argnums, has_aux, _forward_blocks)


def jacrev(f, argnums=0, has_aux=False):
    """The Jacobian, row by row in reverse mode: shape [*out, *in]. Best for few outputs.

    >>> jacrev(lambda x: x * x)(np.array([1.0, 2.0]))
    Array([[2., 0.],
           [0., 4.]])
    """
    return _jacobian(f, argnums, has_aux, _reverse_blocks)


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
                             f"{'arguments' if what == 'in_axes' else 'results'}: {tree.structure(whole)}.\n"
                             "Give one axis for a whole tree, or a tree of axes with the same tuples and keys.") from e
    return list(zip(spec_leaves, subs))


def _shape_like(spec, whole):
    """in_axes may be a list where the arguments are a tuple."""
    sequences = isinstance(spec, (list, tuple)) and isinstance(whole, (list, tuple)) and not hasattr(spec, "_fields")
    return type(spec)(whole) if sequences else whole


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
            raise TransformError(f"vmap of {name_of(f)}: in_axes has {len(spec)} entries and there are {len(args)} "
                                 "positional arguments.\nGive one entry for each: an axis, or None for an argument "
                                 "that all lanes share, e.g. in_axes=(0, None).")
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
        where = (f"argument {path[1]}{tree.keystr(path[2:])}" if path[0] == 0
                 else f"argument {path[1]!r}{tree.keystr(path[2:])}")
        if not -x.ndim <= a < x.ndim:
            raise ShapeError(f"vmap of {name_of(f)} runs over axis {a} of {where}, which has shape {x.shape}.\n"
                             "Use in_axes=None for arguments that all lanes share.")
        sizes[where] = x.shape[a]
    if axis_size is not None:
        sizes["axis_size"] = axis_size
    if not sizes:
        raise TransformError(f"vmap of {name_of(f)}: no argument has a mapped axis, so the size is not known. Pass "
                             "axis_size.")
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
        raise TransformError(f"vmap of {name_of(f)}: out_axes={axis} is out of range "
                             f"for a result with {out.ndim} axes.")
    return moveaxis(out, 0, axis)
