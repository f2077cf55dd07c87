"""Lowering of convolutions with one channel a group, where XLA's own has no matrix to work on.

Windows of few places are sums of shifted arrays, which XLA makes one loop of: up to two hundred times as quick. Long
ones of one variable are products of matrices. The result is cut into blocks of `size` places; a block needs
size + m - 1 elements of the array, which are a row of X; the window of m places, moved by 0 … size - 1 places, makes
the rows of a Toeplitz matrix T; the blocks are X Tᵀ.
"""
import math

import numpy as np

from ..avals import Aval

FEW = 16                                                 # places of a window from which a matrix is worth it
MOST_TERMS = 64                                          # of a sum of shifted arrays


def _channelwise(w, groups):
    return w.shape[1] == 1 and w.shape[0] == groups


def is_long(x, w, strides, rhs_dilation, groups, out):
    """Whether the window runs along one axis, and is long enough to be worth a matrix."""
    return (_channelwise(w, groups) and len(strides) == 1 and strides == (1,) and rhs_dilation == (1,)
            and x.dtype.kind in "fc" and w.shape[2] >= FEW and out.shape[2] >= 4 * FEW and x.shape[0] > 0)


def is_short(x, w, groups, out):
    """Whether a sum of shifted arrays is quicker; XLA's loop for one channel of float64 is good."""
    return (_channelwise(w, groups) and 1 <= math.prod(w.shape[2:]) <= MOST_TERMS and out.size > 0
            and (groups > 1 or x.dtype.itemsize < 8))


def lower_short(b, x, w, strides, padding, lhs_dilation, rhs_dilation):
    """Σ over the places of the window of w[place] times the array, shifted."""
    low, high = zip(*padding) if padding else ((), ())
    x = _pad(b, x, (0, 0, *low), (0, 0, *high), (0, 0, *[d - 1 for d in lhs_dilation]))
    out, total, groups = b.out[0].shape, None, w.shape[0]
    for place in np.ndindex(*w.shape[2:]):
        first = [p * d for p, d in zip(place, rhs_dilation)]
        stop = [f + (m - 1) * s + 1 for f, m, s in zip(first, out[2:], strides)]
        part = b.slice(x, (0, 0, *first), (*out[:2], *stop), (1, 1, *strides))
        weight = b.reshape(b.slice(w, (0, 0, *place), (groups, 1, *[p + 1 for p in place])), (groups,))
        term = b.elementwise("stablehlo.and" if x.dtype.kind == "b" else "stablehlo.multiply", part,
                             b.broadcast(weight, out, (1,)))
        total = term if total is None else b.elementwise(
            "stablehlo.or" if x.dtype.kind == "b" else "stablehlo.add", total, term)
    return total


def lower_long(b, x, w, padding, lhs_dilation):
    """The convolution of x [n, groups, places] with w [groups, 1, m]."""
    n, groups, _ = x.shape
    m, places = w.shape[2], b.out[0].shape[2]
    size = 32 if m < 128 else 64 if m < 1024 else 128
    blocks = -(-places // size)
    parts = -(-(m + size - 1) // size)
    width = parts * size
    low, high = padding[0]
    room = (x.shape[2] - 1) * lhs_dilation[0] + 1 + low
    x = _pad(b, x, (0, 0, low), (0, 0, (blocks + parts) * size - room), (0, 0, lhs_dilation[0] - 1))
    x = b.reshape(x, (n, groups, blocks + parts, size))
    rows = [b.slice(x, (0, 0, j, 0), (n, groups, j + blocks, size)) for j in range(parts)]
    rows = b.op("stablehlo.concatenate", rows, Aval((n, groups, blocks, width), x.dtype), "dimension = 3 : i64")
    v = _pad(b, b.reshape(w, (groups, m)), (0, 0), (0, width + 1 - m), (0, 0))
    v = b.broadcast(v, (groups, size, width + 1), (0, 2))
    v = b.slice(b.reshape(v, (groups, size * (width + 1))), (0, 0), (groups, size * width))
    moved = b.reshape(v, (groups, size, width))          # row r is the window after r zeros: v[(j - r) mod (width + 1)]
    made = Aval((groups, n, blocks, size), x.dtype)
    y = b.emit(made, f"stablehlo.dot_general {rows.name}, {moved.name}, batching_dims = [1] x [0], contracting_dims = "
                     f"[3] x [2]{b.of_products} : ({rows.type}, {moved.type}) -> {b.type_text(made)}")
    y = b.reshape(b.transpose(y, (1, 0, 2, 3)), (n, groups, blocks * size))
    return b.slice(y, (0, 0, 0), (n, groups, places))


def _pad(b, x, low, high, interior):
    shape = tuple([lo + hi + k + max(k - 1, 0) * i for k, lo, hi, i in zip(x.shape, low, high, interior)])

    def listed(ns):
        return f"array<i64: {', '.join(map(str, ns))}>"
    return b.op("stablehlo.pad", [x, b.constant(np.zeros((), x.dtype), x.dtype)], Aval(shape, x.dtype),
                f"edge_padding_low = {listed(low)}, edge_padding_high = {listed(high)}, "
                f"interior_padding = {listed(interior)}")
