"""Rows of the flows, with weights large enough to be far from the identity."""
from chainrule.distributions import flows
from chainrule.engine import random
from tests.distributions.transform_cases import FOUR, Row

KEY = random.key(7)
TWO = [[0.3, -1.0], [0.1, 1.4]]
THREE = [[0.3, -1.0, 2.0], [0.1, 0.2, -1.4]]

CASES = [
    Row("affine coupling", lambda: flows.AffineCouplingTransform.init(KEY, 4, hidden=(8,), scale=1.0), FOUR),
    Row("affine coupling, flipped",
        lambda: flows.AffineCouplingTransform.init(KEY, 4, 1, True, hidden=(8,), scale=1.0), FOUR),
    Row("spline coupling", lambda: flows.SplineCouplingTransform.init(KEY, 4, hidden=(8,), scale=3.0, bins=4), FOUR),
    Row("spline coupling, flipped",
        lambda: flows.SplineCouplingTransform.init(KEY, 4, 3, True, hidden=(8,), scale=3.0), FOUR),
    Row("inverse autoregressive",
        lambda: flows.InverseAutoregressiveTransform.init(KEY, 3, hidden=(8, 8), scale=1.0), THREE, loop=True),
    Row("masked autoregressive",
        lambda: flows.MaskedAutoregressiveTransform.init(KEY, 4, hidden=(8,), scale=1.0, order=(2, 0, 3, 1)), FOUR,
        loop=True),
    Row("spline autoregressive",
        lambda: flows.SplineAutoregressiveTransform.init(KEY, 2, hidden=(4,), scale=3.0, bins=3), TWO, loop=True),
    Row("block neural autoregressive",
        lambda: flows.BlockNeuralAutoregressiveTransform.init(KEY, 2, hidden_factors=(3, 2)), TWO, loop=True),
    Row("planar", lambda: flows.PlanarTransform.init(KEY, 3, 2.0), THREE, loop=True),
    Row("radial", lambda: flows.RadialTransform.init(KEY, 3), THREE),
    Row("householder", lambda: flows.HouseholderTransform.init(KEY, 3, 2), THREE),
]
