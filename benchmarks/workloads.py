"""The models that are timed: each with data of a fixed seed, and other data of the same shapes for the second run.

A model of the table has `data(seed)`, which gives the arguments of the model; seed 0 is the first run. The names of
distributions in `needs` are looked up first, and a workload whose distributions are not there is left out.
"""
from collections.abc import Callable
from typing import NamedTuple

import numpy as onp

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import scan


class Workload(NamedTuple):
    """One row."""
    model: Callable
    data: Callable                 # seed -> (args, kwargs)
    about: str
    needs: tuple = ()


# ---- eight schools ----

EFFECT = onp.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERROR = onp.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


def eight_schools_nc(sigma, y):
    mu = cr.sample("mu", dist.Normal(0.0, 5.0))
    tau = cr.sample("tau", dist.HalfCauchy(5.0))
    with cr.plate("school", len(sigma)):
        z = cr.sample("z", dist.Normal(0.0, 1.0))
        theta = cr.deterministic("theta", mu + tau * z)
        cr.sample("y", dist.Normal(theta, sigma), obs=y)


def eight_schools_c(sigma, y):
    mu = cr.sample("mu", dist.Normal(0.0, 5.0))
    tau = cr.sample("tau", dist.HalfCauchy(5.0))
    with cr.plate("school", len(sigma)):
        theta = cr.sample("theta", dist.Normal(mu, tau))
        cr.sample("y", dist.Normal(theta, sigma), obs=y)


def eight_schools_data(seed):
    return (ERROR,), {"y": EFFECT + 0.5 * seed}


# ---- a hierarchy of 85 groups ----

def radon_nc(county, floor, y):
    mu = cr.sample("mu", dist.Normal(0.0, 10.0))
    beta = cr.sample("beta", dist.Normal(0.0, 10.0))
    sigma_a = cr.sample("sigma_a", dist.HalfNormal(1.0))
    sigma_y = cr.sample("sigma_y", dist.HalfNormal(1.0))
    with cr.plate("county", 85):
        z = cr.sample("z", dist.Normal(0.0, 1.0))
        alpha = cr.deterministic("alpha", mu + sigma_a * z)
    with cr.plate("house", len(y)):
        cr.sample("y", dist.Normal(alpha[county] + beta * floor, sigma_y), obs=y)


def radon_data(seed):
    """919 houses in 85 counties of unequal sizes; the columns are like those of Gelman & Hill (2006), ch. 12."""
    rng = onp.random.default_rng(919 + seed)
    weights = rng.dirichlet(onp.full(85, 0.8))
    county = onp.sort(onp.concatenate([onp.arange(85), rng.choice(85, 919 - 85, p=weights)]))
    floor = (rng.random(919) < 0.17).astype(float)
    alpha = 1.46 + 0.33 * rng.normal(size=85)
    return (county, floor), {"y": alpha[county] - 0.69 * floor + 0.76 * rng.normal(size=919)}


# ---- logistic regression ----

def logit(x, y):
    alpha = cr.sample("alpha", dist.Normal(0.0, 5.0))
    with cr.plate("column", x.shape[1]):
        beta = cr.sample("beta", dist.Normal(0.0, 1.0))
    with cr.plate("row", x.shape[0]):
        cr.sample("y", dist.Bernoulli(logits=alpha + x @ beta), obs=y)


def logit_data(rows, columns):
    """Columns that follow an AR(1) process with correlation 0.5."""
    def data(seed):
        rng = onp.random.default_rng(rows + seed)
        x = rng.normal(size=(rows, columns))
        for k in range(1, columns):
            x[:, k] = 0.5 * x[:, k - 1] + onp.sqrt(0.75) * x[:, k]
        logits = 0.3 + x @ (0.5 * rng.normal(size=columns))
        return (x,), {"y": (rng.random(rows) < 1 / (1 + onp.exp(-logits))).astype(float)}
    return data


# ---- Neal's funnel ----

