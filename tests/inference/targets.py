"""Distributions whose moments are known, as log-densities and as models, and what runs a chain on one.

Each target's `moments` are rows (name, statistic of draws float[..., d], its expectation, the standard error of that
expectation; 0 where it is exact).
"""
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as onp
from scipy import integrate, special, stats

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import jit, random
from chainrule.inference import chain, diagnostics, nuts


class Target(NamedTuple):
    """A density on ℝᵈ."""
    name: str
    dims: int
    logdensity: Callable                   # float[d] -> float[]
    moments: list
    sample: Callable | None = None         # (NumPy generator, n) -> float[n, d]: exact draws


def coordinate(i):
    return lambda x: x[..., i]


def square(i):
    return lambda x: x[..., i] ** 2


def product(i, j):
    return lambda x: x[..., i] * x[..., j]


# ---- normal distributions ----

def normal(name, covariance):
    """The centred normal distribution."""
    precision, d = onp.linalg.inv(covariance), len(covariance)
    pairs = [(0, d - 1), (0, 1)]
    moments = [*[(f"x{i}", coordinate(i), 0.0, 0.0) for i in range(d)],
               *[(f"x{i}²", square(i), covariance[i, i], 0.0) for i in range(d)],
               *[(f"x{i} x{j}", product(i, j), covariance[i, j], 0.0) for i, j in pairs]]
    return Target(name, d, lambda x: -0.5 * np.sum(x * (precision @ x)), moments,
                  lambda rng, n: rng.multivariate_normal(onp.zeros(d), covariance, n))


def autoregressive(d, rho):
    """Covariance ρ^|i - j|."""
    i = onp.arange(d)
    return rho ** abs(i[:, None] - i)


# ---- others on ℝᵈ ----

def student_t(df=6.0):
    """Two independent Student t variables; heavy tails, so bounded statistics."""
    t = stats.t(df)
    inside = t.cdf(1.0) - t.cdf(-1.0)
    moments = [("x0", coordinate(0), 0.0, 0.0), ("x0²", square(0), t.var(), 0.0),
               ("|x1|", lambda x: abs(x[..., 1]), 2 * integrate.quad(lambda x: x * t.pdf(x), 0, onp.inf)[0], 0.0),
               ("|x1| < 1", lambda x: abs(x[..., 1]) < 1.0, inside, 0.0)]
    return Target("student t", 2, lambda x: -0.5 * (df + 1) * np.sum(np.log1p(x * x / df)), moments,
                  lambda rng, n: t.rvs((n, 2), random_state=rng))


def banana(bend=0.5, width=0.7):
    """x ~ N(0, 1), y | x ~ N(bend (x² - 1), width²): E y = 0, Var y = 2 bend² + width², E x² y = 2 bend."""
    def logdensity(q):
        x, y = q[0], q[1]
        return -0.5 * x * x - 0.5 * ((y - bend * (x * x - 1)) / width) ** 2

    def sample(rng, n):
        x, z = rng.normal(size=(2, n))
        return onp.stack([x, bend * (x * x - 1) + width * z], -1)

    moments = [("x", coordinate(0), 0.0, 0.0), ("x²", square(0), 1.0, 0.0), ("y", coordinate(1), 0.0, 0.0),
               ("y²", square(1), 2 * bend ** 2 + width ** 2, 0.0),
               ("x² y", lambda q: q[..., 0] ** 2 * q[..., 1], 2 * bend, 0.0)]
    return Target("banana", 2, logdensity, moments, sample)


def mixture(apart=1.5):
    """½ N(-apart, 1) + ½ N(apart, 1): a density that is not log-concave."""
    def logdensity(q):
        return np.sum(np.logaddexp(-0.5 * (q - apart) ** 2, -0.5 * (q + apart) ** 2))

    moments = [("x", coordinate(0), 0.0, 0.0), ("x²", square(0), 1 + apart ** 2, 0.0)]
    return Target("mixture", 1, logdensity, moments,
                  lambda rng, n: rng.normal(size=(n, 1)) + apart * rng.choice([-1.0, 1.0], (n, 1)))


def log_gamma(shape=2.0):
    """log of a Gamma(shape, 1) variable: skewed, with a tail that is exponential on one side."""
    mean = float(special.digamma(shape))
    moments = [("x", coordinate(0), mean, 0.0),
               ("x²", square(0), float(special.polygamma(1, shape)) + mean ** 2, 0.0),
               ("exp x", lambda x: onp.exp(x[..., 0]), shape, 0.0)]
    return Target("log gamma", 1, lambda x: np.sum(shape * x - np.exp(x)), moments,
                  lambda rng, n: onp.log(rng.gamma(shape, size=(n, 1))))


