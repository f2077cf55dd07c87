"""Improper priors: density 1 on the reals, on the positive numbers, on an interval, of ordered vectors."""
import chainrule as cr
import chainrule.distributions as dist
from chainrule.distributions import constraints


def flat(name, support=constraints.real, shape=()):
    """A site whose prior is flat on its support; the last axes of `shape` are the support's event axes."""
    event = shape[len(shape) - support.event_dim:]
    return cr.sample(name, dist.ImproperUniform(support, shape[:len(shape) - len(event)], event))
