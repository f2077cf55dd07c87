"""Optimisers: chains of transformations that end in a step downhill. Names and argument orders are Optax's.

learning_rate is a number or a schedule, a function of the number of updates made.
"""
from .clipping import add_decayed_weights
from .scaling import (
    scale_by_adam,
    scale_by_lion,
    scale_by_rms,
    scale_by_rss,
    scale_by_sm3,
    scale_by_stddev,
    trace,
)
from .transformation import chain, identity, scale_by_learning_rate


def sgd(learning_rate, momentum=None, nesterov=False, accumulator_dtype=None):
    """Gradient descent: -learning_rate · g, or of the trace v ← g + momentum · v.

    >>> import chainrule.engine.numpy as np
    >>> optimiser = sgd(0.1)
    >>> optimiser.update(np.asarray([1.0, -2.0]), optimiser.init(np.zeros(2)))[0].tolist()
    [-0.1, 0.2]
    """
    first = identity() if momentum is None else trace(momentum, nesterov, accumulator_dtype)
    return chain(first, scale_by_learning_rate(learning_rate))


def momentum(learning_rate, mass=0.9, nesterov=False):
    """`sgd` with momentum: v ← g + mass · v, step -learning_rate · v.   Source: Polyak (1964)."""
    return sgd(learning_rate, mass, nesterov)


def adam(learning_rate, b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0, mu_dtype=None, *, nesterov=False):
    """-learning_rate · m̂ / (√v̂ + eps); see `scale_by_adam`.   Source: Kingma & Ba (2015), algorithm 1.

    >>> import chainrule.engine.numpy as np
    >>> optimiser = adam(0.1)
    >>> updates, state = optimiser.update(np.asarray([1.0, -20.0]), optimiser.init(np.zeros(2)))
    >>> updates.tolist()                                  # the first step has the size of the learning rate
    [-0.1, 0.1]
    """
    return chain(scale_by_adam(b1, b2, eps, eps_root, mu_dtype, nesterov=nesterov),
                 scale_by_learning_rate(learning_rate))


def adamw(learning_rate, b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0, mu_dtype=None, weight_decay=1e-4, mask=None, *,
          nesterov=False):
    """Adam with decoupled weight decay: -learning_rate (m̂ / (√v̂ + eps) + weight_decay · params).

    mask : a tree of bools, or params -> that, for the parameters that decay
    Source: Loshchilov & Hutter (2019), algorithm 2.
    """
    return chain(scale_by_adam(b1, b2, eps, eps_root, mu_dtype, nesterov=nesterov),
                 add_decayed_weights(weight_decay, mask), scale_by_learning_rate(learning_rate))


def adagrad(learning_rate, initial_accumulator_value=0.1, eps=1e-7):
    """-learning_rate · g / √(initial_accumulator_value + Σ g² + eps).   Source: Duchi, Hazan & Singer (2011)."""
    return chain(scale_by_rss(initial_accumulator_value, eps), scale_by_learning_rate(learning_rate))


def rmsprop(learning_rate, decay=0.9, eps=1e-8, initial_scale=0.0, eps_in_sqrt=True, centered=False, momentum=None,
            nesterov=False, bias_correction=False):
    """-learning_rate · g / √(v + eps), v the decaying mean of g², then the trace with `momentum` if there is one.

    centered : of the variance v - m² in place of v
    Source: Hinton (2012), lecture 6e; Graves (2013) for the centred form.
    """
    if centered and bias_correction:
        raise ValueError("rmsprop: centered=True has no bias correction; leave one of them out.")
    first = (scale_by_stddev(decay, eps, initial_scale, eps_in_sqrt) if centered
             else scale_by_rms(decay, eps, initial_scale, eps_in_sqrt, bias_correction))
    last = identity() if momentum is None else trace(momentum, nesterov)
    return chain(first, scale_by_learning_rate(learning_rate), last)


def lion(learning_rate, b1=0.9, b2=0.99, mu_dtype=None, weight_decay=1e-3, mask=None):
    """-learning_rate (sign(b1 m + (1 - b1) g) + weight_decay · params); see `scale_by_lion`.

    Source: Chen et al. (2023), algorithm 2.
    """
    return chain(scale_by_lion(b1, b2, mu_dtype), add_decayed_weights(weight_decay, mask),
                 scale_by_learning_rate(learning_rate))


def sm3(learning_rate, momentum=0.9):
    """-learning_rate times the decaying mean of g / √s; see `scale_by_sm3`.   Source: Anil et al. (2019)."""
    return chain(scale_by_sm3(momentum), scale_by_learning_rate(learning_rate))
