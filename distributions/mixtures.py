"""Mixtures: one of several distributions, drawn by a categorical one.

    MixtureSameFamily(mixing, components)      the components are the last batch axis of one distribution
    MixtureGeneral(mixing, [d1, d2, …])        any distributions with one event shape
    Mixture(mixing, components)                whichever of the two fits; mixing may be an array of probabilities
"""
from ..engine import numpy as np
from ..engine import random
from ..engine.avals import broadcast_shapes
from ..engine.errors import ShapeError
from ..engine.lax import stop_gradient
from ..engine.scipy import special
from . import constraints
from .bounds import union
from .categorical import Categorical, _Categorical
from .distribution import Distribution
from .implicit import implicit
from .normal import Normal
from .record import child


class _Mixture(Distribution):
    """What both kinds share; each has `_each(name, value)`: a function of every component along a new last axis."""
    mixing: Distribution = child()

    @property
    def mixing_distribution(self):
        """The categorical distribution of the component."""
        return self.mixing

    @property
    def mixture_size(self):
        """The number of components."""
        return self.mixing.num_classes

    @property
    def mixture_dim(self):
        """The batch axis of `_each` that the components lie along."""
        return -1

    @property
    def _log_weights(self):
        """log of the probability of each component: [*batch, n]."""
        return special.log_softmax(self.mixing.logits, -1)

    def component_log_probs(self, value):
        """log wₖ + log pₖ(value) for each component: [*shape, *batch, n]."""
        return self._log_weights + self._each("log_prob", np.asarray(value))

    def log_prob(self, value):
        return special.logsumexp(self.component_log_probs(value), axis=-1)

    def posterior(self, value):
        """The probability of each component, given the value: [*shape, *batch, n]."""
        return special.softmax(self.component_log_probs(value), -1)

    def cdf(self, value):
        return np.sum(self.mixing.probs * self._each("cdf", np.asarray(value)), -1)

    def survival_function(self, value):
        return np.sum(self.mixing.probs * self._each("survival_function", np.asarray(value)), -1)

    def log_cdf(self, value):
        return special.logsumexp(self._log_weights + self._each("log_cdf", np.asarray(value)), axis=-1)

    def log_survival(self, value):
        return special.logsumexp(self._log_weights + self._each("log_survival", np.asarray(value)), axis=-1)

    @property
    def _wide_weights(self):
        """The weights with axes for the event: [*batch, *1, n]."""
        w, n = self.mixing.probs, len(self.event_shape)
        return w.reshape((*w.shape[:-1], *(1,) * n, w.shape[-1])) if n else w

    @property
    def mean(self):
        return np.sum(self._wide_weights * self._each("mean"), -1)

    @property
    def variance(self):
        """Σ w (σ² + (μ - mean)²)."""
        off = self._each("mean") - self.mean[..., None]
        return np.sum(self._wide_weights * (self._each("variance") + np.square(off)), -1)

    def _picked(self, key, sample_shape):
        """One draw of each component, [*sample_shape, *batch, *event, n], and that of a random one."""
        key_k, key_x = random.split(key)
        k = self.mixing.expand(self.batch_shape).sample(key_k, sample_shape)
        x = self._draws(key_x, sample_shape)
        k = k.reshape((*k.shape, *(1,) * (len(self.event_shape) + 1)))
        return np.take_along_axis(x, np.broadcast_to(k, (*x.shape[:-1], 1)), -1)[..., 0]

    def sample(self, key, sample_shape=()):
        x = self._picked(key, sample_shape)
        return implicit(self, stop_gradient(x)) if self.has_rsample else x


def _has_cdf(d):
    return type(d).cdf is not Distribution.cdf and d.has_rsample and not d.event_shape and not d.is_discrete


def _weights(mixing):
    if not isinstance(mixing, Distribution):
        mixing = Categorical(probs=mixing)
    if not isinstance(getattr(mixing, "base_dist", mixing), _Categorical):
        raise ShapeError(f"the mixing distribution of a mixture must be a Categorical, or an array of probabilities; "
                         f"got {type(mixing).__name__}.")
    return mixing


