"""What the library costs: imports, first fits, further fits, gradients, fits by SVI, and the parts of the engine.

Where JAX is installed, the engine's parts are measured on it too, in a process of its own (jax_engine.py).

    python benchmarks/run.py [--only NAME ...] [--rows NAME ...] [--quick] [--peers PYTHON] [--json FILE]
    make bench ARGS='--quick'

Every number comes from a process of its own (fit.py, engine.py, gradients.py), so that nothing is warm that should be
cold; the median is printed where one is repeated. A cold process finds an empty cache directory, a warm one the
directory that another process filled. No test reads these numbers: they depend on the machine and on what else it does.

The columns of the second table: µs/grad is the time of the whole second run over its gradients, all cores together;
"one chain" the same of a chain alone; "its loop" a chain's gradients without what a run does once; "bare" the
log-density and its gradient alone in a compiled loop; "goal" 1.2 times that and 0.3 µs, which the loop is to keep to.
The loop's and the bare one's are the least of several, since other work on the machine only adds; its load is printed
at the end. With --peers, an interpreter that has some of them, other systems follow on the same models (peers.py).
"""
import argparse
import importlib.util
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata

import many as headings
import peers
import svi_rows as fits_by_svi
from clock import keep_bytecode
from workloads import WORKLOADS

HERE = pathlib.Path(__file__).resolve().parent
IMPORT = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"


