"""Derivatives given by hand: custom_jvp, custom_vjp and custom_gradient.

The function itself stays a program that can be batched, compiled and, where no rule applies, differentiated: a
function with a custom_vjp has forward derivatives too, those of its own program.
"""
import functools
import inspect

import numpy as np

from ..avals import is_inexact
from ..config import config
from ..core import Primitive, aval_of, state, world
from ..errors import TransformError
from ..interpreters.batch import batch_flat, batch_jaxpr, spread_lane
from ..interpreters.evaluate import ROOT
from ..interpreters.jvp import Jvp, jvp_jaxpr, zero_tangent
from ..interpreters.stage import eval_jaxpr, stage
from ..ops.structural import asvalue, reduce_sum
from ..tree import flatten, flatten_up_to, register_pytree_node, unflatten
from .call import spread_marks
from .tangent import tangent_map


def _evaluate(args, params):
    return eval_jaxpr(params["jaxpr"], args)


def _inline(b, *xs, jaxpr, **params):
    return b.program(jaxpr, xs)


def _no_constants(name, ts):
    if any(t is not None for t in ts):
        raise TransformError(
            f"{name} is differentiated with respect to a value that it closes over, which its rule knows nothing of.\n"
            "Pass the value as an argument.")


def instantiate(x, t):
    """A tangent, zeros where it is None."""
    return asvalue(zero_tangent(x)) if t is None else t


def _float_only(ys, tys):
    return [t if is_inexact(aval_of(y).dtype) else None for y, t in zip(ys, tys)]


# ---- custom_jvp ----

custom_jvp_p = Primitive(
    "custom_jvp",
    multiple=True,
    handled=True,
    inner=("jaxpr",),
    eager=_evaluate,
    shape=lambda *avals, jaxpr, rule, n_consts, name: jaxpr.out_avals,
    impl=lambda *xs, jaxpr, **params: eval_jaxpr(jaxpr, xs),
    lower=_inline,
)


@custom_jvp_p.define("jvp")
def _(xs, ts, *, jaxpr, rule, n_consts, name):
    _no_constants(name, ts[:n_consts])
    xs, ts = xs[n_consts:], ts[n_consts:]
    ys, tys = rule(xs, [instantiate(x, t) for x, t in zip(xs, ts)])
    return ys, _float_only(ys, tys)


@custom_jvp_p.define("linearize")
def _(linear, xs, ts, **params):
    """As forward mode does, recording the rule's tangents. Where the rule has put a program (a loop, a branch, a
    checkpoint) into the record, it may hold work on primal values too: then the rule is linearized at tangent zero,
    where it is its own derivative, and that work stays outside."""
    start = len(linear.eqns)
    ys, tys = custom_jvp_p.jvp(xs, ts, **params)
    if not any(e.prim.inner for e in linear.eqns[start:]):
        return ys, tys
    del linear.eqns[start:]
    trace = Jvp(parent=linear, linear=linear)
    with world(trace):
        ys, tys = custom_jvp_p.jvp(xs, [None if t is None else trace.dual(asvalue(zero_tangent(x)), t)
                                        for x, t in zip(xs, ts)], **params)
    return [trace.split(y)[0] for y in ys], [None if t is None else trace.split(t)[1] for t in tys]


@custom_jvp_p.define("batch")
def _(b, mine, *xs, jaxpr, rule, n_consts, name):
    n_out = len(jaxpr.outs)
    made, consts, marks = batch_jaxpr(jaxpr, b.size, mine, [True] * n_out, b.name)
    mine_args = mine[n_consts:]

    def batched_rule(xs, ts):
        n = len(xs)
        xs, ts = list(xs), list(ts)

        def flat(*args):
            ys, tys = rule(args[:n], args[n:])
            return [*ys, *tys]

        outs, out_marks = batch_flat(flat, b.size, [*xs, *ts], [*mine_args, *mine_args], b.name)
        outs = [o if m else spread_lane(o, b.size) for o, m in zip(outs, out_marks)]
        return outs[:n_out], outs[n_out:]

    args = [*consts, *xs]
    return b.bind(*args, jaxpr=made, rule=batched_rule, n_consts=len(consts) + n_consts, name=name), marks


