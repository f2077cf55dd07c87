"""scan: a loop that carries a state over the leading axis of its inputs and stacks what each step gives."""
import numpy as np

from ..avals import Aval
from ..core import OPEN_EFFECTS, Primitive, aval_of, world
from ..errors import ShapeError
from ..interpreters.batch import batch_jaxpr, inside_loop, spread_lane
from ..interpreters.jvp import jvp_jaxpr, zero_tangent
from ..interpreters.linearize import linearize_body
from ..interpreters.stage import eval_jaxpr, stage
from ..interpreters.transpose import backward
from ..ir import Jaxpr
from ..ops.shaping import concatenate, slice_axis
from ..ops.structural import asvalue, moveaxis, reshape
from ..tree import flatten, flatten_with_path, keystr, unflatten
from .body import eager_loop, split, stage_loop_body
from .call import is_aval

_INT = np.dtype("int64")


def _slice_aval(a):
    return Aval(a.shape[1:], a.dtype)


def _shape(*avals, jaxpr, n_consts, n_carry, length, reverse):
    out = jaxpr.out_avals
    return out[:n_carry] + [Aval((length, *a.shape), a.dtype) for a in out[n_carry:]]


def _impl(*args, jaxpr, n_consts, n_carry, length, reverse):
    consts, carry, xs = split([asvalue(a) for a in args], n_consts, n_carry)
    ys = [np.empty((length, *a.shape), a.dtype) for a in jaxpr.out_avals[n_carry:]]
    for t in (range(length - 1, -1, -1) if reverse else range(length)):
        out = eval_jaxpr(jaxpr, consts + carry + [x.value[t] for x in xs])
        carry = [asvalue(c) for c in out[:n_carry]]
        for y, o in zip(ys, out[n_carry:]):
            y[t] = o
    return [c.value for c in carry] + ys


def _lower(b, *args, jaxpr, n_consts, n_carry, length, reverse):
    consts, carry, xs = split(args, n_consts, n_carry)
    out_avals = jaxpr.out_avals[n_carry:]
    ys = [b.constant(0, a.dtype, (length, *a.shape)) for a in out_avals]
    n_xs, n_ys = len(xs), len(ys)
    if length == 0:                                      # XLA will not cut a row out of nothing
        return carry + ys

    def body(i, *vals):
        consts, carry, xs, ys = split(vals, n_consts, n_carry, n_xs)
        t = b.elementwise("stablehlo.subtract", b.constant(length - 1, _INT), i) if reverse else i
        zero = b.constant(0, _INT)
        rows = [b.reshape(b.dynamic_slice(x, [t] + [zero] * (len(x.shape) - 1), (1, *x.shape[1:])), x.shape[1:])
                for x in xs]
        out = b.program(jaxpr, consts + carry + rows)
        ys = [b.dynamic_update_slice(y, b.reshape(o, (1, *o.shape)), [t] + [zero] * len(o.shape))
              for y, o in zip(ys, out[n_carry:])]
        return [b.elementwise("stablehlo.add", i, b.constant(1, _INT)), *consts, *out[:n_carry], *xs, *ys]

    made = b.while_loop([b.constant(0, _INT), *consts, *carry, *xs, *ys],
                        lambda i, *_: b.compare("LT", i, b.constant(length, _INT)), body)
    _, _, carry, _, ys = split(made, 1, n_consts, n_carry, n_xs)
    return carry + ys[:n_ys]


scan_p = Primitive("scan", multiple=True, handled=True, inner=("jaxpr",), shape=_shape, impl=_impl, lower=_lower)
scan_p.eager = eager_loop(scan_p)


