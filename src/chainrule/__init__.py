"""Chainrule: a probabilistic programming language that stands on its own transformation engine.

    import chainrule as cr
    import chainrule.distributions as dist
    from chainrule.inference import MCMC, NUTS, Predictive
    from chainrule.engine import grad, jit, vmap, random
    import chainrule.engine.numpy as np
"""
from . import distributions, engine, inference, ppl
from .engine import distributed
from .engine.stats import stats
from .ppl import (
    Handler,
    Joint,
    check_model,
    deterministic,
    enable_validation,
    enable_x64,
    factor,
    format_shapes,
    get_dependencies,
    get_mask,
    get_model_relations,
    handlers,
    log_density,
    module,
    param,
    plate,
    plate_stack,
    prng_key,
    random_module,
    render_model,
    sample,
    subsample,
    validation_enabled,
)

__version__ = "0.1.0"
__all__ = [
    "Handler",
    "Joint",
    "check_model",
    "deterministic",
    "distributed",
    "distributions",
    "enable_validation",
    "enable_x64",
    "engine",
    "factor",
    "format_shapes",
    "get_dependencies",
    "get_mask",
    "get_model_relations",
    "handlers",
    "inference",
    "log_density",
    "module",
    "param",
    "plate",
    "plate_stack",
    "ppl",
    "prng_key",
    "random_module",
    "render_model",
    "sample",
    "stats",
    "subsample",
    "validation_enabled",
]
