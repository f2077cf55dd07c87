"""One row for each distribution: parameters to try, the same distribution elsewhere, and what must be refused.

`reference(**parameters)` gives an object with SciPy's names (logpdf or logpmf, mean, var, cdf, ppf, …).
Every promise of test_contract.py is kept by every row.
"""
import dataclasses
import importlib
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

import chainrule.distributions as dist
from chainrule.distributions import transforms
from chainrule.engine import tree


@dataclasses.dataclass
class Case:
    name: str
    family: Callable
    params: list
    reference: Callable | None
    covers: tuple                        # the classes this row is for
    outside: tuple = ()                  # values outside the support
    bad: dict = dataclasses.field(default_factory=dict)      # parameter: a value that must be refused
    discrete: bool = False
    largest: int = 0                     # discrete: beyond it the mass is negligible
    smallest: int = 0
    slow: bool = False                   # its programs take long to compile
    drawn_as: str = ""                   # the row whose compiled sampler is this one's too: it is compiled there alone

    def make(self, i=0):
        return self.family(**self.params[i])

    def check(self, i=0):
        return self.reference(**{k: np.asarray(v, float) for k, v in self.params[i].items()})


class Vectors:
    """A reference for vectors, from a list of SciPy's frozen ones (one for each batch element)."""

    def __init__(self, frozen, shape, mean, var, marginal):
        self.frozen, self.shape, self._mean, self._var, self.marginal = frozen, shape, mean, var, marginal

    def logpdf(self, x):
        lead = x.shape[:x.ndim - 1 - len(self.shape)]
        flat = x.reshape((-1, len(self.frozen), x.shape[-1]))
        out = [[f.logpdf(v) for f, v in zip(self.frozen, row)] for row in flat]
        return np.reshape(out, (*lead, *self.shape))

    def points(self, n, seed=0):
        rng = np.random.default_rng(seed)
        drawn = [np.reshape(f.rvs(n, random_state=rng), (n, -1)) for f in self.frozen]
        return np.stack(drawn, 1).reshape((n, *self.shape, -1))

    def mean(self):
        return self._mean

    def var(self):
        return self._var

    def entropy(self):
        return np.reshape([f.entropy() for f in self.frozen], self.shape)


class _Simplex:
    def __init__(self, alpha):
        self.law = stats.dirichlet(alpha)

    def logpdf(self, v):
        return self.law.logpdf(v)

    def rvs(self, n, random_state):
        return self.law.rvs(n, random_state=random_state)

    def entropy(self):
        return self.law.entropy()


def dirichlet(concentration):
    total = concentration.sum(-1, keepdims=True)
    m = concentration / total
    return Vectors([_Simplex(a) for a in concentration.reshape(-1, concentration.shape[-1])], concentration.shape[:-1],
                   m, m * (1 - m) / (total + 1), stats.beta(concentration, total - concentration))


def multivariate_normal(loc, covariance_matrix=None, precision_matrix=None, scale_tril=None):
    cov = covariance_matrix
    if cov is None:
        square = precision_matrix is not None
        cov = np.linalg.inv(precision_matrix) if square else scale_tril @ np.swapaxes(scale_tril, -1, -2)
    n = cov.shape[-1]
    shape = np.broadcast_shapes(loc.shape[:-1], cov.shape[:-2])
    loc, cov = np.broadcast_to(loc, (*shape, n)), np.broadcast_to(cov, (*shape, n, n))
    var = np.diagonal(cov, 0, -2, -1)
    return Vectors([stats.multivariate_normal(m, c) for m, c in zip(loc.reshape(-1, n), cov.reshape(-1, n, n))], shape,
                   loc, var, stats.norm(loc, np.sqrt(var)))


class _Product:
    def __init__(self, parts):
        self.parts = parts

    def logpdf(self, v):
        return sum(p.logpdf(x) for p, x in zip(self.parts, v))

    def rvs(self, n, random_state):
        return np.stack([p.rvs(n, random_state=random_state) for p in self.parts], -1)

    def entropy(self):
        return sum(p.entropy() for p in self.parts)