@scan_p.define("jvp")
def _(args, ts, *, jaxpr, n_consts, n_carry, **params):
    consts, init, xs = split(args, n_consts, n_carry)
    tc, ti, tx = split(ts, n_consts, n_carry)
    cm, marks, xm = ([t is not None for t in part] for part in (tc, ti, tx))
    n_ys = len(jaxpr.outs) - n_carry
    while True:
        pushed, more, out = jvp_jaxpr(jaxpr, cm + marks + xm, marks + [False] * n_ys)
        if out[:n_carry] == marks:
            break
        marks = [a or c for a, c in zip(marks, out)]
    ti = [zero_tangent(x) if t is None else t for x, t, m in zip(init, ti, marks) if m]
    tc, tx = ([t for t in part if t is not None] for part in (tc, tx))
    sizes = (len(more), n_consts, len(tc), n_carry, len(ti), len(xs))

    def body(*args):
        more, consts, tc, carry, ti, xs, tx = split(args, *sizes)
        out = eval_jaxpr(pushed, more + consts + carry + xs + tc + ti + tx)
        carry, ys, t_carry, t_ys = split(out, n_carry, n_ys, sum(marks))
        return carry + t_carry + ys + t_ys

    avals = [aval_of(asvalue(v)) for v in [*more, *consts, *tc, *init, *ti]] + \
            [_slice_aval(aval_of(asvalue(v))) for v in [*xs, *tx]]
    new, extra, _ = stage(body, avals, jaxpr.name)
    made = scan_p.bind(*extra, *more, *consts, *tc, *init, *ti, *xs, *tx, jaxpr=new,
                       n_consts=len(extra) + len(more) + n_consts + len(tc), n_carry=n_carry + len(ti), **params)
    carry, t_carry, ys, t_ys = split(made, n_carry, len(ti), n_ys)
    tangents = iter(t_carry + t_ys)
    return carry + ys, [next(tangents) if m else None for m in marks + out[n_carry:]]


@scan_p.define("linearize")
def _(linear, args, ts, *, jaxpr, n_consts, n_carry, **params):
    consts, init, xs = split(args, n_consts, n_carry)
    tc, ti, tx = split(ts, n_consts, n_carry)
    marks, xm = [t is not None for t in ti], [t is not None for t in tx]
    avals = [aval_of(asvalue(v)) for v in init] + [_slice_aval(aval_of(asvalue(x))) for x in xs]
    n_ys = len(jaxpr.outs) - n_carry
    with world(linear.parent):
        while True:
            known, more, lin, out, outer = linearize_body(
                lambda duals, *values: eval_jaxpr(jaxpr, [*duals, *values]),
                [(c, t is not None) for c, t in zip(consts, tc)], avals, marks + xm, marks + [False] * n_ys)
            if out[:n_carry] == marks:
                break
            marks = [a or c for a, c in zip(marks, out)]
    n_out = n_carry + n_ys
    read = dict(zip(known.invars[len(more) + n_carry:], xs))
    residuals = known.outs[n_out:]                       # those that are inputs of the loop are at hand already
    known = Jaxpr(known.invars, known.eqns, known.outs[:n_out] + [v for v in residuals if v not in read], jaxpr.name)
    made = scan_p.bind(*more, *init, *xs, jaxpr=known, n_consts=len(more), n_carry=n_carry, **params)
    outs, rest = made[:n_out], iter(made[n_out:])
    stacked = [read[v] if v in read else next(rest) for v in residuals]
    if not any(out):
        return outs, [None] * len(out)
    ti = [zero_tangent(x) if t is None else t for x, t, m in zip(init, ti, marks) if m]
    tc, tx = ([t for t in part if t is not None] for part in (tc, tx))
    v_stacked, v_outer, v_tc, v_ti, v_tx = split(lin.invars, len(stacked), len(outer), len(tc), len(ti))
    body = Jaxpr(v_outer + v_tc + v_ti + v_stacked + v_tx, lin.eqns, lin.outs, lin.name)
    tangents = iter(scan_p.bind(*outer, *tc, *ti, *stacked, *tx, jaxpr=body, n_consts=len(outer) + len(tc),
                                n_carry=len(ti), **params))
    return outs, [next(tangents) if m else None for m in out]


