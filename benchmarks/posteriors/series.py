"""Time series."""
import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.distributions import constraints
from chainrule.engine import scan

from .flat import flat


def ar(K, T, y):
    alpha = cr.sample("alpha", dist.Normal(0.0, 10.0))
    with cr.plate("lag", K):
        beta = cr.sample("beta", dist.Normal(0.0, 10.0))
    sigma = cr.sample("sigma", dist.HalfCauchy(2.5))
    lags = np.stack([y[K - k:T - k] for k in range(1, K + 1)])
    cr.sample("y", dist.Normal(alpha + beta @ lags, sigma), obs=y[K:])


def garch(T, y, sigma1):
    mu = flat("mu")
    alpha0 = flat("alpha0", constraints.positive)
    alpha1 = flat("alpha1", constraints.unit_interval)
    beta1 = flat("beta1", constraints.interval(0.0, 1.0 - alpha1))

    def step(variance, previous):
        later = alpha0 + alpha1 * (previous - mu) ** 2 + beta1 * variance
        return later, variance

    _, variance = scan(step, sigma1 ** 2, y)
    cr.sample("y", dist.Normal(mu, np.sqrt(variance)), obs=y)


def hmm(N, K, y):
    theta = np.stack([flat(f"theta{k + 1}", constraints.simplex, (K,)) for k in range(K)])
    mu = flat("mu", constraints.positive_ordered_vector, (K,))
    cr.factor("prior of mu", np.sum(dist.Normal(np.asarray([3.0, 10.0]), 1.0).log_prob(mu)))
    cr.sample("y", dist.HiddenMarkovModel(np.full(K, 1.0 / K), theta, dist.Normal(mu, 1.0), num_steps=N), obs=y)
