"""A whole fit as a pure function: warm-up, sampling and the draws as the model has them.

    fits = jit(vmap(lambda key, x, y: fit(NUTS(model), key, x, y, num_samples=500)))(keys, xs, ys)

`fit` has no hidden state and no host in its loop, so it can be jitted, and mapped over data sets, each of which adapts
its own step size and metric. A vectorised chain never waits for another's tree: the program runs as many gradients as
the chain that needs most.
"""
from typing import NamedTuple

import numpy as onp

from ..engine import numpy as np
from ..engine import random, vmap
from ..engine.array import Array
from ..engine.tree import map as tree_map
from ..ppl.model import site_count, stage_continuous, unravel
from ..ppl.queries.strategies import uniform_radius
from . import chunks
from .base import seed_of
from .diagnostics import compiled
from .starts import SamplingError, point_of

NO_LIMIT = onp.asarray(2 ** 62)
STATS = ("energy", "accept_prob", "num_steps", "tree_depth", "diverging", "accepted")          # those of the kernel


def _start(program, sampler, key, data):
    """(the start of a chain by the sampler's strategy, or None for the machine's, gradients, variances or None)."""
    if uniform_radius(sampler.init_strategy) is not None:
        return None, np.asarray(0), None
    return point_of(program, sampler.init_strategy, random.fold_in(key, 0), data)


class Fit(NamedTuple):
    """What a fit gives; chains and draws are the leading axes."""
    samples: dict              # {site: [chain, draw, *shape]}, latent and deterministic sites
    stats: dict                # {name: [chain, draw]}: potential_energy, energy, accept_prob, num_steps, diverging, …
    failed: Array              # bool[chain]: no start point with a finite log-density was found; its draws mean nothing
    gradients: Array           # int[chain]: gradients evaluated, warm-up included
    step_size: Array           # float[chain], after warm-up
    rhat: dict                 # {site: float[*shape]}, with one chain of its halves; see diagnostics.rhat
    ess_bulk: dict             # {site: float[*shape]}


def fit(sampler, rng_key, *args, num_warmup=1000, num_samples=1000, num_chains=1, **kwargs):
    """Fit a model to data: a `Fit`. A pure function of the key and of the data among the arguments.

    sampler : NUTS(model, ...), or another kernel; chains of AIES and its like move together          rng_key : a key
    args, kwargs : the model's; arrays and floats among them are data, and may be traced
    The draws are those of `MCMC` with the same key, up to rounding. A start point of a strategy other than
    init_to_uniform is tried once; `failed` tells where it would not do. What a jitted function leaves out of its result
    (the diagnostics, say) is not computed.

    On an accelerator map many data sets by vmap. On the host it is several times quicker to let each core fit one after
    another: `pmap(lambda *share: lax.map(lambda each: one(*each), share))`, the data cut into a share for each core.

    >>> import chainrule as cr, chainrule.distributions as dist
    >>> from chainrule.engine import jit, random, vmap
    >>> from chainrule.inference import NUTS
    >>> def model(y):
    ...     mu = cr.sample("mu", dist.Normal(0.0, 10.0))
    ...     with cr.plate("row", len(y)):
    ...         cr.sample("y", dist.Normal(mu, 1.0), obs=y)
    >>> one = lambda key, y: fit(NUTS(model), key, y, num_warmup=200, num_samples=200)
    >>> keys, ys = random.split(random.key(0), 3), [[0.0, 1.0], [5.0, 6.0], [9.0, 9.0]]
    >>> jit(vmap(one))(keys, np.asarray(ys)).samples["mu"].shape          # three fits, a chain each
    (3, 1, 200)
    """
    program, data = stage_continuous(sampler.model, args, kwargs, "fit", SamplingError)
    latents, method, stops = program.latents, sampler.method, sampler.stops(num_warmup)

    def logdensity(z):
        return program.log_joint(unravel(latents, z), data, unconstrained=True)

    def start(number):
        key = random.fold_in(rng_key, number)
        position, gradients, variance = _start(program, sampler, key, data)
        chain = method.scaled(sampler.start(seed_of(key), latents, num_warmup, position), variance)
        return method.recording(chain, False), gradients

    def run(chain):
        return chunks.run(method, chain, logdensity, onp.asarray(num_warmup + num_samples), NO_LIMIT, size=num_samples,
                          skip=num_warmup, stops=stops)

    chains, spent = vmap(start)(np.arange(num_chains))
    if method.ensemble:
        members = [tree_map(lambda x, j=j: x[j], chains) for j in range(num_chains)]
        done = run(sampler.gather(members, num_warmup))
    elif num_chains == 1:                                # a chain alone has branches where lanes would select
        done = tree_map(lambda x: x[None], run(tree_map(lambda x: x[0], chains)))
    else:
        done = vmap(run)(chains)
    d = site_count(latents)
    flat = np.reshape(done.draws, (num_chains * num_samples, d))
    samples = vmap(lambda z: program.constrained(unravel(latents, z), data))(flat)
    samples = {name: np.reshape(x, (num_chains, num_samples, *x.shape[1:])) for name, x in samples.items()}
    info = dict(zip(method.fields, np.moveaxis(done.infos, -1, 0)))
    stats = {name: info[name] for name in STATS if name in info}
    stats["potential_energy"] = -info["logdensity"]
    if "diverging" in stats:
        stats["diverging"] = stats["diverging"] > 0.5
    step_size = info["step_size"][:, -1] if "step_size" in info else np.full(num_chains, np.nan)
    return Fit(samples, stats, method.failed(done.chain), done.gradients + spent, step_size,
               *compiled.of_sites(samples))
