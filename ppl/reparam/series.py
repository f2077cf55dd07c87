"""Series in other bases: Haar wavelets, cosines."""
import numpy as onp

from ...distributions import constraints
from ...distributions.record import static
from ...distributions.transforms import (
    AffineTransform,
    ComposeTransform,
    DiscreteCosineTransform,
    HaarTransform,
    Transform,
)
from ...engine import numpy as np
from .transformed import UnitJacobianReparam


class _Reversed(Transform):
    """An axis, counted from the last one, backwards."""
    axis: int = static()

    @property
    def domain(self):
        return constraints.independent(constraints.real, -self.axis)

    codomain = domain

    def __call__(self, x):
        return np.flip(x, self.axis)

    def _inverse(self, y):
        return np.flip(y, self.axis)

    def log_abs_det_jacobian(self, x, y):
        return np.zeros(np.shape(x)[:np.ndim(x) + self.axis], np.asarray(x).dtype)


class HaarReparam(UnitJacobianReparam):
    """The orthonormal Haar wavelet coefficients of a series, in a site {name}_haar.

    dim : the axis of time, one of the event's, counted from the last one
    flip : run time backwards first, so that the newest values are in the finest coefficients of their own

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.ppl.handlers import reparam, seed, trace
    >>> def model():
    ...     cr.sample("x", dist.GaussianRandomWalk(1.0, 8))
    >>> list(trace(seed(reparam(model, {"x": HaarReparam()}), 0)).get_trace())
    ['x_haar', 'x']
    """

    def __init__(self, dim=-1, flip=False):
        t = HaarTransform(dim)
        super().__init__(ComposeTransform([_Reversed(dim), t]) if flip else t, "haar")


class DiscreteCosineReparam(UnitJacobianReparam):
    """The orthonormal discrete cosine coefficients of a series, in a site {name}_dct.

    dim : the axis of time, one of the event's, counted from the last one
    smooth s : coefficient k is multiplied by (k + ½)^s, divided by the geometric mean of these weights: 0 takes white
        noise to white noise, 1 Brownian motion to nearly white noise, -1 the differences of white noise

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.ppl.handlers import reparam, seed, trace
    >>> def model():
    ...     cr.sample("x", dist.GaussianRandomWalk(1.0, 8))
    >>> list(trace(seed(reparam(model, {"x": DiscreteCosineReparam(smooth=1.0)}), 0)).get_trace())
    ['x_dct', 'x']
    """

    def __init__(self, dim=-1, smooth=0.0):
        super().__init__(DiscreteCosineTransform(dim), "dct")
        self.dim, self.smooth = dim, float(smooth)

    def transform_for(self, fn):
        t = super().transform_for(fn)
        if self.smooth == 0.0:
            return t
        log_frequency = onp.log(onp.arange(t.inverse_shape(fn.event_shape)[self.dim]) + 0.5)
        weights = onp.exp(self.smooth * (log_frequency - log_frequency.mean())).astype(fn.dtype)
        return ComposeTransform([t, AffineTransform(0.0, weights.reshape((-1, *(1,) * (-self.dim - 1))))])
