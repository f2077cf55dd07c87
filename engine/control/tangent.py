"""A tangent map held in one equation, whose transpose has a rule of its own.

Evaluation, lowering, derivatives and batching all go through the forward derivative of the function's own program;
only the transpose differs between custom_vjp (given by hand) and checkpoint (computed again).
"""
import numpy as np

from ..core import Primitive
from ..interpreters.batch import batch_jaxpr
from ..interpreters.jvp import jvp_jaxpr
from ..interpreters.stage import eval_jaxpr
from .call import spread_marks


def tangent_map(name, shape, derivative, n_unread):
    """A primitive: operands that the program does not read, its inputs, their tangents -> the tangents of its outputs.

    derivative(**params) : (forward derivative of params["jaxpr"], its consts, marks), see `jvp_jaxpr`
    n_unread(**params) : how many leading operands only the transpose reads
    """
    def parts(params):
        made, consts, _ = derivative(**params)
        return made, consts, n_unread(**params), len(params["jaxpr"].outs)

    def push(*args, **params):
        made, consts, skip, n = parts(params)
        return eval_jaxpr(made, [*consts, *args[skip:]])[n:]

    def lower(b, *args, **params):
        made, consts, skip, n = parts(params)
        return b.program(made, [*[b.literal(np.asarray(c)) for c in consts], *args[skip:]])[n:]

    def jvp(xs, ts, **params):
        made, consts, skip, n = parts(params)
        program, more, marks = jvp_jaxpr(made, [False] * len(consts) + [t is not None for t in ts[skip:]],
                                         [False] * len(made.outs))
        out = eval_jaxpr(program, [*more, *consts, *xs[skip:], *[t for t in ts[skip:] if t is not None]])
        ys, tys = spread_marks(out, marks)
        return ys[n:], tys[n:]

    def batch(b, mine, *args, **params):
        made, consts, skip, n = parts(params)
        program, more, marks = batch_jaxpr(made, b.size, [False] * len(consts) + mine[skip:],
                                           [False] * len(made.outs), b.name)
        return eval_jaxpr(program, [*more, *consts, *args[skip:]])[n:], marks[n:]

    return Primitive(name, multiple=True, eager=lambda args, params: push(*args, **params), shape=shape, impl=push,
                     lower=lower, jvp=jvp, batch=batch)
