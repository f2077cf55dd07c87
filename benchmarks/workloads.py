"""The models that are timed: each with data of a fixed seed, and other data of the same shapes for the second run.

A model of the table has `data(seed)`, which gives the arguments of the model; seed 0 is the first run. The models that
peers have too stand in shared_models.py. Models of posteriordb (posteriors/) have synthetic data here; posteriordb.py
fits its own.
"""
from collections.abc import Callable
from typing import NamedTuple

import numpy as onp
from posteriors import MODELS
from shared_models import models

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np

SHARED = models(cr, dist, np)


class Workload(NamedTuple):
    """One row."""
    model: Callable
    data: Callable                 # seed -> (args, kwargs)
    about: str


# ---- eight schools ----

EFFECT = onp.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERROR = onp.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


def eight_schools_data(seed):
    return (ERROR,), {"y": EFFECT + 0.5 * seed}


# ---- a hierarchy of 85 groups ----

def radon_data(seed):
    """919 houses in 85 counties of unequal sizes; the columns are like those of Gelman & Hill (2006), ch. 12."""
    rng = onp.random.default_rng(919 + seed)
    weights = rng.dirichlet(onp.full(85, 0.8))
    county = onp.sort(onp.concatenate([onp.arange(85), rng.choice(85, 919 - 85, p=weights)]))
    floor = (rng.random(919) < 0.17).astype(float)
    alpha = 1.46 + 0.33 * rng.normal(size=85)
    return (county, floor), {"y": alpha[county] - 0.69 * floor + 0.76 * rng.normal(size=919)}


# ---- logistic regression ----

def logit_data(rows, columns, rho=0.5):
    """Columns that follow an AR(1) process with this correlation."""
    def data(seed):
        rng = onp.random.default_rng(rows + seed)
        x = rng.normal(size=(rows, columns))
        for k in range(1, columns):
            x[:, k] = rho * x[:, k - 1] + onp.sqrt(1.0 - rho ** 2) * x[:, k]
        logits = 0.3 + x @ (0.5 * rng.normal(size=columns))
        return (x,), {"y": (rng.random(rows) < 1 / (1 + onp.exp(-logits))).astype(float)}
    return data


# ---- item responses ----

def irt_data(seed):
    """50 items, each answered by 400 persons."""
    rng = onp.random.default_rng(500 + seed)
    item, person = onp.repeat(onp.arange(50), 400), onp.tile(onp.arange(400), 50)
    theta, a, b = rng.normal(size=400), onp.exp(0.4 * rng.normal(size=50)), 0.5 + rng.normal(size=50)
    logits = a[item] * (theta[person] - b[item])
    return (item, person), {"y": (rng.random(20_000) < 1.0 / (1.0 + onp.exp(-logits))).astype(float)}


# ---- a normal distribution of 50 dimensions with five strong factors ----

def normal_50(precision):
    with cr.plate("i", 50):
        x = cr.sample("x", dist.ImproperUniform(dist.constraints.real))
    cr.factor("density", -0.5 * x @ (precision @ x))


def normal_data(seed):
    rng = onp.random.default_rng(50 + seed)
    scale, loadings = onp.exp(rng.normal(size=50)), 3.0 * rng.normal(size=(50, 5))
    return (onp.linalg.inv(scale[:, None] * (onp.eye(50) + loadings @ loadings.T) * scale),), {}


# ---- time series ----

def ar_data(seed):
    rng = onp.random.default_rng(5 + seed)
    y = rng.normal(size=200)
    for t in range(5, 200):
        y[t] = 0.1 + y[t - 5:t][::-1] @ [0.7, -0.4, 0.2, 0.1, -0.1] + 0.15 * rng.normal()
    return (), {"K": 5, "T": 200, "y": y}


def garch_data(seed):
    rng = onp.random.default_rng(11 + seed)
    y, variance = onp.empty(200), 2.25
    for t in range(200):
        y[t] = 5.0 + onp.sqrt(variance) * rng.normal()
        variance = 1.5 + 0.4 * (y[t] - 5.0) ** 2 + 0.3 * variance
    return (), {"T": 200, "y": y, "sigma1": 1.5}


def hmm_data(seed):
    rng = onp.random.default_rng(13 + seed)
    state, y = 0, onp.empty(100)
    for t in range(100):
        state = state if rng.random() < (0.7, 0.9)[state] else 1 - state
        y[t] = (3.0, 9.0)[state] + rng.normal()
    return (), {"N": 100, "K": 2, "y": y}


# ---- Gaussian processes ----

def gp_data(points):
    def data(seed):
        rng = onp.random.default_rng(points - 4 + seed)
        x = onp.linspace(-10.0, 10.0, points)
        return (), {"N": points, "x": x, "y": 2.0 * onp.sin(x / 3.0) + 0.5 * rng.normal(size=points)}
    return data


WORKLOADS = {
    "eight_schools_nc": Workload(SHARED["eight_schools_nc"], eight_schools_data, "eight schools, non-centred"),
    "eight_schools_c": Workload(SHARED["eight_schools_c"], eight_schools_data, "eight schools, centred"),
    "radon_nc": Workload(SHARED["radon_nc"], radon_data, "hierarchy, 919 rows in 85 groups, synthetic"),
    "logit_1k": Workload(SHARED["logit_1k"], logit_data(1000, 25), "logistic regression, 1,000 x 25, synthetic"),
    "logit_1k_correlated": Workload(SHARED["logit_1k"], logit_data(1000, 25, 0.95),
                                    "the same, columns correlated 0.95"),
    "logit_10k": Workload(SHARED["logit_10k"], logit_data(10_000, 25), "logistic regression, 10,000 x 25, synthetic"),
    "funnel": Workload(SHARED["funnel"], lambda seed: ((), {}), "Neal's funnel, 10 dimensions"),
    "irt_500": Workload(SHARED["irt_500"], irt_data, "item responses, 500 parameters, 20,000 answers, synthetic"),
    "normal_50": Workload(normal_50, normal_data, "normal, 50 dimensions, five strong factors"),
    "arK": Workload(MODELS["arK-arK"], ar_data, "autoregression of order 5, 200 steps, synthetic"),
    "garch": Workload(MODELS["garch-garch11"], garch_data, "GARCH(1,1), 200 steps through scan, synthetic"),
    "hmm": Workload(MODELS["hmm_example-hmm_example"], hmm_data, "hidden Markov model, 100 steps, synthetic"),
    "gp_regr": Workload(MODELS["gp_pois_regr-gp_regr"], gp_data(11), "Gaussian process, 11 points, synthetic"),
    "gp_200": Workload(MODELS["gp_pois_regr-gp_regr"], gp_data(200), "Gaussian process, 200 points, synthetic"),
}
