"""Rows of the discrete distributions and of the likelihoods of generalized linear models."""
import functools
import itertools

import mpmath
import numpy as np
from scipy import special, stats

import chainrule.distributions as dist
from tests.distributions.cases import Case, expit, normal_vector, softmax


class Counted:
    """A reference for integers, by adding up the masses of first … last.   logpmf : k[*shape, *batch] -> log mass"""

    def __init__(self, logpmf, last, first=0, shape=()):
        self.logpmf, self.shape = logpmf, shape
        self.k = np.arange(first, last + 1)
        column = self.k.reshape((-1, *(1,) * len(shape)))
        self.mass = np.exp(logpmf(np.broadcast_to(column, (len(self.k), *shape))))
        self.total = np.concatenate([np.zeros((1, *shape)), np.cumsum(self.mass, 0)])

    def cdf(self, x):
        x = np.asarray(x)
        shape = np.broadcast_shapes(x.shape, self.shape)
        index = np.clip(np.floor(x).astype(int) - self.k[0] + 1, 0, len(self.k))
        total = np.broadcast_to(self.total, (len(self.total), *self.shape))
        total = total.reshape((len(total), *(1,) * (len(shape) - len(self.shape)), *self.shape))
        return np.take_along_axis(np.broadcast_to(total, (len(total), *shape)), np.broadcast_to(index, shape)[None],
                                  0)[0]

    def logcdf(self, x):
        with np.errstate(divide="ignore"):
            return np.log(self.cdf(x))

    def ppf(self, u):
        u = np.asarray(u)
        shape = np.broadcast_shapes(u.shape, self.shape)
        total = self.total[1:].reshape((len(self.k), *(1,) * (len(shape) - len(self.shape)), *self.shape))
        return self.k[0] + (total < u).sum(0)

    def entropy(self):
        return special.entr(self.mass).sum(0)


class Summed(Counted):
    """The same with moments."""

    def _expectation(self, f):
        return np.tensordot(f, self.mass, 1)

    def mean(self):
        return self._expectation(self.k)

    def var(self):
        m = self.mean()
        return (self.mass * (self.k.reshape((-1, *(1,) * len(self.shape))) - m) ** 2).sum(0)


class RoundedDown:
    """A law of SciPy, with a distribution function also between the integers."""

    def __init__(self, law):
        self.law = law

    def __getattr__(self, name):
        return getattr(self.law, name)

    def cdf(self, x):
        return self.law.cdf(np.floor(x))


class Enumerated:
    """A reference for vectors out of a list.   values : [n, *event]    logpmf : [*shape, *batch, *event] -> log mass"""

    def __init__(self, values, logpmf, shape=()):
        self.values, self.logpmf, self.shape = np.asarray(values), logpmf, shape
        n, *event = self.values.shape
        self.wide = np.broadcast_to(self.values.reshape((n, *(1,) * len(shape), *event)), (n, *shape, *event))
        self.mass = np.exp(logpmf(self.wide))

    def points(self, n, seed=0):
        picked = np.random.default_rng(seed).integers(0, len(self.values), (n, *self.shape))
        return self.values[picked]

    def entropy(self):
        return special.entr(self.mass).sum(0)


class EnumeratedSums(Enumerated):
    """The same with moments."""

    def mean(self):
        return (self.mass[..., None] * self.wide).sum(0)

    def var(self):
        return (self.mass[..., None] * (self.wide - self.mean()) ** 2).sum(0)


def sums_to(total, n):
    return [v for v in itertools.product(range(int(total) + 1), repeat=n) if sum(v) == total]


def each(make, parameters, shape):
    """log masses of one SciPy object for each batch element."""
    laws = [make(*[np.broadcast_to(p, (*shape, *p.shape[p.ndim - e:]))[at] for p, e in parameters])
            for at in np.ndindex(shape)]

    def logpmf(x):
        flat = x.reshape((-1, len(laws), x.shape[-1]))
        return np.reshape([[law(v) for law, v in zip(laws, row)] for row in flat], x.shape[:-1])
    return logpmf


def log_multinomial(n, p):
    return lambda k: special.gammaln(n + 1) - special.gammaln(k + 1).sum() + special.xlogy(k, p).sum()


def multinomial(probs, total_count):
    shape = np.broadcast_shapes(probs.shape[:-1], total_count.shape)
    return EnumeratedSums(sums_to(total_count.max(), probs.shape[-1]),
                          each(log_multinomial, [(total_count, 0), (probs, 1)], shape), shape)