def process(*arguments, **environment):
    """What a Python process prints on its last line."""
    done = subprocess.run([sys.executable, *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, **environment})
    if done.returncode: raise SystemExit(f"{' '.join(map(str, arguments))} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def table(title, columns, rows):
    """Print aligned rows.   columns : {heading: format}          rows : {name: numbers, None where there is none}"""
    cells = [["", *columns]]
    for name, numbers in rows.items():
        cells.append([name, *["-" if x is None else format(x, spec) for x, spec in zip(numbers, columns.values())]])
    widths = [max(map(len, column)) for column in zip(*cells)]
    print(f"\n{title}")
    for row in cells:
        print("  ".join([row[0].ljust(widths[0]), *[cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]]))


# ---- imports ----

def imports(repeats):
    """{what: seconds}: medians over fresh processes."""
    out = {}
    for module in ("numpy", "chainrule"):
        process("-c", IMPORT.format(module))             # writes the bytecode
        out[f"import {module}"] = statistics.median(process("-c", IMPORT.format(module)) for _ in range(repeats))
        with tempfile.TemporaryDirectory() as empty:
            cold = [process("-B", "-c", IMPORT.format(module), PYTHONPYCACHEPREFIX=empty) for _ in range(repeats)]
        out[f"import {module}, no bytecode on disk"] = statistics.median(cold)
    table("Imports, in fresh processes", {"s": ".3f"}, {name: [seconds] for name, seconds in out.items()})
    return out


# ---- fits ----

def fit(name, cache, *options):
    """What one process of fit.py measured."""
    return process(HERE / "fit.py", name, time.monotonic(), *options, CHAINRULE_CACHE_DIR=str(cache))


def fits(name, repeats):
    """One workload: {"cold first", "cold", "warm first", "warm": medians of the processes' numbers, "more": …}."""
    seen = {"cold first": [], "cold": [], "warm first": [], "warm": []}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as empty:
            seen["cold first"].append(fit(name, empty, "--draws", 1))
        with tempfile.TemporaryDirectory() as cache:
            seen["cold"].append(fit(name, cache))
            seen["warm first"].append(fit(name, cache, "--draws", 1))
            seen["warm"].append(fit(name, cache))
            more = fit(name, cache, "--more")
    return {**{kind: {key: statistics.median(each[key] for each in results) for key in results[0]}
               for kind, results in seen.items()}, "more": more}


FIRST = {"compiled": "d", "model calls": "d", "first draw": ".2f", "all draws": ".2f", "warm: first": ".2f",
         "warm: all": ".2f", "import": ".2f",
         "trace ms": ".1f", "passes ms": ".1f", "lower ms": ".1f", "compile s": ".2f", "rest of run s": ".2f",
         "peak MB": ".0f", "warm: MB": ".0f"}
AFTER = {"again s": ".3f", "compiled": "d", "traced": "d", "model calls": "d", "gradients": ",d", "µs/grad": ".2f",
         "one chain": ".2f", "its loop": ".2f", "goal": ".2f", "bare": ".2f", "min ESS": ".0f", "ESS/s": ",.0f",
         "ESS/1k grad": ".1f", "diverged": "d"}


def first_row(result):
    """The numbers under FIRST."""
    cold, warm = result["cold"], result["warm"]
    rest = cold["run"] - cold["trace"] - cold["passes"] - cold["lower"] - cold["compile"]
    counts = [int(cold["compilations"]), int(cold["model calls"])]
    return [*counts, result["cold first"]["total"], cold["total"], result["warm first"]["total"], warm["total"],
            cold["import"], 1e3 * cold["trace"], 1e3 * cold["passes"], 1e3 * cold["lower"], cold["compile"], rest,
            cold["peak MB"], warm["peak MB"]]


def after_row(result):
    """The numbers under AFTER."""
    more, again = result["more"], result["more"]["again"]
    seconds, gradients = again["seconds"], again["gradients"]
    return [seconds, again["compilations"], again["traces"], again["model calls"], gradients, 1e6 * seconds / gradients,
            more["alone"], more["loop"], 1.2 * more["bare"] + 0.3, more["bare"], more["ess"], more["ess"] / seconds,
            1e3 * more["ess"] / gradients, more["divergences"]]


def engine():
    """{what: [number, unit]} of the engine, and of JAX under "JAX, what" where it is installed."""
    ours = process(HERE / "engine.py")
    theirs = process(HERE / "jax_engine.py") if importlib.util.find_spec("jax") else {}
    rows = {}
    for what, (number, unit) in ours.items():
        other = theirs.get(what, [None])[0]
        rows[f"{what}, {unit}"] = [number, other, other and number / other] if theirs else [number]
    table("The engine's parts", {"chainrule": ".2f", "JAX": ".2f", "ratio": ".2f"} if theirs else {"": ".2f"}, rows)
    return {**ours, **{f"JAX, {what}": row for what, row in theirs.items()}}


SPECIAL = {"f64 plain": ".2f", "f64 compiled": ".2f", "f32 plain": ".2f", "f32 compiled": ".2f", "points": ",d",
           "ns": ".1f", "ns f32": ".1f", "f64 worst at": ""}


def densities(names):
    """{distribution: [log_prob, gradient, draw, and the same of NumPyro]} in ns an element, where that is installed."""
    ours = process(HERE / "densities.py", *names)
    there = all(importlib.util.find_spec(package) for package in ("jax", "numpyro"))
    theirs = process(HERE / "jax_densities.py", *names) if there else {}
    rows = {name: [x for pair in zip(times, theirs.get(name, (None,) * 3)) for x in pair] if theirs else times
            for name, times in ours.items()}
    columns = ["log_prob", "gradient", "sample"]
    if theirs: columns = [each for column in columns for each in (column, f"{column}, NumPyro")]
    table("Distributions, compiled, float64: ns an element of 100,000", dict.fromkeys(columns, ".2f"), rows)
    return rows


TAILS = {"f64 plain": ".1e", "f64 compiled": ".1e", "lost": "d", "f64 worst at": "",
         "f32 plain": ".1e", "f32 compiled": ".1e", "lost f32": "d", "f32 worst at": ""}


def arrays():
    """{"eager" and "compiled": {what: [NumPy's time, ours]}}, printed with the ratios."""
    found = process(HERE / "arrays.py")
    for kind, title in (("eager", "Array calls on small arrays, µs: the goal is 3 times NumPy's"),
                        ("compiled", "Compiled, float64, 1,000,000 numbers or 500 x 500, ms: the goal is 1.1 at most")):
        table(title, {"NumPy": ".3f", "chainrule": ".3f", "ratio": ".2f"},
              {what: [theirs, ours, ours / theirs] for what, (theirs, ours) in found[kind].items()})
    return found


def many(quick, python=None):
    """{"refit" and "chains": numbers under many.py's headings}."""
    sizes = ["--fits", 50, "--chains", 8, "--transitions", 100] if quick else []
    sizes += ["--peers", python] if python else []
    with tempfile.TemporaryDirectory() as empty: found = process(HERE / "many.py", *sizes, CHAINRULE_CACHE_DIR=empty)
    table("Logistic regressions of 200 x 5 as one program, one chain each", headings.REFIT, found["refit"])
    table("Chains of one program: gradients issued over those of the chain that needs most", headings.CHAINS,
          found["chains"])
    return found


def svi(repeats, names=()):
    """{workload: {"chainrule": …, "NumPyro": …}}: the least times of processes that took turns."""
    there = all(importlib.util.find_spec(package) for package in ("jax", "numpyro"))
    scripts = {"chainrule": HERE / "svi_speed.py", **({"NumPyro": HERE / "numpyro_svi.py"} if there else {})}
    out = {}
    for name in names or fits_by_svi.ROWS:
        runs = {who: [] for who in scripts}
        for _ in range(repeats):
            for who, script in scripts.items():
                with tempfile.TemporaryDirectory() as empty:
                    runs[who].append(process(script, name, CHAINRULE_CACHE_DIR=empty))
        out[name] = {who: {key: None if value is None else min(each[key] for each in results)
                           for key, value in results[0].items()} for who, results in runs.items()}
    for what, columns, row in (
            ("a step, µs: the goal is half of NumPyro's for small models, and no more for large ones", ".2f",
             lambda each: each["step"]),
            ("a first run, compilation included, s", ".2f", lambda each: each["first"]),
            ("another run on new data of the same shapes, s", ".3f", lambda each: each["again"]),
            ("programs that it compiled", "d", lambda each: each["compiled"]),
            ("from the first step to the bound, compiled, ms", ".2f",
             lambda each: None if each["reached"] is None else each["reached"] * each["step"] / 1000)):
        rows = {}
        for name, each in out.items():
            numbers = [row(each[who]) for who in scripts]
            rows[name] = numbers + ([numbers[0] / numbers[1] if all(numbers) else None] if there else [])
        table(f"SVI: {what}", {**dict.fromkeys(scripts, columns), **({"ratio": ".2f"} if there else {})}, rows)
    return out


def beside(python, names, quick):
    """{"workload, system": numbers under peers.COLUMNS, or why there are none}, in the order of the rows."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "peers.json"
        words = [HERE / "peers.py", "--peers", python, "--rows", *names, *(["--transitions", 100] if quick else []),
                 "--json", file]
        done = subprocess.run([sys.executable, *map(str, words)], text=True, stdout=subprocess.PIPE)
        if done.returncode: raise SystemExit("peers.py failed")
        print(done.stdout, end="")
        return json.loads(file.read_text(encoding="utf-8"))


PARTS = ["arrays", "densities", "engine", "gradients", "imports", "many", "special", "svi", "tails"]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="NAME", nargs="+",
                        choices=[*WORKLOADS, *PARTS], help=f"these workloads (or {', '.join(PARTS)}) alone")
    parser.add_argument("--rows", metavar="NAME", nargs="+", default=[],
                        help="of densities, svi and tails these rows alone (of tails those whose names begin so)")
    parser.add_argument("--peers", metavar="PYTHON", help="an interpreter with NumPyro, PyMC, PyStan or others")
    parser.add_argument("--quick", action="store_true", help="each process once; eight schools alone unless --only")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write all the numbers too")
    options = parser.parse_args(arguments)
    keep_bytecode()
    names = options.only or (["imports", "eight_schools_nc", "engine"] if options.quick else
                             ["imports", *WORKLOADS, "many", "engine", "arrays", "gradients", "svi"])
    repeats = 1 if options.quick else 3

    machine = {"machine": f"{platform.machine()} {platform.system()}, {len(os.sched_getaffinity(0))} cores"
               if hasattr(os, "sched_getaffinity") else platform.platform(), "Python": platform.python_version(),
               **{package: metadata.version(package) for package in ("jaxlib", "numpy", "scipy")}}
    print(", ".join(f"{name} {value}" if name != "machine" else value for name, value in machine.items()))
    results = {"machine": machine}
    if "imports" in names: results["imports"] = imports(1 if options.quick else 7)
    wanted = [name for name in WORKLOADS if name in names]
    for name in wanted: results.setdefault("fits", {})[name] = fits(name, repeats)
    if done := results.get("fits"):
        print(f"\nNUTS, 4 chains of 1,000 + 1,000 transitions, float64; medians of {repeats}")
        table("From the start of the process to the draws in hand, s (cold but where warm is said)", FIRST,
              {name: first_row(result) for name, result in done.items()})
        table("Once compiled: a second run on new data in the same process; µs a gradient", AFTER,
              {name: after_row(result) for name, result in done.items()})
    if options.peers and (both := [name for name in wanted if name in peers.ROWS]):
        results["peers"] = beside(options.peers, both, options.quick)
    if "many" in names: results["many"] = many(options.quick, options.peers)
    if "engine" in names: results["engine"] = engine()
    if "arrays" in names: results["arrays"] = arrays()
    if "densities" in names: results["densities"] = densities(options.rows)
    if "tails" in names:
        results["tails"] = process(HERE / "tails.py", "--json", *(["--only", *options.rows] if options.rows else []))
        table("log_prob against mpmath: the largest errors, relative to max(1, |log p|), and points lost to infinity",
              TAILS, results["tails"])
    if "gradients" in names:
        results["gradients"] = process(HERE / "gradients.py")
        table("Compiled gradients over compiled functions: the goal is 4 at most, however many the inputs",
              {"operations": ",d", "inputs": ",d", "function µs": ",.1f", "gradient µs": ",.1f", "ratio": ".2f"},
              results["gradients"])
    if "svi" in names: results["svi"] = svi(repeats, options.rows)
    if "special" in names:
        results["special"] = process(HERE / "special.py", "--json")
        table("Special functions against mpmath: the largest errors in units in the last place, and ns an element",
              SPECIAL, results["special"])
    if hasattr(os, "getloadavg"):
        results["load"] = os.getloadavg()
        print("\nthe machine's load over the last 1, 5 and 15 minutes: {:.1f}, {:.1f}, {:.1f}".format(*results["load"]))
    if options.json: options.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    return results


if __name__ == "__main__":
    main()
