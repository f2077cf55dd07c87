"""Simulation-based calibration: parameters drawn from the prior are uniform among the draws of their posteriors.

A thousand data sets are made from a thousand draws of the prior and fitted as one program. The rank of the parameter
among L thinned draws is then uniform on 0 … L (Talts et al. 2018, arXiv:1804.06788), and so is that of any function of
parameter and data; the log-likelihood sees errors that single parameters hide (Modrák et al. 2023, arXiv:2211.02383).
"""
import numpy as np
import pytest
from scipy import stats

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import jit, random, vmap
from chainrule.inference import NUTS, fit

FITS, ROWS, L, THIN = 1000, 6, 19, 8
X = np.linspace(-1.0, 2.0, ROWS)
METRICS = {"fisher": {"adaptation": "fisher"}, "stan": {"adaptation": "stan"}, "dense": {"dense_mass": True}}


def line(y):
    a = cr.sample("a", dist.Normal(0.0, 1.0))
    b = cr.sample("b", dist.Normal(0.5, 1.0))
    s = cr.sample("s", dist.Gamma(4.0, 4.0))
    cr.sample("y", dist.Normal(a + b * X, s), obs=y)


def simulated(seed):
    """({parameter: float[fits]}, data float[fits, rows])"""
    rng = np.random.default_rng(seed)
    truth = {"a": rng.normal(size=FITS), "b": 0.5 + rng.normal(size=FITS), "s": rng.gamma(4.0, 0.25, FITS)}
    mean = truth["a"][:, None] + truth["b"][:, None] * X
    return truth, mean + truth["s"][:, None] * rng.normal(size=mean.shape)


def log_likelihood(parameters, y):
    """float[fits, *draws] of parameters of this shape"""
    a, b, s = (parameters[name][..., None] for name in "abs")
    y = y.reshape(FITS, *(1,) * (a.ndim - 2), ROWS)
    return stats.norm.logpdf(y, a + b * X, s).sum(-1)


def p_values(fits, truth, y):
    """{quantity: probability of ranks as uneven as these}, by χ² over L + 1 ranks of 50 fits each."""
    draws = {name: np.asarray(x)[:, 0, THIN - 1::THIN] for name, x in fits.samples.items()}
    pairs = {name: (truth[name], draws[name]) for name in truth}
    pairs["log-likelihood"] = log_likelihood(truth, y), log_likelihood(draws, y)
    ranks = {name: (x < true[:, None]).sum(1) for name, (true, x) in pairs.items()}
    return {name: stats.chisquare(np.bincount(r, minlength=L + 1)).pvalue for name, r in ranks.items()}


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
def test_ranks_are_uniform(metric):
    """Four χ² tests at 10⁻⁴ for each metric: false alarms 1.2 · 10⁻³ in all. And a sampler that takes the errors for
    a quarter larger than they are would be found out."""
    one = lambda key, y: fit(NUTS(line, **METRICS[metric]), key, y, num_warmup=150, num_samples=L * THIN)
    many = jit(vmap(one))
    truth, y = simulated(1)
    keys = random.split(random.key(2), FITS)
    fits = many(keys, y)
    assert not np.any(np.asarray(fits.failed)) and np.asarray(fits.stats["diverging"]).mean() < 0.01
    found = p_values(fits, truth, y)
    assert min(found.values()) > 1e-4, found
    if metric == "fisher":
        wide = np.mean(y, 1, keepdims=True) + 1.25 * (y - np.mean(y, 1, keepdims=True))
        assert p_values(many(keys, wide), truth, y)["s"] < 1e-8
