"""Functions for neural networks, with the names of `jax.nn`; pooling as in Flax. `initializers` draws weights.

`layers`, `combinators` and `recurrent` have whole layers, (init, apply) pairs with the names of stax and Flax.
"""
from . import initializers
from .activations import (
    celu,
    elu,
    gelu,
    glu,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    identity,
    leaky_relu,
    log1mexp,
    log_sigmoid,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_sign,
    softplus,
    sparse_plus,
    sparse_sigmoid,
    squareplus,
    swish,
    tanh,
)
from .attention import dot_product_attention
from .combinators import MLP, FanInConcat, FanInSum, FanOut, Residual, Sequential, parallel, serial
from .layers import (
    AvgPool,
    Conv,
    Dense,
    Dropout,
    Elu,
    Embed,
    Exp,
    Flatten,
    Gelu,
    Identity,
    LayerNorm,
    LeakyRelu,
    LogSigmoid,
    LogSoftmax,
    MaxPool,
    Relu,
    Reshape,
    Selu,
    Sigmoid,
    Silu,
    Softmax,
    Softplus,
    Tanh,
    elementwise,
)
from .normalizations import log_softmax, logmeanexp, logsumexp, one_hot, softmax, standardize
from .pooling import avg_pool, max_pool, min_pool, pool
from .recurrent import GRU, LSTM, gru_step, lstm_step

__all__ = ["AvgPool", "Conv", "Dense", "Dropout", "Elu", "Embed", "Exp", "FanInConcat", "FanInSum", "FanOut", "Flatten",
           "GRU", "Gelu", "Identity", "LSTM", "LayerNorm", "LeakyRelu", "LogSigmoid", "LogSoftmax", "MLP", "MaxPool",
           "Relu", "Reshape", "Residual", "Selu", "Sequential", "Sigmoid", "Silu", "Softmax", "Softplus", "Tanh",
           "avg_pool", "celu", "dot_product_attention", "elementwise", "elu", "gelu", "glu", "gru_step", "hard_sigmoid",
           "hard_silu", "hard_swish", "hard_tanh", "identity", "initializers", "leaky_relu", "log1mexp", "log_sigmoid",
           "log_softmax", "logmeanexp", "logsumexp", "lstm_step", "max_pool", "min_pool", "mish", "one_hot", "parallel",
           "pool", "relu", "relu6", "selu", "serial", "sigmoid", "silu", "soft_sign", "softmax", "softplus",
           "sparse_plus", "sparse_sigmoid", "squareplus", "standardize", "swish", "tanh"]
