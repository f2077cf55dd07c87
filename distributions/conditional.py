"""Distributions and transforms that wait for a context: data from which their parameters are computed.

    d = ConditionalTransformedDistribution(Normal(np.zeros(2), 1.0), [ConditionalTransform(shift, (weights,))])
    d.condition(context).log_prob(y)            a TransformedDistribution like any other
"""
from .distribution import Distribution
from .record import Record, child, static
from .transformed import TransformedDistribution
from .transforms import Transform


class ConditionalDistribution(Record):
    """A distribution for each context: condition(context) = make(context, *args).

    make : a function that returns a distribution; it is part of the type      args : what is fitted, a pytree

    >>> from chainrule.distributions import Normal
    >>> d = ConditionalDistribution(lambda x, slope: Normal(slope * x, 1.0), (2.0,))
    >>> float(d.condition(3.0).mean)
    6.0
    """
    make: object = static()
    args: tuple = child(default=())

    def condition(self, context):
        """The distribution for a context."""
        return self.make(context, *self.args)


class ConditionalTransform(Record):
    """A transform for each context: condition(context) = make(context, *args), as `ConditionalDistribution`."""
    make: object = static()
    args: tuple = child(default=())

    def condition(self, context):
        """The transform for a context."""
        return self.make(context, *self.args)


class ConditionalTransformedDistribution(Record):
    """`TransformedDistribution` of which the base or transforms wait for a context.

    base_dist : a distribution or a ConditionalDistribution
    transforms : transforms or ConditionalTransforms, applied in order

    >>> from chainrule.distributions import Normal, transforms
    >>> shifted = ConditionalTransform(lambda x: transforms.AffineTransform(x, 1.0))
    >>> d = ConditionalTransformedDistribution(Normal(0.0, 1.0), [shifted, transforms.ExpTransform()])
    >>> float(d.condition(0.5).log_prob(1.0)).__round__(6)
    -1.043939
    """
    base_dist: object = child()
    transforms: tuple = child()

    def __init__(self, base_dist, transforms):
        several = isinstance(transforms, list | tuple)
        super().__init__(base_dist, tuple(transforms) if several else (transforms,))

    def condition(self, context):
        """The TransformedDistribution for a context."""
        base = self.base_dist if isinstance(self.base_dist, Distribution) else self.base_dist.condition(context)
        return TransformedDistribution(base, [t if isinstance(t, Transform) else t.condition(context)
                                              for t in self.transforms])
