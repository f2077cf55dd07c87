"""Rows for the distributions that are made of others: truncated, censored, folded, mixed, inflated, rounded.

The references are made from SciPy's laws by distribution functions, mass tables and quadrature.
"""
import functools

import numpy as np
from scipy import special, stats

import chainrule.distributions as dist
from chainrule.engine import numpy as cnp
from tests.distributions.cases import Case, Vectors, _Product, multivariate_normal

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(160)


class Between:
    """A continuous law of SciPy, restricted to [low, high]: by differences of its distribution functions."""

    def __init__(self, law, low, high):
        self.law, self.low, self.high = law, low, high
        self.right = law.cdf(low) > 0.5
        self.mass = np.where(self.right, law.sf(low) - law.sf(high), law.cdf(high) - law.cdf(low))

    def logpdf(self, x):
        with np.errstate(divide="ignore"):
            return np.where((x >= self.low) & (x <= self.high), self.law.logpdf(x), -np.inf) - np.log(self.mass)

    def cdf(self, x):
        x = np.clip(x, self.low, self.high)
        left = self.law.cdf(x) - self.law.cdf(self.low)
        return np.where(self.right, self.law.sf(self.low) - self.law.sf(x), left) / self.mass

    def logcdf(self, x):
        return np.log(self.cdf(x))

    def ppf(self, q):
        return np.where(self.right, self.law.isf(self.law.sf(self.low) - q * self.mass),
                        self.law.ppf(self.law.cdf(self.low) + q * self.mass))


class WithMoments(Between):
    """The same where the density is smooth up to the bounds, with moments by Gauss-Legendre sums."""

    def expect(self, f):
        shape = np.shape(self.mass)
        high = np.minimum(self.high, self.law.isf(1e-18))
        half = 0.5 * (high - self.low)
        x = self.low + half * (1 + _NODES.reshape((-1, *(1,) * len(shape))))
        return np.tensordot(_WEIGHTS, f(x) * np.exp(self.logpdf(x)), 1) * half

    def mean(self):
        return self.expect(lambda x: x)

    def var(self):
        return self.expect(lambda x: (x - self.mean()) ** 2)


class Mass:
    """A law of counts from its mass function at 0, 1, …, last."""

    def __init__(self, pmf, last, shape):
        self.k = np.arange(last + 1).reshape((-1, *(1,) * len(shape)))
        self.p = np.broadcast_to(pmf(self.k), (last + 1, *shape))
        self.total = np.cumsum(self.p, 0)

    def _at(self, table, k):
        index = np.clip(np.floor(k), 0, len(table) - 1).astype(int)
        index = np.broadcast_to(index, np.broadcast_shapes(index.shape, table.shape[1:]))
        wide = np.broadcast_to(table, (*index.shape[:index.ndim - table.ndim + 1], *table.shape))
        at = index.ndim - table.ndim + 1
        return np.take_along_axis(wide, np.expand_dims(index, at), at).squeeze(at)

    def logpmf(self, k):
        with np.errstate(divide="ignore"):
            return np.log(np.where(np.asarray(k) < 0, 0.0, self._at(self.p, k)))

    def cdf(self, x):
        return np.where(np.asarray(x) < 0, 0.0, self._at(self.total, x))

    def logcdf(self, x):
        with np.errstate(divide="ignore"):
            return np.log(self.cdf(x))

    def ppf(self, u):
        return np.sum(self.total[:-1] < np.expand_dims(np.asarray(u), -1 - len(self.p.shape[1:])), -len(self.p.shape))

    def mean(self):
        return (self.k * self.p).sum(0)

    def var(self):
        return ((self.k - self.mean()) ** 2 * self.p).sum(0)


