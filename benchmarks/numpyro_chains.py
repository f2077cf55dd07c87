"""One row of peers.py or tools/gpu_check.py on NumPyro or BlackJAX, where they are installed. Prints JSON.

    python benchmarks/numpyro_chains.py NAME CHAINS TRANSITIONS METHOD BITS [FILE]

METHOD is vectorized or parallel (NumPyro), or blackjax: window adaptation and NUTS, vmapped over chains, of the density
of NumPyro's model. Nothing imports this file: peers.py and gpu_check.py start it. A first run and a second one on other
data of the same shapes; gradients are the trees' leapfrog steps, warm-up included. The draws of the second run go to
FILE, an npz, of which peers.py computes the effective sample size; "ess" here is NumPyro's, which is not
rank-normalised, least over three elements of each site.
"""
import json
import os
import sys
import time

BEGAN = time.time()
name, chains, transitions, method, bits = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
if method == "parallel":
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={chains}"

import jax  # noqa: E402
import jax.numpy as np  # noqa: E402
import numpy as onp  # noqa: E402
import numpyro  # noqa: E402
import numpyro.distributions as dist  # noqa: E402
from numpyro.diagnostics import effective_sample_size  # noqa: E402
from numpyro.infer import MCMC, NUTS  # noqa: E402
from numpyro.infer.util import initialize_model  # noqa: E402
from shared_models import models  # noqa: E402
from workloads import WORKLOADS  # noqa: E402

MODEL = models(numpyro, dist, np)[name]


def by_numpyro():
    """Functions of (seed, data): one gives (draws by site, gradients of sampling), one the gradients of a warm-up."""
    def made():
        return MCMC(NUTS(MODEL), num_warmup=transitions, num_samples=transitions, num_chains=chains,
                    chain_method=method, progress_bar=False, jit_model_args=True)
    mcmc = made()

    def steps(mcmc):
        return int(onp.asarray(mcmc.get_extra_fields()["num_steps"]).sum())

    def run(seed, args, kwargs):
        mcmc.run(jax.random.key(seed), *args, extra_fields=("num_steps",), **kwargs)
        return jax.tree.map(onp.asarray, mcmc.get_samples(group_by_chain=True)), steps(mcmc)

    def warmup(seed, args, kwargs):                      # apart, since recording it compiles another program
        other = made()
        other.warmup(jax.random.key(seed), *args, extra_fields=("num_steps",), collect_warmup=True, **kwargs)
        return steps(other)
    return run, warmup


def by_blackjax():
    """The same by BlackJAX, compiled once for all chains."""
    import blackjax

    def one(key, position, data):
        args, kwargs = data
        density = lambda z: -potential(*args, **kwargs)(z)
        warm, sample = jax.random.split(key)
        (state, parameters), info = blackjax.window_adaptation(blackjax.nuts, density).run(warm, position, transitions)
        kernel = blackjax.nuts(density, **parameters).step
        _, (states, infos) = jax.lax.scan(lambda s, k: (lambda out: (out[0], out))(kernel(k, s)), state,
                                          jax.random.split(sample, transitions))
        return states.position, infos.num_integration_steps.sum() + info.info.num_integration_steps.sum()

    args, kwargs = WORKLOADS[name].data(0)
    start, potential, _, _ = initialize_model(jax.random.split(jax.random.key(0), chains), MODEL,
                                              model_args=args, model_kwargs=kwargs, dynamic_args=True)
    many = jax.jit(jax.vmap(one, in_axes=(0, 0, None)))

    def run(seed, args, kwargs):
        draws, steps = many(jax.random.split(jax.random.key(seed), chains), start.z, (args, kwargs))
        return jax.tree.map(onp.asarray, draws), int(steps.sum())
    return run


def main():
    if bits == "64":
        numpyro.enable_x64()
    run, warmup = (by_blackjax(), None) if method == "blackjax" else by_numpyro()
    ends = [BEGAN]
    for seed in (0, 1):
        began = time.time()
        found, steps = run(seed, *WORKLOADS[name].data(seed))
        ends.append(time.time() - (BEGAN if seed == 0 else began))
    steps += warmup(1, *WORKLOADS[name].data(1)) if warmup else 0
    if len(sys.argv) > 6:
        onp.savez(sys.argv[6], **found)
    least = min(float(effective_sample_size(v.reshape(*v.shape[:2], -1)[:, :, k]))
                for v in found.values() for k in range(min(3, int(onp.prod(v.shape[2:], dtype=int)))))
    print(json.dumps({"first": ends[1], "again": ends[2], "compiled": "-", "gradients": steps, "ess": least}))


if __name__ == "__main__":
    main()
