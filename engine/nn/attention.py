"""Attention by scaled products of queries and keys."""
import math

import numpy as _np

from ..avals import is_inexact
from ..errors import DtypeError, ShapeError
from ..numpy.einsum import einsum
from ..ops.elementwise import bitwise_and, ge, le, lt, where
from ..ops.structural import asvalue, broadcast_to, iota, promote, reshape
from .normalizations import softmax


def _checked(query, key, value):
    q, k, v = promote(asvalue(query), asvalue(key), asvalue(value))
    if not is_inexact(q.dtype):
        raise DtypeError(f"dot_product_attention takes floating arrays; got dtype {q.dtype}.")
    batched = q.ndim == 4
    q, k, v = (x if x.ndim == 4 else reshape(x, (1, *x.shape)) for x in (q, k, v))
    if {q.ndim, k.ndim, v.ndim} != {4} or k.shape != v.shape or q.shape[0] != k.shape[0] or q.shape[3] != k.shape[3]:
        raise ShapeError("dot_product_attention takes query [batch, T, heads, H] and key, value [batch, S, key heads, "
                         f"H] (the batch may be left out); got shapes {q.shape}, {k.shape} and {v.shape}.")
    if not k.shape[2] or q.shape[2] % k.shape[2]:
        raise ShapeError(f"dot_product_attention: {q.shape[2]} heads of queries are no multiple of {k.shape[2]} heads "
                         "of keys.")
    return q, k, v, batched


def _four(name, x, shape):
    """A bias or mask as [batch or 1, heads or 1, T or 1, S or 1]."""
    x = asvalue(x)
    x = reshape(x, (1,) * (4 - x.ndim) + x.shape) if x.ndim < 4 else x
    if x.ndim != 4 or any(n not in (1, m) for n, m in zip(x.shape, shape)):
        raise ShapeError(f"dot_product_attention: {name} of shape {x.shape} does not broadcast to [batch, heads, T, S]"
                         f", {shape}.")
    return x


def _length_mask(lengths, size, axis):
    """Whether a place is before the end of its sequence, [batch, 1, …] along axis 2 or 3."""
    lengths = asvalue(lengths)
    return lt(reshape(iota(size), [size if i == axis else 1 for i in range(4)]), reshape(lengths, (-1, 1, 1, 1)))


def dot_product_attention(query, key, value, bias=None, mask=None, *, scale=None, is_causal=False,
                          query_seq_lengths=None, key_value_seq_lengths=None, local_window_size=None,
                          implementation=None):
    """softmax(scale Q Kᵀ + bias) V for each head.

    query : float[batch, T, heads, H]      key, value : float[batch, S, key heads, H]; each head of keys serves
    heads / key heads heads of queries in turn; without a batch, [T, heads, H]
    bias : float, mask : bool (True takes part), both broadcast to [batch, heads, T, S]      scale : 1 / √H
    is_causal : query t sees the keys 0 … t      query_seq_lengths, key_value_seq_lengths : int[batch]; what is beyond
    is left out, and is 0 in the result      local_window_size : query t sees the keys t - left … t + right, given as
    a number or a pair

    A query that sees no key gets 0. Source: Vaswani et al. (2017), section 3.2.1; Ainslie et al. (2023) for groups.
    """
    q, k, v, batched = _checked(query, key, value)
    (b, t, n, h), (s, heads) = q.shape, k.shape[1:3]
    groups, shape = n // heads, (b, n, t, s)
    logits = einsum("btkgh,bskh->bkgts", reshape(q, (b, t, heads, groups, h)), k)
    logits = reshape(logits, shape) * _np.asarray(1 / math.sqrt(h) if scale is None else scale, q.dtype)
    if bias is not None:
        logits = logits + _four("bias", bias, shape)
    seen = _seen(shape, mask, is_causal, query_seq_lengths, key_value_seq_lengths, local_window_size)
    weights = softmax(logits) if seen is None else _masked(logits, seen)
    out = einsum("bkgts,bskh->btkgh", reshape(weights, (b, heads, groups, t, s)), v)
    return reshape(out, q.shape if batched else q.shape[1:])


def _seen(shape, mask, is_causal, query_lengths, key_lengths, window):
    """Which key each query sees, or None for all."""
    t, s = shape[2:]
    row, column = reshape(iota(t), (t, 1)), reshape(iota(s), (1, s))
    masks = [] if mask is None else [_four("mask", asvalue(mask, bool), shape)]
    if is_causal:
        masks.append(ge(row, column))
    if window is not None:
        left, right = (window, window) if isinstance(window, int) else window
        masks.append(bitwise_and(le(row - left, column), le(column, row + right)))
    if query_lengths is not None:
        masks.append(_length_mask(query_lengths, t, 2))
    if key_lengths is not None:
        masks.append(_length_mask(key_lengths, s, 3))
    out = None
    for m in masks:
        out = m if out is None else bitwise_and(out, m)
    return out


def _masked(logits, seen):
    """The weights of the keys that are seen; all 0 where there is none."""
    seen = broadcast_to(seen, logits.shape)
    none = ~seen.any(-1, keepdims=True)
    weights = softmax(logits, where=seen | none)         # with none, of all: no division by 0, here or in a derivative
    return where(none, _np.zeros((), logits.dtype), weights)
