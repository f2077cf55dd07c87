"""Rows of convolutions, of reductions over windows, the largest k, and padding that cuts."""
import numpy as np

import chainrule.engine.numpy as cnp
from chainrule.engine.ops import shaping
from chainrule.engine.ops.conv import conv_p
from chainrule.engine.ops.precision import reduce_precision_p
from chainrule.engine.ops.sort import top_k_p
from chainrule.engine.ops.window import reduce_window, window_winner_p
from tests.engine.cases import Case, F

RNG = np.random.default_rng(9)


def direct(x, w, strides, padding, lhs_dilation, rhs_dilation, groups):
    """The definition of a convolution, one product at a time."""
    k, lead = len(strides), (slice(None),) * 2
    wide = np.zeros((*x.shape[:2], *[(n - 1) * d + 1 for n, d in zip(x.shape[2:], lhs_dilation)]))
    wide[(*lead, *[slice(None, None, d) for d in lhs_dilation])] = x
    wide = np.pad(wide, [(0, 0), (0, 0), *[(max(a, 0), max(b, 0)) for a, b in padding]])
    wide = wide[(*lead, *[slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(wide.shape[2:], padding)])]
    out = [max(0, (n - (m - 1) * d - 1) // s + 1)
           for n, m, d, s in zip(wide.shape[2:], w.shape[2:], rhs_dilation, strides)]
    y = np.zeros((x.shape[0], w.shape[0], *out))
    for o in range(w.shape[0]):
        first = o // (w.shape[0] // groups) * w.shape[1]
        for place in np.ndindex(*out):
            for step in np.ndindex(*w.shape[2:]):
                at = [place[i] * strides[i] + step[i] * rhs_dilation[i] for i in range(k)]
                y[(slice(None), o, *place)] += (wide[(slice(None), slice(first, first + w.shape[1]), *at)]
                                                @ w[(o, slice(None), *step)])
    return y


def conv(x, w, name, strides=None, padding=None, lhs_dilation=None, rhs_dilation=None, groups=1):
    k = len(x) - 2
    params = dict(strides=strides or (1,) * k, padding=padding or ((0, 0),) * k, lhs_dilation=lhs_dilation or (1,) * k,
                  rhs_dilation=rhs_dilation or (1,) * k, groups=groups)
    return Case(lambda a, b: conv_p.bind(cnp.asarray(a), cnp.asarray(b), **params), "conv",
                lambda a, b: direct(a, b, **params), args=(RNG.normal(size=x), RNG.normal(size=w)), ulps=32,
                name=f"conv-{name}")


def window_numpy(x, op, fill, window, strides, padding, base_dilation, window_dilation):
    """The definition of a reduction over windows."""
    wide = np.full([(n - 1) * d + 1 for n, d in zip(x.shape, base_dilation)], fill, x.dtype)
    wide[tuple(slice(None, None, d) for d in base_dilation)] = x
    wide = np.pad(wide, padding, constant_values=fill)
    out = [(n - (k - 1) * g - 1) // s + 1 for n, k, g, s in zip(wide.shape, window, window_dilation, strides)]
    y = np.empty(out, x.dtype)
    for place in np.ndindex(*out):
        key = tuple(slice(p * s, p * s + (k - 1) * g + 1, g)
                    for p, s, k, g in zip(place, strides, window, window_dilation))
        y[place] = op.reduce(wide[key].reshape(-1))
    return y


def window(how, op, fill, x, name, size, strides=None, padding=None, base=None, gaps=None, **options):
    k = x.ndim
    rest = (size, strides or (1,) * k, padding or ((0, 0),) * k, base or (1,) * k, gaps or (1,) * k)
    return Case(lambda a: reduce_window(cnp.asarray(a), how, *rest), "reduce_window",
                lambda a: window_numpy(a, op, fill, *rest), args=(x,), ulps=16, name=f"reduce_window-{name}",
                **options)


IMAGE = RNG.normal(size=(4, 5))
COUNTS = RNG.integers(0, 50, (4, 5))
POOL = dict(window=(2, 3), strides=(2, 1), padding=((0, 1), (1, 0)), base_dilation=(1, 1), window_dilation=(1, 1))


def winner_numpy(x):
    flat = np.pad(np.arange(x.size).reshape(x.shape), POOL["padding"], constant_values=-1)
    values = np.pad(x, POOL["padding"], constant_values=-np.inf)
    return np.array([[flat[i:i + 2, j:j + 3].reshape(-1)[values[i:i + 2, j:j + 3].argmax()] for j in range(4)]
                     for i in (0, 2)])


CASES = [
    conv((2, 3, 7), (4, 3, 3), "1d"),
    conv((2, 2, 6, 5), (3, 2, 3, 2), "2d", (2, 1), ((1, 0), (0, 2))),
    conv((1, 2, 3, 4, 3), (2, 2, 2, 2, 2), "3d"),
    conv((2, 4, 8), (4, 2, 3), "groups", (2,), ((1, 1),), groups=2),
    conv((1, 2, 5), (2, 2, 3), "dilated", (1,), ((2, 1),), (2,), (2,)),
    conv((1, 2, 9), (1, 2, 3), "cut", (2,), ((-1, -2),)),
    conv((2, 3), (4, 3), "without-space"),
    conv((2, 2, 6, 5), (2, 1, 2, 3), "channelwise", (2, 1), ((1, -1), (0, 2)), (1, 2), (2, 1), groups=2),
    conv((2, 1, 6), (1, 1, 3), "one-channel", (2,), ((1, 2),)),
    conv((2, 2, 71), (2, 1, 18), "long", padding=((3, 17),), groups=2),
    conv((1, 1, 40), (1, 1, 17), "long-dilated", padding=((5, 2),), lhs_dilation=(2,)),
    window("add", np.add, 0.0, IMAGE, "add", (2, 3), (2, 1), ((0, 1), (1, 0))),
    window("add", np.add, 0.0, IMAGE, "add-dilated", (2, 2), (1, 2), ((1, 1), (2, 1)), (2, 1), (1, 2)),
    window("max", np.maximum, -np.inf, IMAGE, "max", (2, 2), (2, 2), ((0, 0), (0, 1))),
    window("min", np.minimum, np.inf, IMAGE, "min", (3, 2)),
    window("mul", np.multiply, 1.0, IMAGE, "mul", (2, 2), (1, 2), ((1, 0), (0, 0))),
    window("max", np.maximum, 0, COUNTS, "max-int", (2, 2), dtypes=F),
    window("and", np.bitwise_and, -1, COUNTS, "and", (2, 2), dtypes=F),
    window("or", np.bitwise_or, 0, COUNTS, "or", (2, 2), dtypes=F),
    Case(lambda x: window_winner_p.bind(cnp.asarray(x), how="max", **POOL), "window_winner", winner_numpy,
         args=(IMAGE,), order=0),
    Case(lambda x: top_k_p.bind(cnp.asarray(x), k=3), "top_k", lambda x: np.argsort(-x, 1, kind="stable")[:, :3],
         args=(IMAGE,), order=0),
    Case(lambda x: reduce_precision_p.bind(cnp.asarray(x), exponent=8, mantissa=10), "reduce_precision",
         lambda x: np.asarray(x).astype(np.float16).astype(float), args=(IMAGE,), order=0),
    Case(lambda x, v: shaping.pad(x, [(-1, 2), (1, -2)], v), "pad",
         lambda x, v: np.pad(x, [(0, 2), (1, 0)], constant_values=v)[1:, :-2], args=(IMAGE, np.asarray(0.5)),
         name="pad-cut"),
]
