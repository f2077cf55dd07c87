"""Convolutions of arrays with channels, with the options and the layouts of JAX.

`dimension_numbers` names the axes of the array, of the window and of the result: ("NHWC", "HWIO", "NHWC") has the
batch N first and the channels C last, and O results from I channels. The default is ("NCHW", "OIHW", "NCHW").
"""
from typing import NamedTuple

import numpy as _np

from ..errors import ShapeError
from ..ops.conv import conv_p, dilated
from ..ops.shaping import reverse
from ..ops.structural import asvalue, cast, promote, reshape, transpose


class ConvDimensionNumbers(NamedTuple):
    """Axes as numbers: (batch, channels, *space) of the array, (out, in, *space) of the window, (batch, channels,
    *space) of the result."""
    lhs_spec: tuple
    rhs_spec: tuple
    out_spec: tuple


def _from_letters(specs, rank):
    """The numbers of axes that are named by letters."""
    lhs, rhs, out = specs
    for spec, pair in ((lhs, "NC"), (rhs, "OI"), (out, "NC")):
        if len(spec) != rank or len(set(spec)) != rank or not set(pair) <= set(spec):
            raise ShapeError(f"dimension_numbers {specs}: {spec!r} must name {rank} axes by different letters, "
                             f"{pair[0]} and {pair[1]} among them.")
    space = [c for c in rhs if c not in "OI"]
    for spec in (lhs, out):
        if set(spec) - set("NC") != set(space):
            raise ShapeError(f"dimension_numbers {specs}: the axes of space have other letters in {spec!r} than in "
                             f"{rhs!r}.")
    return ConvDimensionNumbers(*[tuple([spec.index(c) for c in (*pair, *space)])
                                  for spec, pair in ((lhs, "NC"), (rhs, "OI"), (out, "NC"))])


def conv_dimension_numbers(lhs_shape, rhs_shape, dimension_numbers):
    """The ConvDimensionNumbers that None, a triple of strings, or themselves stand for.

    >>> conv_dimension_numbers((1, 8, 8, 3), (2, 2, 3, 5), ("NHWC", "HWIO", "NHWC")).lhs_spec
    (0, 3, 1, 2)
    """
    rank = len(lhs_shape)
    if rank != len(rhs_shape) or rank < 2:
        raise ShapeError(f"a convolution takes an array and windows with equally many axes, 2 or more; got shapes "
                         f"{tuple(lhs_shape)} and {tuple(rhs_shape)}.")
    if isinstance(dimension_numbers, ConvDimensionNumbers):
        return dimension_numbers
    if dimension_numbers is None:
        return ConvDimensionNumbers(*[tuple(range(rank))] * 3)
    if len(dimension_numbers) != 3:
        raise ShapeError(f"dimension_numbers {dimension_numbers!r}: give three strings, of the array, of the windows "
                         "and of the result.")
    return _from_letters(tuple(dimension_numbers), rank)


