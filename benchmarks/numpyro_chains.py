"""One row of tools/gpu_check.py on NumPyro, where it is installed: many chains as one program. Prints JSON.

    python benchmarks/numpyro_chains.py eight_schools_nc 1024 200

Nothing imports this file: gpu_check.py starts it. float32, the same data; a first run and a second one on other data,
warm-up and draws in one; gradients are NUTS's num_steps, the effective sample size NumPyro's, least over three elements
of each site.
"""
import json
import sys
import time

import jax
import jax.numpy as np
import numpy as onp
import numpyro
import numpyro.distributions as dist
from numpyro.diagnostics import effective_sample_size
from numpyro.infer import MCMC, NUTS
from workloads import WORKLOADS


def eight_schools_nc(sigma, y):
    mu = numpyro.sample("mu", dist.Normal(0.0, 5.0))
    tau = numpyro.sample("tau", dist.HalfCauchy(5.0))
    with numpyro.plate("school", 8):
        z = numpyro.sample("z", dist.Normal(0.0, 1.0))
        numpyro.sample("y", dist.Normal(mu + tau * z, sigma), obs=y)


def logit_1k(x, y):
    alpha = numpyro.sample("alpha", dist.Normal(0.0, 5.0))
    beta = numpyro.sample("beta", dist.Normal(np.zeros(25), 1.0).to_event(1))
    numpyro.sample("y", dist.Bernoulli(logits=alpha + x @ beta), obs=y)


def irt_500(item, person, y):
    scale = {name: numpyro.sample(f"s_{name}", dist.HalfCauchy(2.0)) for name in ("t", "a", "b")}
    mu_b = numpyro.sample("mu_b", dist.Normal(0.0, 5.0))
    with numpyro.plate("person", 400):
        theta = numpyro.sample("theta", dist.Normal(0.0, scale["t"]))
    with numpyro.plate("item", 50):
        a = numpyro.sample("a", dist.LogNormal(0.0, scale["a"]))
        b = numpyro.sample("b", dist.Normal(mu_b, scale["b"]))
    numpyro.sample("y", dist.Bernoulli(logits=a[item] * (theta[person] - b[item])), obs=y)


MODELS = {"eight_schools_nc": eight_schools_nc, "logit_1k": logit_1k, "irt_500": irt_500}


def main(name, chains, transitions):
    mcmc = MCMC(NUTS(MODELS[name]), num_warmup=transitions, num_samples=transitions, num_chains=chains,
                chain_method="vectorized", progress_bar=False, jit_model_args=True)
    seconds = []
    for seed in (0, 1):
        args, kwargs = WORKLOADS[name].data(seed)
        began = time.perf_counter()
        mcmc.warmup(jax.random.key(seed), *args, extra_fields=("num_steps",), collect_warmup=True, **kwargs)
        steps = int(onp.asarray(mcmc.get_extra_fields()["num_steps"]).sum())
        mcmc.run(jax.random.key(seed + 10), *args, extra_fields=("num_steps",), **kwargs)
        steps += int(onp.asarray(mcmc.get_extra_fields()["num_steps"]).sum())
        found = jax.block_until_ready(mcmc.get_samples(group_by_chain=True))
        seconds.append(time.perf_counter() - began)
    least = min(float(effective_sample_size(onp.asarray(v).reshape(*v.shape[:2], -1)[:, :, k]))
                for v in found.values() for k in range(min(3, int(onp.prod(v.shape[2:], dtype=int)))))
    print(json.dumps({"first": seconds[0], "again": seconds[1], "compiled": 0, "gradients": steps, "ess": least}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
