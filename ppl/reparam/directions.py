"""Angles and directions, whose sets have no ends or no bijection from ℝⁿ."""
import math

from ...distributions import Normal, ProjectedNormal, constraints
from ...distributions.bounds import bounds_of
from ...distributions.wrappers import Wrapper
from ...engine import numpy as np
from ...engine.array import Array
from ..handlers.replacing import Unsuitable
from ..statements import sample
from .base import Reparam, core, described, elements, inside


def wrapped(x):
    """The angle of [-π, π) that differs from x by full turns."""
    return np.remainder(x + math.pi, 2.0 * math.pi) - math.pi


class Unwrapped(Wrapper):
    """Angles as real numbers: log p(y) = log p_base(y modulo full turns); draws are the base's.

    Each interval of length 2π has mass 1, so this is a density to sample from by MCMC and no probability on ℝ.
    """

    def __init__(self, base_dist, *, validate_args=None):
        self._bind((base_dist,), {})

    @property
    def support(self):
        n = len(self.event_shape)
        return constraints.independent(constraints.real, n) if n else constraints.real

    def sample(self, key, sample_shape=()):
        return self.base_dist.sample(key, sample_shape)

    def log_prob(self, value):
        return self.base_dist.log_prob(wrapped(np.asarray(value)))


class CircularReparam(Reparam):
    """x = y modulo full turns for a site {name}_unwrapped on the real line, so that a chain can go around the circle.

    For distributions on [-π, π]: VonMises, SineBivariateVonMises, SineSkewed, Uniform(-π, π). The new site draws as the
    old one does; its density is 2π-periodic, and nothing is added to the model besides it.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.ppl.handlers import reparam, substitute
    >>> def model():
    ...     return cr.sample("x", dist.VonMises(0.0, 1.0))
    >>> float(substitute(reparam(model, {"x": CircularReparam()}), {"x_unwrapped": 1.0 + 4 * math.pi})())
    1.0
    """
    same_draw = True

    def __call__(self, name, fn, obs):
        one = elements(fn.support)
        ends = bounds_of(one) if not one.event_dim else (None, None)
        if not all(type(end) in (float, Array) and abs(abs(float(np.max(end))) - math.pi) < 1e-6 for end in ends):
            raise Unsuitable(f"CircularReparam is for a distribution of angles in [-pi, pi]; the site has "
                             f"{described(fn)}, whose values must be {fn.support.words}.")
        return None, wrapped(sample(f"{name}_unwrapped", Unwrapped(fn)))


class ProjectedNormalReparam(Reparam):
    """x = (c + z) / |c + z| for a site {name}_normal, a standard normal vector z, where x ~ ProjectedNormal(c).

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.ppl.handlers import reparam, substitute
    >>> def model():
    ...     return cr.sample("x", dist.ProjectedNormal([1.0, 0.0]))
    >>> substitute(reparam(model, {"x": ProjectedNormalReparam()}), {"x_normal": [2.0, 4.0]})()
    Array([0.6, 0.8])
    """
    same_draw = True

    def __call__(self, name, fn, obs):
        base = core(fn)
        if not isinstance(base, ProjectedNormal):
            raise Unsuitable(f"ProjectedNormalReparam is for a ProjectedNormal; the site has {described(fn)}.")
        c = np.asarray(base.concentration)
        z = sample(f"{name}_normal", inside(fn, lambda d: Normal(np.zeros_like(c), 1.0).to_event(1)))
        y = c + z
        square = np.sum(y * y, -1, keepdims=True)
        some = square > 0.0                              # at 0 there is no direction: any one, with derivatives of 0
        return None, np.where(some, y / np.sqrt(np.where(some, square, 1.0)), _first(y))


def _first(y):
    """The first unit vector, in y's shape."""
    return np.broadcast_to(np.eye(y.shape[-1], dtype=y.dtype)[0], y.shape)
