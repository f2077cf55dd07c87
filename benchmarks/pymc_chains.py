"""One row of peers.py on PyMC or nutpie, where they are installed. Prints JSON.

    python benchmarks/pymc_chains.py NAME CHAINS TRANSITIONS METHOD FILE

METHOD is pymc (`pm.sample`) or nutpie (its default, Numba). Nothing imports this file: peers.py starts it. A first run;
then, unless FILE is "first", others on other data of the same shapes, whose draws go to FILE, an npz (see
clock.repeats). Gradients are the trees' leapfrog steps, warm-up included.
"""
import json
import os
import sys
import time

name, chains, transitions, method, file = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
BEGAN = float(os.environ["BEGAN"])

import numpy as onp  # noqa: E402
import pymc as pm  # noqa: E402
from clock import peak, repeats  # noqa: E402
from datasets import DATA  # noqa: E402


def eight_schools_nc(sigma, y):
    mu, tau = pm.Normal("mu", 0.0, 5.0), pm.HalfCauchy("tau", 5.0)
    z = pm.Normal("z", 0.0, 1.0, shape=8)
    theta = pm.Deterministic("theta", mu + tau * z)
    pm.Normal("obs", theta, sigma, observed=y)


def eight_schools_c(sigma, y):
    mu, tau = pm.Normal("mu", 0.0, 5.0), pm.HalfCauchy("tau", 5.0)
    theta = pm.Normal("theta", mu, tau, shape=8)
    pm.Normal("obs", theta, sigma, observed=y)


def radon_nc(county, floor, y):
    mu, beta = pm.Normal("mu", 0.0, 10.0), pm.Normal("beta", 0.0, 10.0)
    sigma_a, sigma_y = pm.HalfNormal("sigma_a", 1.0), pm.HalfNormal("sigma_y", 1.0)
    z = pm.Normal("z", 0.0, 1.0, shape=85)
    alpha = pm.Deterministic("alpha", mu + sigma_a * z)
    pm.Normal("obs", alpha[county] + beta * floor, sigma_y, observed=y)


def logit(columns):
    def model(x, y):
        alpha, beta = pm.Normal("alpha", 0.0, 5.0), pm.Normal("beta", 0.0, 1.0, shape=columns)
        pm.Bernoulli("obs", logit_p=alpha + x @ beta, observed=y)
    return model


def funnel():
    v = pm.Normal("v", 0.0, 3.0)
    pm.Normal("x", 0.0, pm.math.exp(v / 2), shape=9)


def irt_500(item, person, y):
    s_t, s_a, s_b = (pm.HalfCauchy(f"s_{each}", 2.0) for each in "tab")
    mu_b = pm.Normal("mu_b", 0.0, 5.0)
    theta = pm.Normal("theta", 0.0, s_t, shape=400)
    a, b = pm.LogNormal("a", 0.0, s_a, shape=50), pm.Normal("b", mu_b, s_b, shape=50)
    pm.Bernoulli("obs", logit_p=a[item] * (theta[person] - b[item]), observed=y)


def arK(y, K, T):
    alpha, beta = pm.Normal("alpha", 0.0, 10.0), pm.Normal("beta", 0.0, 10.0, shape=5)
    sigma = pm.HalfCauchy("sigma", 2.5)
    mean = alpha + sum(beta[k - 1] * y[5 - k:200 - k] for k in range(1, 6))
    pm.Normal("obs", mean, sigma, observed=y[5:])


def gp_regr(x, y, N):
    rho = pm.Gamma("rho", 25.0, 4.0)
    alpha, sigma = pm.HalfNormal("alpha", 2.0), pm.HalfNormal("sigma", 1.0)
    covariance = alpha ** 2 * pm.math.exp(-0.5 * ((x[:, None] - x[None, :]) / rho) ** 2) + sigma * onp.eye(N)
    pm.MvNormal("obs", onp.zeros(N), covariance, observed=y)


MODELS = {"eight_schools_nc": eight_schools_nc, "eight_schools_c": eight_schools_c, "radon_nc": radon_nc,
          "logit_1k": logit(25), "logit_10k": logit(25), "logit_100k": logit(50), "funnel": funnel,
          "irt_500": irt_500, "arK": arK, "gp_regr": gp_regr}


def steps(found):
    """The leapfrog steps of the warm-up and of the draws."""
    return int(sum(onp.asarray(found[group]["n_steps"]).sum() for group in ("warmup_sample_stats", "sample_stats")))


def main():
    first = DATA[name](0)
    arrays = {key: value for key, value in first.items() if isinstance(value, onp.ndarray)}
    with pm.Model() as model:
        MODELS[name](**{key: pm.Data(f"{key}_data", value) if key in arrays else value
                        for key, value in first.items()})
    options = dict(draws=transitions, tune=transitions, chains=chains)
    if method == "nutpie":
        import nutpie
        made = nutpie.compile_pymc_model(model)

    def run(seed):
        fresh = {f"{key}_data": value for key, value in DATA[name](seed).items() if key in arrays}
        if method == "nutpie":
            there = made.with_data(**fresh) if fresh and seed else made
            found = nutpie.sample(there, **options, seed=seed, progress_bar=False, save_warmup=True)
        else:
            with model:
                if fresh: pm.set_data(fresh)
                found = pm.sample(**options, random_seed=seed, progressbar=False, discard_tuned_samples=False,
                                  compute_convergence_checks=False, cores=len(os.sched_getaffinity(0)))
        return dict(found["posterior"].data_vars), lambda: steps(found)

    run(0)
    out = {"first": time.time() - BEGAN, "MB": peak()}
    if file != "first":
        out |= repeats(run, file)[0] | {"compiled": None}
    print(json.dumps(out))


if __name__ == "__main__":
    main()
