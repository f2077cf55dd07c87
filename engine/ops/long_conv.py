"""Lowering of long convolutions of one variable and one channel (or one channel a group) as products of matrices.

The result is cut into blocks of `size` places. A block needs size + m - 1 elements of the array, which are a row of
X; the window of m places, moved by 0 … size - 1 places, makes the rows of a Toeplitz matrix T; the blocks are X Tᵀ.
XLA's own convolution has no matrix to work on where there is but one channel, and takes ten times as long.
"""
import numpy as np

from ..avals import Aval

FEW = 16                                                 # windows of fewer places stay with XLA's convolution


def is_long(x, w, strides, rhs_dilation, groups, out):
    """Whether the window has one channel and is long enough to be worth a matrix."""
    return (len(strides) == 1 and w.shape[1] == 1 and w.shape[0] == groups and strides == (1,) and rhs_dilation == (1,)
            and x.dtype.kind in "fc" and w.shape[2] >= FEW and out.shape[2] >= 4 * FEW and x.shape[0] > 0)


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
                     f"[3] x [2] : ({rows.type}, {moved.type}) -> {b.type_text(made)}")
    y = b.reshape(b.transpose(y, (1, 0, 2, 3)), (n, groups, blocks * size))
    return b.slice(y, (0, 0, 0), (n, groups, places))


def _pad(b, x, low, high, interior):
    shape = tuple([lo + hi + k + max(k - 1, 0) * i for k, lo, hi, i in zip(x.shape, low, high, interior)])

    def listed(ns):
        return f"array<i64: {', '.join(map(str, ns))}>"
    return b.op("stablehlo.pad", [x, b.constant(np.zeros((), x.dtype), x.dtype)], Aval(shape, x.dtype),
                f"edge_padding_low = {listed(low)}, edge_padding_high = {listed(high)}, "
                f"interior_padding = {listed(interior)}")
