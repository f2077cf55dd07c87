"""Python inside of compiled programs: pure_callback, io_callback, debug.callback and debug.print.

A callback runs on the host when its equation is reached. `pure_callback` may be dropped, repeated or moved; the others
have an effect and run once for each time the program reaches them, those of one block in the order in which they were
written.
"""
import functools
import string

import numpy as np

from ..array import Array
from ..avals import Aval
from ..core import Primitive
from ..errors import ShapeError, TransformError
from ..ops.structural import asvalue, broadcast_to
from ..tree import flatten, unflatten


def _call(values, *, fn, out_avals, lanes):
    """Run the host function; check what it gives, because XLA would copy its bytes unchecked."""
    if lanes:
        rows = [_call([v[i] for v in values], fn=fn, out_avals=_one_lane(out_avals), lanes=lanes[1:])
                for i in range(lanes[0])]
        return [np.stack(column) if column else np.empty(a.shape, a.dtype)
                for column, a in zip(zip(*rows) if rows else [()] * len(out_avals), out_avals)]
    out = [np.asarray(o, a.dtype) for o, a in zip(fn(*values), out_avals, strict=True)]
    for o, a in zip(out, out_avals):
        if o.shape != a.shape:
            raise ShapeError(f"the callback {_name(fn)} returned an array of shape {o.shape}; {a!r} was announced.")
    return [np.ascontiguousarray(o).reshape(a.shape) for o, a in zip(out, out_avals)]


def _one_lane(avals):
    return [Aval(a.shape[1:], a.dtype) for a in avals]


def _name(fn):
    return getattr(getattr(fn, "user", fn), "__name__", "function")


def _eager(args, params):
    values = [np.asarray(a) for a in args]
    return [Array(o) for o in _call(values, **{k: params[k] for k in ("fn", "out_avals", "lanes")})]


def _lower(b, *xs, fn, out_avals, lanes, name, effect):
    def host(*values):
        return tuple(_call(values, fn=fn, out_avals=out_avals, lanes=lanes))
    return b.callback(host, xs, list(out_avals), effect)


def _batch(prim):
    def batch(b, mine, *xs, fn, out_avals, lanes, name, effect):
        xs = [x if m else broadcast_to(asvalue(x), (b.size, *np.shape(x))) for x, m in zip(xs, mine)]
        wide = tuple(Aval((b.size, *a.shape), a.dtype) for a in out_avals)
        out = prim.bind(*xs, fn=fn, out_avals=wide, lanes=(b.size, *lanes), name=name, effect=effect)
        return out, [True] * len(out)
    return batch


def _impl(*xs, fn, out_avals, lanes, name, effect):
    return _call(xs, fn=fn, out_avals=out_avals, lanes=lanes)


def _no_derivative(xs, ts, **params):
    if any(t is not None for t in ts):
        raise TransformError(f"{params['name']} of {_name(params['fn'])} has no derivative: Python is opaque.\n"
                             "Give the function one with custom_jvp or custom_vjp, or stop_gradient its arguments.")
    return pure_callback_p.bind(*xs, **params), [None] * len(params["out_avals"])


def _keep_going(xs, ts, **params):
    return io_callback_p.bind(*xs, **params), [None] * len(params["out_avals"])


pure_callback_p = Primitive("pure_callback", multiple=True, eager=_eager, impl=_impl, lower=_lower, jvp=_no_derivative,
                            shape=lambda *avals, out_avals, **params: list(out_avals))
io_callback_p = Primitive("io_callback", multiple=True, effect="io", eager=_eager, impl=_impl, lower=_lower,
                          jvp=_keep_going,
                          shape=lambda *avals, out_avals, **params: list(out_avals))
pure_callback_p.batch, io_callback_p.batch = _batch(pure_callback_p), _batch(io_callback_p)


# ---- as users call them ----

def _types(result):
    leaves, treedef = flatten(result, is_leaf=lambda x: hasattr(x, "shape") and hasattr(x, "dtype"))
    return tuple(Aval(tuple(x.shape), np.dtype(x.dtype)) for x in leaves), treedef


def _flat(fn, args, kwargs, out_tree):
    leaves, treedef = flatten((args, kwargs))

    def flat(*values):
        a, k = unflatten(treedef, values)
        out = fn(*a, **k)
        if out_tree is None:
            return []
        return flatten(out)[0]

    flat.user = fn
    return [asvalue(x) for x in leaves], flat


def pure_callback(fn, result, *args, **kwargs):
    """fn(*args) computed by Python on NumPy arrays, inside of any transformation but derivatives.

    result : what fn gives, as arrays or `ShapeDtype`s in its tree; shapes and dtypes are checked at each call
    fn must be pure: calls may be dropped, repeated or moved. Under vmap it is called once for each lane.

    >>> from chainrule.engine import jit, ShapeDtype
    >>> float(jit(lambda x: pure_callback(np.sin, ShapeDtype((), float), x))(0.0))
    0.0
    """
    avals, out_tree = _types(result)
    leaves, flat = _flat(fn, args, kwargs, out_tree)
    return unflatten(out_tree, pure_callback_p.bind(*leaves, fn=flat, out_avals=avals, lanes=(), name="pure_callback",
                                                    effect=False))


def io_callback(fn, result, *args, **kwargs):
    """Like pure_callback for functions with effects: it runs once each time the program reaches it."""
    avals, out_tree = _types(result)
    leaves, flat = _flat(fn, args, kwargs, out_tree)
    return unflatten(out_tree, io_callback_p.bind(*leaves, fn=flat, out_avals=avals, lanes=(), name="io_callback",
                                                  effect=True))


def debug_callback(fn, *args, **kwargs):
    """Call fn on the values when the program reaches this place; derivatives pass it by."""
    leaves, flat = _flat(fn, args, kwargs, None)
    io_callback_p.bind(*leaves, fn=flat, out_avals=(), lanes=(), name="debug.callback", effect=True)


def debug_print(fmt, *args, **kwargs):
    """Print values at run time: debug.print("x = {x}", x=x). The format is str.format's.

    Under vmap it prints once for each lane.
    """
    for _, field, _, _ in string.Formatter().parse(fmt):
        if field and not field[0].isdigit() and field.split(".")[0].split("[")[0] not in kwargs:
            raise TransformError(f"debug.print({fmt!r}): there is no value named {field!r}. It is str.format: pass "
                                 f"{field}=...")
    debug_callback(functools.partial(_print, fmt), *args, **kwargs)


def _print(fmt, *args, **kwargs):
    print(fmt.format(*args, **kwargs), flush=True)
