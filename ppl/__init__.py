"""Models: statements, effect handlers, queries."""
from . import handlers, reparam
from .handlers import Handler
from .inspect import check_model, format_shapes, get_dependencies, get_model_relations, render_model
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
    "check_model",
    "deterministic",
    "enable_validation",
    "enable_x64",
    "factor",
    "format_shapes",
    "get_dependencies",
    "get_mask",
    "get_model_relations",
    "handlers",
    "log_density",
    "module",
    "param",
    "plate",
    "plate_stack",
    "prng_key",
    "random_module",
    "render_model",
    "reparam",
    "sample",
    "subsample",
    "validation_enabled",
]
