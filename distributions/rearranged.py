"""Distributions whose axes are arranged in another way: TFP's BatchReshape, Sample and Blockwise.

    BatchReshape(base, shape)          the same independent distributions, in a batch of another shape
    Sample(base, shape)                one event is `shape` independent draws
    Blockwise([d1, d2, …])             one event is a draw of each, side by side
"""
import math

from ..engine import numpy as np
from ..engine import random, tree
from ..engine.avals import broadcast_shapes
from ..engine.errors import ShapeError
from . import constraints
from .distribution import Distribution, sum_rightmost
from .record import child, static
from .wrappers import Wrapper


def lifted(constraint, n):
    """The set for values with n more axes on the right of the batch: its bounds get them too."""
    return tree.map(lambda x: x.reshape((*x.shape, *(1,) * n)) if np.ndim(x) else x, constraint) if n else constraint


class BatchReshape(Wrapper):
    """The base with its batch axes reshaped: log p and draws are those of the base, reshaped.

    base_dist : any distribution      batch_shape : as many elements as the base's; one of them may be -1

    >>> from chainrule.distributions import Normal
    >>> BatchReshape(Normal([0.0, 1.0, 2.0, 3.0], 1.0), (2, -1)).mean.shape
    (2, 2)
    """
    base_dist: Distribution = child()
    new_shape: tuple = static()

    def __init__(self, base_dist, batch_shape, *, validate_args=None):
        size, shape = math.prod(base_dist.batch_shape), tuple(batch_shape)
        known = math.prod(n for n in shape if n != -1)
        if shape.count(-1) == 1 and known and size % known == 0:
            shape = tuple(size // known if n == -1 else n for n in shape)
        if math.prod(shape) != size or -1 in shape:
            raise ShapeError(f"BatchReshape: the batch shape {base_dist.batch_shape} of {type(base_dist).__name__} "
                             f"cannot become {tuple(batch_shape)}.")
        self._bind((base_dist, shape), {})

    @property
    def batch_shape(self):
        return self.new_shape

    @property
    def support(self):
        """The base's set; its bounds are reshaped where it is a set of numbers."""
        old = self.base_dist.support
        if old.event_dim:
            return old
        was = self.base_dist.batch_shape
        return tree.map(lambda x: np.broadcast_to(x, was).reshape(self.new_shape) if np.ndim(x) else x, old)

    def sample(self, key, sample_shape=()):
        return self.base_dist.sample(key, sample_shape).reshape(self.shape(sample_shape))

    def _through(self, f, value, event):
        """f of a value in the base's arrangement, arranged anew."""
        value, old = np.asarray(value), self.base_dist.batch_shape
        value = np.broadcast_to(value, broadcast_shapes(value.shape, (*self.new_shape, *event)))
        lead = value.shape[:value.ndim - len(self.new_shape) - len(event)]
        return f(value.reshape((*lead, *old, *event))).reshape((*lead, *self.new_shape))

    def log_prob(self, value):
        return self._through(self.base_dist.log_prob, value, self.event_shape)

    def log_prob_inside(self, value):
        return self._through(self.base_dist.log_prob_inside, value, self.event_shape)

    def cdf(self, value):
        return self._through(self.base_dist.cdf, value, ())

    def log_cdf(self, value):
        return self._through(self.base_dist.log_cdf, value, ())

    def survival_function(self, value):
        return self._through(self.base_dist.survival_function, value, ())

    def log_survival(self, value):
        return self._through(self.base_dist.log_survival, value, ())

    def icdf(self, q):
        return self._through(self.base_dist.icdf, q, ())

    @property
    def mean(self):
        return self.base_dist.mean.reshape(self.shape())

    @property
    def variance(self):
        return self.base_dist.variance.reshape(self.shape())

    @property
    def mode(self):
        return self.base_dist.mode.reshape(self.shape())

    def entropy(self):
        return self.base_dist.entropy().reshape(self.new_shape)

    def enumerate_support(self, expand=True):
        values = self.base_dist.enumerate_support(expand=False)
        values = values.reshape((values.shape[0], *(1,) * len(self.new_shape), *self.event_shape))
        return np.broadcast_to(values, (values.shape[0], *self.shape())) if expand else values


class Sample(Wrapper):
    """Independent draws of the base as one event of shape [*sample_shape, *event]:  log p(x) = Σ log p_base(xᵢ).

    base_dist : any distribution, whose batch stays the batch      sample_shape : the shape of the draws

    >>> from chainrule.distributions import Normal
    >>> d = Sample(Normal([0.0, 1.0], 1.0), (3,))
    >>> d.batch_shape, d.event_shape
    ((2,), (3,))
    """
    base_dist: Distribution = child()
    draws: tuple = static()
    has_enumerate_support = False

    def __init__(self, base_dist, sample_shape=(), *, validate_args=None):
        shape = (sample_shape,) if isinstance(sample_shape, int) else tuple(sample_shape)
        self._bind((base_dist, shape), {})

    @property
    def event_shape(self):
        return (*self.draws, *self.base_dist.event_shape)

    @property
    def support(self):
        base, n = self.base_dist.support, len(self.draws)
        return constraints.independent(base if base.event_dim else lifted(base, n), n) if n else base

    def sample(self, key, sample_shape=()):
        x = self.base_dist.sample(key, (*sample_shape, *self.draws))
        k, n, b = len(sample_shape), len(self.draws), len(self.batch_shape)
        return np.moveaxis(x, tuple(range(k, k + n)), tuple(range(k + b, k + b + n)))

    def log_prob(self, value):
        value = np.asarray(value)
        shape = broadcast_shapes(value.shape, self.shape())
        value = np.broadcast_to(value, shape)
        n, b, e = len(self.draws), len(self.batch_shape), len(self.base_dist.event_shape)
        k = value.ndim - n - b - e
        value = np.moveaxis(value, tuple(range(k + b, k + b + n)), tuple(range(k, k + n)))
        log_p = self.base_dist.log_prob(value)           # [*k, *draws, *batch]
        return np.sum(log_p, tuple(range(k, k + n))) if n else log_p

    def _repeated(self, x):
        at, e = len(self.batch_shape), len(self.base_dist.event_shape)
        x = x.reshape((*x.shape[:x.ndim - e], *(1,) * len(self.draws), *x.shape[x.ndim - e:])) if x.ndim >= at else x
        return np.broadcast_to(x, self.shape())

    @property
    def mean(self):
        return self._repeated(self.base_dist.mean)

    @property
    def variance(self):
        return self._repeated(self.base_dist.variance)

    @property
    def mode(self):
        return self._repeated(self.base_dist.mode)

    def entropy(self):
        return math.prod(self.draws) * self.base_dist.entropy()


class Blockwise(Distribution):
    """A draw of each distribution, side by side in one vector:  log p(x) = Σ log pₖ(block k).

    distributions : of numbers or vectors, either all discrete or all continuous; their batches are broadcast
    sample : [*shape, *batch, n], n the sum of the events' sizes

    >>> from chainrule.distributions import Dirichlet, Normal
    >>> Blockwise([Normal(0.0, 1.0), Dirichlet([1.0, 1.0])]).event_shape
    (3,)
    """
    distributions: tuple = child()

    def __init__(self, distributions, *, validate_args=None):
        distributions = tuple(distributions)
        if any(len(d.event_shape) > 1 for d in distributions) or len({d.is_discrete for d in distributions}) != 1:
            kinds = ", ".join(f"{type(d).__name__} {d.event_shape}" for d in distributions)
            raise ShapeError("Blockwise: the distributions must be of numbers or vectors, and all discrete or all "
                             f"continuous; got {kinds or 'none'}.")
        self._bind((distributions,), {})

    @property
    def batch_shape(self):
        return broadcast_shapes(*[d.batch_shape for d in self.distributions])

    @property
    def _sizes(self):
        return tuple(d.event_shape[0] if d.event_shape else 1 for d in self.distributions)

    @property
    def event_shape(self):
        return (sum(self._sizes),)

    @property
    def dtype(self):
        return self.distributions[0].dtype

    @property
    def is_discrete(self):
        return self.distributions[0].is_discrete

    @property
    def support(self):
        parts = [d.support if d.event_shape else constraints.independent(lifted(d.support, 1), 1)
                 for d in self.distributions]
        return constraints.cat(parts, lengths=self._sizes)

    @property
    def reparametrized_params(self):
        return ("distributions",) if all(d.has_rsample for d in self.distributions) else ()

    def _joined(self, parts, lead):
        """The blocks' arrays as one, numbers as vectors of one element."""
        wide = [p if d.event_shape else p[..., None] for d, p in zip(self.distributions, parts)]
        return np.concatenate([np.broadcast_to(p, (*lead, p.shape[-1])) for p in wide], -1)

    def sample(self, key, sample_shape=()):
        keys = random.split(key, len(self.distributions))
        lead = (*sample_shape, *self.batch_shape)
        return self._joined([d.expand(self.batch_shape).sample(keys[k], sample_shape)
                             for k, d in enumerate(self.distributions)], lead)

    def log_prob(self, value):
        value, at, total = np.asarray(value), 0, None
        for d, n in zip(self.distributions, self._sizes):
            block = value[..., at:at + n] if d.event_shape else value[..., at]
            log_p = d.log_prob(block)
            total, at = log_p if total is None else total + log_p, at + n
        return np.broadcast_to(total, broadcast_shapes(total.shape, self.batch_shape))

    @property
    def mean(self):
        return self._joined([d.mean for d in self.distributions], self.batch_shape)

    @property
    def variance(self):
        return self._joined([d.variance for d in self.distributions], self.batch_shape)

    @property
    def mode(self):
        return self._joined([d.mode for d in self.distributions], self.batch_shape)

    def entropy(self):
        return sum_rightmost(np.stack([np.broadcast_to(d.entropy(), self.batch_shape)
                                       for d in self.distributions], -1), 1)


def BatchBroadcast(distribution, with_shape=(), *, to_shape=None, validate_args=None):
    """The distribution with its batch shape broadcast with `with_shape`, or to `to_shape`: `expand` by another name.

    >>> from chainrule.distributions import Normal
    >>> BatchBroadcast(Normal([[0.0], [1.0]], 1.0), (3,)).batch_shape
    (2, 3)
    """
    shape = broadcast_shapes(distribution.batch_shape, tuple(with_shape)) if to_shape is None else tuple(to_shape)
    return distribution.expand(shape)
