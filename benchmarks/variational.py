"""Approximations of posteriordb's posteriors: the mode, Laplace, Pathfinder, guides fitted by SVI, and NUTS beside.

    python benchmarks/variational.py PATH [--only NAME ...] [--methods NAME ...] [--json FILE]

PATH is what posteriordb.py takes. Each method is run twice, with two keys and the same data: the first run compiles,
and the numbers are those of the second. Errors are against the reference draws (or a longer run), over the scalars: of
a mean in posterior sds, of an sd relative to it, the root of the mean square and the largest. k-hat is that of the
importance weights of the method's own draws.
"""
import argparse
import json
import pathlib
import time
import warnings

import numpy as onp
from posteriordb import fit as fit_nuts
from posteriordb import load, names, scalars, stand_in
from posteriors import MODELS
from run import table

from chainrule.engine import random
from chainrule.inference import (
    SVI,
    Predictive,
    Trace_ELBO,
    find_MAP,
    fit_laplace,
    init_to_uniform,
    init_to_value,
    multipathfinder,
    pathfinder,
    psis_diagnostic,
)
from chainrule.inference.autoguide import AutoIAFNormal, AutoMultivariateNormal, AutoNormal
from chainrule.inference.optim import Adam, exponential_decay

DRAWS, STEPS, PARTICLES = 4000, 10_000, 4
COLUMNS = {"k-hat": ".2f", "mean: rms": ".2f", "largest": ".2f", "sd: rms": ".2f", "largest ": ".2f",
           "gradients": ",d", "first s": ".2f", "again s": ".3f"}


def one_chain(samples):
    """{scalar: float[1, draws]}"""
    return scalars({name: onp.asarray(x)[None] for name, x in samples.items()})


def run_mode(model, data, seed):
    values, raw = find_MAP(model, rng_key=seed, return_raw=True, **data)
    return one_chain({name: onp.asarray(x)[None] for name, x in values.items()}), None, int(raw.nfev)


def run_laplace(model, data, seed):
    found = fit_laplace(model, rng_key=seed, num_samples=DRAWS, **data)
    return one_chain(found.samples), float(found.khat), None


def run_pathfinder(model, data, seed):
    found = pathfinder(model, rng_key=seed, num_samples=DRAWS, **data)
    return one_chain(found.samples), float(found.khat), int(found.gradients)


def run_multipathfinder(model, data, seed):
    found = multipathfinder(model, rng_key=seed, num_samples=DRAWS, num_paths=10, **data)
    return one_chain(found.samples), float(found.khat), int(found.gradients)


def by_guide(cls, rate=0.1, from_mode=False):
    """A run by SVI: the step size falls from `rate` to a thousandth of it."""
    fits = {}

    def run(model, data, seed):
        if model not in fits:
            start = init_to_value(values=find_MAP(model, jacobian=True, **data)) if from_mode else init_to_uniform
            fits[model] = fit_of(model, cls(model, init_loc_fn=start), rate)
        return drawn(model, *fits[model], data, seed)
    return run


def by_full_normal_from_laplace():
    """A run by SVI that starts with Laplace's covariance; the step size begins at a tenth of its least sd."""
    fits = {}

    def run(model, data, seed):
        if model not in fits:
            found = fit_laplace(model, **data)
            first = {"auto_loc": found.mean, "auto_scale_tril": onp.linalg.cholesky(found.covariance)}
            rate = 0.1 * float(onp.sqrt(onp.diag(onp.asarray(found.covariance)).min()))
            fits[model] = *fit_of(model, AutoMultivariateNormal(model), rate), first
        return drawn(model, *fits[model][:2], data, seed, init_params=fits[model][2])
    return run


def fit_of(model, guide, rate):
    """(the guide, its SVI)"""
    return guide, SVI(model, guide, Adam(exponential_decay(rate, STEPS, 1e-3)), Trace_ELBO(PARTICLES))


def drawn(model, guide, svi, data, seed, **start):
    """What a method gives, of a fitted guide."""
    fitted = svi.run(random.key(seed), STEPS, progress_bar=False, stable_update=True, **start, **data)
    draws = guide.sample_posterior(random.key(seed + 1), fitted.params, sample_shape=(DRAWS,))
    made = Predictive(model, draws)(random.key(0), **data)                       # what the model computes of them
    k = psis_diagnostic(random.key(seed), fitted.params, model, guide, num_particles=DRAWS, **data)
    return one_chain({**made, **draws}), k, STEPS * PARTICLES


def run_nuts(model, data, seed):
    mcmc, draws = fit_nuts(model, data, seed, 1000, {})
    return draws, None, mcmc.gradients


METHODS = {"mode": run_mode, "Laplace": run_laplace, "Pathfinder": run_pathfinder, "10 paths": run_multipathfinder,
           "normal": by_guide(AutoNormal), "full normal": by_guide(AutoMultivariateNormal),
           "full, from Laplace": by_full_normal_from_laplace(),
           "flow, from mode": by_guide(AutoIAFNormal, rate=0.01, from_mode=True), "NUTS": run_nuts}


def errors(draws, reference):
    """[rms and largest error of the means in sds, the same of the sds, None for a single draw]"""
    shared = [name for name in reference if name in draws]
    mean, sd = onp.array([[draws[name].mean(), draws[name].std()] for name in shared]).T
    known, width = onp.array([reference[name][:2] for name in shared]).T
    off = onp.abs(mean - known) / width
    out = [float(onp.sqrt(onp.mean(off ** 2))), float(off.max())]
    if next(iter(draws.values())).size == 1: return [*out, None, None]
    off = onp.abs(sd / width - 1.0)
    return [*out, float(onp.sqrt(onp.mean(off ** 2))), float(off.max())]


def measure(method, model, data, reference):
    """The numbers under COLUMNS, or the error's text."""
    times = []
    try:
        for seed in (1, 2):
            began = time.perf_counter()
            draws, khat, gradients = METHODS[method](model, data, seed)
            times.append(time.perf_counter() - began)
    except Exception as error:                           # a posterior that a method cannot do is a row of the table
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return [khat, *errors(draws, reference), gradients, *times]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=pathlib.Path, help="a checkout of posteriordb, or a folder of JSON files")
    parser.add_argument("--only", metavar="NAME", nargs="+", help="these posteriors alone")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write the rows too")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")                      # a mode that is not reached shows in its errors
    out = {}
    for name in names(options.path):
        if options.only and name not in options.only: continue
        data, reference = load(options.path, name)
        reference = reference or stand_in(name, data)
        rows = out[name] = {method: measure(method, MODELS[name], data, reference) for method in options.methods}
        table(name, COLUMNS, {method: row for method, row in rows.items() if not isinstance(row, str)})
        for method, row in rows.items():
            if isinstance(row, str): print(f"{method}: {row}")
        if options.json: options.json.write_text(json.dumps({"columns": list(COLUMNS), "rows": out}, indent=1))
    return out


if __name__ == "__main__":
    main()
