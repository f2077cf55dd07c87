"""Time series."""
import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.distributions import constraints

from .flat import flat


def hmm(N, K, y):
    theta = np.stack([flat(f"theta{k + 1}", constraints.simplex, (K,)) for k in range(K)])
    mu = flat("mu", constraints.positive_ordered_vector, (K,))
    cr.factor("prior of mu", np.sum(dist.Normal(np.asarray([3.0, 10.0]), 1.0).log_prob(mu)))
    cr.sample("y", dist.HiddenMarkovModel(np.full(K, 1.0 / K), theta, dist.Normal(mu, 1.0), num_steps=N), obs=y)
