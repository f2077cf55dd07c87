"""Layers of neural networks, in the form of stax: each is a pair of functions (init, apply).

    init(key, input_shape) -> (output_shape, params)          params : a tree of arrays
    apply(params, x, key=None) -> y                           key : for layers that draw (Dropout)

    net = nn.serial(nn.Dense(16), nn.Tanh, nn.Dense(1))
    init, apply = net
    _, params = init(random.key(0), (100, 3))
    y = apply(params, x)

Channels (features) are the last axis; Flatten, Reshape and Conv take the first one for the batch, whose size in
input_shape may be -1, not known. Weights are drawn in the default float; results have the float dtype of the input, to
which weights are cast. `combinators` puts layers together, `recurrent` has those that run along a sequence.
"""
import math

import numpy as _np

from .. import numpy as np
from .. import random
from ..avals import canonical_axis, default_float, to_inexact_dtype
from ..errors import DtypeError, ShapeError
from ..lax import conv_general_dilated
from . import activations, initializers, normalizations, pooling

_LETTERS = "HWD"                         # the axes of space of a convolution


def as_input(x):
    """x as an array of floats (complex numbers stay)."""
    x = np.asarray(x)
    return np.astype(x, default_float() if x.dtype.kind in "iub" else to_inexact_dtype(x.dtype))


def cast_to(params, x):
    """A dict of weights in the dtype of x."""
    return {name: np.astype(np.asarray(p), x.dtype) for name, p in params.items()}


def features_of(layer, input_shape):
    """The size of the last axis."""
    if len(input_shape) == 0 or input_shape[-1] < 1:
        raise ShapeError(f"{layer}: input_shape is {tuple(input_shape)}; its last axis has the features, one at least.")
    return input_shape[-1]


def elementwise(function, **options):
    """A layer without weights that applies function(x, **options) and keeps the shape."""
    def init(key, input_shape):
        return tuple(input_shape), ()

    def apply(params, x, key=None):
        return function(x, **options)
    return init, apply


Identity = elementwise(activations.identity)
Tanh = elementwise(activations.tanh)
Relu = elementwise(activations.relu)
LeakyRelu = elementwise(activations.leaky_relu)
Elu = elementwise(activations.elu)
Selu = elementwise(activations.selu)
Gelu = elementwise(activations.gelu)
Silu = elementwise(activations.silu)
Softplus = elementwise(activations.softplus)
Sigmoid = elementwise(activations.sigmoid)
LogSigmoid = elementwise(activations.log_sigmoid)
Softmax = elementwise(normalizations.softmax)
LogSoftmax = elementwise(normalizations.log_softmax)
Exp = elementwise(np.exp)


# ---- with weights ----

def Dense(features, use_bias=True, *, kernel_init=None, bias_init=initializers.zeros):
    """x W + b.   float[..., n] -> float[..., features]

    params : kernel W, float[n, features] (glorot_normal unless given), and bias b, float[features]

    >>> from chainrule.engine import random
    >>> init, apply = Dense(2)
    >>> shape, params = init(random.key(0), (5, 3))
    >>> shape, params["kernel"].shape, apply(params, np.ones((5, 3))).shape
    ((5, 2), (3, 2), (5, 2))
    """
    kernel_init = kernel_init or initializers.glorot_normal()

    def init(key, input_shape):
        first, second = random.split(key)
        params = {"kernel": kernel_init(first, (features_of("Dense", input_shape), features))}
        if use_bias:
            params["bias"] = bias_init(second, (features,))
        return (*input_shape[:-1], features), params

    def apply(params, x, key=None):
        x = as_input(x)
        p = cast_to(params, x)
        if x.ndim == 0 or x.shape[-1] != p["kernel"].shape[0]:
            raise ShapeError(f"Dense: the input has shape {x.shape}, and the kernel {p['kernel'].shape}; the last axis "
                             "of the input and the first of the kernel have the same size.")
        y = np.matmul(x, p["kernel"])
        return y + p["bias"] if use_bias else y
    return init, apply