def dirichlet_multinomial(concentration, total_count):
    shape = np.broadcast_shapes(concentration.shape[:-1], total_count.shape)

    def law(n, a):
        return lambda k: stats.dirichlet_multinomial(a, int(n)).logpmf(k.astype(int))
    return EnumeratedSums(sums_to(total_count.max(), concentration.shape[-1]),
                          each(law, [(total_count, 0), (concentration, 1)], shape), shape)


def one_hot(probs):
    with np.errstate(divide="ignore"):
        return EnumeratedSums(np.eye(probs.shape[-1], dtype=int), lambda x: np.log((x * probs).sum(-1)),
                              probs.shape[:-1])


def plackett_luce(scores):
    def law(w):
        def logpmf(order):
            left, out = list(range(len(w))), 0.0
            for i in order.astype(int):
                out += np.log(w[i] / sum(w[j] for j in left))
                left.remove(i)
            return out
        return logpmf
    shape = scores.shape[:-1]
    orders = list(itertools.permutations(range(scores.shape[-1])))
    return Enumerated(orders, each(law, [(scores, 1)], shape), shape)


def table(p):
    """A reference of one row of probabilities [n] for each batch element."""
    def logpmf(k):
        k = np.asarray(k, int)
        shape = np.broadcast_shapes(k.shape, p.shape[:-1])
        at = np.broadcast_to(k, shape)[..., None]
        with np.errstate(divide="ignore"):
            return np.log(np.take_along_axis(np.broadcast_to(p, (*shape, p.shape[-1])), at, -1)[..., 0])
    return Summed(logpmf, p.shape[-1] - 1, shape=p.shape[:-1])


def ordered_probs(cdf, predictor, cutpoints):
    f = cdf(cutpoints - predictor[..., None])
    ends = np.zeros((*f.shape[:-1], 1))
    return np.diff(np.concatenate([ends, f, ends + 1], -1), axis=-1)


def stopping_probs(predictor, cutpoints):
    stop = expit(cutpoints - predictor[..., None])
    one = np.ones((*stop.shape[:-1], 1))
    return np.concatenate([stop, one], -1) * np.cumprod(np.concatenate([one, 1 - stop], -1), -1)


def poisson_binomial(probs):
    """By all outcomes of all trials."""
    n = probs.shape[-1]
    p = np.zeros((*probs.shape[:-1], n + 1))
    for hits in itertools.product((0, 1), repeat=n):
        p[..., sum(hits)] += np.prod(np.where(hits, probs, 1 - probs), -1)
    return table(p)


def skellam(rate1, rate2):
    """By convolution."""
    shape = np.broadcast_shapes(rate1.shape, rate2.shape)

    def logpmf(k):
        j = np.arange(150).reshape((-1, *(1,) * max(k.ndim, len(shape))))
        both = stats.poisson.logpmf(j + np.maximum(k, 0), rate1) + stats.poisson.logpmf(j + np.maximum(-k, 0), rate2)
        return special.logsumexp(both, 0)
    return Summed(logpmf, 70, -50, shape)


def generalized_poisson(mu, lam):
    """By the number m of ancestors: the total is then of the Borel-Tanner distribution."""
    shape = np.broadcast_shapes(mu.shape, lam.shape)

    def logpmf(k):
        m = np.arange(1, 250).reshape((-1, *(1,) * max(k.ndim, len(shape))))
        safe = np.maximum(k - m, 0)
        borel = (np.log(m / np.maximum(k, 1)) + special.xlogy(safe, lam * np.maximum(k, 1)) - lam * k
                 - special.gammaln(safe + 1))
        both = np.where(k >= m, stats.poisson.logpmf(m, mu) + borel, -np.inf)
        return np.where(k == 0, -mu, special.logsumexp(both, 0))
    return Summed(logpmf, 240, shape=shape)


def discrete_weibull(q, beta):
    def one(k, q, beta):
        k, q, beta = mpmath.mpf(int(k)), mpmath.mpf(float(q)), mpmath.mpf(float(beta))
        return float(mpmath.log(q ** (k ** beta) - q ** ((k + 1) ** beta)))
    shape = np.broadcast_shapes(q.shape, beta.shape)
    return Counted(lambda k: np.vectorize(one, otypes=[float])(k, q, beta), 120, shape=shape)