class _Custom:
    """What the three wrappers share: arguments by position, static ones taken out, leaves flattened."""

    def __init__(self, fun, nondiff_argnums=()):
        functools.update_wrapper(self, fun)
        self.fun = fun
        self.nondiff = (nondiff_argnums,) if isinstance(nondiff_argnums, int) else tuple(nondiff_argnums)

    @property
    def name(self):
        return getattr(self.fun, "__name__", "the function")

    def _positional(self, args, kwargs):
        if not kwargs and not self.nondiff:
            return args
        try:
            bound = inspect.signature(self.fun).bind(*args, **kwargs)
        except (TypeError, ValueError):
            if kwargs:
                raise
            return args
        bound.apply_defaults()
        if bound.kwargs:
            raise TransformError(f"{self.name} has a derivative by hand, and its arguments must be positional; got "
                                 f"{sorted(bound.kwargs)} by keyword.")
        return bound.args

    def __call__(self, *args, **kwargs):
        args = self._positional(args, kwargs)
        if state.trace is ROOT and not config.disable_jit:
            return self.fun(*args)                       # nothing is being transformed
        static = {i % len(args): args[i] for i in self.nondiff}
        leaves, treedef = flatten(tuple(a for i, a in enumerate(args) if i not in static))
        leaves = [asvalue(x) for x in leaves]
        trees = []

        def whole(moving):
            it = iter(moving)
            return [static[i] if i in static else next(it) for i in range(len(args))]

        def run(*flat):
            out, tree = flatten(self.fun(*whole(unflatten(treedef, flat))))
            trees.append(tree)
            return [asvalue(o) for o in out]

        jaxpr, consts, _ = stage(run, [x.aval for x in leaves], self.name)
        outs = self._bind(consts, leaves, jaxpr, treedef, trees[0], whole, tuple(static[i] for i in sorted(static)))
        return unflatten(trees[0], outs)


class custom_jvp(_Custom):
    """A function whose forward derivative is given: f.defjvp(rule), rule(primals, tangents) -> (result, its tangent).

    nondiff_argnums : arguments that stay Python values; the rule gets them first
    grad works too: the rule's tangent is linear in the tangents, and is transposed.

    >>> from chainrule.engine import grad
    >>> import chainrule.engine.numpy as np
    >>> @custom_jvp
    ... def f(x):
    ...     return np.sin(x)
    >>> @f.defjvp
    ... def _(primals, tangents):
    ...     return f(*primals), 10.0 * tangents[0]
    >>> float(grad(f)(0.3))
    10.0
    """
    rule = None

    def defjvp(self, rule):
        """Set the rule; returns it."""
        self.rule = rule
        return rule

    def defjvps(self, *rules):
        """One rule per argument, rule(tangent, result, *primals) -> part of the tangent; None for no part."""
        def rule(primals, tangents):
            out = self(*primals)
            total = None
            for part, t in zip(rules, tangents):
                if part is not None:
                    term = part(t, out, *primals)
                    total = term if total is None else total + term
            return out, total
        self.rule = rule

    def _bind(self, consts, leaves, jaxpr, treedef, out_tree, whole, static):
        if self.rule is None:
            raise TransformError(f"{self.name} is a custom_jvp without a rule; give it one with @{self.name}.defjvp.")

        def flat_rule(xs, ts):
            out, t_out = self.rule(*static, unflatten(treedef, xs), unflatten(treedef, ts))
            ys, tree = flatten(out)
            tys = flatten_up_to(tree, t_out, f"tangent that the rule of {self.name} returns")
            for y, t in zip(ys, tys):
                if np.shape(y) != np.shape(t):
                    raise TransformError(f"the rule of {self.name} returns a tangent of shape {np.shape(t)} for a "
                                         f"result of shape {np.shape(y)}.")
            return [asvalue(y) for y in ys], [asvalue(t) for t in tys]

        return custom_jvp_p.bind(*consts, *leaves, jaxpr=jaxpr, rule=flat_rule, n_consts=len(consts), name=self.name)


