"""One process of the benchmark: a fit by SVI of one of the rows of svi_rows.py. Prints what it measured as JSON.

    python benchmarks/svi_speed.py NAME

"first" is a first run, compilation included; "again" another on new data of the same shapes, with what it compiled;
"step" the least time of a run of that many steps from a state, over its steps.
"""
import json
import sys
import time

import numpy as onp
from datasets import DATA
from svi_rows import ROWS, digits, least, models, reached

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import config, random, scan, stats
from chainrule.inference import SVI
from chainrule.inference.autoguide import AutoNormal
from chainrule.inference.optim import Adam


def measure(name):
    """{what: number} of a workload."""
    row, data = ROWS[name], digits if name == "vae" else DATA[name]
    model, guide = models(cr, dist, np, scan)[name]
    svi = SVI(model, guide or AutoNormal(model), Adam(row.rate))

    def run(seed, **options):
        given = data(seed)
        began = time.perf_counter()
        result = svi.run(random.key(seed), row.steps, progress_bar=False, **options, **given)
        return time.perf_counter() - began, result

    with config(default_float=row.dtype):
        first, result = run(0)
        before = stats().compilations
        again, _ = run(1)
        compiled = stats().compilations - before
        step = least(lambda: run(0, init_state=result.state)) / row.steps
    return {"first": first, "again": again, "compiled": compiled, "step": 1e6 * step,
            "reached": reached(result.losses, row.target), "loss": float(onp.mean(result.losses[-500:]))}


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
