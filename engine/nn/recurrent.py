"""Layers that run along a sequence, and the steps that they take.

    GRU(features), LSTM(features)                  [..., time, n] -> [..., time, features], from a state of zeros
    gru_step(params, h, x), lstm_step(params, (h, c), x)     one step, for a scan of your own
"""
from .. import numpy as np
from .. import random
from ..control.scan import scan
from . import initializers
from .activations import sigmoid
from .layers import as_input, cast_to, features_of


def gru_step(params, h, x):
    """(h', h'): one step of a gated recurrent unit.   h : float[..., features], x : float[..., n]

        r, u, m = split(x W), split(h V) likewise      r = σ(rₓ + rₕ + bᵣ)      u = σ(uₓ + uₕ + bᵤ)
        h' = u h + (1 - u) tanh(mₓ + bₘ + r (mₕ + c))

    params : kernel W, float[n, 3 features], recurrent_kernel V, float[features, 3 features], bias b, float[3 features],
        recurrent_bias c, float[features]
    Source: Cho et al. (2014), Learning Phrase Representations, equations 5-8, with the reset after the product.
    """
    from_x = np.split(np.matmul(x, params["kernel"]) + params["bias"], 3, axis=-1)
    from_h = np.split(np.matmul(h, params["recurrent_kernel"]), 3, axis=-1)
    reset, update = sigmoid(from_x[0] + from_h[0]), sigmoid(from_x[1] + from_h[1])
    made = np.tanh(from_x[2] + reset * (from_h[2] + params["recurrent_bias"]))
    h = update * h + (1.0 - update) * made
    return h, h


def lstm_step(params, state, x):
    """((h', c'), h'): one step of a long short-term memory.   state : (h, c), each float[..., features]

        i, f, g, o = split(x W + h V + b)      c' = σ(f) c + σ(i) tanh(g)      h' = σ(o) tanh(c')

    params : kernel W, float[n, 4 features], recurrent_kernel V, float[features, 4 features], bias b, float[4 features]
    Source: Hochreiter & Schmidhuber (1997), with the forget gate of Gers, Schmidhuber & Cummins (2000).
    """
    h, c = state
    rows = np.matmul(x, params["kernel"]) + np.matmul(h, params["recurrent_kernel"]) + params["bias"]
    i, f, g, o = np.split(rows, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return (h, c), h


def _along(step, start):
    """The function of params and x that takes the steps along the axis before the last."""
    def apply(params, x, key=None):
        x = as_input(x)
        p = cast_to(params, x)
        zero = np.zeros((*x.shape[:-2], p["recurrent_kernel"].shape[0]), x.dtype)
        _, ys = scan(lambda state, row: step(p, state, row), start(zero), np.moveaxis(x, -2, 0))
        return np.moveaxis(ys, 0, -2)
    return apply


def _weights(layer, features, gates, extra=()):
    """The init function of a recurrent layer."""
    def init(key, input_shape):
        first, second = random.split(key)
        n = features_of(layer, input_shape)
        params = {"kernel": initializers.glorot_normal()(first, (n, gates * features)),
                  "recurrent_kernel": np.concatenate([initializers.orthogonal()(k, (features, features))
                                                      for k in random.split(second, gates)], -1),
                  "bias": np.zeros((gates * features,))}
        params.update({name: np.zeros((features,)) for name in extra})
        return (*input_shape[:-1], features), params
    return init


def GRU(features):
    """A gated recurrent unit along a sequence.   float[..., time, n] -> float[..., time, features]; see `gru_step`."""
    return _weights("GRU", features, 3, ("recurrent_bias",)), _along(gru_step, lambda zero: zero)


def LSTM(features):
    """A long short-term memory along a sequence.   float[..., time, n] -> float[..., time, features]; see `lstm_step`.

    The forget gate's bias begins at 1 (Jozefowicz, Zaremba & Sutskever, 2015, section 2.2).
    """
    draw = _weights("LSTM", features, 4)

    def init(key, input_shape):
        shape, params = draw(key, input_shape)
        params["bias"] = params["bias"].at[features:2 * features].set(1.0)
        return shape, params
    return init, _along(lstm_step, lambda zero: (zero, zero))
