"""Chainrule beside NumPyro and BlackJAX on the same models and data: seconds, gradients, effective draws.

    python benchmarks/peers.py --peers PYTHON [--rows NAME ...] [--transitions 1000] [--repeats 1]

PYTHON is an interpreter with numpyro, and blackjax if it is to be there. 4 chains of so many transitions of warm-up and
as many draws, float64, each run in a process of its own: "cold" from its start to the draws of a first run (of ours
with an empty cache), "again" a second run on other data of the same shapes; the least of the repeats. The effective
sample size, for all, is `diagnostics.ess_bulk`, least over every number of every site that both have.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROWS = ("eight_schools_nc", "eight_schools_c", "radon_nc", "logit_1k", "funnel", "irt_500")
METHODS = ("vectorized", "parallel", "blackjax")


def ours(name, transitions, method, file):
    """Our part of a row, in a process of its own."""
    import numpy as onp
    from workloads import WORKLOADS

    from chainrule.engine import random, stats
    from chainrule.inference import MCMC, NUTS

    mcmc = MCMC(NUTS(WORKLOADS[name].model), num_warmup=transitions, num_samples=transitions, num_chains=4, warn=False,
                progress_bar=False, chain_method=method)
    for seed in (0, 1):
        args, kwargs = WORKLOADS[name].data(seed)
        began, before = time.time(), stats().compilations
        mcmc.run(random.key(seed), *args, **kwargs)
        found = mcmc.get_samples(group_by_chain=True)
        if seed == 0:
            first = time.time() - float(os.environ["BEGAN"])
    again, compiled = time.time() - began, stats().compilations - before
    onp.savez(file, **{k: onp.asarray(v) for k, v in found.items()})
    print(json.dumps({"first": first, "again": again, "compiled": compiled, "gradients": mcmc.gradients}))


def least_ess(file):
    """Of the draws in an npz."""
    import numpy as onp

    from chainrule.inference import diagnostics

    with onp.load(file) as found:
        return min(float(onp.min(onp.asarray(diagnostics.ess_bulk(found[k])))) for k in found)


def process(words, repeats, timeout):
    """The numbers of a process that prints JSON and writes draws: the least times of several."""
    out = None
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "draws.npz"
            env = {**os.environ, "BEGAN": str(time.time()), "CHAINRULE_CACHE_DIR": str(pathlib.Path(folder) / "cache")}
            try:
                done = subprocess.run([*map(str, words), str(file)], capture_output=True, text=True, timeout=timeout,
                                      env=env)
            except subprocess.TimeoutExpired:
                return f"not done in {timeout} s"
            if done.returncode:
                return done.stderr.strip().splitlines()[-1][:100]
            r = json.loads(done.stdout.splitlines()[-1])
            r["ess"] = least_ess(file)
        if out is not None:
            r = {**r, "first": min(r["first"], out["first"]), "again": min(r["again"], out["again"])}
        out = r
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", help="an interpreter that has numpyro")
    parser.add_argument("--rows", nargs="*", default=ROWS)
    parser.add_argument("--transitions", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=180.0)
    parser.add_argument("--ours", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ours:
        name, method, file = options.ours
        return ours(name, options.transitions, method, file)
    print("| model | by | cold s | again s | compiled again | gradients | µs a gradient | min ESS/s | ESS/1,000 "
          "gradients |\n"
          "|---|---|---|---|---|---|---|---|---|")
    for name in options.rows:
        rows = [("chainrule, parallel", [sys.executable, __file__, "--transitions", options.transitions, "--ours", name,
                                         "parallel"])]
        if options.peers:
            file = HERE / "numpyro_chains.py"
            rows += [(f"NumPyro, {m}" if m != "blackjax" else "BlackJAX", [options.peers, file, name, 4,
                                                                          options.transitions, m, 64]) for m in METHODS]
        for by, words in rows:
            r = process(words, options.repeats, options.timeout)
            if isinstance(r, str):
                print(f"| {name} | {by} | {r} | | | | | | |", flush=True)
                continue
            print(f"| {name} | {by} | {r['first']:.2f} | {r['again']:.3f} | {r['compiled']} | {r['gradients']:,} | "
                  f"{1e6 * r['again'] / r['gradients']:.2f} | {r['ess'] / r['again']:,.0f} | "
                  f"{1e3 * r['ess'] / r['gradients']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
