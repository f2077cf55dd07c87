"""Stein variational inference: mixtures of guides, or points, that repel each other."""
from .kernels import (
    GraphicalKernel,
    IMQKernel,
    LinearKernel,
    MixtureKernel,
    ProbabilityProductKernel,
    RandomFeatureKernel,
    RBFKernel,
    SteinKernel,
)
from .mixture import SteinVI
from .points import ASVGD, SVGD
from .predictive import MixtureGuidePredictive

__all__ = [
    "ASVGD",
    "GraphicalKernel",
    "IMQKernel",
    "LinearKernel",
    "MixtureGuidePredictive",
    "MixtureKernel",
    "ProbabilityProductKernel",
    "RBFKernel",
    "RandomFeatureKernel",
    "SVGD",
    "SteinKernel",
    "SteinVI",
]
