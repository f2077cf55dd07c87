"""One process of the benchmark: what svi_speed.py measures, on NumPyro, where it is installed. Prints JSON.

Nothing imports this file: run.py starts it beside svi_speed.py when it finds JAX and NumPyro. "step" is that of the
fastest loop there is: `update` in a scan that is compiled once. `run` compiles its loop at each call.
"""
import json
import sys
import time

import jax
import jax.numpy as np
import numpy as onp
import numpyro
import numpyro.distributions as dist
from datasets import DATA
from numpyro.infer import SVI, Trace_ELBO
from numpyro.infer.autoguide import AutoNormal
from svi_rows import ROWS, digits, least, models, reached


def measure(name):
    """{what: number} of a workload."""
    row, data = ROWS[name], digits if name == "vae" else DATA[name]
    jax.config.update("jax_enable_x64", row.dtype == "float64")
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, *_, **__: compiled.append(event) if event.endswith("backend_compile_duration") else None)
    model, guide = models(numpyro, dist, np, jax.lax.scan)[name]
    svi = SVI(model, guide or AutoNormal(model), numpyro.optim.Adam(row.rate), Trace_ELBO())

    def run(seed):
        given = data(seed)
        began = time.perf_counter()
        result = svi.run(jax.random.key(seed), row.steps, progress_bar=False, **given)
        result.losses.block_until_ready()
        return time.perf_counter() - began, result

    @jax.jit
    def loop(state, given):
        return jax.lax.scan(lambda s, _: svi.update(s, **given), state, None, length=row.steps)

    first, result = run(0)
    before = len(compiled)
    again, _ = run(1)
    more, given = len(compiled) - before, jax.tree.map(np.asarray, data(0))
    loop(result.state, given)[1].block_until_ready()
    step = least(lambda: loop(result.state, given)[1].block_until_ready()) / row.steps
    return {"first": first, "again": again, "compiled": more, "step": 1e6 * step,
            "reached": reached(result.losses, row.target), "loss": float(onp.mean(result.losses[-500:]))}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