@scan_p.define("transpose")
def _(cs, *args, jaxpr, n_consts, n_carry, length, reverse):
    consts, init, xs = split(args, n_consts, n_carry)
    kc, ki, kx = ([not is_aval(v) for v in part] for part in (consts, init, xs))
    c_carry = [_zeros(v.aval) if c is None else c for c, v in zip(cs[:n_carry], jaxpr.outs)]
    given = [c is not None for c in cs[n_carry:]]
    c_ys = [c for c in cs[n_carry:] if c is not None]
    known_consts, acc = [v for v, k in zip(consts, kc) if k], [_zeros(v) for v, k in zip(consts, kc) if not k]
    known_xs = [v for v, k in zip(xs, kx) if k]
    tx_avals = [_slice_aval(v) for v, k in zip(xs, kx) if not k]
    sizes = (len(known_consts), len(acc), n_carry, len(known_xs))

    def body(*args):
        kconsts, acc, c_carry, kxs, c_ys = split(args, *sizes)
        it_c, it_x, it_y = iter(kconsts), iter(kxs), iter(c_ys)
        known = [next(it_c) if k else None for k in kc] + [None] * n_carry + [next(it_x) if k else None for k in kx]
        cts = backward(jaxpr, known, c_carry + [next(it_y) if g else None for g in given])
        dc, di, dx = split(cts, n_consts, n_carry)
        acc = [a if d is None else a + d for a, d in zip(acc, [d for d, k in zip(dc, kc) if not k])]
        di = [_zeros(v.aval) if d is None else d for d, v in zip(di, jaxpr.invars[n_consts:])]
        dx = [_zeros(a) if d is None else d for d, a in zip([d for d, k in zip(dx, kx) if not k], tx_avals)]
        return acc + di + dx

    avals = [aval_of(asvalue(v)) for v in [*known_consts, *acc, *c_carry]] + \
            [_slice_aval(aval_of(asvalue(v))) for v in [*known_xs, *c_ys]]
    new, more, _ = stage(body, avals, jaxpr.name)
    out = scan_p.bind(*more, *known_consts, *acc, *c_carry, *known_xs, *c_ys, jaxpr=new,
                      n_consts=len(more) + len(known_consts),
                      n_carry=len(acc) + n_carry, length=length, reverse=not reverse)
    acc, di, dx = split(out, len(acc), n_carry)
    it_c, it_x = iter(acc), iter(dx)
    return [None if k else next(it_c) for k in kc] + [None if k else d for d,
                                                      k in zip(di, ki)] + [None if k else next(it_x) for k in kx]


def _zeros(aval):
    return zero_tangent(aval)


@scan_p.define("batch")
def _(b, mine, *args, jaxpr, n_consts, n_carry, length, reverse):
    consts, init, xs = split(args, n_consts, n_carry)
    mc, marks, mx = split(mine, n_consts, n_carry)
    started = marks
    n_ys = len(jaxpr.outs) - n_carry
    while True:
        with inside_loop():
            body, more, out = batch_jaxpr(jaxpr, b.size, mc + marks + mx, marks + [False] * n_ys, b.name)
        if out[:n_carry] == marks:
            break
        marks = [a or c for a, c in zip(marks, out)]
    init = [spread_lane(x, b.size) if w and not m else x for x, m, w in zip(init, started, marks)]
    xs = [moveaxis(x, 0, 1) if m else x for x, m in zip(xs, mx)]
    made = b.bind(*more, *consts, *init, *xs, jaxpr=body, n_consts=len(more) + n_consts, n_carry=n_carry, length=length,
                  reverse=reverse)
    return [moveaxis(y, 1, 0) if m and i >= n_carry else y for i, (y, m) in enumerate(zip(made, out))], out


# ---- as users call it ----

