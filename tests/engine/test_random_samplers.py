"""Every sampler has its distribution.

One draw of N numbers a row, from a fixed key, against SciPy: Kolmogorov and Smirnov's test for continuous numbers, χ²
for discrete ones over the values that are expected at least 8 times. Over keys, a row fails by chance once in 10⁸, all
of them together less than once in 10⁶.
"""
import numpy as np
import pytest
import scipy.stats as stats
from scipy.special import gammaln

import chainrule.engine.numpy as cnp
from chainrule.engine import random

LEVEL = 1e-8
N = 30_000
KEY = random.key(20_11)
WEIGHTS = np.array([0.1, 0.2, 0.3, 0.4])
TINY = np.array([1e-3, 2e-3, 5e-3])


class Wide:
    """A distribution that is known by the function of a draw that is uniform."""

    def __init__(self, cdf):
        self.cdf = cdf


def loggamma_cdf(a):
    """P(log X <= y) for gamma(a) numbers X; far to the left, where X underflows, e^(a y) / Γ(a + 1)."""
    return Wide(lambda y: np.where(y < -600, np.exp(a * y - gammaln(a + 1)), stats.gamma.cdf(np.exp(y), a)))


def draws(f, *parameters, **options):
    """A row: the sampler with these parameters, for a key and a shape."""
    return lambda key, shape: f(key, *parameters, shape, **options)


CONTINUOUS = {
    "uniform": (lambda k, n: random.uniform(k, n, minval=-1.0, maxval=3.0), stats.uniform(-1, 4)),
    "uniform-float32": (lambda k, n: random.uniform(k, n, np.float32), stats.uniform()),
    "normal": (random.normal, stats.norm()),
    "normal-float32": (lambda k, n: random.normal(k, n, np.float32), stats.norm()),
    "truncated_normal": (draws(random.truncated_normal, 0.5, 2.0), stats.truncnorm(0.5, 2)),
    "truncated_normal-across": (draws(random.truncated_normal, -3.0, 1.0), stats.truncnorm(-3, 1)),
    "truncated_normal-open": (draws(random.truncated_normal, -np.inf, np.inf), stats.norm()),
    "truncated_normal-left": (draws(random.truncated_normal, -np.inf, -8.0), stats.truncnorm(-np.inf, -8)),
    "truncated_normal-far": (draws(random.truncated_normal, 30.0, 30.1), stats.truncnorm(30, 30.1)),
    "truncated_normal-float32": (draws(random.truncated_normal, 11.0, 12.0, dtype=np.float32),
                                 stats.truncnorm(11, 12)),
    "exponential": (random.exponential, stats.expon()),
    "cauchy": (random.cauchy, stats.cauchy()),
    "laplace": (random.laplace, stats.laplace()),
    "logistic": (random.logistic, stats.logistic()),
    "gumbel": (random.gumbel, stats.gumbel_r()),
    "maxwell": (random.maxwell, stats.maxwell()),
    "double_sided_maxwell": (draws(random.double_sided_maxwell, 1.0, 2.0),
                             Wide(lambda x: 0.5 + 0.5 * np.sign(x - 1) * stats.maxwell.cdf(np.abs(x - 1) / 2))),
    "pareto": (draws(random.pareto, 2.5), stats.pareto(2.5)),
    "weibull_min": (draws(random.weibull_min, 2.0, 1.5), stats.weibull_min(1.5, scale=2)),
    "rayleigh": (draws(random.rayleigh, 2.0), stats.rayleigh(scale=2)),
    "triangular": (draws(random.triangular, -1.0, 0.5, 1.0), stats.triang(0.75, -1, 2)),
    "lognormal": (draws(random.lognormal, 0.5), stats.lognorm(0.5)),
    "wald-0.1": (draws(random.wald, 0.1), stats.invgauss(0.1)),
    "wald-30": (draws(random.wald, 30.0), stats.invgauss(30)),
    **{f"gamma-{a:g}": (draws(random.gamma, a), stats.gamma(a)) for a in (0.2, 0.999, 1.0, 3.5, 1e3, 1e6)},
    "gamma-1e10": (draws(random.gamma, 1e10), Wide(lambda x: stats.norm.cdf((x - 1e10) / 1e5))),
    "gamma-float32": (draws(random.gamma, 2.5, dtype=np.float32), stats.gamma(2.5)),
    "gamma-large-float32": (draws(random.gamma, 3e4, dtype=np.float32), stats.gamma(3e4)),
    **{f"loggamma-{a:g}": (draws(random.loggamma, a), loggamma_cdf(a)) for a in (1e-3, 0.7, 50.0)},
    "chisquare": (draws(random.chisquare, 3.0), stats.chi2(3)),
    "t-0.5": (draws(random.t, 0.5), stats.t(0.5)),
    "t-7": (draws(random.t, 7.0), stats.t(7)),
    "t-inf": (draws(random.t, np.inf), stats.norm()),
    "f": (draws(random.f, 3.0, 5.0), stats.f(3, 5)),
    "beta": (draws(random.beta, 0.6, 2.0), stats.beta(0.6, 2)),
    "beta-large": (draws(random.beta, 3e4, 5e4), stats.beta(3e4, 5e4)),
    "dirichlet": (lambda k, n: random.dirichlet(k, np.array([0.5, 1.0, 2.0]), n)[..., 1], stats.beta(1, 2.5)),
    "generalized_normal-0.7": (draws(random.generalized_normal, 0.7), stats.gennorm(0.7)),
    "generalized_normal-4": (draws(random.generalized_normal, 4.0), stats.gennorm(4)),
    **{f"von_mises-{k:g}": (draws(random.von_mises, 0.0, k), stats.vonmises(k)) for k in (0.0, 0.05, 2.0, 300.0)},
    "von_mises-1e12": (draws(random.von_mises, 0.0, 1e12), stats.norm(0, 1e-6)),
    "von_mises-turned": (lambda k, n: (random.von_mises(k, 3.0, 2.0, n) - 3 + np.pi) % (2 * np.pi) - np.pi,
                         stats.vonmises(2)),
    "multivariate_normal": (lambda k, n: random.multivariate_normal(k, np.ones(2), np.array([[2.0, 1.0], [1.0, 3.0]]),
                                                                    n)[..., 1], stats.norm(1, 3 ** 0.5)),
    **{f"multivariate_normal-{m}": (lambda k, n, m=m: random.multivariate_normal(
        k, np.zeros(3), np.array([[2.0, 1.0, 1.0], [1.0, 5.0, 5.0], [1.0, 5.0, 5.0]]), n, method=m)[..., 2],
        stats.norm(0, 5 ** 0.5)) for m in ("eigh", "svd")},
    # the square of an entry of an orthogonal matrix is a beta number
    "orthogonal": (lambda k, n: random.orthogonal(k, 3, n)[..., 1, 2] ** 2, stats.beta(0.5, 1)),
    "orthogonal-complex": (lambda k, n: cnp.abs(random.orthogonal(k, 3, n, complex)[..., 0, 0]) ** 2, stats.beta(1, 2)),
    # the radius of a uniform vector in d dimensions has the distribution function r^d
    "ball": (lambda k, n: cnp.linalg.norm(random.ball(k, 3, 2, n), axis=-1), Wide(lambda r: r ** 3)),
    "ball-1": (lambda k, n: cnp.abs(random.ball(k, 4, 1.0, n)).sum(-1), Wide(lambda r: r ** 4)),
    "complex normal": (lambda k, n: cnp.abs(random.normal(k, n, np.complex128)) ** 2, stats.expon()),
}

