"""Models: statements, effect handlers, queries."""
from . import handlers
from .handlers import Handler
from .model import log_density
from .modules import module, random_module
from .plates import plate, plate_stack, subsample
from .sites import Site, SiteError
from .statements import deterministic, factor, param, prng_key, sample

__all__ = ["Handler", "Site", "SiteError", "deterministic", "factor", "handlers", "log_density", "module", "param",
           "plate", "plate_stack", "prng_key", "random_module", "sample", "subsample"]