# ---- custom_vjp ----

custom_vjp_p = Primitive(
    "custom_vjp",
    multiple=True,
    handled=True,
    inner=("jaxpr",),
    eager=_evaluate,
    shape=lambda *avals, jaxpr, **params: jaxpr.out_avals,
    impl=lambda *xs, jaxpr, **params: eval_jaxpr(jaxpr, xs),
    lower=_inline,
)


@custom_vjp_p.define("jvp")
def _(xs, ts, *, jaxpr, fwd, bwd, n_consts, name):
    """Forward mode: the derivative of the function's own program."""
    wanted = [t is not None for t in ts]
    made, consts, marks = jvp_jaxpr(jaxpr, wanted, [False] * len(jaxpr.outs))
    return spread_marks(eval_jaxpr(made, [*consts, *xs, *[t for t in ts if t is not None]]), marks)


@custom_vjp_p.define("linearize")
def _(linear, xs, ts, *, jaxpr, fwd, bwd, n_consts, name):
    _no_constants(name, ts[:n_consts])
    args, ts = xs[n_consts:], ts[n_consts:]
    ys, residuals = fwd(args)
    tangents = [t for t in ts if t is not None]
    out = by_hand_p.bind(*residuals, *xs, *tangents, jaxpr=jaxpr, bwd=bwd, n_consts=n_consts,
                         n_residuals=len(residuals),
                         wanted=tuple(t is not None for t in ts))
    return ys, _float_only(ys, out)


by_hand_p = tangent_map(
    "custom_vjp_tangent",                                # the linear map whose transpose was given
    shape=lambda *avals, jaxpr, **params: jaxpr.out_avals,
    derivative=lambda *, jaxpr, n_consts, wanted, **params: jvp_jaxpr(
        jaxpr, [False] * n_consts + list(wanted), [True] * len(jaxpr.outs)),
    n_unread=lambda *, n_residuals, **params: n_residuals,
)


@by_hand_p.define("transpose")
def _(cs, *args, jaxpr, bwd, n_consts, n_residuals, wanted):
    n_known = len(args) - sum(wanted)
    cs = [asvalue(zero_tangent(v)) if c is None else c for c, v in zip(cs, jaxpr.outs)]
    cts = bwd(args[:n_residuals], cs)
    return [None] * n_known + [c for c, w in zip(cts, wanted) if w]


@custom_vjp_p.define("batch")
def _(b, mine, *xs, jaxpr, fwd, bwd, n_consts, name):
    n_out = len(jaxpr.outs)
    made, consts, marks = batch_jaxpr(jaxpr, b.size, mine, [True] * n_out, b.name)
    mine_args = mine[n_consts:]

    def spread(outs, out_marks):
        return [o if m else spread_lane(o, b.size) for o, m in zip(outs, out_marks)]

    def batched_fwd(args):
        def flat(*a):
            ys, residuals = fwd(a)
            return [*ys, *residuals]
        outs = spread(*batch_flat(flat, b.size, list(args), mine_args, b.name))
        return outs[:n_out], outs[n_out:]

    def batched_bwd(residuals, cs):
        n = len(residuals)
        given = []

        def flat(*a):
            cts = bwd(a[:n], a[n:])
            given[:] = [c is not None for c in cts]
            return [c for c in cts if c is not None]

        outs = iter(spread(*batch_flat(flat, b.size, [*residuals, *cs], [True] * (n + len(cs)), b.name)))
        cts = [next(outs) if g else None for g in given]
        return [c if m or c is None else reduce_sum(c, (0,)) for c, m in zip(cts, mine_args)]

    return b.bind(*consts, *xs, jaxpr=made, fwd=batched_fwd, bwd=batched_bwd, n_consts=len(consts) + n_consts,
                  name=name), marks


