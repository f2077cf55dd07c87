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

import numpy as onp  # noqa: E402
from clock import bare, peak  # noqa: E402
from workloads import TRANSITIONS, WORKLOADS  # noqa: E402

from chainrule.engine import fori_loop, jit, random, staged, stats, value_and_grad  # noqa: E402
from chainrule.engine import numpy as np  # noqa: E402
from chainrule.engine.interpreters import evaluate  # noqa: E402
from chainrule.inference import MCMC, NUTS, diagnostics  # noqa: E402
from chainrule.ppl.model import site_count, stage_model, unravel  # noqa: E402

CHAINS = 4


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


def run(model, data, seed, draws, chains=CHAINS, method="parallel", warmup=1000):
    """(the MCMC after its run, the counters' differences)"""
    before = stats()
    mcmc = MCMC(NUTS(model), num_warmup=warmup, num_samples=draws, num_chains=chains, chain_method=method,
                progress_bar=False)
    mcmc.run(random.key(seed), **data)
    return mcmc, {k: b - a for k, a, b in zip(before._fields, before, stats())}


def slowest_ess(mcmc):
    """The smallest bulk effective sample size of all the numbers drawn or computed."""
    return min(float(onp.min(diagnostics.ess_bulk(onp.asarray(x)))) for x in mcmc.get_samples(True).values())


def alone(model, data, n):
    """Microseconds a gradient of one chain: of a run of n + n transitions, and of 10,000 transitions more.

    A workload whose first run takes over two seconds has fewer runs, of as many transitions more as ten seconds hold.
    """
    go = lambda seed, draws: run(model, data, seed, draws, 1, "sequential", n)[0]
    short = [go(0, n)]
    seconds = short[0].seconds
    quick, more = seconds < 2, int(onp.clip(2 * n * 10 / seconds, n / 2, 10_000))
    short += [go(seed, n) for seed in range(1, 5 if quick else 2)]
    long = [go(seed, n + more) for seed in range(3 if quick else 1)]
    base = min(short, key=lambda each: each.seconds / each.gradients)
    loop = min((each.seconds - base.seconds) / (each.gradients - base.gradients) for each in long)
    return float(onp.median([1e6 * each.seconds / each.gradients for each in short])), 1e6 * loop


def bare_gradient(model, data, seconds=0.3):
    """Microseconds of one log-density with its gradient, alone in a compiled loop whose point moves a little."""
    program, values = stage_model(model, (), data)
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
    return bare(lambda n: float(loop(onp.asarray(n), z, *values)[1]), seconds)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=WORKLOADS)
    parser.add_argument("started", type=float)
    parser.add_argument("--draws", type=int, help="as many as the warm-up has, unless said")
    parser.add_argument("--more", action="store_true")
    options = parser.parse_args()
    workload, calls = WORKLOADS[options.name], []
    warmup = TRANSITIONS.get(options.name, 1000)
    draws = options.draws or warmup

    def model(*args, **kwargs):
        calls.append(1)
        return workload.model(*args, **kwargs)

    watches = {"trace": Stopwatch(staged, "stage"), "passes": Stopwatch(evaluate, "optimize"),
               "lower": Stopwatch(evaluate, "lower"), "compile": Stopwatch(evaluate.xla, "compile")}
    mcmc, counts = run(model, workload.data(0), 0, draws, warmup=warmup)
    out = {"total": time.monotonic() - options.started, "python": BEGAN - options.started, "import": IMPORTED - BEGAN,
           "run": mcmc.seconds, **{name: watch.seconds for name, watch in watches.items()}, "model calls": len(calls),
           **counts}
    out["peak MB"] = peak()
    if options.more:
        again, counts = run(model, workload.data(1), 1, draws, warmup=warmup)
        out["again"] = {"seconds": again.seconds, "gradients": again.gradients, "model calls": len(calls) - 1, **counts}
        out["ess"] = slowest_ess(again)
        out["divergences"] = int(onp.asarray(again.get_extra_fields()["diverging"]).sum())
        out["alone"], out["loop"] = alone(model, workload.data(0), warmup)
        out["bare"] = bare_gradient(model, workload.data(0))
    print(json.dumps(out))


if __name__ == "__main__":
    main()