def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """(carry, ys): carry, y = f(carry, x) for each slice x of xs along its leading axis; ys stacks the y.

    f : (carry, x) -> (carry, y)      init, xs : pytrees; the leading axes of xs are equal
    length : the number of steps, where there are no xs
    reverse : from the last slice to the first (ys stay in the order of xs)
    unroll : steps written out in one turn of the compiled loop (True: all of them). It rarely pays: XLA compiles a
        small loop to one native function, and more text takes longer to compile. A body with sites is not written out.
    Raises ShapeError when the leading axes differ, TreeError or DtypeError when f changes the carry.

    >>> carry, ys = scan(lambda c, x: (c + x, c), 0.0, [1.0, 2.0, 3.0])
    >>> float(carry), ys.tolist()
    (6.0, [0.0, 1.0, 3.0])
    """
    from_sequence = isinstance(xs, list) and all(isinstance(x, (int, float)) for x in xs) and xs
    pairs, x_tree = flatten_with_path(asvalue(xs) if from_sequence else xs)
    leaves = [asvalue(x) for _, x in pairs]
    sizes = {}
    for (path, _), x in zip(pairs, leaves):
        if x.ndim == 0:
            raise ShapeError(f"scan runs over the leading axis of xs, and xs{keystr(path)} is a scalar.")
        sizes[f"xs{keystr(path)}"] = x.shape[0]
    if length is not None:
        sizes["length"] = int(length)
    if len(set(sizes.values())) > 1:
        raise ShapeError(f"the leading axes that scan runs over differ: {sizes}.")
    if not sizes:
        raise ShapeError("scan needs xs or a length.")
    n = next(iter(sizes.values()))
    init_leaves, treedef = flatten(init)
    jaxpr, consts, values, y_tree = stage_loop_body(
        f, treedef, init_leaves, [_slice_aval(x.aval) for x in leaves], "body of scan",
        lambda flat: (unflatten(x_tree, flat),))
    k = n if unroll is True else int(unroll)
    if k < 1 and n:
        raise ShapeError(f"scan: unroll={unroll!r} must be a positive number of steps, or True.")
    run = _bind if k <= 1 or jaxpr.effects & OPEN_EFFECTS else _unrolled
    carry, ys = run(jaxpr, consts, values, leaves, n, bool(reverse), k)
    return unflatten(treedef, carry), unflatten(y_tree, ys)


def _bind(jaxpr, consts, carry, xs, length, reverse, k=1):
    """(carry, ys) of the primitive."""
    out = scan_p.bind(*consts, *carry, *xs, jaxpr=jaxpr, n_consts=len(consts), n_carry=len(carry), length=length,
                      reverse=reverse)
    return out[:len(carry)], out[len(carry):]


def _unrolled(jaxpr, consts, carry, xs, length, reverse, k):
    """k steps in each turn, and a plain loop over the steps that are left at the end of xs."""
    k = min(k, length)
    whole, n_consts, n_carry = length // k * k, len(consts), len(carry)

    def body(*args):
        fixed, state, rows = split(args, n_consts, n_carry)
        ys = [None] * k
        for j in range(k)[::-1 if reverse else 1]:
            out = eval_jaxpr(jaxpr, [*fixed, *state, *[reshape(slice_axis(r, j, j + 1, 0), r.shape[1:]) for r in rows]])
            state, ys[j] = out[:n_carry], out[n_carry:]
        return state + [concatenate([reshape(asvalue(y), (1, *np.shape(y))) for y in column]) for column in zip(*ys)]

    rows = [reshape(slice_axis(x, 0, whole, 0), (whole // k, k, *x.shape[1:])) for x in xs]
    types = [aval_of(asvalue(v)) for v in [*consts, *carry]] + [_slice_aval(r.aval) for r in rows]
    program, more, _ = stage(body, types, jaxpr.name)
    rest = [slice_axis(x, whole, length, 0) for x in xs]

    def blocks(carry):
        carry, ys = _bind(program, [*more, *consts], carry, rows, whole // k, reverse)
        return carry, [reshape(y, (whole, *y.shape[2:])) for y in ys]

    if whole == length:
        return blocks(carry)
    if reverse:
        carry, late = _bind(jaxpr, consts, carry, rest, length - whole, True)
        carry, early = blocks(carry)
    else:
        carry, early = blocks(carry)
        carry, late = _bind(jaxpr, consts, carry, rest, length - whole, False)
    return carry, [concatenate([a, b]) for a, b in zip(early, late)]
