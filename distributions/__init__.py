"""Probability distributions, the sets they live on and the bijections between those.

    import chainrule.distributions as dist
    dist.Normal(0.0, 1.0).log_prob(0.3)
"""
from . import constraints, transforms, vector_transforms
from .cauchy import Cauchy, HalfCauchy
from .distribution import Distribution
from .normal import HalfNormal, Normal
from .transformed import TransformedDistribution
from .transforms import Transform, biject_to
from .vmapped import Vmapped
from .wrappers import Expanded, Independent, Masked
