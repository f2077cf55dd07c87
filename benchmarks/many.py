"""Many fits as one program, and many chains as one: what they cost, and whether chains wait for each other.

    python benchmarks/many.py [--fits 1000] [--chains 64 ...] [--workloads eight_schools_nc ...] [--transitions 1000]
                              [--peers PYTHON]

Prints one line of JSON: {"refit": {"fits, way": numbers}, "chains": {"workload, chains": numbers}}. A thousand fits are
mapped by vmap, all at once, and by pmap of lax.map, one after another on each of the host's cores. "issued" is the
number of gradients that the program evaluated for all chains at once, "largest" that of the chain that needed most:
their ratio is what the chains wait for each other, at the ends of chunks. A second run is on new data, and compiles
nothing. With an interpreter that has NumPyro, "loop" is the time of a second fit there, of one data set, as a Python
loop would make them, and "ratio" that over ours; "cached" the same with JAX's cache on disk, without which NumPyro
compiles each time.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import numpy as onp
from datasets import DATA
from fit import slowest_ess
from peers import caches
from posteriors import SHARED
from workloads import WORKLOADS

from chainrule.engine import devices, jit, lax, pmap, random, stats, tree, vmap
from chainrule.inference import MCMC, NUTS, diagnostics, driver, fit

REFIT = {"fits": ",d", "first s": ".2f", "again s": ".2f", "ms/fit": ".2f", "model calls": "d", "compiled": "d",
         "again compiled": "d", "gradients": ",d", "min ESS": ".0f", "median ESS": ".0f", "failed": "d",
         "loop ms": ",.0f", "ratio": ".0f", "cached ms": ",.0f", "ratio cached": ".0f"}
CHAINS = {"chains": ",d", "first s": ".2f", "again s": ".2f", "model calls": "d", "compiled": "d",
          "again compiled": "d", "issued": ",d", "largest": ",d", "issued/largest": ".3f",
          "min ESS": ",.0f", "ESS/s": ",.0f", "ESS/1k grad": ".1f"}


def counted(model):
    """The model, and the list that grows with its calls."""
    calls = []

    def model_with_calls(*args, **kwargs):
        calls.append(1)
        return model(*args, **kwargs)
    return model_with_calls, calls


def timed(run, *args):
    """(what it returned, seconds, compilations)"""
    before, began = stats().compilations, time.perf_counter()
    out = run(*args)
    return out, time.perf_counter() - began, stats().compilations - before


def numpyro(python, transitions):
    """Milliseconds of a second fit of one chain, without and with JAX's cache on disk."""
    words = [python, pathlib.Path(__file__).with_name("numpyro_chains.py"), "refit_1000", "1", str(transitions),
             "vectorized", "64"]
    with tempfile.TemporaryDirectory() as cache:
        return [1e3 * json.loads(subprocess.run(words, env=env, capture_output=True, text=True, check=True)
                                 .stdout.splitlines()[-1])["again"] for env in (None, caches(pathlib.Path(cache)))]


def ways(one, fits):
    """{name: a function of the keys and the data of all fits} of the ways to map a fit in one program."""
    cores = max(n for n in range(1, 1 + len(devices("cpu"))) if fits % n == 0)
    spread = pmap(lambda *shares: lax.map(lambda each: one(*each), shares), devices=devices("cpu")[:cores])

    def in_turn(*data):
        done = spread(*[x.reshape(cores, fits // cores, *x.shape[1:]) for x in data])
        return tree.map(lambda x: x.reshape(fits, *x.shape[2:]), done)
    return {"vmap": jit(vmap(one)), "pmap of map": in_turn}


def refit(fits, transitions, python):
    """`fits` logistic regressions of 200 rows and 5 columns, one chain each: {way: numbers}."""
    model, calls = counted(SHARED["refit_1000"])
    options = dict(num_warmup=transitions, num_samples=transitions)
    loop, cached = numpyro(python, transitions) if python else (None, None)

    def one(key, x, y):
        done = fit(NUTS(model), key, x, y, **options)
        return done.samples["beta"], done.gradients, done.failed

    def data(seed):
        made = [DATA["refit_1000"](seed * fits + i) for i in range(fits)]
        return random.split(random.key(seed), fits), *(onp.stack([each[name] for each in made]) for name in ("x", "y"))

    def run(many, *data):
        return [onp.asarray(x) for x in many(*data)]

    out = {}
    for way, many in ways(one, fits).items():
        calls.clear()
        _, first, compiled = timed(run, many, *data(0))
        (beta, gradients, failed), again, recompiled = timed(run, many, *data(1))
        ess = [float(onp.min(diagnostics.ess_bulk(each))) for each in beta]
        mine = 1e3 * again / fits
        out[f"refit_{fits}, {way}"] = [
            fits, first, again, mine, len(calls), compiled, recompiled, int(gradients.sum()), min(ess),
            float(onp.median(ess)), int(failed.sum()), loop, loop and loop / mine, cached, cached and cached / mine]
    return out


class Issued:
    """Counts the gradients of a vectorised group, of which driver.Group.advance returns those of one chunk."""

    def __init__(self):
        self.inner, self.total, self.largest = driver.Group.advance, 0, 0
        driver.Group.advance = lambda group, budget: self.advance(group, budget)

    def advance(self, group, budget):
        gradients = self.inner(group, budget)
        self.total, self.largest = self.total + gradients, int(group.gradients.max())
        return gradients


def chains(name, number, transitions, issued):
    """One workload with so many chains as one program."""
    model, calls = counted(WORKLOADS[name].model)

    def run(seed):
        mcmc = MCMC(NUTS(model), num_warmup=transitions, num_samples=transitions, num_chains=number,
                    chain_method="vectorized", progress_bar=False)
        mcmc.run(random.key(seed), **WORKLOADS[name].data(seed))
        return mcmc

    _, first, compiled = timed(run, 0)
    issued.total = 0
    mcmc, again, recompiled = timed(run, 1)
    ess = slowest_ess(mcmc)
    return [number, first, again, len(calls), compiled, recompiled, issued.total, issued.largest,
            issued.total / issued.largest, ess, ess / again, 1e3 * ess / mcmc.gradients]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fits", type=int, default=1000)
    parser.add_argument("--chains", type=int, nargs="*", default=[64])
    parser.add_argument("--workloads", nargs="+", default=["eight_schools_nc"], choices=WORKLOADS)
    parser.add_argument("--transitions", type=int, default=1000)
    parser.add_argument("--peers", metavar="PYTHON")
    options = parser.parse_args()
    out, issued = {"refit": {}, "chains": {}}, Issued()
    if options.fits: out["refit"] = refit(options.fits, options.transitions, options.peers)
    for name in options.workloads:
        for number in options.chains:
            out["chains"][f"{name}, {number}"] = chains(name, number, options.transitions, issued)
    print(json.dumps(out))


if __name__ == "__main__":
    main()