class MixtureSameFamily(_Mixture):
    """Component k with probability wₖ:  log p(x) = log Σ wₖ pₖ(x), the components being a batch of one family.

    mixing_distribution : Categorical, batch [*batch] with n classes; or their probabilities, float[*batch, n]
    component_distribution : batch [*batch, n]                 sample : [*shape, *batch, *event]
    Draws of one continuous number have derivatives, also in the weights, where draws of the components have them:
    those at a fixed value of the mixture's distribution function.
    Source: McLachlan & Peel (2000), Finite Mixture Models, §1.4; Figurnov, Mohamed & Mnih (2018), section 3.

    >>> d = MixtureSameFamily([0.5, 0.5], Normal([-1.0, 1.0], 1.0))
    >>> float(d.mean), float(d.variance)
    (0.0, 2.0)
    """
    mixing: Distribution = child()
    component_distribution: Distribution = child()

    def __init__(self, mixing_distribution, component_distribution, *, validate_args=None):
        mixing = _weights(mixing_distribution)
        batch = component_distribution.batch_shape
        if not batch or batch[-1] != mixing.num_classes:
            raise ShapeError(f"MixtureSameFamily: the last batch axis of the components must run over the "
                             f"{mixing.num_classes} classes of the mixing distribution; "
                             f"{type(component_distribution).__name__} has batch shape {batch}.")
        self._bind((mixing, component_distribution), {})

    @property
    def batch_shape(self):
        return broadcast_shapes(self.mixing.batch_shape, self.component_distribution.batch_shape[:-1])

    @property
    def event_shape(self):
        return self.component_distribution.event_shape

    @property
    def dtype(self):
        return self.component_distribution.dtype

    @property
    def is_discrete(self):
        return self.component_distribution.is_discrete

    @property
    def support(self):
        """The set of the components where that has no bounds, else the smallest interval that holds all of them."""
        return union([self.component_distribution.support], -1, self.is_discrete)

    @property
    def reparametrized_params(self):
        return ("mixing", "component_distribution") if _has_cdf(self.component_distribution) else ()

    @property
    def has_enumerate_support(self):
        return self.component_distribution.has_enumerate_support and not self.event_shape

    def enumerate_support(self, expand=True):
        values = self.component_distribution.enumerate_support(expand=False)
        values = values.reshape((values.shape[0], *(1,) * len(self.batch_shape)))
        return np.broadcast_to(values, (values.shape[0], *self.batch_shape)) if expand else values

    def _each(self, name, value=None):
        n, d = len(self.event_shape), self.component_distribution
        if value is None:                                # [*batch, n, *event]
            return np.moveaxis(getattr(d, name), -1 - n, -1)
        at = value.ndim - n
        return getattr(d, name)(value.reshape((*value.shape[:at], 1, *value.shape[at:])))

    def _draws(self, key, sample_shape):
        n = len(self.event_shape)
        d = self.component_distribution.expand((*self.batch_shape, self.mixture_size))
        return np.moveaxis(d.sample(key, sample_shape), -1 - n, -1)


class MixtureGeneral(_Mixture):
    """Component k with probability wₖ:  log p(x) = log Σ wₖ pₖ(x), for any list of distributions.

    mixing_distribution : Categorical, batch [*batch] with n classes; or their probabilities, float[*batch, n]
    component_distributions : n distributions with one event shape        sample : [*shape, *batch, *event]
    support : the set of all values; if it is not given, the smallest interval that holds the components' supports
    Draws have derivatives as those of MixtureSameFamily do.

    >>> from chainrule.distributions import Exponential
    >>> d = MixtureGeneral([0.25, 0.75], [Normal(0.0, 1.0), Exponential(1.0)])
    >>> float(d.mean)
    0.75
    """
    mixing: Distribution = child()
    components: tuple = child()
    given_support: constraints.Constraint = child(default=None)

    def __init__(self, mixing_distribution, component_distributions, *, support=None, validate_args=None):
        mixing, components = _weights(mixing_distribution), tuple(component_distributions)
        if len(components) != mixing.num_classes:
            raise ShapeError(f"MixtureGeneral: {len(components)} components for the {mixing.num_classes} classes of "
                             "the mixing distribution.")
        shapes = {d.event_shape for d in components}
        if len(shapes) > 1 or len({d.is_discrete for d in components}) > 1:
            kinds = ", ".join(f"{type(d).__name__} {d.event_shape}" for d in components)
            raise ShapeError(f"MixtureGeneral: the components must have one event shape, and be all discrete or all "
                             f"continuous; got {kinds}.")
        self._bind((mixing, components, support), {})

    @property
    def component_distributions(self):
        """The components."""
        return list(self.components)

    @property
    def batch_shape(self):
        return broadcast_shapes(self.mixing.batch_shape, *[d.batch_shape for d in self.components])

    @property
    def event_shape(self):
        return self.components[0].event_shape

    @property
    def dtype(self):
        return self.components[0].dtype

    @property
    def is_discrete(self):
        return self.components[0].is_discrete

    @property
    def support(self):
        """What was given, or the components' set where it is one, or the smallest interval that holds them all."""
        if self.given_support is not None:
            return self.given_support
        return union([d.support for d in self.components], None, self.is_discrete)

    @property
    def reparametrized_params(self):
        return ("mixing", "components") if all(_has_cdf(d) for d in self.components) else ()

    def _each(self, name, value=None):
        """Every component's result, as the last axis of one array."""
        parts = [getattr(d, name) if value is None else getattr(d, name)(value) for d in self.components]
        want = self.shape() if value is None else self.batch_shape
        shape = broadcast_shapes(want, *[p.shape for p in parts])
        return np.stack([np.broadcast_to(p, shape) for p in parts], -1)

    def _draws(self, key, sample_shape):
        keys = random.split(key, len(self.components))
        return np.stack([d.expand(self.batch_shape).sample(keys[k], sample_shape)
                         for k, d in enumerate(self.components)], -1)


def Mixture(mixing_distribution, component_distributions, *, support=None, validate_args=None):
    """A mixture of the components: MixtureSameFamily of one distribution, MixtureGeneral of a list of them.

    >>> float(Mixture([0.5, 0.5], [Normal(-1.0, 1.0), Normal(1.0, 1.0)]).mean)
    0.0
    """
    if isinstance(component_distributions, Distribution):
        return MixtureSameFamily(mixing_distribution, component_distributions, validate_args=validate_args)
    return MixtureGeneral(mixing_distribution, component_distributions, support=support, validate_args=validate_args)


def NormalMixture(weights, loc, scale):
    """A mixture of normal distributions.   weights : float[*batch, n], sum 1     loc, scale : float[*batch, n]"""
    return MixtureSameFamily(Categorical(probs=weights), Normal(loc, scale))
