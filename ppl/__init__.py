"""Models: statements, effect handlers, queries."""
from . import handlers
from .handlers import Handler
from .inspect import check_model, format_shapes, get_dependencies, get_model_relations, render_model
from .model import log_density
from .plates import plate, plate_stack, subsample
from .sites import Site, SiteError
from .statements import deterministic, factor, param, prng_key, sample

__all__ = ["Handler", "Site", "SiteError", "check_model", "deterministic", "factor", "format_shapes",
           "get_dependencies", "get_model_relations", "handlers", "log_density", "param", "plate", "plate_stack",
           "prng_key", "render_model", "sample", "subsample"]