class custom_vjp(_Custom):
    """A function whose reverse derivative is given: f.defvjp(fwd, bwd).

    fwd(*args) -> (result, residuals)          bwd(residuals, cotangent) -> a tuple with one cotangent per argument
    nondiff_argnums : arguments that stay Python values; bwd gets them first
    Forward mode (jvp, jacfwd, hessian) differentiates the function itself.
    """
    fwd = bwd = None

    def defvjp(self, fwd, bwd):
        """Set the two rules."""
        self.fwd, self.bwd = fwd, bwd

    def _bind(self, consts, leaves, jaxpr, treedef, out_tree, whole, static):
        if self.fwd is None:
            raise TransformError(f"{self.name} is a custom_vjp without rules; give it them with "
                                 f"{self.name}.defvjp(fwd, bwd).")
        info = {}

        def flat_fwd(args):
            made = self.fwd(*whole(unflatten(treedef, args)))
            if not (isinstance(made, tuple) and len(made) == 2):
                raise TransformError(f"the fwd rule of {self.name} must return a pair (result, residuals).")
            ys = flatten_up_to(out_tree, made[0], f"result of the fwd rule of {self.name}")
            residuals, info["tree"] = flatten(made[1])
            return [asvalue(y) for y in ys], [asvalue(r) for r in residuals]

        def flat_bwd(residuals, cs):
            cts = self.bwd(*static, unflatten(info["tree"], residuals), unflatten(out_tree, cs))
            return _cotangents(self.name, treedef, leaves, cts)

        return custom_vjp_p.bind(*consts, *leaves, jaxpr=jaxpr, fwd=flat_fwd, bwd=flat_bwd, n_consts=len(consts),
                                 name=self.name)


def _cotangents(name, treedef, leaves, cts):
    """The cotangents that a bwd rule returned, one per leaf; None for an argument stands for zero."""
    cts = tuple(cts) if isinstance(cts, (tuple, list)) else (cts,)
    if len(cts) != len(treedef.children):
        raise TransformError(f"the bwd rule of {name} returned {len(cts)} cotangents for {len(treedef.children)} "
                             "arguments.")
    out, at = [], 0
    for sub, c in zip(treedef.children, cts):
        part = [None] * sub.num_leaves if c is None else flatten_up_to(sub, c, f"cotangent that the bwd rule of {name} "
                                                                               "returns")
        for x, one in zip(leaves[at:at + sub.num_leaves], part):
            if one is not None and np.shape(one) != x.shape:
                raise TransformError(f"the bwd rule of {name} returned a cotangent of shape {np.shape(one)} for an "
                                     f"argument of shape {x.shape}.")
            out.append(None if one is None or not is_inexact(x.dtype) else asvalue(one))
        at += sub.num_leaves
    return out


class _Pull:
    """A staged pull-back: a tree whose leaves are what it closes over."""

    def __init__(self, consts, facts):
        self.consts, self.facts = consts, facts


register_pytree_node(_Pull, lambda p: (p.consts, p.facts), lambda facts, consts: _Pull(list(consts), facts))


def custom_gradient(fun):
    """A function that returns (result, pull) itself, pull(cotangent) giving the cotangents of its arguments.

    >>> from chainrule.engine import grad
    >>> f = custom_gradient(lambda x: (x * x, lambda c: 3.0 * c))
    >>> float(grad(f)(5.0))
    3.0
    """
    made = custom_vjp(lambda *args: fun(*args)[0])
    functools.update_wrapper(made, fun)

    def fwd(*args):
        out, pull = fun(*args)
        leaves, out_tree = flatten(out)
        trees = []

        def run(*cs):
            cts, tree = flatten(pull(unflatten(out_tree, cs)))
            trees.append(tree)
            return [asvalue(c) for c in cts]

        program, consts, _ = stage(run, [aval_of(asvalue(y)) for y in leaves], "pull")
        return out, _Pull(consts, (program, trees[0], out_tree))

    def bwd(pull, c):
        program, tree, out_tree = pull.facts
        cts = unflatten(tree, eval_jaxpr(program, [*pull.consts, *flatten_up_to(out_tree, c)]))
        return cts if isinstance(cts, tuple) else (cts,)

    made.defvjp(fwd, bwd)
    return made


