"""Observations in groups, each group with a normal effect of its own that is integrated out."""
import math

from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes
from . import constraints
from .distribution import Distribution, shape_of
from .normal import HALF_LOG_2PI, Normal
from .record import ArrayLike, child, param

_POSITIVES = constraints.independent(constraints.positive, 1)


class GroupedNormalNormal(Distribution):
    """xᵢ ~ Normal(z_g, σᵢ) for the group g of i, with z_g ~ Normal(m_g, s_g) integrated out.

        log p(x) = Σᵢ log Normal(yᵢ; 0, σᵢ) + Σ_g ½ (s² T² / (1 + s² W) - log(1 + s² W)),
        y = x - m_g,  W = Σ 1 / σᵢ²,  T = Σ yᵢ / σᵢ²  over the group

    prior_loc m, prior_scale s : float[*batch, groups], s > 0      obs_scale σ : float[*batch, n], > 0
    group_idx : int[n], in [0, groups)                             sample : float[*shape, *batch, n]
    Source: Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., §5.4.

    >>> d = GroupedNormalNormal([0.0, 5.0], [1.0, 2.0], [1.0, 1.0, 1.0], [0, 0, 1])
    >>> d.mean, d.variance
    (Array([0., 0., 5.]), Array([2., 2., 5.]))
    """
    prior_loc: ArrayLike = param(constraints.real_vector)
    prior_scale: ArrayLike = param(_POSITIVES)
    obs_scale: ArrayLike = param(_POSITIVES)
    group_idx: ArrayLike = child()
    support = constraints.real_vector
    reparametrized_params = ("prior_loc", "prior_scale", "obs_scale")

    def __init__(self, prior_loc, prior_scale, obs_scale, group_idx, *, validate_args=None):
        super().__init__(prior_loc, prior_scale, obs_scale, np.asarray(group_idx), validate_args=validate_args)

    @property
    def event_shape(self):
        return shape_of(self.group_idx)

    @property
    def num_groups(self):
        """The number of groups."""
        return max(shape_of(self.prior_loc)[-1], shape_of(self.prior_scale)[-1])

    def _of_item(self, x):
        """The group's value for each observation."""
        return np.take(np.broadcast_to(x, (*shape_of(x)[:-1], self.num_groups)), self.group_idx, -1)

    def _sums(self, x):
        """The sum over the observations of each group: [*shape, groups]."""
        x = np.broadcast_to(x, broadcast_shapes(x.shape, self.event_shape))
        return np.zeros((*x.shape[:-1], self.num_groups), x.dtype).at[..., self.group_idx].add(x)

    def _precisions(self, value):
        """1 / σ², the group's sums of it, and of the deviations weighted by it."""
        w = 1.0 / np.square(self.obs_scale)
        y = np.asarray(value) - self._of_item(self.prior_loc)
        return w, y, self._sums(w), self._sums(w * y)

    def sample(self, key, sample_shape=()):
        first, second = random.split(key)
        lead = (*sample_shape, *self.batch_shape)
        z = self.prior_loc + self.prior_scale * random.normal(first, (*lead, self.num_groups), self.dtype)
        noise = random.normal(second, (*lead, *self.event_shape), self.dtype)
        return self._of_item(z) + self.obs_scale * noise

    def log_prob(self, value):
        w, y, total, weighted = self._precisions(value)
        v = np.square(self.prior_scale)
        grow = 1.0 + v * total
        alone = np.sum(-0.5 * w * y * y - (np.log(self.obs_scale) + HALF_LOG_2PI), -1)
        return alone + 0.5 * np.sum(v * np.square(weighted) / grow - np.log(grow), -1)

    def posterior(self, value):
        """The distribution of the groups' effects z, given the values: Normal, [*shape, *batch, groups]."""
        _, _, total, weighted = self._precisions(value)
        v = np.square(self.prior_scale)
        grow = 1.0 + v * total
        return Normal(self.prior_loc + v * weighted / grow, self.prior_scale / np.sqrt(grow), validate_args=False)

    @property
    def mean(self):
        return np.broadcast_to(self._of_item(self.prior_loc), self.shape())

    mode = mean

    @property
    def variance(self):
        return np.broadcast_to(np.square(self._of_item(self.prior_scale)) + np.square(self.obs_scale), self.shape())

    def entropy(self):
        grow = 1.0 + np.square(self.prior_scale) * self._sums(1.0 / np.square(self.obs_scale))
        n = self.event_shape[0]
        alone = np.sum(np.broadcast_to(np.log(self.obs_scale), (*shape_of(self.obs_scale)[:-1], n)), -1)
        return alone + 0.5 * np.sum(np.log(grow), -1) + 0.5 * n * (1.0 + math.log(2 * math.pi))
