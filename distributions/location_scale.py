"""Families X = loc + scale Z for a standard variable Z, and those X = scale Z on the positive numbers.

A family lists its fields (`loc`, `scale` and the parameters of Z) and writes, for Z alone, `_log_density(z)`,
`_draw(key, shape)` and whichever of `_mean`, `_variance`, `_mode`, `_entropy`, `_cdf`, `_log_cdf`, `_log_survival`
and `_icdf` have a formula; the location and the scale are put in here, once for all.

    log p(x) = log p_Z((x - loc) / scale) - log scale
"""
from typing import Any, ClassVar

from ..engine import numpy as np
from . import constraints
from .distribution import Distribution


class Centered(Distribution):
    """Base of the families whose mean and mode are their `loc`, of numbers, vectors or matrices."""

    @property
    def mean(self):
        return np.broadcast_to(self.loc, self.shape())

    mode = mean


class LocationScale(Distribution):
    """Base of the families on the real line; see the module."""
    support: ClassVar[Any] = constraints.real

    def _standard(self, value):
        return (np.asarray(value) - self.loc) / self.scale

    def _reached(self, value):
        """z for a distribution function, which asks for values outside of the support too."""
        return self._standard(value)

    def _placed(self, z):
        return self.loc + self.scale * z

    def _wide(self, x):
        return np.broadcast_to(x, self.batch_shape)

    def _log_density(self, z):
        raise self._absent("log_prob")

    def _draw(self, key, shape):
        raise self._absent("sample")

    def _mean(self):
        raise self._absent("mean")

    def _variance(self):
        raise self._absent("variance")

    def _mode(self):
        raise self._absent("mode")

    def _entropy(self):
        raise self._absent("entropy")

    def _cdf(self, z):
        raise self._absent("cdf")

    def _log_cdf(self, z):
        return np.log(self._cdf(z))

    def _log_survival(self, z):
        return np.log1p(-self._cdf(z))

    def _icdf(self, q):
        raise self._absent("icdf")

    def sample(self, key, sample_shape=()):
        return self._placed(self._draw(key, self.shape(sample_shape)))

    def log_prob_inside(self, value):
        return self._log_density(self._standard(value)) - np.log(self.scale)

    @property
    def mean(self):
        return self._wide(self._placed(self._mean()))

    @property
    def variance(self):
        return self._wide(self.scale * self.scale * self._variance())

    @property
    def mode(self):
        return self._wide(self._placed(self._mode()))

    def entropy(self):
        return self._wide(np.log(self.scale) + self._entropy())

    def cdf(self, value):
        return self._cdf(self._reached(value))

    def log_cdf(self, value):
        return self._log_cdf(self._reached(value))

    def log_survival(self, value):
        """log P(X > value)."""
        return self._log_survival(self._reached(value))

    def icdf(self, q):
        if type(self)._icdf is LocationScale._icdf:
            return super().icdf(q)
        return self._placed(self._icdf(np.asarray(q)))


class Scale(LocationScale):
    """Base of the families on the positive numbers that have a scale and no location."""
    support = constraints.positive

    def _standard(self, value):
        return np.asarray(value) / self.scale

    def _reached(self, value):
        return np.maximum(np.asarray(value), 0.0) / self.scale

    def _placed(self, z):
        return self.scale * z
