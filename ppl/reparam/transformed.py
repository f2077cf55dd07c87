"""Reparameterisations by a bijection: the one of a transformed distribution, or one that is given."""
import functools

from ...distributions import (
    Exponential,
    Gamma,
    InverseGamma,
    LogitNormal,
    LogNormal,
    LogUniform,
    MultivariateNormal,
    Normal,
    Pareto,
    TransformedDistribution,
    Uniform,
    biject_to,
)
from ...distributions.transforms import (
    AffineTransform,
    ComposeTransform,
    ExpTransform,
    LowerCholeskyAffine,
    ReciprocalTransform,
    SigmoidTransform,
    Transform,
)
from ...distributions.wrappers import Independent, Masked
from ...engine import numpy as np
from ..handlers.replacing import Unsuitable
from ..statements import sample
from .base import Reparam, core, described, elements, inside


@functools.singledispatch
def as_transformed(fn):
    """(base distribution, transform) with fn the distribution of transform(base); `as_transformed.register` adds a
    family."""
    raise Unsuitable(f"TransformReparam is for a transformed distribution; the site has {described(fn)}.\nWrite it as "
                     "TransformedDistribution(base, transform), or use LocScaleReparam or ExplicitReparam.")


@as_transformed.register
def _(fn: TransformedDistribution):
    return fn.base_dist, fn.transform


@as_transformed.register
def _(fn: LogNormal):
    return Normal(fn.loc, fn.scale), ExpTransform()


@as_transformed.register
def _(fn: LogitNormal):
    return Normal(fn.loc, fn.scale), SigmoidTransform()


@as_transformed.register
def _(fn: LogUniform):
    return Uniform(np.log(fn.low), np.log(fn.high)), ExpTransform()


@as_transformed.register
def _(fn: InverseGamma):
    return Gamma(fn.concentration, fn.rate), ReciprocalTransform()


@as_transformed.register
def _(fn: Pareto):
    """s exp(E) with E exponential of rate b."""
    base = Exponential(np.broadcast_to(fn.alpha, fn.batch_shape))
    return base, ComposeTransform([AffineTransform(np.log(fn.scale), 1.0), ExpTransform()])


@as_transformed.register
def _(fn: MultivariateNormal):
    return Normal(np.zeros(fn.shape(), fn.dtype), 1.0).to_event(1), LowerCholeskyAffine(fn.loc, fn.scale_tril)


class TransformReparam(Reparam):
    """x = t(z) for a site {name}_base that has the base distribution of a transformed one.

    For TransformedDistribution, LogNormal, LogitNormal, LogUniform, InverseGamma, Pareto and MultivariateNormal (whose
    base is standard normal); `as_transformed.register` adds a family. log p(z) = log p(x) + log |det dt/dz|.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.distributions.transforms import AffineTransform
    >>> from chainrule.ppl.handlers import reparam, seed, trace
    >>> def model():
    ...     cr.sample("x", dist.TransformedDistribution(dist.Normal(0.0, 1.0), AffineTransform(10.0, 2.0)))
    >>> list(trace(seed(reparam(model, {"x": TransformReparam()}), 0)).get_trace())
    ['x_base', 'x']
    """
    same_draw = True

    def __call__(self, name, fn, obs):
        _, transform = as_transformed(core(fn))
        z = sample(f"{name}_base", inside(fn, lambda d: as_transformed(d)[0]))
        return None, transform(z)


class ExplicitReparam(Reparam):
    """x = transform⁻¹(y) for a site {name}_base that has the distribution of y = transform(x).

    transform : a bijection, or a list of them applied in order, whose domain holds the support
    log p(y) = log p(x) - log |det dy/dx|

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.distributions.transforms import SoftplusTransform
    >>> from chainrule.ppl.handlers import reparam, seed, trace
    >>> def model():
    ...     cr.sample("x", dist.Gamma(4.0, 4.0))
    >>> tr = trace(seed(reparam(model, {"x": ExplicitReparam(SoftplusTransform().inv)}), 0)).get_trace()
    >>> bool(tr["x_base"]["value"] < tr["x"]["value"])           # x = log(1 + exp(y))
    True
    """
    suffix = "base"
    same_draw = True

    def __init__(self, transform):
        if not isinstance(transform, Transform):
            transform = ComposeTransform(tuple(transform))
        self.transform = transform

    def transform_for(self, fn):
        """The transform for one site."""
        need = self.transform.domain.event_dim
        if need > len(fn.event_shape):
            raise Unsuitable(f"{type(self).__name__}: {type(self.transform).__name__} works on events with {need} "
                             f"axes; the site has {described(fn)}, whose events have {len(fn.event_shape)}.\n"
                             "It would mix independent sites: make the axes part of the event with to_event.")
        return self.transform

    def __call__(self, name, fn, obs):
        t = self.transform_for(fn)
        y = sample(f"{name}_{self.suffix}", _through(fn, t))
        return None, t.inv(y)


class UnitJacobianReparam(ExplicitReparam):
    """x = transform⁻¹(y) for a site {name}_{suffix}, where the transform keeps volumes: log p(y) = log p(x).

    transform : a bijection of ℝⁿ with log |det| = 0, as HaarTransform and DiscreteCosineTransform are
    A site whose support is not all of ℝⁿ is first taken there by the bijection of its support.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.distributions.transforms import PermuteTransform
    >>> from chainrule.ppl.handlers import reparam, seed, trace
    >>> def model():
    ...     cr.sample("x", dist.Normal([1.0, 2.0, 3.0], 1.0).to_event(1))
    >>> list(trace(seed(reparam(model, {"x": UnitJacobianReparam(PermuteTransform((2, 1, 0)))}), 0)).get_trace())
    ['x_transformed', 'x']
    """

    def __init__(self, transform, suffix="transformed"):
        super().__init__(transform)
        self.suffix = suffix

    def transform_for(self, fn):
        t = super().transform_for(fn)
        return t if elements(fn.support).everything else ComposeTransform([biject_to(fn.support).inv, t])


def _through(fn, t):
    """The distribution of t(x) for x ~ fn; a mask goes around it, so that it counts the log-determinant too."""
    if isinstance(fn, Masked):
        return Masked(_through(fn.base_dist, t), fn.mask_array)
    if isinstance(fn, Independent) and t.domain.event_dim <= len(fn.base_dist.event_shape):
        return Independent(_through(fn.base_dist, t), fn.reinterpreted_batch_ndims)
    return TransformedDistribution(fn, t)