class Blend:
    """A mixture of laws with weights [n, *batch]; its quantile by bisection."""

    def __init__(self, weights, laws):
        self.weights, self.laws = weights, laws

    def _sum(self, f):
        return sum(w * f(law) for w, law in zip(self.weights, self.laws))

    def logpdf(self, x):
        return np.log(self._sum(lambda law: law.pdf(x)))

    def cdf(self, x):
        return self._sum(lambda law: law.cdf(x))

    def logcdf(self, x):
        return np.log(self.cdf(x))

    def ppf(self, u):
        ends = np.broadcast_arrays(*[law.ppf(u) for law in self.laws])
        low, high = np.minimum.reduce(ends), np.maximum.reduce(ends)
        for _ in range(80):
            middle = 0.5 * (low + high)
            less = self.cdf(middle) < u
            low, high = np.where(less, middle, low), np.where(less, high, middle)
        return high

    def mean(self):
        return self._sum(lambda law: law.mean())

    def var(self):
        return self._sum(lambda law: law.var() + law.mean() ** 2) - self.mean() ** 2


class Folded:
    """|X| for a normal X; its quantile by bisection."""

    def __init__(self, loc, scale):
        self.law, self.last = stats.foldnorm(abs(loc) / scale, 0, scale), abs(loc) + 40 * scale
        for name in ("logpdf", "cdf", "logcdf", "mean", "var"):
            setattr(self, name, getattr(self.law, name))

    def ppf(self, u):
        low, high = 0 * (u + self.last), self.last + 0 * u
        for _ in range(80):
            middle = 0.5 * (low + high)
            less = self.cdf(middle) < u
            low, high = np.where(less, middle, low), np.where(less, high, middle)
        return high


class Arranged:
    """A law whose batch axes are reshaped."""

    def __init__(self, law, old, new):
        self.law, self.old, self.new = law, old, new
        for name in ("logpdf", "cdf", "logcdf", "ppf"):
            setattr(self, name, functools.partial(self._through, getattr(law, name)))

    def _through(self, f, x):
        x = np.broadcast_to(x, np.broadcast_shapes(np.shape(x), self.new))
        lead = x.shape[:x.ndim - len(self.new)]
        return np.reshape(f(np.reshape(x, (*lead, *self.old))), (*lead, *self.new))

    def mean(self):
        return np.broadcast_to(self.law.mean(), self.old).reshape(self.new)

    def var(self):
        return np.broadcast_to(self.law.var(), self.old).reshape(self.new)


class Chosen:
    """One of two laws, by a mask."""

    def __init__(self, mask, zero, one):
        for name in ("logpdf", "cdf", "logcdf", "ppf", "mean", "var", "entropy"):
            def method(*x, name=name):
                return np.where(mask, getattr(one, name)(*x), getattr(zero, name)(*x))
            setattr(self, name, method)


class Smooth:
    """1 / (1 + exp(-(η + L) / τ)) for a logistic number L, by the change of variables."""

    def __init__(self, temperature, logits):
        self.t, self.law = temperature, stats.logistic(logits, 1.0)

    def logpdf(self, x):
        return self.law.logpdf(self.t * special.logit(x)) + np.log(self.t / (x * (1 - x)))

    def cdf(self, x):
        inside = (x > 0) & (x < 1)
        return np.where(inside, self.law.cdf(self.t * special.logit(np.where(inside, x, 0.5))), x >= 1)

    def logcdf(self, x):
        return np.log(self.cdf(x))

    def ppf(self, u):
        return special.expit(self.law.ppf(u) / self.t)


def shape_of(*parameters):
    return np.broadcast_shapes(*[np.shape(p) for p in parameters])


def truncated_normal(loc, scale, low, high, **options):
    return dist.Truncated(dist.Normal(loc, scale, **options), low, high, **options)


def truncated_gamma(concentration, rate, low, **options):
    return dist.TruncatedGamma(concentration, rate, low=low, **options)


def truncated_logistic(loc, scale, high, **options):
    return dist.Truncated(dist.Logistic(loc, scale, **options), high=high, **options)


def truncated_poisson(rate, low, high, **options):
    return dist.Truncated(dist.Poisson(rate, **options), low, high, **options)


def poisson_between(rate, low, high):
    def pmf(k):
        p = np.where((k >= low) & (k <= high), stats.poisson(rate).pmf(k), 0.0)
        return p / (stats.poisson(rate).cdf(high) - stats.poisson(rate).cdf(low - 1))
    return Mass(pmf, 30, shape_of(rate, low, high))


