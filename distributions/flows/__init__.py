"""Normalising flows: bijections of real vectors with parameters to be learnt, which are the leaves of the transform.

    parts = [AffineCouplingTransform.init(key1, 4), AffineCouplingTransform.init(key2, 4, flipped=True)]
    TransformedDistribution(Normal(0.0, 1.0).expand([4]), parts).log_prob(y)
"""
from ..transforms.linear import HouseholderTransform
from .autoregressive import (
    InverseAutoregressiveTransform,
    MaskedAutoregressiveTransform,
    SplineAutoregressiveTransform,
)
from .block import BlockNeuralAutoregressiveTransform
from .coupling import AffineCouplingTransform, SplineCouplingTransform
from .networks import AutoregressiveNetwork, Network
from .planar import PlanarTransform, RadialTransform

__all__ = ["AffineCouplingTransform", "AutoregressiveNetwork", "BlockNeuralAutoregressiveTransform",
           "HouseholderTransform", "InverseAutoregressiveTransform", "MaskedAutoregressiveTransform", "Network",
           "PlanarTransform", "RadialTransform", "SplineAutoregressiveTransform", "SplineCouplingTransform"]
