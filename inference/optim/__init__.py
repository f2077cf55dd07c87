"""Optimisers: gradient transformations in Optax's form, NumPyro's classes, minimisation and roots.

Pure functions on trees of arrays; nothing here knows of models.

    optimiser = chain(clip_by_global_norm(1.0), adam(cosine_decay_schedule(1e-2, 1000)))
    state = optimiser.init(params)
    updates, state = optimiser.update(gradients, state, params)
    params = apply_updates(params, updates)
"""
from .adafactor import adafactor, scale_by_factored_rms, scale_by_param_block_rms
from .classes import (
    SGD,
    SM3,
    Adagrad,
    Adam,
    ClippedAdam,
    Minimize,
    Momentum,
    Optimizer,
    RMSProp,
    RMSPropMomentum,
    optax_to_numpyro,
)
from .clipping import add_decayed_weights, clip, clip_by_block_rms, clip_by_global_norm, global_norm
from .minimization import OptimizeResults, minimize
from .optimisers import adagrad, adam, adamw, lion, momentum, rmsprop, sgd, sm3
from .roots import root, root_scalar
from .scaling import (
    ema,
    scale_by_adam,
    scale_by_lion,
    scale_by_rms,
    scale_by_rss,
    scale_by_sm3,
    scale_by_stddev,
    trace,
)
from .schedules import (
    constant_schedule,
    cosine_decay_schedule,
    exponential_decay,
    join_schedules,
    linear_schedule,
    piecewise_constant_schedule,
    polynomial_schedule,
    warmup_cosine_decay_schedule,
    warmup_exponential_decay_schedule,
)
from .transformation import (
    EmptyState,
    GradientTransformation,
    apply_updates,
    chain,
    identity,
    scale,
    scale_by_learning_rate,
    scale_by_schedule,
    set_to_zero,
    stateless,
)
from .wrappers import apply_if_finite, inject_hyperparams, masked, multi_transform, partition

__all__ = [
    "Adagrad",
    "Adam",
    "ClippedAdam",
    "EmptyState",
    "GradientTransformation",
    "Minimize",
    "Momentum",
    "OptimizeResults",
    "Optimizer",
    "RMSProp",
    "RMSPropMomentum",
    "SGD",
    "SM3",
    "adafactor",
    "adagrad",
    "adam",
    "adamw",
    "add_decayed_weights",
    "apply_if_finite",
    "apply_updates",
    "chain",
    "clip",
    "clip_by_block_rms",
    "clip_by_global_norm",
    "constant_schedule",
    "cosine_decay_schedule",
    "ema",
    "exponential_decay",
    "global_norm",
    "identity",
    "inject_hyperparams",
    "join_schedules",
    "linear_schedule",
    "lion",
    "masked",
    "minimize",
    "momentum",
    "multi_transform",
    "optax_to_numpyro",
    "partition",
    "piecewise_constant_schedule",
    "polynomial_schedule",
    "rmsprop",
    "root",
    "root_scalar",
    "scale",
    "scale_by_adam",
    "scale_by_factored_rms",
    "scale_by_learning_rate",
    "scale_by_lion",
    "scale_by_param_block_rms",
    "scale_by_rms",
    "scale_by_rss",
    "scale_by_schedule",
    "scale_by_sm3",
    "scale_by_stddev",
    "set_to_zero",
    "sgd",
    "sm3",
    "stateless",
    "trace",
    "warmup_cosine_decay_schedule",
    "warmup_exponential_decay_schedule",
]
