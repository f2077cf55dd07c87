"""One row of peers.py or tools/gpu_check.py on NumPyro or BlackJAX, where they are installed. Prints JSON.

    python benchmarks/numpyro_chains.py NAME CHAINS TRANSITIONS METHOD BITS [FILE]

METHOD is vectorized or parallel (NumPyro), or blackjax: window adaptation and NUTS, vmapped over chains, of the density
of NumPyro's model. Nothing imports this file: peers.py and gpu_check.py start it. A first run; then, unless FILE is
"first", others on other data of the same shapes (see clock.repeats). Gradients are the trees' leapfrog steps, warm-up
included. The draws go to FILE, an npz, of which peers.py computes the effective sample size; "ess" here is NumPyro's of
the last run, which is not rank-normalised, least over three elements of each site. "bare" is the log-density with its
gradient alone in a compiled loop, in microseconds.
"""
import json
import os
import sys
import time
from functools import partial

BEGAN = float(os.environ.get("BEGAN", time.time()))            # of the process that started this one
name, chains, transitions, method, bits = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
FILE = sys.argv[6] if len(sys.argv) > 6 else None
if method == "parallel":
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={chains}"

import jax  # noqa: E402
import jax.numpy as np  # noqa: E402
import numpy as onp  # noqa: E402
import numpyro  # noqa: E402
import numpyro.distributions as dist  # noqa: E402
from clock import bare, peak, repeats  # noqa: E402
from datasets import DATA  # noqa: E402
from jax.flatten_util import ravel_pytree  # noqa: E402
from numpyro.diagnostics import effective_sample_size  # noqa: E402
from numpyro.infer import MCMC, NUTS  # noqa: E402
from numpyro.infer.util import initialize_model  # noqa: E402
from shared_models import models  # noqa: E402


def split(seed):
    """(the data's arrays, what is a number of Python and so part of the program)"""
    data = DATA[name](seed)
    return ({k: v for k, v in data.items() if isinstance(v, onp.ndarray)},
            {k: v for k, v in data.items() if not isinstance(v, onp.ndarray)})


MODEL = partial(models(numpyro, dist, np, jax.lax.scan)[name], **split(0)[1])


def by_numpyro():
    """A function of (seed, data) that gives (draws by site, a function that counts the run's gradients)."""
    def made():
        return MCMC(NUTS(MODEL), num_warmup=transitions, num_samples=transitions, num_chains=chains,
                    chain_method=method, progress_bar=False, jit_model_args=True)
    mcmc = made()

    def steps(mcmc):
        return int(onp.asarray(mcmc.get_extra_fields()["num_steps"]).sum())

    def run(seed, data):
        mcmc.run(jax.random.key(seed), extra_fields=("num_steps",), **data)
        draws = jax.tree.map(onp.asarray, mcmc.get_samples(group_by_chain=True))
        return draws, lambda: steps(mcmc) + warmup(seed, data)

    def warmup(seed, data):                      # apart, since recording it compiles another program
        other = made()
        other.warmup(jax.random.key(seed), extra_fields=("num_steps",), collect_warmup=True, **data)
        return steps(other)
    return run


def by_blackjax():
    """The same by BlackJAX, compiled once for all chains."""
    import blackjax

    def one(key, position, data):
        density = lambda z: -potential(**data)(z)
        warm, sample = jax.random.split(key)
        (state, parameters), info = blackjax.window_adaptation(blackjax.nuts, density).run(warm, position, transitions)
        kernel = blackjax.nuts(density, **parameters).step
        _, (states, infos) = jax.lax.scan(lambda s, k: (lambda out: (out[0], out))(kernel(k, s)), state,
                                          jax.random.split(sample, transitions))
        return states.position, infos.num_integration_steps.sum() + info.info.num_integration_steps.sum()

    start, potential, _, _ = initialize_model(jax.random.split(jax.random.key(0), chains), MODEL,
                                              model_kwargs=split(0)[0], dynamic_args=True)
    many = jax.jit(jax.vmap(one, in_axes=(0, 0, None)))

    def run(seed, data):
        draws, steps = many(jax.random.split(jax.random.key(seed), chains), start.z, data)
        return jax.tree.map(onp.asarray, draws), lambda: int(steps.sum())
    return run


def bare_gradient():
    """Microseconds of one log-density with its gradient, alone in a compiled loop whose point moves a little."""
    start, potential, _, _ = initialize_model(jax.random.key(0), MODEL, model_kwargs=split(0)[0], dynamic_args=True)
    z, unravel = ravel_pytree(start.z)
    slope = jax.value_and_grad(lambda z, data: potential(**data)(unravel(z)))

    @jax.jit
    def loop(n, z, data):
        def one(_, carry):
            value, gradient = slope(carry[0], data)
            return carry[0] + 1e-9 * gradient, carry[1] + value
        return jax.lax.fori_loop(0, n, one, (z, 0.0))

    return bare(lambda n: float(loop(n, z, split(0)[0])[1]))


def main():
    if bits == "64":
        numpyro.enable_x64()
    run = by_blackjax() if method == "blackjax" else by_numpyro()
    run(0, split(0)[0])
    out = {"first": time.time() - BEGAN, "MB": peak()}
    if FILE != "first":
        more, found = repeats(lambda seed: run(seed, split(seed)[0]), FILE)
        out |= more | {"compiled": None}
        if FILE: out["bare"] = None if method == "blackjax" else bare_gradient()
        out["ess"] = min(float(effective_sample_size(v.reshape(*v.shape[:2], -1)[:, :, k]))
                         for v in found.values() for k in range(min(3, int(onp.prod(v.shape[2:], dtype=int)))))
    print(json.dumps(out))


if __name__ == "__main__":
    main()
