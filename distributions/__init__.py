"""Probability distributions, the sets they live on and the bijections between those.

    import chainrule.distributions as dist
    dist.Normal(0.0, 1.0).log_prob(0.3)
"""
from ..engine.lazy import from_stub
from . import constraints, transforms, wrappers

__getattr__, __all__ = from_stub(__name__, __file__)     # the names in __init__.pyi
