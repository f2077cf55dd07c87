"""Fits models of posteriordb and compares them with its reference draws.

    python benchmarks/posteriordb.py PATH [--only NAME ...] [--methods fisher stan dense low_rank] [--json FILE]

PATH is a checkout of posteriordb, or a folder of NAME.json files {"data": …, "reference": {scalar: [mean, sd, error of
the mean, error of the sd]}}. Each model of posteriors/ whose data are there is fitted by 4 chains of 1,000 + 1,000
transitions, and again with twice the draws, up to 16,000, until R-hat is under 1.01 and the smallest ESS over 400.

A scalar passes unless its mean is off by more than 4.5 Monte Carlo errors (both sides' together) and 0.06 posterior sd,
or its sd by more than 4.5 errors and 12 %. A posterior without reference draws is compared with a run of four times the
draws by the dense metric, under another key. The columns under z have the largest |z| of all scalars: of twenty
posteriors one has a |z| over 3 by chance.
"""
import argparse
import json
import pathlib
import zipfile

import numpy as onp
from posteriors import MODELS
from run import table

from chainrule.engine import random
from chainrule.inference import MCMC, NUTS, diagnostics

METHODS = {"fisher": {"adaptation": "fisher"}, "stan": {"adaptation": "stan"}, "dense": {"dense_mass": True},
           "low_rank": {"low_rank": True}}
MOST = 16_000                      # draws of a chain
COLUMNS = {"d": "d", "|z| mean": ".2f", "|z| sd": ".2f", "R-hat": ".4f", "draws": ",d", "min ESS": ",.0f",
           "gradients": ",d", "ESS/1k grad": ".2f", "diverged": "d", "s": ".2f", "verdict": ""}


# ---- data and references ----

def names(path):
    """The posteriors of a folder that there is a model for."""
    folder = path / "posterior_database" / "posteriors"
    return sorted({file.stem for file in (folder if folder.is_dir() else path).glob("*.json")} & set(MODELS))


def load(path, name):
    """(data, reference): {name: array or int}, and {scalar: (mean, sd, their errors)} or None."""
    if not (path / "posterior_database").is_dir():
        found = json.loads((path / f"{name}.json").read_text(encoding="utf-8"))
        return _arrays(found["data"]), found.get("reference") or None
    database = path / "posterior_database"
    entry = json.loads((database / "posteriors" / f"{name}.json").read_text(encoding="utf-8"))
    data = _unzipped(database / "data" / "data" / f"{entry['data_name']}.json.zip")
    draws, known = entry.get("reference_posterior_name"), None
    if draws:
        chains = _unzipped(database / "reference_posteriors" / "draws" / "draws" / f"{draws}.json.zip")
        known = {scalar: moments(onp.array([c[scalar] for c in chains])) for scalar in chains[0]}
    return _arrays(data), known


def _unzipped(file):
    with zipfile.ZipFile(file) as z:
        return json.loads(z.read(z.namelist()[0]))


def _arrays(data):
    return {name: onp.asarray(x) if isinstance(x, list) else x for name, x in data.items()}


def moments(x):
    """(mean, sd, and their Monte Carlo errors).   x : float[chains, draws]"""
    return float(x.mean()), float(x.std(ddof=1)), float(diagnostics.mcse_mean(x)), float(diagnostics.mcse_sd(x))


# ---- fitting and comparing ----

def scalars(samples):
    """{Stan's name: float[chains, draws]}: site[i,j], counted from 1."""
    out = {}
    for site, x in samples.items():
        x = onp.asarray(x)
        for index in onp.ndindex(x.shape[2:]):
            label = f"{site}[{','.join(str(i + 1) for i in index)}]" if index else site
            out[label] = x[(..., *index)]
    return out


def fit(model, data, seed, draws, options):
    """The MCMC after its run, and its draws: {scalar: float[chains, draws]}."""
    mcmc = MCMC(NUTS(model, **options), num_warmup=1000, num_samples=draws, num_chains=4, progress_bar=False)
    mcmc.run(random.key(seed), **data)
    return mcmc, scalars(mcmc.get_samples(group_by_chain=True))


def converged(draws):
    """(the largest R-hat, the smallest bulk ESS)"""
    rhat = max(float(diagnostics.rhat(x)) for x in draws.values())
    return rhat, min(float(diagnostics.ess_bulk(x)) for x in draws.values())


def compare(draws, reference):
    """(largest |z| of means, of sds, the scalars that fail), over the scalars of both sides."""
    shared = [name for name in reference if name in draws]
    ours = onp.array([moments(draws[name]) for name in shared]).T
    theirs = onp.array([reference[name] for name in shared]).T
    off, errors = onp.abs(ours[:2] - theirs[:2]), onp.hypot(ours[2:], theirs[2:])
    z = off / errors
    bad = (z > 4.5) & (off > onp.array([[0.06], [0.12]]) * theirs[1])
    return *z.max(1).tolist(), [name for name, each in zip(shared, bad.any(0)) if each]


def measure(name, data, reference, options):
    """The row of one posterior and one method."""
    draws = 1000
    while True:
        mcmc, made = fit(MODELS[name], data, 1, draws, options)
        rhat, ess = converged(made)
        if (rhat < 1.01 and ess > 400) or draws == MOST: break
        draws *= 2
    mean, sd, bad = compare(made, reference)
    fields = mcmc.get_extra_fields()
    verdict = "off: " + " ".join(bad) if bad else "agrees" if rhat < 1.01 else "R-hat"
    return [len(made), mean, sd, rhat, draws, ess, mcmc.gradients, 1e3 * ess / mcmc.gradients,
            int(onp.asarray(fields["diverging"]).sum()), mcmc.seconds, verdict]


def stand_in(name, data):
    """Moments of a run of four times the draws with a dense metric, where there are no reference draws."""
    _, made = fit(MODELS[name], data, 1001, 4000, METHODS["dense"])
    return {scalar: moments(x) for scalar, x in made.items()}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", type=pathlib.Path, help="a checkout of posteriordb, or a folder of JSON files")
    parser.add_argument("--only", metavar="NAME", nargs="+", help="these posteriors alone")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["fisher"])
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write the rows too")
    options = parser.parse_args(arguments)
    rows = {}
    for name in names(options.path):
        if options.only and name not in options.only: continue
        data, reference = load(options.path, name)
        title = name if reference else f"{name} (*)"
        reference = reference or stand_in(name, data)
        for method in options.methods:
            rows[f"{title}, {method}"] = measure(name, data, reference, METHODS[method])
            table("", COLUMNS, {f"{title}, {method}": rows[f"{title}, {method}"]})
    table("NUTS against posteriordb's reference draws; (*) against a longer run", COLUMNS, rows)
    if options.json: options.json.write_text(json.dumps({"columns": list(COLUMNS), "rows": rows}, indent=1))
    return rows


if __name__ == "__main__":
    main()