def censored_poisson(rate, lower, upper, **options):
    return dist.Censored(dist.Poisson(rate, **options), lower, upper, **options)


def poisson_clipped(rate, lower, upper):
    def pmf(k):
        law = stats.poisson(rate)
        return np.where(k == lower, law.cdf(lower), np.where(k == upper, law.sf(upper - 1),
                                                             np.where((k > lower) & (k < upper), law.pmf(k), 0.0)))
    return Mass(pmf, 30, shape_of(rate, lower, upper))


def folded(loc, scale, **options):
    return dist.FoldedDistribution(dist.Normal(loc, scale, **options))


def same_family(odds, loc, scale, **options):
    logits = cnp.stack([cnp.asarray(odds), cnp.zeros_like(odds)], -1)
    return dist.MixtureSameFamily(dist.Categorical(logits=logits), dist.Normal(loc, scale, **options))


def general(odds, loc, scale, **options):
    logits = cnp.stack([cnp.asarray(odds), cnp.zeros_like(odds)], -1)
    return dist.Mixture(dist.Categorical(logits=logits),
                        [dist.Normal(loc, 1.0, **options), dist.Laplace(loc, scale, **options)])


def two(odds):
    return special.expit(odds), special.expit(-odds)


def inflated(rate, **gate):
    g = special.expit(gate["gate_logits"]) if "gate_logits" in gate else gate["gate"]
    return Mass(lambda k: np.where(k == 0, g, 0.0) + (1 - g) * stats.poisson(rate).pmf(k), 60, shape_of(rate, g))


def hurdle(rate, **gate):
    g = special.expit(gate["gate_logits"]) if "gate_logits" in gate else gate["gate"]
    return Mass(lambda k: np.where(k == 0, g, (1 - g) * stats.poisson(rate).pmf(k) / -np.expm1(-rate)), 60,
                shape_of(rate, g))


def quantized(loc, scale, **options):
    return dist.QuantizedDistribution(dist.Normal(loc, scale, **options), 0, 9)


def rounded(loc, scale):
    def pmf(k):
        law = stats.norm(loc, scale)
        return (law.cdf(np.where(k >= 9, np.inf, k)) - law.cdf(np.where(k <= 0, -np.inf, k - 1))) * (k <= 9)
    return Mass(pmf, 12, shape_of(loc, scale))


def reshaped(rate, **options):
    return dist.BatchReshape(dist.Exponential(rate, **options), (2, -1))


def drawn(loc, scale, **options):
    return dist.Sample(dist.Normal(loc, scale, **options), 2)


def blocks(loc, rate, **options):
    return dist.Blockwise([dist.Normal(loc, 1.0, **options), dist.Exponential(rate, **options)])


def side_by_side(laws):
    """Vectors of independent numbers, of which each law may have a batch."""
    shape = np.shape(laws[0].mean())
    parts = [[law if not shape else type("One", (), {
        "logpdf": lambda self, x, law=law, i=i: law.logpdf(np.full(shape, x))[i],
        "rvs": lambda self, n, random_state, law=law, i=i: law.rvs((n, *shape), random_state=random_state)[:, i],
        "entropy": lambda self, law=law, i=i: np.broadcast_to(law.entropy(), shape)[i]})() for law in laws]
        for i in range(shape[0] if shape else 1)]
    joint = type("Joint", (), {"cdf": lambda self, x: np.stack([law.cdf(x[..., 0]) for law in laws], -1)})()
    return Vectors([_Product(p) for p in parts], shape, np.stack([law.mean() + np.zeros(shape) for law in laws], -1),
                   np.stack([law.var() + np.zeros(shape) for law in laws], -1), joint)


def grouped(prior_loc, prior_scale, obs_scale, **options):
    groups = [0, 1] if np.shape(prior_loc)[-1] == 2 else [0, 0]
    return dist.GroupedNormalNormal(prior_loc, prior_scale, obs_scale, groups, **options)


def grouped_law(prior_loc, prior_scale, obs_scale):
    n = prior_loc.shape[-1]
    cov = np.diag(obs_scale ** 2) + (np.diag(prior_scale ** 2) if n == 2 else prior_scale ** 2)
    return multivariate_normal(np.broadcast_to(prior_loc, (*prior_loc.shape[:-1], 2)), cov)