def Conv(features, window, strides=None, padding="VALID", use_bias=True, *, kernel_init=None,
         bias_init=initializers.zeros):
    """The correlation with windows, plus a bias.   float[batch, *space, channels] -> float[batch, *places, features]

    window : sizes along the 1 to 3 axes of space      strides : 1 unless given      padding : "VALID", "SAME", or pairs
    params : kernel, float[*window, channels, features], and bias, float[features]
    """
    window = tuple(window)
    strides = (1,) * len(window) if strides is None else tuple(strides)
    if not 1 <= len(window) <= 3 or len(strides) != len(window):
        raise ShapeError(f"Conv: window {window} and strides {strides}; both have a number for each of 1 to 3 axes.")
    space = _LETTERS[:len(window)]
    numbers = (f"N{space}C", f"{space}IO", f"N{space}C")
    kernel_init = kernel_init or initializers.glorot_normal()

    def convolved(x, kernel):
        if x.ndim != len(window) + 2:
            raise ShapeError(f"Conv with window {window}: the input has shape {x.shape}; it is [batch, *space, "
                             f"channels] with {len(window)} axes of space.")
        return conv_general_dilated(x, kernel, strides, padding, dimension_numbers=numbers)

    def init(key, input_shape):
        first, second = random.split(key)
        params = {"kernel": kernel_init(first, (*window, features_of("Conv", input_shape), features))}
        if use_bias:
            params["bias"] = bias_init(second, (features,))
        shape = _np.empty((0, *input_shape[1:]))                     # no example: its shape is all that is asked
        return (input_shape[0], *convolved(np.asarray(shape), params["kernel"]).shape[1:]), params

    def apply(params, x, key=None):
        x = as_input(x)
        p = cast_to(params, x)
        y = convolved(x, p["kernel"])
        return y + p["bias"] if use_bias else y
    return init, apply


def Embed(num_embeddings, features, *, embedding_init=None):
    """A vector for each integer.   int[...] -> float[..., features]

    params : embedding, float[num_embeddings, features]
    """
    embedding_init = embedding_init or initializers.normal(1.0 / math.sqrt(features))

    def init(key, input_shape):
        return (*input_shape, features), {"embedding": embedding_init(key, (num_embeddings, features))}

    def apply(params, x, key=None):
        x = np.asarray(x)
        if x.dtype.kind not in "iu":
            raise DtypeError(f"Embed takes integers from 0 to {num_embeddings - 1}; got dtype {x.dtype}.")
        return np.take(params["embedding"], x, axis=0)
    return init, apply


def LayerNorm(axis=-1, epsilon=1e-5, *, use_scale=True, use_bias=True):
    """scale (x - mean) / sqrt(variance + epsilon) + bias, with mean and variance along one axis.

    params : scale, from 1, and bias, from 0, as long as the axis is
    Source: Ba, Kiros & Hinton (2016), Layer Normalization, equation 4.
    """
    def init(key, input_shape):
        n = input_shape[canonical_axis(axis, len(input_shape))]
        params = {"scale": np.ones((n,))} if use_scale else {}
        if use_bias:
            params["bias"] = np.zeros((n,))
        return tuple(input_shape), params

    def apply(params, x, key=None):
        x = as_input(x)
        y = normalizations.standardize(x, axis, epsilon=epsilon)
        shape = [1] * x.ndim
        shape[axis] = x.shape[axis]
        p = {name: np.reshape(v, shape) for name, v in cast_to(params, x).items()}
        y = y * p["scale"] if use_scale else y
        return y + p["bias"] if use_bias else y
    return init, apply


# ---- without weights ----

def Dropout(rate):
    """Each element 0 with probability `rate`, else x / (1 - rate); x itself where apply gets no key.

    Source: Srivastava et al. (2014), Dropout, section 4 (scaled while training, not after).
    """
    if not 0 <= rate < 1:
        raise ValueError(f"Dropout: rate is the probability that an element is dropped, in [0, 1); got {rate}.")

    def apply(params, x, key=None):
        if key is None or rate == 0:
            return np.asarray(x)
        x = as_input(x)
        return np.where(random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), np.zeros((), x.dtype))
    return elementwise(activations.identity)[0], apply


def Reshape(*shape):
    """The axes after the first one in another shape.   [batch, ...] -> [batch, *shape]"""
    def init(key, input_shape):
        if -1 not in input_shape[1:] and math.prod(input_shape[1:]) != math.prod(shape):
            raise ShapeError(f"Reshape: an input of shape {tuple(input_shape)} has {math.prod(input_shape[1:])} "
                             f"elements after the first axis, and {shape} has {math.prod(shape)}.")
        return (*input_shape[:1], *shape), ()

    def apply(params, x, key=None):
        return np.reshape(x, (np.shape(x)[0], *shape))
    return init, apply


def _flat(key, input_shape):
    return (input_shape[0], math.prod(input_shape[1:])), ()


def _flatten(params, x, key=None):
    return np.reshape(x, (np.shape(x)[0], math.prod(np.shape(x)[1:])))


Flatten = (_flat, _flatten)


def _pooling(name, function):
    def layer(window, strides=None, padding="VALID"):
        def apply(params, x, key=None):
            return function(x, window, strides, padding)

        def init(key, input_shape):
            shape = function(np.zeros((1, *input_shape[1:])), window, strides, padding).shape
            return (input_shape[0], *shape[1:]), ()
        return init, apply
    layer.__name__ = layer.__qualname__ = name
    layer.__doc__ = f"`{function.__name__}` as a layer.   [batch, *space, channels] -> [batch, *places, channels]"
    return layer


MaxPool, AvgPool = _pooling("MaxPool", pooling.max_pool), _pooling("AvgPool", pooling.avg_pool)
