"""What the timing scripts share; the standard library and NumPy alone, for they run in several environments."""
import os
import resource
import statistics
import subprocess
import sys
import time

import numpy as onp


def keep_bytecode():
    """Processes started from here write bytecode; chainrule's is there, as an installed library's would be."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run([sys.executable, "-c", "import chainrule.inference"], check=True)


def bare(loop, seconds=0.3):
    """Microseconds a turn: the least of six calls of loop(n), which takes n turns."""
    loop(1)                                              # compiles
    measured, n = [], 1
    while len(measured) < 6:
        began = time.perf_counter()
        loop(n)
        spent = time.perf_counter() - began
        if spent < seconds / 10: n *= 4
        else: measured.append(1e6 * spent / n)
    return min(measured)


def repeats(run, file=None):
    """({"again", "gradients"}: medians of the runs with seeds 1 to SEEDS of the environment, "each": both of each run},
    the draws of the last one).

    run : seed -> (draws by site, a function that counts the run's gradients, which is not timed)
    file : an npz for the draws, each array under "seed name"
    """
    each, draws, found = [], {}, None
    for seed in range(1, 1 + int(os.environ.get("SEEDS", "1"))):
        began = time.time()
        found, gradients = run(seed)
        each.append([time.time() - began, gradients()])
        draws.update({f"{seed} {name}": onp.asarray(x) for name, x in found.items()})
    if file: onp.savez(file, **draws)
    seconds, gradients = zip(*each)
    return {"again": statistics.median(seconds), "gradients": int(statistics.median(gradients)), "each": each}, found


def peak():
    """The most memory, in MB, that the process had at a time, or the largest of those that it started."""
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return (1 if sys.platform == "darwin" else 1024) * most / 1e6