def poisson_log_normal(loc, scale):
    """By the trapezoidal rule on a fine grid of the rate's logarithm."""
    shape = np.broadcast_shapes(loc.shape, scale.shape)

    def logpmf(k):
        u = np.linspace(-12, 12, 401).reshape((-1, *(1,) * max(k.ndim, len(shape))))
        both = stats.norm.logpdf(u) + stats.poisson.logpmf(k, np.exp(loc + scale * u))
        return special.logsumexp(both, 0) + np.log(24 / 400)
    return Summed(logpmf, 300, shape=shape)


def log_normal_negative_binomial(total_count, logits, multiplicative_noise_scale):
    shape = np.broadcast_shapes(total_count.shape, logits.shape, multiplicative_noise_scale.shape)

    def logpmf(k):
        u = np.linspace(-10, 10, 201).reshape((-1, *(1,) * max(k.ndim, len(shape))))
        stop = 1 / (1 + np.exp(logits + multiplicative_noise_scale * u))
        both = stats.norm.logpdf(u) + stats.nbinom.logpmf(k, total_count, stop)
        return special.logsumexp(both, 0) + np.log(20 / 200)
    return Summed(logpmf, 300, shape=shape)


# ---- generalized linear models ----

X2 = [[0.4, -1.0], [1.2, 0.3]]
X3 = [[0.4, -1.0], [1.2, 0.3], [-0.5, 0.8]]
BETAS = [[0.5, -0.3], [-0.2, 0.7]]


def rows_of(law, largest, x, alpha, beta, **others):
    """Independent rows of a SciPy family of η."""
    alpha, *rest = (v.reshape((1,)) if v.ndim == 0 else v for v in (alpha, *others.values()))
    eta = np.einsum("...nd,...d->...n", x, beta) + alpha
    values = list(itertools.product(range(largest + 1), repeat=x.shape[-2]))
    frozen = law(eta, *rest)
    return EnumeratedSums(values, lambda y: frozen.logpmf(y).sum(-1), eta.shape[:-1])


def rows_of_tables(probs, moments):
    """Independent rows with their own probabilities [*batch, n, c]."""
    def logpmf(y):
        y = y.astype(int)
        p = np.broadcast_to(probs, (*y.shape, probs.shape[-1]))
        return np.log(np.take_along_axis(p, y[..., None], -1)[..., 0]).sum(-1)
    n, c = probs.shape[-2:]
    family = EnumeratedSums if moments else Enumerated
    return family(list(itertools.product(range(c), repeat=n)), logpmf, probs.shape[:-2])


def glm(family, name, law, largest, x, bad=None, **others):
    return Case(name, family,
                [dict(x=x, alpha=0.3, beta=BETAS[0], **others), dict(x=x, alpha=[[0.3], [-0.2]], beta=BETAS, **others)],
                functools.partial(rows_of, law, largest), (family,), outside=([-1] * len(x), [0.5] * len(x)),
                bad={"alpha": np.nan, **(bad or {})}, discrete=True, largest=largest)


