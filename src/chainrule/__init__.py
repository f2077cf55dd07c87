"""Chainrule: a probabilistic programming language that stands on its own transformation engine.

    import chainrule as cr
    import chainrule.distributions as dist
    from chainrule.inference import MCMC, NUTS, Predictive
    from chainrule.engine import grad, jit, vmap, random
    import chainrule.engine.numpy as np
"""
from . import distributions, engine, inference, ppl
from .engine.stats import stats
from .ppl import (
    Handler,
    Joint,
    deterministic,
    enable_validation,
    enable_x64,
    factor,
    get_mask,
    handlers,
    log_density,
    param,
    plate,
    plate_stack,
    prng_key,
    sample,
    subsample,
    validation_enabled,
)

__version__ = "0.1.0"
__all__ = [
    "Handler",
    "Joint",
    "deterministic",
    "distributions",
    "enable_validation",
    "enable_x64",
    "engine",
    "factor",
    "get_mask",
    "handlers",
    "inference",
    "log_density",
    "param",
    "plate",
    "plate_stack",
    "ppl",
    "prng_key",
    "sample",
    "stats",
    "subsample",
    "validation_enabled",
]
