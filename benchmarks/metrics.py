"""What each form of the metric brings: the smallest bulk ESS for a thousand gradients, warm-up included.

    python benchmarks/metrics.py [--only NAME ...] [--methods fisher stan dense low_rank] [--seeds 2] [--json FILE]

4 chains of 1,000 + 1,000 transitions of each workload; the mean over seeds. Gradients, unlike seconds, do not depend on
what else the machine does. With several chains on few cores set OPENBLAS_NUM_THREADS=1, or the eigenvalue problems of
low_rank and the chains take each other's cores.
"""
import argparse
import json
import pathlib

import numpy as onp
from fit import slowest_ess
from posteriordb import METHODS
from run import table
from workloads import WORKLOADS

from chainrule.engine import random
from chainrule.inference import MCMC, NUTS

SLOW = ("logit_10k", "irt_500", "gp_200")
COLUMNS = {"ESS/1k grad": ".2f", "min ESS": ",.0f", "gradients": ",.0f", "in warm-up": ",.0f", "diverged": ".1f",
           "s": ".2f"}


def measure(workload, method, seed):
    """[ESS for 1,000 gradients, ESS, gradients, those of warm-up, divergences, seconds] of one run."""
    mcmc = MCMC(NUTS(workload.model, **METHODS[method]), num_warmup=1000, num_samples=1000, num_chains=4,
                progress_bar=False)
    mcmc.run(random.key(seed), **workload.data(0))
    ess, fields = slowest_ess(mcmc), {k: onp.asarray(v) for k, v in mcmc.get_extra_fields().items()}
    warmup = mcmc.gradients - fields["num_steps"].sum()
    return [1e3 * ess / mcmc.gradients, ess, mcmc.gradients, warmup, fields["diverging"].sum(), mcmc.seconds]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="NAME", nargs="+", choices=WORKLOADS,
                        default=[name for name in WORKLOADS if name not in SLOW])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write the rows too")
    options = parser.parse_args()
    rows = {}
    for name in options.only:
        for method in options.methods:
            runs = [measure(WORKLOADS[name], method, seed) for seed in range(1, 1 + options.seeds)]
            rows[f"{name}, {method}"] = onp.mean(runs, 0).tolist()
            print(name, method, *[f"{x:.4g}" for x in rows[f"{name}, {method}"]], flush=True)
    table("NUTS by the form of its metric", COLUMNS, rows)
    if options.json: options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
