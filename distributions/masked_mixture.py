"""A choice between two distributions that is known, and mixtures of normal vectors by their usual names."""
from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes
from ..engine.errors import ShapeError
from . import constraints
from .bounds import union
from .categorical import Categorical
from .distribution import Distribution, shape_of
from .mixtures import MixtureSameFamily
from .normal import Normal
from .record import ArrayLike, child, param


class MaskedMixture(Distribution):
    """component1 where the mask is true, component0 where it is false.

    mask : bool[*batch]      component0, component1 : distributions with one event shape

    >>> d = MaskedMixture([False, True], Normal(0.0, 1.0), Normal(5.0, 2.0))
    >>> d.mean
    Array([0., 5.])
    """
    mask_array: ArrayLike = param(constraints.boolean)
    component0: Distribution = child()
    component1: Distribution = child()

    def __init__(self, mask, component0, component1, *, validate_args=None):
        if component0.event_shape != component1.event_shape or component0.is_discrete != component1.is_discrete:
            raise ShapeError("MaskedMixture: the components must have one event shape, and be both discrete or both "
                             f"continuous; got {type(component0).__name__} {component0.event_shape} and "
                             f"{type(component1).__name__} {component1.event_shape}.")
        super().__init__(mask, component0, component1, validate_args=validate_args)

    @property
    def batch_shape(self):
        return broadcast_shapes(shape_of(self.mask_array), self.component0.batch_shape, self.component1.batch_shape)

    @property
    def event_shape(self):
        return self.component0.event_shape

    @property
    def dtype(self):
        return self.component0.dtype

    @property
    def is_discrete(self):
        return self.component0.is_discrete

    @property
    def support(self):
        """The smallest set of numbers that holds both supports, or the one that both components have."""
        return union([self.component0.support, self.component1.support], None, self.is_discrete)

    @property
    def reparametrized_params(self):
        both = self.component0.has_rsample and self.component1.has_rsample
        return ("component0", "component1") if both else ()

    def _choose(self, zero, one, event=0):
        mask = self.mask_array == 1
        return np.where(mask.reshape((*mask.shape, *(1,) * event)) if event else mask, one, zero)

    def sample(self, key, sample_shape=()):
        keys, shape = random.split(key, 2), self.batch_shape
        zero, one = (d.expand(shape).sample(keys[k], sample_shape)
                     for k, d in enumerate((self.component0, self.component1)))
        return self._choose(zero, one, len(self.event_shape))

    def log_prob(self, value):
        return self._choose(self.component0.log_prob(value), self.component1.log_prob(value))

    def cdf(self, value):
        return self._choose(self.component0.cdf(value), self.component1.cdf(value))

    def log_cdf(self, value):
        return self._choose(self.component0.log_cdf(value), self.component1.log_cdf(value))

    def survival_function(self, value):
        return self._choose(self.component0.survival_function(value), self.component1.survival_function(value))

    def log_survival(self, value):
        return self._choose(self.component0.log_survival(value), self.component1.log_survival(value))

    def icdf(self, q):
        return self._choose(self.component0.icdf(q), self.component1.icdf(q))

    @property
    def mean(self):
        return self._choose(self.component0.mean, self.component1.mean, len(self.event_shape))

    @property
    def variance(self):
        return self._choose(self.component0.variance, self.component1.variance, len(self.event_shape))

    def entropy(self):
        return self._choose(self.component0.entropy(), self.component1.entropy())


def MixtureOfDiagNormals(locs, coord_scale, component_logits):
    """A mixture of normal vectors with independent coordinates.

    locs, coord_scale : float[*batch, n, d]      component_logits : float[*batch, n]
    """
    return MixtureSameFamily(Categorical(logits=component_logits), Normal(locs, coord_scale).to_event(1))


def MixtureOfDiagNormalsSharedCovariance(locs, coord_scale, component_logits):
    """A mixture of normal vectors with one scale for each coordinate.

    locs : float[*batch, n, d]      coord_scale : float[*batch, d]      component_logits : float[*batch, n]
    """
    return MixtureOfDiagNormals(locs, np.asarray(coord_scale)[..., None, :], component_logits)


def GaussianScaleMixture(coord_scale, component_logits, component_scale):
    """A mixture of normal vectors around 0, coordinate i of component k with scale coord_scaleᵢ component_scaleₖ.

    coord_scale : float[d]      component_logits, component_scale : float[n]
    """
    scale = np.asarray(component_scale)[:, None] * np.asarray(coord_scale)
    return MixtureSameFamily(Categorical(logits=component_logits), Normal(np.zeros_like(scale), scale).to_event(1))