def normal_vector(loc, scale):
    loc, scale = np.broadcast_arrays(loc, scale)
    laws = [_Product([stats.norm(m, s) for m, s in zip(ms, ss)])
            for ms, ss in zip(loc.reshape(-1, loc.shape[-1]), scale.reshape(-1, loc.shape[-1]))]
    return Vectors(laws, loc.shape[:-1], loc, scale ** 2, stats.norm(loc, scale))


class Table:
    """A reference for the categorical distribution: one row of probabilities for each batch element."""

    def __init__(self, probs):
        self.probs = probs

    def logpmf(self, k):
        k = np.asarray(k, int)
        shape = np.broadcast_shapes(k.shape, self.probs.shape[:-1])
        p = np.broadcast_to(self.probs, (*shape, self.probs.shape[-1]))
        with np.errstate(divide="ignore"):
            return np.log(np.take_along_axis(p, np.broadcast_to(k, shape)[..., None], -1)[..., 0])

    def entropy(self):
        return stats.entropy(self.probs, axis=-1)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def expit(x):
    return 1 / (1 + np.exp(-x))


def vmapped_normal(loc, scale):
    """Lanes with their own loc [2, 3] and a shared scale."""
    one = dist.Normal(0.0, 1.0)
    d = tree.unflatten(tree.structure(one), [dist.Normal(loc).loc, dist.Normal(0.0, scale).scale])
    return dist.Vmapped(d, (True, False), 2)


MATRIX = [[2.0, 0.6], [0.6, 1.0]]
FACTOR = [[1.2, 0.0], [-0.4, 0.7]]

