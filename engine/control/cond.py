"""cond and switch: run one of several programs, chosen by an index."""
import numpy as np

from ..avals import Aval
from ..core import REGISTRY, Primitive, state
from ..errors import DtypeError, TreeError
from ..interpreters.batch import LaneLoop, batch_jaxpr, spread_lane
from ..interpreters.evaluate import is_concrete
from ..interpreters.jvp import jvp_jaxpr, zero_tangent
from ..interpreters.linearize import linearize_jaxpr
from ..interpreters.stage import eval_jaxpr, stage
from ..ir import Jaxpr, Var
from ..ops.elementwise import eq, maximum, minimum, where
from ..ops.structural import asvalue, cast, reshape
from ..tree import flatten, unflatten
from ..tree import map as map_tree
from .call import is_aval, spread_marks, transpose_jaxpr

_INT = np.dtype("int32")


def _impl(index, *xs, branches):
    return eval_jaxpr(branches[min(max(int(index), 0), len(branches) - 1)], xs)


def _lower(b, index, *xs, branches):
    first = b.elementwise("stablehlo.maximum", index, b.like(index, 0))          # `case` takes -1 as the last
    return b.case(first, [lambda j=j: b.program(j, xs) for j in branches], b.out)


switch_p = Primitive(
    "switch",                                            # the index is clipped to the number of branches
    multiple=True,
    handled=True,
    inner=("branches",),
    eager=lambda args, params: _impl(*args, **params),
    shape=lambda index, *avals, branches: branches[0].out_avals,
    impl=_impl,
    lower=_lower,
)


def join(programs_and_consts):
    """Programs with constants of their own, given one common list of inputs: (branches, constants)."""
    every = [c for _, consts in programs_and_consts for c in consts]
    branches, at = [], 0
    for jaxpr, consts in programs_and_consts:
        n = len(consts)
        others = [Var(v) for v in _avals(every)]
        lead = others[:at] + jaxpr.invars[:n] + others[at + n:]
        branches.append(Jaxpr(lead + jaxpr.invars[n:], jaxpr.eqns, jaxpr.outs, jaxpr.name))
        at += n
    return tuple(branches), every


def _avals(values):
    return [asvalue(v).aval for v in values]


@switch_p.define("jvp")
def _(xs, ts, *, branches):
    index, *xs = xs
    wanted = [t is not None for t in ts[1:]]
    marks = _union([jvp_jaxpr(j, wanted, [False] * len(j.outs))[2] for j in branches])
    pushed, consts = join([jvp_jaxpr(j, wanted, marks)[:2] for j in branches])
    return spread_marks(switch_p.bind(index, *consts, *xs, *[t for t in ts[1:] if t is not None], branches=pushed),
                        marks)


def _union(rows):
    return [any(column) for column in zip(*rows)]


@switch_p.define("linearize")
def _(linear, xs, ts, *, branches):
    """Each known branch gives its own residuals and zeros in the places of the others'."""
    index, *xs = xs
    wanted = [t is not None for t in ts[1:]]
    parts = [linearize_jaxpr(j, wanted) for j in branches]
    marks = _union([p[3] for p in parts])
    n_out = len(marks)
    residual_avals = [[v.aval for v in known.outs[n_out:]] for known, *_ in parts]
    every = [a for avals in residual_avals for a in avals]
    known_parts, linear_parts, at = [], [], 0
    for (known, consts, lin, own, n), avals in zip(parts, residual_avals):
        known_parts.append(_with_outputs(known, consts, n_out, every, at))
        linear_parts.append(_linear_branch(lin, own, marks, n, every, at, branches[0].out_avals))
        at += len(avals)
    joined, consts = join(known_parts)
    out = switch_p.bind(index, *consts, *xs, branches=joined)
    if not any(marks):
        return out[:n_out], [None] * n_out
    tangents = iter(switch_p.bind(index, *out[n_out:], *[t for t in ts[1:] if t is not None],
                                  branches=tuple(linear_parts)))
    return out[:n_out], [next(tangents) if m else None for m in marks]


