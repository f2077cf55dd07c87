"""Automatic guides, made of a model: chainrule.inference.autoguide.AutoNormal(model), and its siblings."""
from .svi.guides import *  # noqa: F403
from .svi.guides import __all__  # noqa: F401