def padtype_to_pads(in_shape, window_shape, window_strides, padding):
    """(low, high) for each axis. "VALID": none; "SAME": a result of size ⌈size / stride⌉, with the odd place at the
    end, or in front with "SAME_LOWER"."""
    if padding == "VALID":
        return [(0, 0)] * len(in_shape)
    if padding not in ("SAME", "SAME_LOWER"):
        raise ShapeError(f'padding={padding!r}: it is "VALID", "SAME", "SAME_LOWER" or a pair for each axis.')
    pads = []
    for n, k, s in zip(in_shape, window_shape, window_strides):
        total = max(0, (-(-n // s) - 1) * s + k - n)
        low = total // 2 if padding == "SAME" else total - total // 2
        pads.append((low, total - low))
    return pads


def _numbers(what, name, value, space):
    value = (1,) * space if value is None else tuple([int(v) for v in value])
    if len(value) != space or min(value, default=1) < 1:
        raise ShapeError(f"{what}: {name}={value}; give a number of 1 or more for each of {space} axes of space.")
    return value


def conv_general_dilated(lhs, rhs, window_strides, padding, lhs_dilation=None, rhs_dilation=None,
                         dimension_numbers=None, feature_group_count=1, batch_group_count=1, precision=None,
                         preferred_element_type=None):
    """The convolution (in statistics: correlation) of an array with windows, summed over channels.

    lhs : array[batch, channels, *space]       rhs : array[out, channels / feature_group_count, *window]
    padding : (low, high) for each axis of space, or "VALID", "SAME", "SAME_LOWER"
    lhs_dilation, rhs_dilation : one more than the zeros between neighbours of the array, and of the window
    feature_group_count : results of a group see the channels of that group; batch_group_count : so for the batch

    >>> x, w = asvalue([[[1.0, 2.0, 3.0, 4.0]]]), asvalue([[[1.0, 0.0, -1.0]]])
    >>> conv_general_dilated(x, w, (1,), "VALID").tolist()
    [[[-2.0, -2.0]]]
    """
    x, w = promote(asvalue(lhs), asvalue(rhs))
    if preferred_element_type is not None:
        x, w = cast(x, _np.dtype(preferred_element_type)), cast(w, _np.dtype(preferred_element_type))
    numbers = conv_dimension_numbers(x.shape, w.shape, dimension_numbers)
    x, w = transpose(x, numbers.lhs_spec), transpose(w, numbers.rhs_spec)
    space, what = x.ndim - 2, "conv_general_dilated"
    strides = _numbers(what, "window_strides", window_strides, space)
    lhs_dilation = _numbers(what, "lhs_dilation", lhs_dilation, space)
    rhs_dilation = _numbers(what, "rhs_dilation", rhs_dilation, space)
    if isinstance(padding, str):
        if padding != "VALID" and any(d != 1 for d in lhs_dilation):
            raise ShapeError(f"padding={padding!r} has no meaning with lhs_dilation={lhs_dilation}: give pairs, or use "
                             "conv_transpose.")
        padding = padtype_to_pads(x.shape[2:], [dilated(k, d) for k, d in zip(w.shape[2:], rhs_dilation)], strides,
                                  padding)
    padding = tuple([(int(low), int(high)) for low, high in padding])
    if len(padding) != space:
        raise ShapeError(f"{what}: padding={padding}; give (low, high) for each of {space} axes of space.")
    groups = feature_group_count
    if batch_group_count > 1:                            # groups of the batch become groups of channels
        if feature_group_count > 1:
            raise ShapeError("feature_group_count and batch_group_count cannot both be above 1.")
        groups, (n, c, *sizes) = batch_group_count, x.shape
        if n % groups or w.shape[0] % groups:
            raise ShapeError(f"batch_group_count={groups} must divide the batch {n} and the {w.shape[0]} results.")
        x = reshape(x, (groups, n // groups, c, *sizes))
        x = reshape(transpose(x, (1, 0, *range(2, x.ndim))), (n // groups, groups * c, *sizes))
    y = conv_p.bind(x, w, strides=strides, padding=padding, lhs_dilation=lhs_dilation, rhs_dilation=rhs_dilation,
                    groups=groups)
    return transpose(y, [numbers.out_spec.index(i) for i in range(y.ndim)])


def conv(lhs, rhs, window_strides, padding, precision=None, preferred_element_type=None):
    """The convolution of [batch, channels, *space] with windows [out, channels, *window]; padding is a string."""
    return conv_general_dilated(lhs, rhs, window_strides, padding, precision=precision,
                                preferred_element_type=preferred_element_type)


def conv_with_general_padding(lhs, rhs, window_strides, padding, lhs_dilation, rhs_dilation, precision=None,
                              preferred_element_type=None):
    """`conv` with dilations."""
    return conv_general_dilated(lhs, rhs, window_strides, padding, lhs_dilation, rhs_dilation, precision=precision,
                                preferred_element_type=preferred_element_type)


def _transpose_pads(k, stride, padding):
    """The padding with which a convolution over a dilated array undoes the shapes of one with a stride."""
    if padding not in ("SAME", "VALID"):
        raise ShapeError(f'conv_transpose with padding={padding!r}: it is "SAME", "VALID" or a pair for each axis.')
    total = k + stride - 2 + (max(k - stride, 0) if padding == "VALID" else 0)
    low = k - 1 if padding == "VALID" or stride > k - 1 else -(-total // 2)
    return low, total - low


_CHANNELS_LAST = {2: ("NC", "IO", "NC"), 3: ("NHC", "HIO", "NHC"), 4: ("NHWC", "HWIO", "NHWC"),
                  5: ("NHWDC", "HWDIO", "NHWDC")}


def conv_transpose(lhs, rhs, strides, padding, rhs_dilation=None, dimension_numbers=None, transpose_kernel=False,
                   precision=None, preferred_element_type=None):
    """A convolution of the array with strides - 1 zeros between neighbours: sizes grow by `strides`.

    dimension_numbers : channels last unless given, as ("NHWC", "HWIO", "NHWC")
    transpose_kernel : turn the window round and exchange its channels, which makes it the transpose of the forward
    convolution with the same window
    """
    x, w = promote(asvalue(lhs), asvalue(rhs))
    if dimension_numbers is None and x.ndim not in _CHANNELS_LAST:
        raise ShapeError(f"conv_transpose of an array with {x.ndim} axes needs dimension_numbers.")
    numbers = conv_dimension_numbers(x.shape, w.shape, dimension_numbers or _CHANNELS_LAST[x.ndim])
    space = x.ndim - 2
    strides = _numbers("conv_transpose", "strides", strides, space)
    gaps = _numbers("conv_transpose", "rhs_dilation", rhs_dilation, space)
    if isinstance(padding, str):
        sizes = [dilated(w.shape[i], d) for i, d in zip(numbers.rhs_spec[2:], gaps)]
        padding = [_transpose_pads(k, s, padding) for k, s in zip(sizes, strides)]
    if transpose_kernel:
        out, into = numbers.rhs_spec[:2]
        order = list(range(w.ndim))
        order[out], order[into] = into, out
        w = transpose(reverse(w, numbers.rhs_spec[2:]), order)
    return conv_general_dilated(x, w, (1,) * space, padding, strides, gaps, numbers, precision=precision,
                                preferred_element_type=preferred_element_type)


def conv_general_dilated_patches(lhs, filter_shape, window_strides, padding, lhs_dilation=None, rhs_dilation=None,
                                 dimension_numbers=None, precision=None, preferred_element_type=None):
    """What stands in the window at each place: the result's channels are, channel by channel, the window's places."""
    x = asvalue(lhs)
    window = tuple(filter_shape)
    numbers = conv_dimension_numbers(x.shape, (1, 1, *window), dimension_numbers)
    channels, size = x.shape[numbers.lhs_spec[1]], int(_np.prod(window, dtype=int))
    w = _np.tile(_np.eye(size, dtype=x.dtype).reshape(size, 1, *window), (channels, *(1,) * (len(window) + 1)))
    w = transpose(asvalue(w), [numbers.rhs_spec.index(i) for i in range(x.ndim)])
    return conv_general_dilated(x, w, window_strides, padding, lhs_dilation, rhs_dilation, numbers, channels,
                                precision=precision, preferred_element_type=preferred_element_type)
