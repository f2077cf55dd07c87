"""A fit on disk for the test that kills it: what a child process does, started by `multiprocessing`."""
import numpy as np

import chainrule as cr
import chainrule.distributions as dist
from chainrule.engine import random
from chainrule.inference import SVI, Store, TraceGraph_ELBO
from chainrule.inference.autoguide import AutoNormal
from chainrule.inference.optim import Adam

DATA = np.linspace(-1.0, 2.0, 40)
STEPS = 300_000


def model(y):
    mu = cr.sample("mu", dist.Normal(0.0, 5.0))
    scale = cr.sample("scale", dist.HalfNormal(2.0))
    with cr.plate("i", 40):
        x = cr.sample("x", dist.Normal(mu, scale))
        cr.sample("y", dist.Normal(x, 1.0), obs=y)


def new():
    return SVI(model, AutoNormal(model), Adam(0.01), TraceGraph_ELBO())


def work(path, begun):
    """Begin the fit at a path, or go on with it, committing at each chunk; `begun` is an Event that is set before."""
    begun.set()
    new().run(random.key(0), STEPS, DATA, progress_bar=False, store=Store(path, every=0.0), resume=True)