DISCRETE = {
    "bernoulli": (draws(random.bernoulli, 0.3), stats.bernoulli(0.3)),
    "rademacher": (lambda k, n: (random.rademacher(k, n) + 1) // 2, stats.bernoulli(0.5)),
    "randint": (lambda k, n: random.randint(k, n, -3, 9), stats.randint(-3, 9)),
    "randint-uint8": (lambda k, n: random.randint(k, n, 0, 256, np.uint8), stats.randint(0, 256)),
    # three quarters of 2⁶⁴ values: of a word of 64 bits, a remainder would favour the lower third two to one
    "randint-wide": (lambda k, n: np.asarray(random.randint(k, n, 0, 3 * 2 ** 62, np.uint64)) >> np.uint64(60),
                     stats.randint(0, 12)),
    **{f"geometric-{p:g}": (draws(random.geometric, p), stats.geom(p)) for p in (1e-3, 0.3, 0.95)},
    "categorical": (lambda k, n: random.categorical(k, np.log(WEIGHTS), shape=n),
                    stats.rv_discrete(values=(range(4), WEIGHTS))),
    "categorical-float32": (lambda k, n: random.categorical(k, np.log(WEIGHTS).astype(np.float32), shape=n),
                            stats.rv_discrete(values=(range(4), WEIGHTS))),
    "choice": (lambda k, n: random.choice(k, 4, n, p=WEIGHTS), stats.rv_discrete(values=(range(4), WEIGHTS))),
    "choice-uniform": (lambda k, n: random.choice(k, 7, n), stats.randint(0, 7)),
    **{f"poisson-{m:g}": (draws(random.poisson, m), stats.poisson(m)) for m in (1e-3, 3.7, 9.99, 10.0, 42.0, 3e3)},
    **{f"binomial-{n}-{p:g}": (draws(random.binomial, n, p), stats.binom(n, p)) for n, p in (
        (12, 0.3), (1, 0.5), (100, 0.4), (60, 0.8), (20, 0.5), (2 ** 31, 3e-9), (10 ** 6, 1e-3), (2 ** 31, 1 - 1e-8))},
    "multinomial": (lambda k, n: random.multinomial(k, 25, WEIGHTS, shape=n)[..., 2], stats.binom(25, 0.3)),
    "negative_binomial": (draws(random.negative_binomial, 3.5, 0.2), stats.nbinom(3.5, 0.2)),
    "negative_binomial-many": (draws(random.negative_binomial, 40.0, 0.5), stats.nbinom(40, 0.5)),
    # (good, bad, sample); SciPy's arguments are (total, good, sample)
    **{f"hypergeometric-{g}-{b}-{s}": (draws(random.hypergeometric, g, b, s), stats.hypergeom(g + b, g, s))
       for g, b, s in ((5, 9, 4), (9, 5, 12), (60, 40, 50), (30, 300, 200), (400, 30, 100), (10 ** 5, 10 ** 6, 300))},
    "zipf-2.5": (draws(random.zipf, 2.5), stats.zipf(2.5)),
    "zipf-4": (draws(random.zipf, 4.0), stats.zipf(4.0)),
}

# large numbers: in standard deviations they are normal to within 1e-4
NORMAL = {
    "poisson-1e9": (draws(random.poisson, 1e9), 1e9, 1e9 ** 0.5),
    "poisson-1e17": (draws(random.poisson, 1e17), 1e17, 1e17 ** 0.5),
    "binomial-2^31": (draws(random.binomial, 2.0 ** 31, 0.5), 2.0 ** 30, 2.0 ** 14.5),
    "binomial-2^52": (draws(random.binomial, 2.0 ** 52, 0.75), 0.75 * 2.0 ** 52, 0.1875 ** 0.5 * 2.0 ** 26),
    "hypergeometric-2^40": (draws(random.hypergeometric, 2 ** 40, 2 ** 40, 2 ** 40), 2.0 ** 39, 2.0 ** 18.5),
}
EVERY = {**CONTINUOUS, **DISCRETE}


def discrete_pvalue(x, dist):
    """χ² over the values that are expected at least 8 times; the tails together."""
    if dist.support()[1] - dist.support()[0] == 1:
        return stats.binomtest(int(x.sum()), len(x), dist.pmf(1)).pvalue
    low, high = dist.ppf(8 / len(x)) + 1, dist.isf(8 / len(x))
    values = np.arange(low, max(high, low + 1))
    step = max(1, len(values) // 200)                    # neighbours together where there are many
    edges = np.append(values[::step], values[-1] + 1)
    inner = np.diff(dist.cdf(edges - 1))
    expected = np.concatenate([[dist.cdf(edges[0] - 1)], inner, [dist.sf(edges[-1] - 1)]]) * len(x)
    found = np.bincount(np.searchsorted(edges, x, side="right"), minlength=len(edges) + 1)
    some = expected > 1e-9
    assert not found[~some].any()
    return stats.chisquare(found[some], expected[some] * found.sum() / expected[some].sum()).pvalue


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_draws_have_their_distribution(name):
    f, dist = CONTINUOUS[name]
    x = np.asarray(f(KEY, (N,)))
    assert x.shape == (N,) and stats.kstest(x.astype(float), dist.cdf).pvalue > LEVEL


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_draws_have_their_distribution(name):
    f, dist = DISCRETE[name]
    x = np.asarray(f(KEY, (N,)))
    assert x.shape == (N,) and discrete_pvalue(x.astype(float), dist) > LEVEL


@pytest.mark.parametrize("name", NORMAL)
def test_large_counts_are_nearly_normal(name):
    f, mean, deviation = NORMAL[name]
    x = np.asarray(f(KEY, (N,))).astype(float)
    assert stats.kstest((x - mean) / deviation, "norm").pvalue > LEVEL


@pytest.mark.parametrize("name, f, dist", [
    ("gamma", draws(random.gamma, 3.5), stats.gamma(3.65)),
    ("normal", random.normal, stats.norm(0.07, 1)),
    ("von_mises", draws(random.von_mises, 0.0, 2.0), stats.vonmises(2.3)),
    ("poisson", draws(random.poisson, 42.0), stats.poisson(42.8)),
    ("binomial", draws(random.binomial, 100, 0.4), stats.binom(100, 0.403)),
])
def test_a_distribution_that_is_a_little_wrong_is_found(name, f, dist):
    """What the tests above can see: about ten deviations of the mean of N numbers."""
    x = np.asarray(f(KEY, (N,))).astype(float)
    assert (discrete_pvalue(x, dist) if name in ("poisson", "binomial") else stats.kstest(x, dist.cdf).pvalue) < LEVEL
