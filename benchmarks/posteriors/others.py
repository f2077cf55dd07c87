"""A logistic regression, a Gaussian process, and a mixture of two normals."""
import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.distributions import constraints

from .flat import flat


def wells(N, switched, **data):
    alpha, beta = flat("alpha"), flat("beta")
    with cr.plate("household", N):
        cr.sample("switched", dist.Bernoulli(logits=alpha + beta * (data["dist"] / 100.0)), obs=switched)


def mixture(N, y):
    mu = flat("mu", constraints.ordered_vector, (2,))
    cr.factor("prior of mu", np.sum(dist.Normal(0.0, 2.0).log_prob(mu)))
    with cr.plate("component", 2):
        sigma = cr.sample("sigma", dist.HalfNormal(2.0))
    theta = cr.sample("theta", dist.Beta(5.0, 5.0))
    with cr.plate("row", N):
        which = dist.Categorical(np.stack([theta, 1.0 - theta]))
        cr.sample("y", dist.MixtureSameFamily(which, dist.Normal(mu, sigma)), obs=y)
