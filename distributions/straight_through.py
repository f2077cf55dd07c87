"""Discrete choices whose draws pass derivatives on as their continuous relaxations do."""
from ..engine import numpy as np
from ..engine.lax import stop_gradient
from . import constraints
from .bernoulli import BernoulliLogits, one_of
from .one_hot import OneHotCategoricalLogits
from .record import ArrayLike, param
from .relaxed import RelaxedBernoulliLogits, RelaxedOneHotCategoricalLogits


def _as(hard, soft):
    """The values of `hard`, with the derivative of `soft`."""
    return stop_gradient(np.astype(hard, soft.dtype)) + (soft - stop_gradient(soft))


class RelaxedBernoulliStraightThrough(BernoulliLogits):
    """0 or 1 as a floating number: whether a relaxed Bernoulli number x is above one half, with the derivative of x.

        log p(y) = y η - log(1 + exp η), that of the Bernoulli, with its derivative in y

    temperature τ, logits η (or probs) : float[*batch], τ > 0          sample : float[*shape, *batch], 0 or 1
    Source: Maddison, Mnih & Teh (2017), "The concrete distribution"; Jang, Gu & Poole (2017), "Categorical
    reparameterization with Gumbel-softmax", section 2.2.
    """
    temperature: ArrayLike = param(constraints.positive)
    logits: ArrayLike = param(constraints.real)
    reparametrized_params = ("temperature", "logits")

    def __init__(self, temperature, probs=None, logits=None, *, validate_args=None):
        one_of(type(self).__name__, probs, logits)
        if logits is None:
            logits = np.log(probs) - np.log1p(-np.asarray(probs))
        super().__init__(temperature, logits, validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        x = RelaxedBernoulliLogits(self.temperature, self.logits, validate_args=False).sample(key, sample_shape)
        return _as(x > 0.5, x)


class RelaxedOneHotCategoricalStraightThrough(OneHotCategoricalLogits):
    """A floating unit vector: where a relaxed one-hot vector x is largest, with the derivative of x.

        log p(y) = Σ yₖ ηₖ - log Σ exp η, that of the one-hot categorical

    temperature τ : float[*batch], > 0     logits η (or probs) : float[*batch, n]     sample : float[*shape, *batch, n]
    Source: Jang, Gu & Poole (2017), "Categorical reparameterization with Gumbel-softmax", section 2.2.
    """
    temperature: ArrayLike = param(constraints.positive)
    logits: ArrayLike = param(constraints.real_vector)
    reparametrized_params = ("temperature", "logits")

    def __init__(self, temperature, probs=None, logits=None, *, validate_args=None):
        one_of(type(self).__name__, probs, logits)
        super().__init__(temperature, np.log(probs) if logits is None else logits, validate_args=validate_args)

    def sample(self, key, sample_shape=()):
        x = RelaxedOneHotCategoricalLogits(self.temperature, self.logits, validate_args=False).sample(key, sample_shape)
        return _as(x == np.max(x, -1, keepdims=True), x)