CUTS = [-1.0, 0.2, 1.5]
CASES = [
    Case("DiscreteUniform", dist.DiscreteUniform, [dict(low=0, high=5), dict(low=[[0], [2]], high=[4, 6])],
         lambda low, high: stats.randint(low, high + 1), (dist.DiscreteUniform,), outside=(-1, 7, 3.5),
         bad=dict(high=-2, low=0.5), discrete=True, largest=6),
    Case("GeometricProbs", dist.Geometric, [dict(probs=0.3), dict(probs=[0.6, 0.15])],
         lambda probs: stats.geom(probs, -1), (dist.GeometricProbs,), outside=(-1, 0.5), bad=dict(probs=1.5),
         discrete=True, largest=400),
    Case("GeometricLogits", dist.Geometric, [dict(logits=0.3), dict(logits=[1.0, -1.5])],
         lambda logits: stats.geom(expit(logits), -1), (dist.GeometricLogits,), outside=(-1, 0.5),
         bad=dict(logits=np.nan), discrete=True, largest=400),
    Case("NegativeBinomialProbs", dist.NegativeBinomial,
         [dict(total_count=3.5, probs=0.4), dict(total_count=[[0.7], [6.0]], probs=[0.2, 0.6])],
         lambda total_count, probs: stats.nbinom(total_count, 1 - probs), (dist.NegativeBinomialProbs,),
         outside=(-1, 2.5), bad=dict(total_count=-1.0, probs=1.5), discrete=True, largest=200),
    Case("NegativeBinomialLogits", dist.NegativeBinomial,
         [dict(total_count=3.5, logits=-0.4), dict(total_count=[[0.7], [6.0]], logits=[-1.5, 0.4])],
         lambda total_count, logits: stats.nbinom(total_count, expit(-logits)), (dist.NegativeBinomialLogits,),
         outside=(-1, 2.5), bad=dict(total_count=-1.0, logits=np.nan), discrete=True, largest=200),
    Case("NegativeBinomial2", dist.NegativeBinomial2,
         [dict(mean=3.0, concentration=2.5), dict(mean=[[0.5, 1.0], [4.0, 2.0]], concentration=[1.5, 30.0])],
         lambda mean, concentration: stats.nbinom(concentration, concentration / (mean + concentration)),
         (dist.NegativeBinomial2,), outside=(-1, 2.5), bad=dict(mean=-1.0, concentration=0.0), discrete=True,
         largest=200),
    Case("NegativeBinomial2Log", dist.NegativeBinomial2Log,
         [dict(log_mean=1.1, concentration=2.5), dict(log_mean=[[-0.5], [1.3]], concentration=[1.5, 30.0])],
         lambda log_mean, concentration: stats.nbinom(concentration,
                                                      concentration / (np.exp(log_mean) + concentration)),
         (dist.NegativeBinomial2Log,), outside=(-1, 2.5), bad=dict(log_mean=np.nan, concentration=0.0), discrete=True,
         largest=200),
    Case("GammaPoisson", dist.GammaPoisson,
         [dict(concentration=3.0, rate=2.5), dict(concentration=[[0.5], [4.0]], rate=[1.5, 0.7])],
         lambda concentration, rate: stats.nbinom(concentration, rate / (1 + rate)), (dist.GammaPoisson,),
         outside=(-1, 2.5), bad=dict(concentration=-1.0, rate=0.0), discrete=True, largest=200),
    Case("PoissonLogRate", dist.PoissonLogRate, [dict(log_rate=1.2), dict(log_rate=[-0.7, 3.0])],
         lambda log_rate: stats.poisson(np.exp(log_rate)), (dist.PoissonLogRate,), outside=(-1, 1.5),
         bad=dict(log_rate=np.nan), discrete=True, largest=120),
    Case("BetaBinomial", dist.BetaBinomial,
         [dict(concentration1=2.0, concentration0=3.5, total_count=7),
          dict(concentration1=[[0.7], [9.0]], concentration0=[1.0, 0.6], total_count=[4, 12])],
         lambda concentration1, concentration0, total_count: stats.betabinom(total_count, concentration1,
                                                                             concentration0),
         (dist.BetaBinomial,), outside=(-1, 13, 1.5),
         bad=dict(concentration1=-1.0, concentration0=0.0, total_count=-1), discrete=True, largest=12),
    Case("BetaNegativeBinomial", dist.BetaNegativeBinomial,
         [dict(concentration1=2.0, concentration0=15.0, n=3.0),
          dict(concentration1=[[0.7], [3.0]], concentration0=[14.0, 20.0], n=4.0)],
         lambda concentration1, concentration0, n: stats.betanbinom(n, concentration0, concentration1),
         (dist.BetaNegativeBinomial,), outside=(-1, 1.5), bad=dict(concentration1=-1.0, concentration0=0.0, n=0.0),
         discrete=True, largest=400),
    Case("HyperGeometric", dist.HyperGeometric, [dict(N=20, k=8, n=5), dict(N=[[30], [50]], k=[12, 20], n=[6, 10])],
         lambda N, k, n: RoundedDown(stats.hypergeom(N, k, n)), (dist.HyperGeometric,), outside=(-1, 11, 1.5),
         bad=dict(N=-1, k=30, n=-1), discrete=True, largest=10),
    Case("GeneralizedPoisson", dist.GeneralizedPoisson,
         [dict(mu=2.0, lam=0.3), dict(mu=[[0.5], [3.0]], lam=[0.0, 0.5])], generalized_poisson,
         (dist.GeneralizedPoisson,), outside=(-1, 1.5), bad=dict(mu=-1.0, lam=-0.5), discrete=True, largest=240),
    Case("Skellam", dist.Skellam, [dict(rate1=2.0, rate2=3.0), dict(rate1=[[0.5], [9.0]], rate2=[1.0, 4.0])],
         skellam, (dist.Skellam,), outside=(0.5,), bad=dict(rate1=-1.0, rate2=0.0), discrete=True, largest=70,
         smallest=-50),
    Case("DiscreteWeibull", dist.DiscreteWeibull, [dict(q=0.6, beta=1.3), dict(q=[[0.3], [0.6]], beta=[0.9, 2.0])],
         discrete_weibull, (dist.DiscreteWeibull,), outside=(-1, 1.5), bad=dict(q=1.0, beta=-1.0), discrete=True,
         largest=120),
    Case("Zipf", dist.Zipf, [dict(power=6.0), dict(power=[7.0, 9.5])], lambda power: stats.zipf(power), (dist.Zipf,),
         outside=(0, -1, 1.5), bad=dict(power=1.0), discrete=True, smallest=1, largest=300),
    Case("YuleSimon", dist.YuleSimon, [dict(alpha=6.0), dict(alpha=[7.0, 9.5])],
         lambda alpha: Summed(stats.yulesimon(alpha).logpmf, 5000, 1, alpha.shape), (dist.YuleSimon,),
         outside=(0, -1, 1.5), bad=dict(alpha=0.0), discrete=True, smallest=1, largest=300),
    Case("PoissonBinomial", dist.PoissonBinomial,
         [dict(probs=[0.2, 0.5, 0.9, 0.3]), dict(probs=[[0.1, 0.3, 0.6, 0.8], [0.5, 0.4, 0.3, 0.7]])], poisson_binomial,
         (dist.PoissonBinomial,), outside=(-1, 5, 0.5), bad=dict(probs=[0.5, 1.5]), discrete=True, largest=4),
    Case("PoissonLogNormal", dist.PoissonLogNormal,
         [dict(loc=0.5, scale=0.4), dict(loc=[[-0.5], [0.8]], scale=[0.3, 0.5])], poisson_log_normal,
         (dist.PoissonLogNormal,), outside=(-1, 0.5), bad=dict(loc=np.nan, scale=0.0), discrete=True, largest=300),
    Case("LogNormalNegativeBinomial", dist.LogNormalNegativeBinomial,
         [dict(total_count=3.0, logits=-0.8, multiplicative_noise_scale=0.4),
          dict(total_count=[[1.5], [4.0]], logits=[-1.5, -0.7], multiplicative_noise_scale=0.3)],
         log_normal_negative_binomial, (dist.LogNormalNegativeBinomial,), outside=(-1, 0.5),
         bad=dict(total_count=0.0, logits=np.nan, multiplicative_noise_scale=-1.0), discrete=True, largest=300),
    Case("OrderedLogistic", functools.partial(dist.OrderedLogistic),
         [dict(predictor=0.3, cutpoints=CUTS), dict(predictor=[0.3, -1.0], cutpoints=[CUTS, [-0.5, 0.0, 0.5]])],
         lambda predictor, cutpoints: table(ordered_probs(expit, predictor, cutpoints)), (dist.OrderedLogistic,),
         outside=(-1, 4, 0.5), bad=dict(predictor=np.nan, cutpoints=[1.0, 0.0]), discrete=True, largest=3),
    Case("OrderedProbit", functools.partial(dist.OrderedProbit),
         [dict(predictor=0.3, cutpoints=CUTS), dict(predictor=[0.3, -1.0], cutpoints=[CUTS, [-0.5, 0.0, 0.5]])],
         lambda predictor, cutpoints: table(ordered_probs(stats.norm.cdf, predictor, cutpoints)),
         (dist.OrderedProbit,), outside=(-1, 4, 0.5), bad=dict(predictor=np.nan, cutpoints=[1.0, 0.0]), discrete=True,
         largest=3),
    Case("StoppingRatioLogistic", functools.partial(dist.StoppingRatioLogistic),
         [dict(predictor=0.3, cutpoints=CUTS), dict(predictor=[0.3, -1.0], cutpoints=[0.4, 0.0, 0.5])],
         lambda predictor, cutpoints: table(stopping_probs(predictor, cutpoints)), (dist.StoppingRatioLogistic,),
         outside=(-1, 4, 0.5), bad=dict(predictor=np.nan, cutpoints=[1.0, np.nan]), discrete=True, largest=3),
    Case("FiniteDiscreteProbs", dist.FiniteDiscrete,
         [dict(outcomes=[0.0, 1.0, 3.0], probs=[0.2, 0.5, 0.3]),
          dict(outcomes=[0.0, 1.0, 3.0], probs=[[0.1, 0.7, 0.2], [0.6, 0.3, 0.1]])],
         lambda outcomes, probs: table(np.insert(probs, 2, 0.0, -1)), (dist.FiniteDiscreteProbs,),
         outside=(-1, 2, 0.5), bad=dict(outcomes=[0.0, np.nan, 1.0], probs=[0.5, 0.5, 0.5]), discrete=True, largest=3),
    Case("FiniteDiscreteLogits", dist.FiniteDiscrete,
         [dict(outcomes=[0.0, 1.0, 3.0], logits=[0.2, -0.5, 0.3]),
          dict(outcomes=[0.0, 1.0, 3.0], logits=[[0.1, 0.7, -1.2], [0.6, 0.3, 0.1]])],
         lambda outcomes, logits: table(np.insert(softmax(logits), 2, 0.0, -1)), (dist.FiniteDiscreteLogits,),
         outside=(-1, 2, 0.5), bad=dict(outcomes=[0.0, np.nan, 1.0]), discrete=True, largest=3),
    Case("ProbitBernoulli", dist.ProbitBernoulli, [dict(probit=0.3), dict(probit=[-1.5, 0.8])],
         lambda probit: stats.bernoulli(stats.norm.cdf(probit)), (dist.ProbitBernoulli,), outside=(-1, 2),
         bad=dict(probit=np.nan), discrete=True, largest=1),
    Case("ExtendedBinomial", dist.ExtendedBinomial,
         [dict(probs=0.3, total_count=7), dict(probs=[0.1, 0.8], total_count=[[3], [20]])],
         lambda total_count, probs: stats.binom(total_count, probs), (dist.ExtendedBinomial,), outside=(-1, 61, 0.5),
         bad=dict(probs=-0.5, total_count=0.5), discrete=True, largest=20),
    Case("ExtendedBetaBinomial", dist.ExtendedBetaBinomial,
         [dict(concentration1=2.0, concentration0=3.5, total_count=7)],
         lambda concentration1, concentration0, total_count: stats.betabinom(total_count, concentration1,
                                                                             concentration0),
         (dist.ExtendedBetaBinomial,), outside=(-1, 13, 1.5),
         bad=dict(concentration1=-1.0, concentration0=0.0, total_count=0.5), discrete=True, largest=12),
    Case("MultinomialProbs", dist.Multinomial,
         [dict(probs=[0.2, 0.5, 0.3], total_count=4), dict(probs=[[0.1, 0.7, 0.2], [0.6, 0.3, 0.1]], total_count=5)],
         multinomial, (dist.MultinomialProbs,), outside=([1, 1, 1], [-1, 3, 2], [0.5, 1.5, 2.0]),
         bad=dict(probs=[0.5, 0.6], total_count=-1), discrete=True),
    Case("MultinomialLogits", dist.Multinomial,
         [dict(logits=[0.2, -0.5, 0.3], total_count=4),
          dict(logits=[[0.1, 0.7, 0.2], [0.6, 0.3, -1.0]], total_count=3)],
         lambda logits, total_count: multinomial(softmax(logits), total_count), (dist.MultinomialLogits,),
         outside=([1, 1, 0], [-1, 3, 2]), bad=dict(logits=[np.nan, 0.6], total_count=-1), discrete=True),
    Case("DirichletMultinomial", functools.partial(dist.DirichletMultinomial),
         [dict(concentration=[2.0, 0.5, 3.0], total_count=4),
          dict(concentration=[[1.0, 7.0, 0.2], [6.0, 3.0, 1.0]], total_count=5)],
         dirichlet_multinomial, (dist.DirichletMultinomial,), outside=([1, 1, 1], [-1, 3, 2]),
         bad=dict(concentration=[0.5, 0.0], total_count=-1), discrete=True),
    Case("OrderedMultinomial", functools.partial(dist.OrderedMultinomial),
         [dict(predictor=0.3, cutpoints=CUTS[:2], total_count=4),
          dict(predictor=[0.3, -1.0], cutpoints=[CUTS[:2], [-0.5, 0.0]], total_count=5)],
         lambda predictor, cutpoints, total_count: multinomial(ordered_probs(expit, predictor, cutpoints), total_count),
         (dist.OrderedMultinomial,), outside=([1, 1, 1], [-1, 3, 2]), bad=dict(predictor=np.nan, cutpoints=[1.0, 0.0]),
         discrete=True),
    Case("OneHotCategoricalProbs", dist.OneHotCategorical,
         [dict(probs=[0.2, 0.5, 0.3]), dict(probs=[[0.1, 0.7, 0.2], [0.6, 0.3, 0.1]])], one_hot,
         (dist.OneHotCategoricalProbs,), outside=([1, 1, 0], [0, 0, 0], [2, -1, 0]), bad=dict(probs=[0.5, 0.6]),
         discrete=True),
    Case("OneHotCategoricalLogits", dist.OneHotCategorical,
         [dict(logits=[0.2, -0.5, 0.3]), dict(logits=[[0.1, 0.7, 0.2], [0.6, 0.3, -1.0]])],
         lambda logits: one_hot(softmax(logits)), (dist.OneHotCategoricalLogits,),
         outside=([1, 1, 0], [0, 0, 0], [2, -1, 0]), bad=dict(logits=[np.nan, 0.6]), discrete=True),
    Case("OneHotCategoricalStraightThrough", dist.OneHotCategoricalStraightThrough,
         [dict(logits=[0.2, -0.5, 0.3]), dict(logits=[[0.1, 0.7, 0.2], [0.6, 0.3, -1.0]])],
         lambda logits: one_hot(softmax(logits)), (dist.OneHotCategoricalStraightThrough,),
         outside=([1, 1, 0], [0, 0, 0]), bad=dict(logits=[np.nan, 0.6]), discrete=True),
    Case("PlackettLuce", dist.PlackettLuce,
         [dict(scores=[0.5, 2.0, 1.0]), dict(scores=[[1.0, 2.0, 3.0], [0.3, 0.5, 0.2]])],
         plackett_luce, (dist.PlackettLuce,), outside=([0, 0, 1], [1, 2, 3]), bad=dict(scores=[1.0, 0.0]),
         discrete=True),
    glm(dist.BernoulliLogitGLM, "BernoulliLogitGLM", lambda eta: stats.bernoulli(expit(eta)), 1, X3,
        bad=dict(beta=[np.nan, 0.0])),
    glm(dist.BinomialLogitGLM, "BinomialLogitGLM", lambda eta, n: stats.binom(n, expit(eta)), 4, X2, total_count=4,
        bad=dict(total_count=-1)),
    glm(dist.PoissonLogGLM, "PoissonLogGLM", lambda eta: stats.poisson(np.exp(eta)), 25, X2),
    glm(dist.NegBinomial2LogGLM, "NegBinomial2LogGLM", lambda eta, phi: stats.nbinom(phi, phi / (phi + np.exp(eta))),
        45, X2, phi=7.0, bad=dict(phi=0.0)),
    Case("NormalIdGLM", dist.NormalIdGLM,
         [dict(x=X2, alpha=0.3, beta=BETAS[0], sigma=0.7), dict(x=X2, alpha=[0.3, 0.1], beta=BETAS, sigma=[0.5, 1.5])],
         lambda x, alpha, beta, sigma: normal_vector(np.einsum("nd,...d->...n", x, beta) + alpha, sigma),
         (dist.NormalIdGLM,), bad=dict(alpha=np.nan, sigma=0.0)),
    Case("CategoricalLogitGLM", dist.CategoricalLogitGLM,
         [dict(x=X2, alpha=[0.1, 0.0, -0.4], beta=[[0.2, 0.5, -0.3], [0.0, 1.0, 0.4]])],
         lambda x, alpha, beta: rows_of_tables(np.apply_along_axis(softmax, -1, x @ beta + alpha), False),
         (dist.CategoricalLogitGLM,),
         outside=([-1, 0], [0.5, 0], [0, 3]), bad=dict(alpha=[np.nan, 0.0, 1.0]), discrete=True),
    Case("OrderedLogisticGLM", dist.OrderedLogisticGLM,
         [dict(x=X2, beta=BETAS[0], cutpoints=CUTS), dict(x=X2, beta=BETAS, cutpoints=[CUTS, [0.0, 0.5, 2.0]])],
         lambda x, beta, cutpoints: rows_of_tables(
             ordered_probs(expit, np.einsum("nd,...d->...n", x, beta), cutpoints[..., None, :]), True),
         (dist.OrderedLogisticGLM,), outside=([-1, 0], [0.5, 0], [0, 4]), bad=dict(cutpoints=[1.0, 0.0]),
         discrete=True),
]