def logistic_regression(n=40):
    """Two coefficients with priors N(0, 2²); moments by the trapezoid rule on a fine grid."""
    rng = onp.random.default_rng(1)
    X = onp.stack([onp.ones(n), rng.normal(size=n)], -1)
    y = (rng.random(n) < special.expit(X @ [0.5, -1.0])).astype(float)

    def logdensity(b):
        eta = X @ b
        return np.sum(y * eta - np.logaddexp(0.0, eta)) - np.sum(b * b) / 8.0

    grid = onp.linspace(-4.0, 4.0, 401)
    b = onp.stack(onp.meshgrid(grid, grid, indexing="ij"), -1)
    eta = b @ X.T
    log_p = (y * eta - onp.logaddexp(0.0, eta)).sum(-1) - (b ** 2).sum(-1) / 8.0
    p = onp.exp(log_p - log_p.max())
    p /= p.sum()
    statistics = [("b0", coordinate(0)), ("b1", coordinate(1)), ("b0²", square(0)), ("b1²", square(1)),
                  ("b0 b1", product(0, 1))]
    return Target("logistic regression", 2, logdensity, [(k, f, float((p * f(b)).sum()), 0.0) for k, f in statistics])


TARGETS = {t.name: t for t in [
    normal("normal, 2 correlated", autoregressive(2, 0.9)),
    normal("normal, 20 correlated", autoregressive(20, 0.8)),
    normal("normal, scales 0.01 to 100", onp.diag(onp.logspace(-2, 2, 9) ** 2)),
    student_t(), banana(), mixture(), log_gamma(), logistic_regression()]}


# ---- models: each with {site: (mean, variance, their standard errors)}; None where it has none ----

class ModelTarget(NamedTuple):
    """A model, its arguments, and the moments of its posterior."""
    name: str
    model: Callable
    args: tuple
    moments: dict                          # site -> (mean, sd, error of the mean, error of the sd)
    functions: dict = {}                   # site -> (function of its draws, expectation)


def supports():
    """One site on each kind of support, a priori."""
    cr.sample("exponential", dist.Exponential(2.0))
    cr.sample("gamma", dist.Gamma(3.0, 2.0))
    cr.sample("inverse gamma", dist.InverseGamma(6.0, 4.0))
    cr.sample("half normal", dist.HalfNormal(2.0))
    cr.sample("half Cauchy", dist.HalfCauchy(1.0))
    cr.sample("log normal", dist.LogNormal(0.5, 0.5))
    cr.sample("beta", dist.Beta(2.0, 3.0))
    cr.sample("uniform", dist.Uniform(-1.0, 3.0))
    cr.sample("dirichlet", dist.Dirichlet(onp.array([1.0, 2.0, 3.0])))
    cr.sample("multivariate", dist.MultivariateNormal(onp.array([1.0, -1.0]), onp.array([[2.0, 0.6], [0.6, 0.5]])))
    cr.sample("student t", dist.StudentT(8.0, 1.0, 2.0))


def exact(*rows):
    return tuple([onp.asarray(r, float) for r in rows]) + (0.0, 0.0)


def _of(frozen):
    return exact(frozen.mean(), frozen.std())


_A = onp.array([1.0, 2.0, 3.0]) / 6
SUPPORTS = ModelTarget("supports", supports, (), {
    "exponential": exact(0.5, 0.5), "gamma": exact(1.5, math.sqrt(0.75)),
    "inverse gamma": _of(stats.invgamma(6, scale=4)), "half normal": _of(stats.halfnorm(scale=2)),
    "log normal": _of(stats.lognorm(0.5, scale=math.exp(0.5))),
    "beta": _of(stats.beta(2, 3)), "uniform": _of(stats.uniform(-1, 4)),
    "dirichlet": exact(_A, onp.sqrt(_A * (1 - _A) / 7)), "multivariate": exact([1, -1], onp.sqrt([2.0, 0.5])),
    "student t": _of(stats.t(8, 1, 2))},
    {"half Cauchy": (lambda x: x < 1.0, 0.5)})


def funnel():
    """Neal's funnel, non-centred: v ~ N(0, 3²), x = exp(v/2) z."""
    v = cr.sample("v", dist.Normal(0.0, 3.0))
    z = cr.sample("z", dist.Normal(0.0, 1.0))
    cr.deterministic("x", np.exp(v / 2) * z)


