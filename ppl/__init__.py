"""Models: statements, effect handlers, queries."""
from . import handlers
from .handlers import Handler
from .joint import Joint
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
    "param",
    "plate",
    "plate_stack",
    "prng_key",
    "sample",
    "subsample",
    "validation_enabled",
]
