"""What loops share: staging a body until the types of its carry settle, and running a loop on concrete arrays."""
import numpy as np

from ..array import Array
from ..avals import PYTHON_SCALARS, Aval
from ..config import config
from ..core import OPEN_EFFECTS, aval_of
from ..errors import DtypeError, TreeError
from ..interpreters.evaluate import run_compiled
from ..interpreters.stage import stage
from ..ir import Eqn, Jaxpr, Var
from ..ops.structural import asvalue
from ..tree import flatten, flatten_with_path, keystr, unflatten


def split(xs, *sizes):
    """Cut a list into pieces of these sizes, and the rest."""
    out, at = [], 0
    for n in sizes:
        out.append(list(xs[at:at + n]))
        at += n
    return [*out, list(xs[at:])]


def eager_loop(prim):
    """Run a loop on concrete arrays: compiled once for its programs."""
    def run(args, params):
        avals = [aval_of(asvalue(a)) for a in args]
        body = params["body" if "body" in params else "jaxpr"]
        if config.disable_jit or any(p.effects & OPEN_EFFECTS for p in prim.programs(params)):
            return prim.impl(*args, **params)
        key = ("eager", tuple(sorted((k, v if isinstance(v, (int, bool)) else id(v)) for k, v in params.items())))
        whole = body.cache.get(key)
        if whole is None:
            ins = [Var(a) for a in avals]
            outs = [Var(a) for a in prim.out_avals(avals, params)]
            whole = body.cache[key] = Jaxpr(ins, [Eqn(prim, ins, params, outs)], outs, "loop")
        return run_compiled(whole, [asvalue(a) if not isinstance(a, Array) else a for a in args])
    return run


def stage_loop_body(f, treedef, leaves, extra_avals, what, unflatten_extra=()):
    """Stage a loop body until the types of its carry settle; Python scalars of the start take the body's dtype.

    Returns (jaxpr, consts, carry leaves, trees of the extra outputs). A number of single precision that is closed over
    as a scalar is not seen by the search for the precision of the data; arrays, xs and other carries are."""
    made = {}

    def staged(values):
        """(jaxpr, consts, tree of the extra outputs) for a carry of these values' types."""
        avals = [v.aval for v in values]
        found = made.get(tuple(avals))
        if found is None:
            trees = {}

            def run(*args):
                carry = unflatten(treedef, args[:len(avals)])
                out, extra = f(carry, *unflatten_extra(args[len(avals):])) if unflatten_extra else (f(carry), None)
                flat, tree = flatten(out)
                if tree != treedef:
                    raise TreeError(f"the {what} must return a carry of the same structure as it gets: "
                                    f"expected {treedef}, got {tree}.\nReturn the same tuples, lists and dicts "
                                    "as the start has, with a leaf for each of its leaves.")
                more, trees["extra"] = flatten(extra)
                return [asvalue(o) for o in flat] + [asvalue(o) for o in more]

            jaxpr, consts, _ = stage(run, avals + list(extra_avals), getattr(f, "__name__", "body"))
            found = made[tuple(avals)] = jaxpr, consts, trees["extra"]
        return found

    values = _narrowed(leaves, [asvalue(x) for x in leaves], staged)
    for _ in range(3):
        jaxpr, consts, extra = staged(values)
        bad = [i for i, v in enumerate(values) if v.aval != jaxpr.out_avals[i]]
        if not bad:
            return jaxpr, consts, values, extra
        for i in bad:
            have, want = values[i].aval, jaxpr.out_avals[i]
            if type(leaves[i]) in PYTHON_SCALARS and _widens(have, want):
                values[i] = asvalue(np.asarray(leaves[i], want.dtype))
                continue
            path = keystr(flatten_with_path(unflatten(treedef, values))[0][i][0])
            raise DtypeError(f"the {what} changes the type of its carry{path and ' at ' + path}: it got {have!r} and "
                             f"returns {want!r}.\nGive the start the type of the result (astype, broadcast_to), or "
                             "cast in the body.")
    raise DtypeError(f"the {what} does not settle on a type for its carry")


def _widens(have, want):
    return want.shape == () and np.result_type(have.dtype, want.dtype) == want.dtype


def _narrowed(leaves, values, staged):
    """The start, with its Python numbers in the single precision of the data that they meet in the body.

    A number starts as half precision, so that whatever it meets decides; what meets nothing keeps the default."""
    if not any(type(x) in (int, float) for x in leaves):
        return values
    first = staged(values)[0]
    free = [i for i, x in enumerate(leaves) if type(x) in (int, float) and first.out_avals[i] in _DOUBLE]
    if not free or not any(v.aval.dtype in _SINGLE for e in first.eqns for v in [*e.inputs, *e.outs]):
        return values
    trial = [asvalue(np.zeros((), np.float16)) if i in free else v for i, v in enumerate(values)]
    for _ in free:
        outs = staged(trial)[0].out_avals
        grown = [i for i in free if outs[i] != trial[i].aval and _widens(trial[i].aval, outs[i])]
        if not grown:
            break
        for i in grown:
            trial[i] = asvalue(np.asarray(leaves[i], outs[i].dtype))
    return [trial[i] if i in free and trial[i].dtype != np.float16 else v for i, v in enumerate(values)]


_DOUBLE = (Aval((), np.dtype("float64")), Aval((), np.dtype("complex128")))
_SINGLE = (np.dtype("float32"), np.dtype("complex64"))
