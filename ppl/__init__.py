"""Models: statements, effect handlers, queries."""
from . import handlers
from .handlers import Handler
from .plates import plate, plate_stack, subsample
from .queries import log_density
from .sites import Site, SiteError
from .statements import deterministic, factor, param, prng_key, sample

__all__ = ["Handler", "Site", "SiteError", "deterministic", "factor", "handlers", "log_density", "param", "plate",
           "plate_stack", "prng_key", "sample", "subsample"]