FUNNEL = ModelTarget("funnel", funnel, (), {"v": exact(0, 3), "z": exact(0, 1)},
                     {"x": (lambda x: abs(x) < 1.0,
                            integrate.quad(lambda v: stats.norm.pdf(v, 0, 3) * special.erf(math.exp(-v / 2) / 2 ** 0.5),
                                           -30, 30)[0])})

EFFECTS = onp.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])     # Rubin (1981)
ERRORS = onp.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


def eight_schools(sigma, y=None):
    """The hierarchical model of Rubin (1981), non-centred."""
    mu = cr.sample("mu", dist.Normal(0.0, 5.0))
    tau = cr.sample("tau", dist.HalfCauchy(5.0))
    with cr.plate("school", len(sigma)):
        z = cr.sample("z", dist.Normal(0.0, 1.0))
        theta = cr.deterministic("theta", mu + tau * z)
        cr.sample("y", dist.Normal(theta, sigma), obs=y)


EIGHT_SCHOOLS = ModelTarget("eight schools", eight_schools, (ERRORS, EFFECTS), {       # posteriordb's reference draws
    "mu": (4.41052, 3.3093, 0.033093, 0.0237587), "tau": (3.60206, 3.19848, 0.0319848, 0.0446986)})


COUNTY = onp.array([0, 0, 0, 1, 2, 2, 2, 2, 3, 3, 4, 4, 4, 4, 4, 5])
FLOOR = onp.array([0., 1, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1])
RADON = onp.random.default_rng(0).normal(onp.array([1.0, 2.0, 0.5, 1.5, 0.0, 1.0])[COUNTY] - 0.7 * FLOOR, 0.5)


def radon(county, floor, y=None):
    """Varying intercepts with known scales, so that the posterior is normal."""
    mu = cr.sample("mu", dist.Normal(0.0, 2.0))
    slope = cr.sample("slope", dist.Normal(0.0, 1.0))
    with cr.plate("county", 6):
        alpha = cr.sample("alpha", dist.Normal(mu, 0.8))
    with cr.plate("home", county.shape[0]):
        cr.sample("y", dist.Normal(alpha[county] + slope * floor, 0.5), obs=y)


def _radon_moments():
    A = onp.zeros((16, 8))                                               # of (mu, slope, alpha)
    A[:, 1], A[onp.arange(16), 2 + COUNTY] = FLOOR, 1.0
    precision = A.T @ A / 0.25
    precision[0, 0] += 1 / 4 + 6 / 0.64
    precision[1, 1] += 1
    precision[2:, 2:] += onp.eye(6) / 0.64
    precision[0, 2:] -= 1 / 0.64
    precision[2:, 0] -= 1 / 0.64
    covariance = onp.linalg.inv(precision)
    mean, sd = covariance @ (A.T @ RADON / 0.25), onp.sqrt(onp.diag(covariance))
    return {k: exact(mean[i], sd[i]) for k, i in (("mu", 0), ("slope", 1), ("alpha", slice(2, None)))}


VARYING_INTERCEPTS = ModelTarget("varying intercepts", radon, (COUNTY, FLOOR, RADON), _radon_moments())

MODELS = {t.name: t for t in [SUPPORTS, FUNNEL, EIGHT_SCHOOLS, VARYING_INTERCEPTS]}


# ---- running and comparing ----

def runner(logdensity, size=256, **options):
    """The compiled chunk of a density: (chain, stop_at, max_gradients) -> Chunk."""
    return jit(lambda c, stop_at, max_gradients: chain.run(c, logdensity, stop_at, max_gradients, size=size, **options))


def seed_of(number):
    """The seed of a chain."""
    words = onp.asarray(random.key_data(random.fold_in(random.key(5), number)))
    return np.asarray(words.view(onp.uint64)[0])


def collect(run, start, stop_at, max_gradients=100_000):
    """(draws, infos, chain) of a chain that is run to its end in chunks."""
    draws, infos = [], []
    while int(start.machine.transition) < stop_at and not bool(nuts.failed(start.machine)):
        chunk = run(start, onp.asarray(stop_at), onp.asarray(max_gradients))
        start, k = chunk.chain, int(chunk.count)
        draws.append(onp.asarray(chunk.draws)[:k])
        infos.append(onp.asarray(chunk.infos)[:k])
    infos = onp.concatenate(infos)
    return onp.concatenate(draws), nuts.Info(*infos.T), start


def z_score(x, expectation, error=0.0):
    """(mean of the draws - expectation) / its standard error.   x : float[chains, draws, *shape]"""
    x = onp.asarray(x, float)
    se = onp.sqrt(diagnostics.mcse_mean(x) ** 2 + error ** 2)
    return (x.mean((0, 1)) - expectation) / se