def _with_outputs(known, consts, n_out, every, at):
    n_consts = len(consts)

    def run(*args):
        out = eval_jaxpr(known, args)
        own = out[n_out:]
        zeros = [zero_tangent(Var(a)) for a in every]
        return out[:n_out] + zeros[:at] + own + zeros[at + len(own):]

    made, more, _ = stage(run, known.in_avals, known.name)
    n_more = len(more)                                   # inputs: more, consts, the branch's own
    assert n_more + n_consts <= len(made.invars)
    return made, list(more) + list(consts)


def _linear_branch(lin, own, marks, n, every, at, out_avals):
    def run(*args):
        residuals, tangents = args[at:at + n], args[len(every):]
        out = iter(eval_jaxpr(lin, [*residuals, *tangents]))
        made = [next(out) if o else None for o in own]
        return [zero_tangent(Var(a)) if t is None else t for t, m, a in zip(made, marks, out_avals) if m]

    made, consts, _ = stage(run, [*every, *[v.aval for v in lin.invars[n:]]], "linear")
    assert not consts, "zeros are made inside of a branch"
    return made


@switch_p.define("transpose")
def _(cs, index, *xs, branches):
    known = [not is_aval(x) for x in xs]
    given = [c is not None for c in cs]
    marks = _union([transpose_jaxpr(j, known, given)[2] for j in branches])
    avals = [v.aval for v, m in zip(branches[0].invars, marks) if m]
    parts = []
    for j in branches:
        pulled, consts, own = transpose_jaxpr(j, known, given)
        parts.append(_instantiated(pulled, consts, [o for o, m in zip(own, marks) if m], avals))
    joined, consts = join(parts)
    out = iter(switch_p.bind(index, *consts, *[x for x, k in zip(xs, known) if k], *[c for c in cs if c is not None],
                             branches=joined))
    return [None, *[next(out) if m else None for m in marks]]


def _instantiated(pulled, consts, own, avals):
    def run(*args):
        out = iter(eval_jaxpr(pulled, args))
        return [next(out) if o else zero_tangent(Var(a)) for o, a in zip(own, avals)]
    made, more, _ = stage(run, pulled.in_avals, pulled.name)
    return made, list(more) + list(consts)


@switch_p.define("batch")
def _(b, mine, index, *xs, branches):
    if mine[0] and any("site" in j.effects for j in branches):
        return _by_lane(b, mine, index, xs, branches)
    marks = _union([batch_jaxpr(j, b.size, mine[1:], [False] * len(j.outs), b.name)[2] for j in branches])
    if not mine[0]:
        joined, consts = join([batch_jaxpr(j, b.size, mine[1:], marks, b.name)[:2] for j in branches])
        return b.bind(index, *consts, *xs, branches=joined), marks
    outs = []                                            # a choice per lane: every branch runs, `where` chooses
    for j in branches:
        made, consts, own = batch_jaxpr(j, b.size, mine[1:], marks, b.name)
        out = eval_jaxpr(made, [*consts, *xs])
        outs.append([o if m else spread_lane(o, b.size) for o, m in zip(out, own)])
    index = minimum(maximum(index, np.asarray(0, index.dtype)), np.asarray(len(branches) - 1, index.dtype))
    result = outs[-1]
    for k in range(len(branches) - 2, -1, -1):
        hit = eq(index, np.asarray(k, index.dtype))
        result = [where(reshape(hit, (b.size, *(1,) * (o.ndim - 1))), o, r) for o, r in zip(outs[k], result)]
    return result, [True] * len(result)


