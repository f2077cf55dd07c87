"""On a machine with an NVIDIA GPU: the engine's laws, the samplers' targets and benchmarks there, and a report.

    python tools/gpu_check.py [--stage laws|samplers|bench|all] [--limit SECONDS] [--report FILE] [--device gpu]

Elsewhere it says that there is none. Rows are printed, and written to the report, when they are measured, so that what
was measured is kept when it is cut off; `--limit` is for each stage. `--peers` runs NumPyro too, in a process of its
own, where it is installed. `--device cpu` tries the program without a GPU.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "benchmarks")]

import numpy as onp  # noqa: E402

import chainrule.engine.numpy as np  # noqa: E402
from chainrule.engine import config, device_put, devices, jit, memory_stats, random, stats, tree, vjp, vmap  # noqa: E402
from chainrule.engine.avals import default_float  # noqa: E402
from chainrule.inference import MCMC, NUTS, diagnostics  # noqa: E402
from tests.engine.laws import all_cases, close, differentiable, direction, of_floats  # noqa: E402

CHAINS = (64, 256, 1024, 4096, 16384)
BENCH = ("eight_schools_nc", "logit_1k", "irt_500")
UP_TO_SIGN = ("eigh", "svd-vectors", "svd-full", "eig-vectors")     # vectors of which each has two signs
FACTOR = 8                         # how many times a row's tolerance: the device's functions are others than the CPU's


class Report:
    """Lines that are printed and written as they come."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8") if path else None

    def __call__(self, line=""):
        print(line, flush=True)
        if self.file:
            self.file.write(line + "\n")
            self.file.flush()


class Clock:
    """The time that a stage has."""

    def __init__(self, limit):
        self.began, self.limit = time.perf_counter(), limit

    @property
    def left(self):
        return self.limit - (time.perf_counter() - self.began)


# ---- laws ----

def laws_of(case, dtype, device):
    """Raises AssertionError where the device's value, gradient or lanes of a row are not the host's."""
    ulps, args = FACTOR * case.ulps * onp.finfo(dtype).eps, case.arguments(dtype)
    f, xs = of_floats(case, dtype)

    def gradient(*xs):
        out, pull = vjp(lambda *xs: [y * y for y in f(*xs)] if case.id in UP_TO_SIGN else f(*xs), *xs)
        return pull([np.asarray(direction(i, onp.empty(o.shape)).astype(dtype)) for i, o in enumerate(out)])

    def known(x):
        return tree.map(abs, x) if case.id in UP_TO_SIGN else x

    def check(f, xs, tolerance, what):
        close(known(jit(f)(*device_put(xs, device))), known(f(*xs)), tolerance, what)

    check(case.fn, [np.asarray(a) for a in args], ulps, "value")
    if differentiable(case) and case.reverse:
        check(gradient, [np.asarray(x) for x in xs], 8 * ulps, "gradient")
    if case.batch:
        lanes = [np.asarray(case.lanes(k, dtype)) for k in range(len(args))]
        check(vmap(case.fn), lanes, ulps, "lanes")


def laws(device, report, limit, only):
    """Every row of the tables of tests/engine, its gradient and its lanes, against evaluation on the host."""
    clock, failed, done, skipped = Clock(limit), [], 0, 0
    every = [(case, dtype) for dtype in ("float64", "float32") for case in all_cases()
             if dtype in case.dtypes and (not only or any(o in case.id for o in only))]

    def one(row):
        case, dtype = row
        if clock.left < 0:
            return "skipped", row, ""
        try:
            with config(default_float=dtype):
                laws_of(case, dtype, device)
            return "passed", row, ""
        except Exception as error:
            line = next((s for s in traceback.format_exception_only(error) if s.strip()), "").splitlines()
            detail = " ".join([s.strip() for s in str(error).splitlines() if s.strip()])[:260]
            return "failed", row, f"{line[0] if line else ''} | {detail}"

    with ThreadPoolExecutor(16) as pool:
        for what, (case, dtype), why in pool.map(one, every):
            done, skipped = done + (what == "passed"), skipped + (what == "skipped")
            if what == "failed":
                failed.append((case.id, dtype))
                report(f"- FAILED {case.id} {dtype}: {why}")
    report(f"\nLaws: {done} rows passed, {len(failed)} failed, {skipped} not reached in {limit} s "
           f"({clock.limit - clock.left:.0f} s; a row is a primitive's value, gradient and lanes in one dtype).\n")
    return not failed


# ---- samplers ----

def samplers(device, report, limit, only):
    """NUTS on the targets of the tests: means within five standard errors of what they are."""
    from tests.inference import targets

    clock, good = Clock(limit), True
    report("| target | chains | draws | largest z of a mean | divergences | s |\n|---|---|---|---|---|---|")
    models = [t for t in vars(targets).values() if isinstance(t, targets.ModelTarget)]
    for target in [t for t in models if not only or t.name in only]:
        if clock.left < 10:
            break
        began = time.perf_counter()
        mcmc = MCMC(NUTS(target.model), num_warmup=500, num_samples=250, num_chains=128, device=device, warn=False,
                    progress_bar=False)
        mcmc.run(random.key(1), *target.args)
        found, worst = mcmc.get_samples(group_by_chain=True), 0.0
        rows = [(name, found[name], mean, error) for name, (mean, _, error, _) in target.moments.items()]
        rows += [(name, np.asarray(onp.asarray(f(onp.asarray(found[name]))).astype(float)), mean, 0.0)
                 for name, (f, mean) in target.functions.items()]
        for _, draws, mean, error in rows:
            draws = onp.asarray(draws, float)
            of_chains = draws.mean(1)                    # chains are independent: their means say how sure one is
            se = of_chains.std(0, ddof=1) / len(of_chains) ** 0.5
            worst = max(worst, float(onp.max(abs(of_chains.mean(0) - mean) / onp.sqrt(se ** 2 + error ** 2))))
        divergences = int(onp.sum(mcmc.get_extra_fields()["diverging"]))
        good &= worst < 5
        report(f"| {target.name} | 128 | 250 | {worst:.2f} | {divergences} | {time.perf_counter() - began:.1f} |")
    return good


