"""Chainrule beside NumPyro, BlackJAX, PyMC, nutpie and Stan on the same models and data.

    python benchmarks/peers.py --peers PYTHON [--rows NAME ...] [--by NAME ...] [--transitions 1000] [--seeds 1]
                               [--markdown]

PYTHON is an interpreter that has some of numpyro, blackjax, pymc, nutpie and stan (PyStan). 4 chains of so many
transitions of warm-up and as many draws, float64. "cold" is the time from the start of a process to the draws of a
first run, no cache on disk; "warm" the same of another process that finds what the first one left there (compiled
programs, of JAX too, whose cache is switched on for this); "again" a second run in the first process on other data of
the same shapes. "µs/grad" is of "again", all cores together; "bare" the log-density with its gradient alone in a
compiled loop. The effective sample size, for all, is `diagnostics.ess_bulk`, least over all numbers of all sites. With
--seeds there are so many runs again, and the columns from "again" on hold their medians.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = {"cold s": ".2f", "warm s": ".2f", "again s": ".3f", "compiled": "d", "gradients": ",d", "µs/grad": ".2f",
           "bare": ".2f", "min ESS/s": ",.0f", "ESS/1k grad": ".1f", "peak MB": ".0f"}


class System(NamedTuple):
    """A script that fits a row by this system."""
    script: str
    method: str
    package: str
    more: tuple = ()


SYSTEMS = {
    "NumPyro, vectorized": System("numpyro_chains.py", "vectorized", "numpyro", ("64",)),
    "NumPyro, parallel": System("numpyro_chains.py", "parallel", "numpyro", ("64",)),
    "BlackJAX": System("numpyro_chains.py", "blackjax", "blackjax", ("64",)),
    "PyMC": System("pymc_chains.py", "pymc", "pymc"),
    "nutpie": System("pymc_chains.py", "nutpie", "nutpie"),
    "Stan": System("stan_chains.py", "stan", "stan"),
}
ROWS = ("eight_schools_nc", "eight_schools_c", "radon_nc", "logit_1k", "logit_10k", "arK", "garch", "gp_regr", "funnel",
        "irt_500")


# ---- ours ----

def ours(name, transitions, file):
    """Our part of a row, in a process of its own, as the peers' scripts do it."""
    from clock import peak, repeats
    from fit import bare_gradient
    from workloads import WORKLOADS

    from chainrule.engine import random, stats
    from chainrule.inference import MCMC, NUTS

    model, data = WORKLOADS[name].model, WORKLOADS[name].data
    mcmc = MCMC(NUTS(model), num_warmup=transitions, num_samples=transitions, num_chains=4, warn=False,
                progress_bar=False)

    def run(seed):
        mcmc.run(random.key(seed), **data(seed))
        return mcmc.get_samples(group_by_chain=True), lambda: mcmc.gradients

    run(0)
    out = {"first": time.time() - float(os.environ["BEGAN"]), "MB": peak()}
    if file != "first":
        before = stats().compilations
        out |= repeats(run, file)[0]
        out |= {"compiled": stats().compilations - before, "bare": bare_gradient(model, data(0))}
    print(json.dumps(out))


# ---- rows ----

def packages(python):
    """Those that an interpreter has."""
    code = ("import json, sys; from importlib.util import find_spec; "
            "print(json.dumps([each for each in sys.argv[1:] if find_spec(each)]))")
    names = sorted({system.package for system in SYSTEMS.values()})
    return json.loads(subprocess.run([python, "-c", code, *names], capture_output=True, text=True, check=True).stdout)


def least_ess(file):
    """Of each run whose draws are in an npz: the least of all numbers of all sites."""
    import numpy as onp

    from chainrule.inference import diagnostics

    least = {}
    with onp.load(file) as found:
        for name in found:
            seed = int(name.split()[0])
            ess = float(onp.min(onp.asarray(diagnostics.ess_bulk(found[name]))))
            least[seed] = min(ess, least.get(seed, ess))
    return [least[seed] for seed in sorted(least)]