def funnel():
    v = cr.sample("v", dist.Normal(0.0, 3.0))
    with cr.plate("n", 9):
        cr.sample("x", dist.Normal(0.0, np.exp(v / 2)))


# ---- time series of 200 steps ----

def ar5(y):
    alpha = cr.sample("alpha", dist.Normal(0.0, 10.0))
    with cr.plate("lag", 5):
        beta = cr.sample("beta", dist.Normal(0.0, 10.0))
    sigma = cr.sample("sigma", dist.HalfCauchy(2.5))
    lags = np.stack([y[5 - k:len(y) - k] for k in range(1, 6)])
    cr.sample("y", dist.Normal(alpha + beta @ lags, sigma), obs=y[5:])


def ar5_data(seed):
    rng = onp.random.default_rng(5 + seed)
    y = rng.normal(size=200)
    for t in range(5, 200):
        y[t] = 0.1 + y[t - 5:t][::-1] @ [0.7, -0.4, 0.2, 0.1, -0.1] + 0.15 * rng.normal()
    return (), {"y": y}


def garch(y):
    mu = cr.sample("mu", dist.Normal(0.0, 10.0))
    alpha0 = cr.sample("alpha0", dist.HalfNormal(5.0))
    alpha1 = cr.sample("alpha1", dist.Uniform(0.0, 1.0))
    beta1 = cr.sample("beta1", dist.Uniform(0.0, 1.0 - alpha1))

    def step(variance, previous):
        variance = alpha0 + alpha1 * (previous - mu) ** 2 + beta1 * variance
        return variance, variance

    _, later = scan(step, np.asarray(2.25), y[:-1])
    cr.sample("y", dist.Normal(mu, np.sqrt(np.concatenate([np.full(1, 2.25), later]))), obs=y)


def garch_data(seed):
    rng = onp.random.default_rng(11 + seed)
    y, variance = onp.empty(200), 2.25
    for t in range(200):
        y[t] = 5.0 + onp.sqrt(variance) * rng.normal()
        variance = 1.5 + 0.4 * (y[t] - 5.0) ** 2 + 0.3 * variance
    return (), {"y": y}


# ---- a Gaussian process at 11 points ----

def gp_11(x, y):
    rho = cr.sample("rho", dist.Gamma(25.0, 4.0))
    alpha = cr.sample("alpha", dist.HalfNormal(2.0))
    sigma = cr.sample("sigma", dist.HalfNormal(1.0))
    distance = (x[:, None] - x[None, :]) / rho
    covariance = alpha ** 2 * np.exp(-0.5 * distance ** 2) + sigma * np.eye(len(x))
    cr.sample("y", dist.MultivariateNormal(np.zeros(len(x)), covariance), obs=y)


def gp_data(seed):
    rng = onp.random.default_rng(7 + seed)
    x = onp.linspace(-10.0, 10.0, 11)
    return (x,), {"y": 2.0 * onp.sin(x / 3.0) + 0.5 * rng.normal(size=11)}


WORKLOADS = {
    "eight_schools_nc": Workload(eight_schools_nc, eight_schools_data, "eight schools, non-centred"),
    "eight_schools_c": Workload(eight_schools_c, eight_schools_data, "eight schools, centred"),
    "radon_nc": Workload(radon_nc, radon_data, "hierarchy, 919 rows in 85 groups, synthetic"),
    "logit_1k": Workload(logit, logit_data(1000, 25), "logistic regression, 1,000 x 25, synthetic"),
    "funnel": Workload(funnel, lambda seed: ((), {}), "Neal's funnel, 10 dimensions"),
    "ar5": Workload(ar5, ar5_data, "autoregression of order 5, 200 steps, synthetic"),
    "garch": Workload(garch, garch_data, "GARCH(1,1), 200 steps through scan, synthetic"),
    "gp_11": Workload(gp_11, gp_data, "Gaussian process, 11 points, synthetic", ("Gamma", "MultivariateNormal")),
}


def missing(workload):
    """The distributions that a workload needs and the library does not have."""
    return [name for name in workload.needs if not hasattr(dist, name)]