# ---- benchmarks ----

def timed(name, chains, device, dtype, transitions, graphs):
    """One row: a first run and a second one on other data."""
    from workloads import WORKLOADS

    with config(default_float=dtype, cuda_graphs=graphs):
        workload, kinds = WORKLOADS[name], lambda x: onp.asarray(x, dtype) if onp.asarray(x).dtype.kind == "f" else x
        mcmc = MCMC(NUTS(workload.model), num_warmup=transitions, num_samples=transitions, num_chains=chains,
                    warn=False, progress_bar=False, device=device, chain_method="vectorized")
        seconds = []
        for seed in (0, 1):
            data = {name: kinds(x) for name, x in workload.data(seed).items()}
            before, began = stats().compilations, time.perf_counter()
            mcmc.run(random.key(seed), **data)
            seconds.append(time.perf_counter() - began)
            compiled = stats().compilations - before
        found, least = mcmc.get_samples(group_by_chain=True), float("inf")
        for value in found.values():
            draws = onp.asarray(value, float).reshape(*value.shape[:2], -1)[:, :, :3]
            for k in range(draws.shape[-1]):
                least = min(least, float(diagnostics.ess_bulk(draws[:, :, k])))
        return {"first": seconds[0], "again": seconds[1], "compiled": compiled, "gradients": mcmc.gradients,
                "ess": least}


def bench(device, report, limit, only, peers):
    """Gradients and effective draws a second, by chains."""
    clock = Clock(limit)
    report("| model | bits | chains | where | first s | again s | compiled again | gradients | M grad/s | min ESS/s |\n"
           "|---|---|---|---|---|---|---|---|---|---|")

    def row(name, bits, chains, where, r):
        compiled = "-" if r["compiled"] is None else r["compiled"]
        report(f"| {name} | {bits} | {chains:,} | {where} | {r['first']:.2f} | {r['again']:.3f} | {compiled} | "
               f"{r['gradients']:,} | {r['gradients'] / r['again'] / 1e6:.3f} | {r['ess'] / r['again']:,.0f} |")

    plan = [("eight_schools_nc", "float32", 1024), ("logit_1k", "float32", 1024)]
    plan += [(n, d, c) for d, c in (("float32", 16384), ("float64", 1024), ("float32", 64)) for n in BENCH[:2]]
    plan += [(n, d, c) for d in ("float32", "float64") for c in CHAINS for n in BENCH]
    seen = set()                                         # the first row is run without graphs of loops too
    for name, dtype, chains in plan:
        transitions = 50 if name == "irt_500" else 200
        if (name, dtype, chains) in seen or (only and name not in only) or clock.left < 15:
            continue
        seen.add((name, dtype, chains))
        for graphs in (True, False) if len(seen) == 1 else (True,):
            try:
                r = timed(name, chains, device, dtype, transitions, graphs)
                row(name, dtype[5:], chains, f"{device!r}{', no graphs of loops' * (not graphs)}", r)
            except Exception as error:
                report(f"- {name} {dtype} {chains} graphs={graphs}: {type(error).__name__}: {str(error)[:300]}")
        if peers and clock.left > 30 and (dtype, chains) == ("float32", 1024) and name != "irt_500":
            peer(name, chains, transitions, row, report, clock.left)
    report(f"\nMemory: {json.dumps({k: v for k, v in memory_stats(device).items() if 'bytes' in k})}\n")
    return True


def peer(name, chains, transitions, row, report, left):
    """The same in NumPyro, in a process of its own."""
    file = ROOT / "benchmarks" / "numpyro_chains.py"
    try:
        words = [name, str(chains), str(transitions), "vectorized", "32"]
        done = subprocess.run([sys.executable, str(file), *words], capture_output=True, text=True,
                              timeout=min(left, 60))
        row(name, 32, chains, "NumPyro", json.loads(done.stdout.splitlines()[-1]))
    except Exception as error:
        report(f"- NumPyro {name} {chains}: {type(error).__name__}: {str(error)[:200]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stage", choices=["laws", "samplers", "bench", "all"], default="all")
    parser.add_argument("--limit", type=float, default=300.0)
    parser.add_argument("--report")
    parser.add_argument("--device", default="gpu")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    try:
        device = devices(options.device)[0]
    except RuntimeError as error:
        print(f"gpu-check: {error}")
        return 0
    report, good = Report(options.report), True
    report(f"# {options.stage}: {device!r}, default dtype {default_float()}\n")
    for stage, run in (("laws", laws), ("samplers", samplers)):
        if options.stage in (stage, "all"):
            good &= run(device, report, options.limit, options.only)
    if options.stage in ("bench", "all"):
        good &= bench(device, report, options.limit, options.only, options.peers)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