def caches(folder):
    """The environment in which every system keeps its compiled programs in a folder."""
    of = {"CHAINRULE_CACHE_DIR": "chainrule", "JAX_COMPILATION_CACHE_DIR": "jax", "NUMBA_CACHE_DIR": "numba",
          "XDG_CACHE_HOME": "stan"}
    return {**os.environ, **{k: str(folder / v) for k, v in of.items()},
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "PYTENSOR_FLAGS": f"base_compiledir={folder / 'pytensor'}"}


def process(words, folder, file, timeout, seeds):
    """What a script printed, or, as text, why it printed nothing."""
    try:
        done = subprocess.run([*map(str, words), str(file)], capture_output=True, text=True, timeout=timeout,
                              env={**caches(folder), "BEGAN": str(time.time()), "SEEDS": str(seeds)})
    except subprocess.TimeoutExpired:
        return f"not done in {timeout:.0f} s"
    if done.returncode:
        return (done.stderr.strip() or "no word").splitlines()[-1][:100]
    return json.loads(done.stdout.splitlines()[-1])


def row(words, timeout, seeds):
    """The numbers under COLUMNS of a script, or why there are none."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        file = folder / "draws.npz"
        cold = process(words, folder, file, timeout, seeds)
        if isinstance(cold, str): return cold
        warm, ess = process(words, folder, "first", timeout, seeds), least_ess(file)
    seconds, gradients = cold["again"], cold["gradients"]
    a_second = statistics.median(n / s for n, (s, _) in zip(ess, cold["each"]))
    a_gradient = statistics.median(n / g for n, (_, g) in zip(ess, cold["each"]))
    return [cold["first"], None if isinstance(warm, str) else warm["first"], seconds, cold["compiled"], gradients,
            1e6 * seconds / gradients, cold.get("bare"), a_second, 1e3 * a_gradient, cold["MB"]]


def rows(name, python, there, transitions, timeout, seeds):
    """Yields (system, numbers or a word) of a workload.   there : the names of peers that the interpreter has"""
    yield "chainrule", row([sys.executable, __file__, "--ours", name, transitions], timeout, seeds)
    for system in there:
        script, method, _, more = SYSTEMS[system]
        yield system, row([python, HERE / script, name, 4, transitions, method, *more], timeout, seeds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="an interpreter that has them")
    parser.add_argument("--rows", nargs="*", default=ROWS)
    parser.add_argument("--by", nargs="*", choices=SYSTEMS, help="these systems alone")
    parser.add_argument("--transitions", type=int, help="for all rows; else 1,000, or what workloads.TRANSITIONS says")
    parser.add_argument("--seeds", type=int, default=1, help="runs again, on other data and with other keys")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds of a process")
    parser.add_argument("--markdown", action="store_true", help="a row as soon as it is there, for a report")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write the rows too")
    parser.add_argument("--ours", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ours:
        name, transitions, file = options.ours
        return ours(name, int(transitions), file)

    from clock import keep_bytecode
    from run import table
    from workloads import TRANSITIONS
    keep_bytecode()
    if options.markdown:
        print("| model | by |", " | ".join(COLUMNS), "|\n|---|---|" + "---|" * len(COLUMNS), flush=True)
    installed = packages(options.peers) if options.peers else ()
    there = [name for name in options.by or SYSTEMS if SYSTEMS[name].package in installed]
    found = {}
    for name in options.rows:
        transitions = options.transitions or TRANSITIONS.get(name, 1000)
        for system, numbers in rows(name, options.peers, there, transitions, options.timeout, options.seeds):
            found[f"{name}, {system}"] = numbers
            if options.markdown:
                cells = [numbers] + [""] * (len(COLUMNS) - 1) if isinstance(numbers, str) else [
                    "-" if x is None else format(x, spec) for x, spec in zip(numbers, COLUMNS.values())]
                print(f"| {name} | {system} |", " | ".join(cells), "|", flush=True)
    if not options.markdown:
        whole = {k: v for k, v in found.items() if not isinstance(v, str)}
        table("NUTS, 4 chains, beside peers; µs a gradient of the second run", COLUMNS, whole)
        for k, v in found.items():
            if isinstance(v, str): print(f"{k}: {v}")
    if options.json: options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