def _by_lane(b, mine, index, xs, branches):
    """Branches with sites, chosen per lane: a loop over the lanes, so that only the taken branch's sites count."""
    n_consts = mine[1:].count(False)
    consts = [x for x, m in zip(xs, mine[1:]) if not m]
    rows = [x for x, m in zip(xs, mine[1:]) if m]

    def run(*args):
        fixed, i, moving = iter(args[:n_consts]), args[n_consts], iter(args[n_consts + 1:])
        return switch_p.bind(i, *[next(moving) if m else next(fixed) for m in mine[1:]], branches=branches)

    avals = [*_avals(consts), Aval((), index.dtype), *[Aval(a.shape[1:], a.dtype) for a in _avals(rows)]]
    body, more, _ = stage(run, avals, LaneLoop(b.name, state.loops))
    outs = REGISTRY["scan"].bind(*more, *consts, index, *rows, jaxpr=body, n_consts=len(more) + n_consts, n_carry=0,
                                 length=b.size, reverse=False)
    return outs, [True] * len(outs)


# ---- as users call them ----

def switch(index, branches, *operands):
    """branches[clip(index)](*operands): only that branch runs (all of them where index differs between vmap lanes).

    index : int[]         branches : functions with results of one structure and one type
    With an index that is known, the branch is simply called: the others are neither staged nor compared.
    Raises TreeError or DtypeError when the branches' results differ.
    """
    leaves, treedef = flatten(operands)
    leaves = [asvalue(x) for x in leaves]
    index = asvalue(index)
    if index.shape != () or index.dtype.kind not in "iub":
        raise DtypeError(f"switch takes a scalar integer index; got {index.aval!r}.")
    index = cast(index, _INT)
    if is_concrete(index) and not isinstance(index, Var):
        chosen = branches[min(max(int(index), 0), len(branches) - 1)]
        return map_tree(asvalue, chosen(*operands))
    staged, trees = [], []
    for f in branches:
        def run(*xs, f=f):
            out, tree = flatten(f(*unflatten(treedef, xs)))
            trees.append(tree)
            return [asvalue(o) for o in out]
        staged.append(stage(run, [x.aval for x in leaves], getattr(f, "__name__", "branch"))[:2])
    _same_results(staged, trees)
    joined, consts = join(_common_types(staged))
    return unflatten(trees[0], switch_p.bind(index, *consts, *leaves, branches=joined))


def _same_results(staged, trees):
    for tree in trees[1:]:
        if tree != trees[0]:
            raise TreeError(f"the branches give results of different structure: {trees[0]} and {tree}.\n"
                            "Return the same tuple, list or dict from every branch.")
    first = staged[0][0].out_avals
    for j, _ in staged[1:]:
        for a, c in zip(first, j.out_avals):
            if a.shape != c.shape:
                raise DtypeError(f"the branches give results of different types: {a!r} and {c!r}.\n"
                                 "Make the shapes equal (broadcast_to) and the dtypes too (astype).")


def _common_types(staged):
    """Branches whose results differ in dtype alone are promoted, as `where` would."""
    dtypes = [np.result_type(*column) for column in zip(*[[a.dtype for a in j.out_avals] for j, _ in staged])]
    out = []
    for j, consts in staged:
        if [a.dtype for a in j.out_avals] == dtypes:
            out.append((j, consts))
            continue
        made, more, _ = stage(lambda *xs, j=j: [cast(o, d) for o, d in zip(eval_jaxpr(j, xs), dtypes)], j.in_avals,
                              j.name)
        out.append((made, list(more) + list(consts)))
    return out


def cond(pred, true_fun, false_fun, *operands):
    """true_fun(*operands) where pred holds, else false_fun(*operands); only one of them runs.

    pred : bool[]         the two functions give results of one structure and type

    >>> float(cond(True, lambda x: x + 1, lambda x: x - 1, 1.0))
    2.0
    """
    pred = asvalue(pred)
    if pred.shape != ():
        raise DtypeError(f"cond takes a scalar condition; got {pred.aval!r}. For one choice per element use np.where, "
                         "or vmap cond.")
    return switch(cast(pred if pred.dtype == np.bool_ else pred != 0, _INT), (false_fun, true_fun), *operands)