CASES = [
    Case("Normal", dist.Normal, [dict(loc=0.5, scale=2.0), dict(loc=[[0.0], [-3.0]], scale=[0.5, 1.0, 2.0])],
         lambda loc, scale: stats.norm(loc, scale), (dist.Normal,), bad=dict(scale=-1.0, loc=np.nan)),
    Case("HalfNormal", dist.HalfNormal, [dict(scale=2.0), dict(scale=[0.5, 3.0])],
         lambda scale: stats.halfnorm(0, scale), (dist.HalfNormal,), outside=(-1.0, -1e-3), bad=dict(scale=0.0)),
    Case("LogNormal", dist.LogNormal, [dict(loc=0.3, scale=0.5), dict(loc=[[0.0], [1.0]], scale=[0.3, 0.6])],
         lambda loc, scale: stats.lognorm(scale, 0, np.exp(loc)), (dist.LogNormal,), outside=(-1.0, 0.0),
         bad=dict(scale=-1.0)),
    Case("Cauchy", dist.Cauchy, [dict(loc=0.5, scale=2.0), dict(loc=[[0.0], [-3.0]], scale=[0.5, 1.0])],
         lambda loc, scale: stats.cauchy(loc, scale), (dist.Cauchy,), bad=dict(scale=-1.0)),
    Case("HalfCauchy", dist.HalfCauchy, [dict(scale=2.0), dict(scale=[0.5, 3.0])],
         lambda scale: stats.halfcauchy(0, scale), (dist.HalfCauchy,), outside=(-1.0, -1e-3), bad=dict(scale=-1.0)),
    Case("StudentT", dist.StudentT, [dict(df=4.5, loc=0.5, scale=2.0),
                                     dict(df=[[1.5], [30.0]], loc=0.0, scale=[0.5, 1.0])],
         lambda df, loc, scale: stats.t(df, loc, scale), (dist.StudentT,), bad=dict(df=-1.0, scale=0.0)),
    Case("Exponential", dist.Exponential, [dict(rate=2.0), dict(rate=[0.5, 3.0])],
         lambda rate: stats.expon(0, 1 / rate), (dist.Exponential,), outside=(-1.0, -1e-3), bad=dict(rate=-1.0)),
    Case("Laplace", dist.Laplace, [dict(loc=0.5, scale=2.0), dict(loc=[[0.0], [-3.0]], scale=[0.5, 1.0])],
         lambda loc, scale: stats.laplace(loc, scale), (dist.Laplace,), bad=dict(scale=-1.0)),
    Case("Logistic", dist.Logistic, [dict(loc=0.5, scale=2.0), dict(loc=[[0.0], [-3.0]], scale=[0.5, 1.0])],
         lambda loc, scale: stats.logistic(loc, scale), (dist.Logistic,), bad=dict(scale=-1.0)),
    Case("Gamma", dist.Gamma, [dict(concentration=2.5, rate=3.0), dict(concentration=[[0.4], [20.0]], rate=[0.5, 2.0])],
         lambda concentration, rate: stats.gamma(concentration, 0, 1 / rate), (dist.Gamma,), outside=(-1.0, 0.0),
         bad=dict(concentration=-1.0, rate=0.0)),
    Case("InverseGamma", dist.InverseGamma,
         [dict(concentration=5.0, rate=3.0), dict(concentration=[[5.5], [20.0]], rate=[0.5, 2.0])],
         lambda concentration, rate: stats.invgamma(concentration, 0, rate), (dist.InverseGamma,), outside=(-1.0, 0.0),
         bad=dict(concentration=-1.0, rate=0.0)),
    Case("Beta", dist.Beta, [dict(concentration1=2.0, concentration0=3.5),
                             dict(concentration1=[[0.7], [9.0]], concentration0=[0.9, 2.0])],
         lambda concentration1, concentration0: stats.beta(concentration1, concentration0), (dist.Beta,),
         outside=(-0.5, 0.0, 1.0, 1.5), bad=dict(concentration1=-1.0, concentration0=0.0)),
    Case("Uniform", dist.Uniform, [dict(low=-1.0, high=2.0), dict(low=[[0.0], [1.0]], high=[2.0, 4.0])],
         lambda low, high: stats.uniform(low, high - low), (dist.Uniform,), outside=(-1.5, 4.5), bad=dict(high=-2.0)),
    Case("BernoulliProbs", dist.Bernoulli, [dict(probs=0.3), dict(probs=[0.1, 0.8])],
         lambda probs: stats.bernoulli(probs), (dist.BernoulliProbs,), outside=(-1, 2), bad=dict(probs=1.5),
         discrete=True, largest=1),
    Case("BernoulliLogits", dist.Bernoulli, [dict(logits=-0.4), dict(logits=[[2.0], [-1.0]])],
         lambda logits: stats.bernoulli(expit(logits)), (dist.BernoulliLogits,), outside=(-1, 2),
         bad=dict(logits=np.nan), discrete=True, largest=1),
    Case("BinomialProbs", dist.Binomial,
         [dict(total_count=7, probs=0.3), dict(total_count=[[3], [60]], probs=[0.1, 0.8])],
         lambda total_count, probs: stats.binom(total_count, probs), (dist.BinomialProbs,), outside=(-1, 61),
         bad=dict(probs=-0.5, total_count=-1), discrete=True, largest=60),
    Case("BinomialLogits", dist.Binomial,
         [dict(total_count=7, logits=0.3), dict(total_count=[3, 60], logits=[0.1, -2.0])],
         lambda total_count, logits: stats.binom(total_count, expit(logits)), (dist.BinomialLogits,), outside=(-1, 61),
         bad=dict(logits=np.nan, total_count=2.5), discrete=True, largest=60),
    Case("Poisson", dist.Poisson, [dict(rate=2.5), dict(rate=[0.4, 25.0])],
         lambda rate: stats.poisson(rate), (dist.Poisson,), outside=(-1,), bad=dict(rate=-1.0),
         discrete=True, largest=120),
    Case("CategoricalProbs", dist.Categorical,
         [dict(probs=[0.2, 0.5, 0.3]), dict(probs=[[0.1, 0.7, 0.2], [0.6, 0.3, 0.1]])],
         lambda probs: Table(probs), (dist.CategoricalProbs,), outside=(-1, 3), bad=dict(probs=[0.5, 0.6]),
         discrete=True, largest=2),
    Case("CategoricalLogits", dist.Categorical,
         [dict(logits=[0.2, -0.5, 1.3]), dict(logits=[[0.1, 0.9, 0.0], [-1.0, 0.4, 2.0]])],
         lambda logits: Table(softmax(logits)), (dist.CategoricalLogits,), outside=(-1, 3),
         bad=dict(logits=[np.nan, 0.0]), discrete=True, largest=2),
    Case("Dirichlet", dist.Dirichlet,
         [dict(concentration=[2.0, 3.0, 1.5]), dict(concentration=[[1.0, 4.0, 2.5], [0.8, 1.0, 2.0]])],
         dirichlet, (dist.Dirichlet,), outside=([0.5, 0.6, 0.1], [-0.5, 0.5, 1.0]),
         bad=dict(concentration=[1.0, -1.0])),
    Case("MultivariateNormal", dist.MultivariateNormal,
         [dict(loc=[0.5, -1.0], covariance_matrix=MATRIX), dict(loc=[0.5, -1.0], precision_matrix=MATRIX),
          dict(loc=[[0.5, -1.0], [0.0, 2.0]], scale_tril=FACTOR),
          dict(loc=[0.0, 1.0], scale_tril=[FACTOR, np.eye(2).tolist()])],
         multivariate_normal, (dist.MultivariateNormal,),
         bad=dict(covariance_matrix=[[1.0, 2.0], [2.0, 1.0]], loc=[np.nan, 1.0])),
    Case("TransformedDistribution",
         lambda loc, scale: dist.TransformedDistribution(dist.Normal(loc, scale), transforms.ExpTransform()),
         [dict(loc=0.3, scale=0.5), dict(loc=[[0.0], [1.0]], scale=[0.3, 0.6])],
         lambda loc, scale: stats.lognorm(scale, 0, np.exp(loc)), (dist.TransformedDistribution,), outside=(-1.0, 0.0)),
    Case("Independent", lambda loc, scale: dist.Normal(loc, scale).to_event(1),
         [dict(loc=[0.3, -1.0], scale=0.5), dict(loc=[[0.0], [1.0]], scale=[0.3, 0.6])],
         normal_vector, (dist.Independent,)),
    Case("Expanded", lambda rate: dist.Gamma(2.0, rate).expand([4, 3, 2]),
         [dict(rate=2.0), dict(rate=[[0.5], [1.0], [2.0]])],
         lambda rate: stats.gamma(np.full((4, 3, 2), 2.0), 0, 1 / rate), (dist.Expanded,), outside=(-1.0, 0.0)),
    Case("Masked", lambda loc, scale: dist.Normal(loc, scale).mask(np.ones((2, 1), bool)),
         [dict(loc=0.3, scale=[0.5, 1.0])],
         lambda loc, scale: stats.norm(np.broadcast_to(loc, (2, 2)), scale), (dist.Masked,)),
    Case("Vmapped", vmapped_normal, [dict(loc=[[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], scale=[1.0, 2.0, 0.5])],
         lambda loc, scale: stats.norm(loc, scale), (dist.Vmapped,)),
]
NO_ROW = (dist.Delta, dist.Unit, dist.ImproperUniform)     # no density to compare; see test_wrappers.py


def rows(keep=lambda case: True, every=True):
    """(case, i) for each case that is kept, and each (or the first) of its parameter sets."""
    return [pytest.param(c, i, marks=[pytest.mark.slow] * c.slow) for c in CASES if keep(c)
            for i in range(len(c.params) if every else 1)]


def label(value: Any):
    return value.name if isinstance(value, Case) else str(value)


modules = [importlib.import_module(f"tests.distributions.{path.stem}")               # the rows of the other families
           for path in sorted(pathlib.Path(__file__).parent.glob("cases_*.py"))]
CASES = [*CASES, *[case for module in modules for case in module.CASES]]
SAME_DRAWS = {                           # where a sampler is another row's and element-wise operations
    "Gamma": ("InverseGamma", "Chi2", "InvChi2", "ScaledInvChi2"), "ExpGamma": ("ExpInverseGamma", "Chi"),
    "Beta": ("BetaProportion", "AffineBeta", "PERT"), "GammaGamma": ("FisherSnedecor", "SigmoidBeta", "SkewStudentT"),
    "StudentT": ("HalfStudentT", "TwoPieceStudentT"), "MultivariateStudentT": ("StudentTProcess",),
    "BinomialProbs": ("BinomialLogits",), "ZeroInflatedProbs": ("ZeroInflatedLogits",),
    "HurdleProbs": ("HurdleLogits",),
}
for row, others in SAME_DRAWS.items():
    for case in CASES:
        case.drawn_as = row if case.name in others else case.drawn_as
NO_ROW = (*NO_ROW, *[family for module in modules for family in getattr(module, "NO_ROW", ())])
