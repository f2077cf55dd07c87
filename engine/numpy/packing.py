"""Booleans packed eight to a byte, and taken out again."""
import operator

import numpy as _np

from ..avals import canonical_axis
from ..errors import DtypeError, ShapeError
from ..ops import shaping
from ..ops import structural as st
from ..ops.elementwise import bitwise_and, left_shift, right_shift
from ..ops.structural import asvalue, cast
from .reductions import truth
from .shapes import moveaxis

_BYTE = _np.dtype("uint8")


def _shifts(bitorder):
    if bitorder not in ("big", "little"):
        raise ShapeError(f"bitorder={bitorder!r} is neither 'big' nor 'little'.")
    places = _np.arange(8, dtype=_BYTE)
    return places[::-1].copy() if bitorder == "big" else places


def _last(x, axis):
    """(x with the axis last, where it belongs); None flattens."""
    if axis is None:
        return st.reshape(x, (-1,)), 0
    axis = canonical_axis(axis, x.ndim)
    return moveaxis(x, axis, -1), axis


def packbits(a, axis=None, bitorder="big"):
    """Eight elements of an axis (None: of the flattened array) as one byte: a bit is set where one is not zero.

    a : bool or int[...]. The last byte is filled up with zeros. bitorder : "big" if the first element is the highest
    bit, or "little"
    """
    x = asvalue(a)
    if x.dtype.kind not in "biu":
        raise DtypeError(f"packbits takes booleans or integers; got dtype {x.dtype}.")
    shifts = _shifts(bitorder)
    x, axis = _last(truth(x), axis)
    n = x.shape[-1]
    x = shaping.pad(cast(x, _BYTE), [(0, 0)] * (x.ndim - 1) + [(0, -n % 8)])
    x = left_shift(st.reshape(x, (*x.shape[:-1], -(-n // 8), 8)), shifts)
    return moveaxis(st.reduce_sum(x, (x.ndim - 1,)), -1, axis)


def unpackbits(a, axis=None, count=None, bitorder="big"):
    """The bits of bytes as zeros and ones along an axis (None: of the flattened array).

    a : uint8[...]     count : how many bits to give (zeros where there are no more); if negative, how many to leave off
    """
    x = asvalue(a)
    if x.dtype != _BYTE:
        raise DtypeError(f"unpackbits takes uint8; got dtype {x.dtype}.")
    x = x if x.ndim else st.reshape(x, (1,))
    shifts = _shifts(bitorder)
    x, axis = _last(x, axis)
    bits = bitwise_and(right_shift(st.reshape(x, (*x.shape, 1)), shifts), _np.asarray(1, _BYTE))
    bits = st.reshape(bits, (*x.shape[:-1], 8 * x.shape[-1]))
    n = bits.shape[-1]
    if count is not None:
        count = operator.index(count)
        keep = count if count >= 0 else n + count
        if keep < 0:
            raise ShapeError(f"unpackbits: count={count} leaves off more than the {n} bits there are.")
        bits = shaping.slice_axis(bits, 0, min(keep, n), bits.ndim - 1)
        bits = shaping.pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, max(keep - n, 0))])
    return moveaxis(bits, -1, axis)
