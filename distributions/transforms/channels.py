"""Linear maps of the channels of images."""
from ...engine import numpy as np
from .. import constraints
from ..record import child
from .base import Transform
from .linear import ScaleMatvecLUTransform


class GeneralizedChannelPermuteTransform(Transform):
    """y[c, i, j] = Σ_d A[c, d] x[d, i, j]: one linear map of the channels, the same at every place.

    x : float[*batch, channels, height, width]      matrix : the map of one place's channels, A = P L U
    log |dy/dx| = height width log |det A|
    Source: Kingma & Dhariwal (2018), Glow, section 3.2.
    """
    matrix: ScaleMatvecLUTransform = child()

    def __init__(self, lower_upper, permutation=None):
        """lower_upper, permutation : as for `ScaleMatvecLUTransform`; no permutation unless given."""
        n = np.shape(lower_upper)[-1]
        super().__init__(ScaleMatvecLUTransform(lower_upper, range(n) if permutation is None else permutation))

    @property
    def domain(self):
        return constraints.independent(constraints.real, 3)

    @property
    def codomain(self):
        return constraints.independent(constraints.real, 3)

    def __call__(self, x):
        return np.moveaxis(self.matrix(np.moveaxis(x, -3, -1)), -1, -3)

    def _inverse(self, y):
        return np.moveaxis(self.matrix._inverse(np.moveaxis(y, -3, -1)), -1, -3)

    def log_abs_det_jacobian(self, x, y):
        places = np.moveaxis(x, -3, -1)
        return np.sum(self.matrix.log_abs_det_jacobian(places, places), (-1, -2))
