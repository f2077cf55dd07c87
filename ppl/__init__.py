"""Models: statements, effect handlers, queries."""
from . import handlers
from .handlers import Handler
from .model import log_density
from .plates import plate
from .sites import Site, SiteError, deterministic, factor, sample

__all__ = ["Handler", "Site", "SiteError", "deterministic", "factor", "handlers", "log_density", "plate", "sample"]
