"""A run on disk for the tests that kill it: what a child process does, started by `multiprocessing`."""
import pathlib

import numpy as np

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random
from chainrule.inference import MCMC, NUTS
from chainrule.inference.store import Store

DATA = np.arange(5.0)


def model(y):
    mu = cr.sample("mu", dist.Normal(0.0, 5.0))
    scale = cr.sample("scale", dist.HalfNormal(2.0))
    with cr.plate("i", 5):
        x = cr.sample("x", dist.Normal(mu, scale))
        cr.sample("y", dist.Normal(x, 1.0), obs=y)


def new(path=None, warmup=2_000, draws=6_000, **options):
    """An MCMC that commits as often as it can."""
    store = None if path is None else Store(path, every=0.0, block=250)
    return MCMC(NUTS(model), num_warmup=warmup, num_samples=draws, num_chains=3, store=store, progress_bar=False,
                warn=False, **options)


def work(path, begun):
    """Begin the run at a path, or go on with it; `begun` is an Event that is set before."""
    begun.set()
    if pathlib.Path(path).exists():
        MCMC.resume(path, new(path), DATA)
    else:
        new(path).run(random.key(0), DATA)
