"""One process of the benchmark: fits one workload and prints what it measured as one line of JSON.

    python benchmarks/fit.py NAME STARTED [--draws N] [--more]

STARTED is time.monotonic() of the process that started this one, so that the times hold the start of Python and the
imports. --more measures in the same process a second run on new data, one chain alone, and the bare gradient.
"""
import time

BEGAN = time.monotonic()
import chainrule  # noqa: E402, F401, I001

IMPORTED = time.monotonic()
import argparse  # noqa: E402
import json  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402

import numpy as onp  # noqa: E402
from workloads import WORKLOADS  # noqa: E402

from chainrule.engine import fori_loop, jit, random, staged, stats, value_and_grad  # noqa: E402
from chainrule.engine import numpy as np  # noqa: E402
from chainrule.engine.interpreters import evaluate  # noqa: E402
from chainrule.inference import MCMC, NUTS, diagnostics  # noqa: E402
from chainrule.ppl.model import site_count, stage_model, unravel  # noqa: E402

CHAINS, WARMUP = 4, 1000


class Stopwatch:
    """Adds up the time spent in a function of the engine: Stopwatch(module, "name") takes its place."""

    def __init__(self, module, name):
        self.inner, self.seconds, self.depth = getattr(module, name), 0.0, 0
        setattr(module, name, self)

    def __call__(self, *args, **kwargs):
        began, self.depth = time.perf_counter(), self.depth + 1
        try:
            return self.inner(*args, **kwargs)
        finally:
            self.depth -= 1
            if self.depth == 0: self.seconds += time.perf_counter() - began


def run(model, data, seed, draws, chains=CHAINS, method="parallel"):
    """(the MCMC after its run, the counters' differences)"""
    before = stats()
    mcmc = MCMC(NUTS(model), num_warmup=WARMUP, num_samples=draws, num_chains=chains, chain_method=method,
                progress_bar=False)
    args, kwargs = data
    mcmc.run(random.key(seed), *args, **kwargs)
    return mcmc, {k: b - a for k, a, b in zip(before._fields, before, stats())}


def slowest_ess(mcmc):
    """The smallest bulk effective sample size of all the numbers drawn or computed."""
    return min(float(onp.min(diagnostics.ess_bulk(onp.asarray(x)))) for x in mcmc.get_samples(True).values())


def alone(model, data):
    """Microseconds a gradient of one chain: of a run of 1,000 + 1,000 transitions, and of 10,000 transitions more.

    A workload whose first run takes over two seconds has fewer runs, of as many transitions more as ten seconds hold.
    """
    short = [run(model, data, 0, 1000, 1, "sequential")[0]]
    seconds = short[0].seconds
    quick, more = seconds < 2, int(onp.clip(2000 * 10 / seconds, 500, 10_000))
    short += [run(model, data, seed, 1000, 1, "sequential")[0] for seed in range(1, 5 if quick else 2)]
    long = [run(model, data, seed, 1000 + more, 1, "sequential")[0] for seed in range(3 if quick else 1)]
    base = min(short, key=lambda each: each.seconds / each.gradients)
    loop = min((each.seconds - base.seconds) / (each.gradients - base.gradients) for each in long)
    return float(onp.median([1e6 * each.seconds / each.gradients for each in short])), 1e6 * loop


def bare_gradient(model, data, seconds=0.3):
    """Microseconds of one log-density with its gradient, alone in a compiled loop whose point moves a little."""
    program, values = stage_model(model, *data)
    program.describe(values)

    def logdensity(z, *values):
        return program.log_joint(unravel(program.latents, z), list(values), unconstrained=True)

    @jit
    def loop(n, z, *values):
        def one(_, carry):
            z, total = carry
            value, slope = value_and_grad(logdensity)(z, *values)
            return z + 1e-9 * slope, total + value
        return fori_loop(0, n, one, (z, np.zeros(())))

    z = onp.random.default_rng(0).normal(size=site_count(program.latents)) * 0.1
    measured, n = [], 1000
    while len(measured) < 6:
        began = time.perf_counter()
        float(loop(onp.asarray(n), z, *values)[1])
        spent = time.perf_counter() - began
        if spent < seconds / 10: n *= 4
        else: measured.append(1e6 * spent / n)
    return min(measured)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=WORKLOADS)
    parser.add_argument("started", type=float)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--more", action="store_true")
    options = parser.parse_args()
    workload, calls = WORKLOADS[options.name], []

    def model(*args, **kwargs):
        calls.append(1)
        return workload.model(*args, **kwargs)

    watches = {"trace": Stopwatch(staged, "stage"), "passes": Stopwatch(evaluate, "optimize"),
               "lower": Stopwatch(evaluate, "lower"), "compile": Stopwatch(evaluate.xla, "compile")}
    mcmc, counts = run(model, workload.data(0), 0, options.draws)
    out = {"total": time.monotonic() - options.started, "python": BEGAN - options.started, "import": IMPORTED - BEGAN,
           "run": mcmc.seconds, **{name: watch.seconds for name, watch in watches.items()}, "model calls": len(calls),
           **counts}
    scale = 1 if sys.platform == "darwin" else 1024
    out["peak MB"] = scale * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    if options.more:
        again, counts = run(model, workload.data(1), 1, options.draws)
        out["again"] = {"seconds": again.seconds, "gradients": again.gradients, "model calls": len(calls) - 1, **counts}
        out["ess"] = slowest_ess(again)
        out["divergences"] = int(onp.asarray(again.get_extra_fields()["diverging"]).sum())
        out["alone"], out["loop"] = alone(model, workload.data(0))
        out["bare"] = bare_gradient(model, workload.data(0))
    print(json.dumps(out))


if __name__ == "__main__":
    main()
