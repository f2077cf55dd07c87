"""Models: statements, effect handlers, queries."""
from . import handlers
from .handlers import Handler
from .joint import Joint
from .modules import module, random_module
from .plates import plate, plate_stack, subsample
from .queries import log_density
from .settings import enable_validation, enable_x64, validation_enabled
from .sites import Site, SiteError
from .statements import deterministic, factor, get_mask, param, prng_key, sample

__all__ = [
    "Handler",
    "Joint",
    "Site",
    "SiteError",
    "deterministic",
    "enable_validation",
    "enable_x64",
    "factor",
    "get_mask",
    "handlers",
    "log_density",
    "module",
    "param",
    "plate",
    "plate_stack",
    "prng_key",
    "random_module",
    "sample",
    "subsample",
    "validation_enabled",
]