def masked(loc, scale, **options):
    return dist.MaskedMixture([False, True], dist.Normal(loc, scale, **options), dist.Laplace(loc, scale, **options))


CASES = [
    Case("Truncated", truncated_normal,
         [dict(loc=0.5, scale=2.0, low=-1.0, high=2.0),
          dict(loc=[[0.0], [1.0]], scale=1.0, low=[-0.5, 2.0, 4.0], high=[0.7, 9.0, 6.0])],
         lambda loc, scale, low, high: stats.truncnorm((low - loc) / scale, (high - loc) / scale, loc, scale),
         (dist.Truncated,), outside=(-2.0, 10.0), bad=dict(scale=-1.0, low=np.nan, high=-1.5)),
    Case("Truncated below", truncated_gamma,
         [dict(concentration=2.5, rate=3.0, low=1.0), dict(concentration=[[4.0], [7.0]], rate=2.0, low=[0.5, 6.0])],
         lambda concentration, rate, low: WithMoments(stats.gamma(concentration, 0, 1 / rate), low, np.inf),
         (dist.Truncated,), outside=(-1.0, 0.0, 0.3), bad=dict(low=np.nan, rate=-1.0)),
    Case("Truncated above", truncated_logistic,
         [dict(loc=0.5, scale=2.0, high=0.4), dict(loc=0.0, scale=[1.0, 0.5], high=[[-3.0], [5.0]])],
         lambda loc, scale, high: Between(stats.logistic(loc, scale), -np.inf, high), (dist.Truncated,),
         outside=(5.5,), bad=dict(scale=-1.0, high=np.nan)),
    Case("Truncated counts", truncated_poisson,
         [dict(rate=2.5, low=1.0, high=6.0), dict(rate=[[0.7], [9.0]], low=[0.0, 2.0], high=[3.0, 25.0])],
         poisson_between, (dist.Truncated,), outside=(-1, 30), bad=dict(rate=-1.0, high=0.0), discrete=True,
         largest=30),
    Case("Censored", censored_poisson,
         [dict(rate=2.5, lower=1.0, upper=6.0), dict(rate=[[0.7], [9.0]], lower=[0.0, 2.0], upper=[3.0, 25.0])],
         poisson_clipped, (dist.Censored,), outside=(-1, 30), bad=dict(rate=-1.0, upper=0.0), discrete=True,
         largest=30),
    Case("FoldedDistribution", folded, [dict(loc=0.5, scale=2.0), dict(loc=[[0.2], [-3.0]], scale=[0.5, 1.0])],
         lambda loc, scale: Folded(loc, scale), (dist.FoldedDistribution,), outside=(-1.0,),
         bad=dict(scale=-1.0)),
    Case("MixtureSameFamily", same_family,
         [dict(odds=0.4, loc=[-1.0, 2.0], scale=[1.0, 0.5]),
          dict(odds=[0.5, -1.0], loc=[[[-1.0, 1.0]], [[0.0, 3.0]]], scale=[[1.0, 2.0], [0.7, 0.5]])],
         lambda odds, loc, scale: Blend(two(odds), [stats.norm(loc[..., k], scale[..., k]) for k in range(2)]),
         (dist.MixtureSameFamily,), bad=dict(scale=[1.0, -1.0])),
    Case("MixtureGeneral", general,
         [dict(odds=0.4, loc=-1.0, scale=0.8), dict(odds=[0.5, -1.0], loc=[[-1.0], [2.0]], scale=1.5)],
         lambda odds, loc, scale: Blend(two(odds), [stats.norm(loc, 1.0), stats.laplace(loc, scale)]),
         (dist.MixtureGeneral,), bad=dict(scale=-1.0)),
    Case("ZeroInflatedProbs", dist.ZeroInflatedPoisson,
         [dict(rate=2.5, gate=0.3), dict(rate=[[0.4], [7.0]], gate=[0.2, 0.8])], inflated, (dist.ZeroInflatedProbs,),
         outside=(-1,), bad=dict(rate=-1.0, gate=1.5), discrete=True, largest=60),
    Case("ZeroInflatedLogits", dist.ZeroInflatedPoisson,
         [dict(rate=2.5, gate_logits=0.3), dict(rate=[[0.4], [7.0]], gate_logits=[-1.0, 0.8])], inflated,
         (dist.ZeroInflatedLogits,), outside=(-1,), bad=dict(gate_logits=np.nan), discrete=True, largest=60),
    Case("HurdleProbs", dist.HurdlePoisson,
         [dict(rate=2.5, gate=0.3), dict(rate=[[0.4], [7.0]], gate=[0.2, 0.8])], hurdle, (dist.HurdleProbs,),
         outside=(-1,), bad=dict(rate=-1.0, gate=1.5), discrete=True, largest=60),
    Case("HurdleLogits", dist.HurdlePoisson,
         [dict(rate=2.5, gate_logits=0.3), dict(rate=[[0.4], [7.0]], gate_logits=[-1.0, 0.8])], hurdle,
         (dist.HurdleLogits,), outside=(-1,), bad=dict(gate_logits=np.nan), discrete=True, largest=60),
    Case("QuantizedDistribution", quantized, [dict(loc=4.0, scale=2.5), dict(loc=[[2.0], [7.0]], scale=[1.0, 3.0])],
         rounded, (dist.QuantizedDistribution,), outside=(-1, 10), bad=dict(scale=-1.0), discrete=True, largest=12),
    Case("BatchReshape", reshaped, [dict(rate=[2.0, 3.0, 0.7, 5.0, 1.0, 4.0])],
         lambda rate: Arranged(stats.expon(0, 1 / rate), (6,), (2, 3)), (dist.BatchReshape,), outside=(-1.0,)),
    Case("Sample", drawn, [dict(loc=0.5, scale=2.0), dict(loc=[0.0, 1.0, 2.0], scale=0.5)],
         lambda loc, scale: side_by_side([stats.norm(loc, scale)] * 2), (dist.Sample,), bad=dict(scale=-1.0)),
    Case("Blockwise", blocks, [dict(loc=0.5, rate=2.0), dict(loc=[0.0, 1.0, 2.0], rate=0.5)],
         lambda loc, rate: side_by_side([stats.norm(loc, 1.0), stats.expon(0 * loc, 1 / rate)]), (dist.Blockwise,),
         outside=([0.0, -1.0],), bad=dict(rate=-1.0)),
    Case("GroupedNormalNormal", grouped,
         [dict(prior_loc=[0.5, -1.0], prior_scale=[1.0, 2.0], obs_scale=[0.5, 1.0]),
          dict(prior_loc=[[0.5], [2.0]], prior_scale=[0.7], obs_scale=[1.5, 0.5])], grouped_law,
         (dist.GroupedNormalNormal,), bad=dict(prior_scale=[1.0, -1.0], obs_scale=[0.0, 1.0])),
    Case("MaskedMixture", masked, [dict(loc=[-1.0, 2.0], scale=0.5)],
         lambda loc, scale: Chosen([False, True], stats.norm(loc, scale), stats.laplace(loc, scale)),
         (dist.MaskedMixture,), bad=dict(scale=-1.0)),
    Case("RelaxedBernoulliLogits", dist.RelaxedBernoulli,
         [dict(temperature=0.7, logits=0.4), dict(temperature=[[0.9], [1.5]], logits=[-1.0, 1.0])],
         lambda temperature, logits: Smooth(temperature, logits), (dist.RelaxedBernoulliLogits,),
         outside=(-0.5, 0.0, 1.0, 1.5), bad=dict(temperature=-1.0, logits=np.nan)),
]
# masses with densities, pairs of bounds, values that are not a set of numbers: see test_censored.py, test_mixtures.py
NO_ROW = (dist.LeftCensoredDistribution, dist.RightCensoredDistribution, dist.IntervalCensoredDistribution,
          dist.Empirical, dist.RelaxedOneHotCategoricalLogits, dist.RelaxedBernoulliStraightThrough,
          dist.RelaxedOneHotCategoricalStraightThrough)
