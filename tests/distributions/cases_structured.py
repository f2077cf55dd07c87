"""Rows of processes, chains and series, on two points or steps: a vector of two numbers."""
import itertools

import numpy as np
from scipy import special, stats

import chainrule.distributions as dist
from chainrule.distributions import kernels
from tests.distributions.cases import Case, Vectors, multivariate_normal

X, Z = np.array([0.0, 0.7]), np.array([0.2, 1.0])


def squared_exponential(x, y, lengthscale, variance):
    return variance * np.exp(-0.5 * ((x[:, None] - y) / lengthscale) ** 2)


def matern32(x, y, lengthscale, variance):
    r = np.sqrt(3) * np.abs(x[:, None] - y) / lengthscale
    return variance * (1 + r) * np.exp(-r)


def gaussian_process(lengthscale, variance, mean, noise):
    return multivariate_normal(np.broadcast_to(mean, (*np.shape(mean)[:-1], 2)),
                               matern32(X, X, lengthscale, variance) + noise ** 2 * np.eye(2))


def sparse_process(method):
    return lambda lengthscale, variance, mean, noise, **options: dist.SparseGaussianProcess(
        kernels.RBF(lengthscale, variance), X, Z, mean, noise, method, 0.0, **options)


def sparse_reference(method):
    def reference(lengthscale, variance, mean, noise):
        full, across, inner = (squared_exponential(a, b, lengthscale, variance) for a, b in ((X, X), (X, Z), (Z, Z)))
        q = across @ np.linalg.solve(inner, across.T)
        rest = np.diag(np.diag(full - q)) if method == "fitc" else 0.0
        return multivariate_normal(np.full(2, mean), q + rest + noise ** 2 * np.eye(2))
    return reference


class _StudentT:
    def __init__(self, loc, shape, df):
        self.law = stats.multivariate_t(loc, shape, df, allow_singular=False)

    def logpdf(self, v):
        return self.law.logpdf(v)

    def rvs(self, n, random_state):
        return self.law.rvs(n, random_state=random_state)

    def entropy(self):
        return self.law.entropy()


def student_t_process(df, lengthscale, noise):
    s = matern32(X, X, lengthscale, 1.0) + noise ** 2 * np.eye(2)
    scale = np.sqrt(np.diag(s))
    return Vectors([_StudentT(np.zeros(2), s, float(df))], (), np.zeros(2), scale ** 2 * df / (df - 2),
                   stats.t(df, 0, scale))


class WithoutMoments(Vectors):
    """A reference for a law whose moments and entropy have no formula here."""
    var = entropy = property()


def walk(start, drift, scale):
    law = multivariate_normal(start + np.array([0.0, 1.0]) * drift, np.array([[1.0, 0.8], [0.8, 0.64 + scale ** 2]]))
    return WithoutMoments(law.frozen, (), law.mean(), law.var(), law.marginal)


def arma(ar, ma, scale, loc):
    """Order (1, 1): the autocovariances in closed form (Box & Jenkins, §3.4.3)."""
    ar, ma = ar[..., 0], ma[..., 0]
    g0 = scale ** 2 * (1 + 2 * ar * ma + ma ** 2) / (1 - ar ** 2)
    g1 = scale ** 2 * (1 + ar * ma) * (ar + ma) / (1 - ar ** 2)
    cov = np.stack([np.stack([g0, g1], -1), np.stack([g1, g0], -1)], -1)
    return multivariate_normal(np.broadcast_to(loc[..., None], (*loc.shape, 2)), cov)


class _Paths:
    """A normal mixture over all paths of two hidden states."""

    def __init__(self, initial, transition, loc, scale):
        paths = itertools.product(range(2), repeat=2)
        self.parts = [(initial[i] * transition[i, j], loc[[i, j]], scale) for i, j in paths]

    def logpdf(self, v):
        return special.logsumexp([np.log(w) + stats.norm(m, s).logpdf(v).sum() for w, m, s in self.parts])

    def rvs(self, n, random_state):
        which = random_state.choice(4, n, p=[w for w, _, _ in self.parts])
        means = np.stack([m for _, m, _ in self.parts])[which]
        return means + self.parts[0][2] * random_state.normal(size=(n, 2))

    def mean(self):
        return sum(w * m for w, m, _ in self.parts)

    def var(self):
        return sum(w * (m ** 2 + s ** 2) for w, m, s in self.parts) - self.mean() ** 2

    def cdf(self, v):
        return sum(w * stats.norm(m, s).cdf(v) for w, m, s in self.parts)


def hidden_markov(initial, transition, loc, scale):
    law = _Paths(initial, transition, loc, float(scale))
    return Vectors([law], (), law.mean(), law.var(), law)


def hmm(parallel):
    return lambda initial, transition, loc, scale, **options: dist.HiddenMarkovModel(
        initial, transition, dist.Normal(loc, scale), 2, parallel, **options)


HMM = dict(initial=[0.3, 0.7], transition=[[0.8, 0.2], [0.4, 0.6]], loc=[-1.0, 2.0], scale=0.8)
GP = dict(lengthscale=0.9, variance=1.5, mean=0.4, noise=0.5)
CASES = [
    Case("GaussianProcess",
         lambda lengthscale, variance, mean, noise, **options: dist.GaussianProcess(
             kernels.Matern32(lengthscale, variance), X, mean, noise, 0.0, **options),
         [GP, {**GP, "mean": [[0.4, 1.0], [0.0, -1.0]]}], gaussian_process, (dist.GaussianProcess,),
         bad=dict(noise=-0.5)),
    *[Case(f"SparseGaussianProcess {method}", sparse_process(method), [GP], sparse_reference(method),
           (dist.SparseGaussianProcess,), bad=dict(noise=0.0)) for method in ("dtc", "fitc")],
    Case("StudentTProcess",
         lambda df, lengthscale, noise, **options: dist.StudentTProcess(
             df, kernels.Matern32(lengthscale), X, 0.0, noise, 0.0, **options),
         [dict(df=5.5, lengthscale=0.8, noise=0.4)], student_t_process, (dist.StudentTProcess,), bad=dict(df=0.0)),
    Case("MarkovChain",
         lambda start, drift, scale: dist.MarkovChain(
             dist.Normal(start, 1.0), lambda x, m, a, d, s: dist.Normal(m + d + a * (x - m), s), 2,
             args=tuple(map(np.asarray, (start, 0.8, drift, scale)))),
         [dict(start=0.5, drift=-0.3, scale=0.6)], walk, (dist.MarkovChain,)),
    *[Case(f"HiddenMarkovModel {'in parallel' if parallel else 'in sequence'}", hmm(parallel), [HMM], hidden_markov,
           (dist.HiddenMarkovModel,), bad=dict(initial=[0.5, 0.6], transition=[[0.5, 0.6], [0.5, 0.5]]))
      for parallel in (False, True)],
    Case("ARMA", lambda ar, ma, scale, loc, **options: dist.ARMA(ar, ma, scale, loc, 2, **options),
         [dict(ar=[0.5], ma=[0.3], scale=0.8, loc=0.3),
          dict(ar=[[0.5], [-0.4]], ma=[[0.3], [0.2]], scale=[0.8, 1.0], loc=[0.3, -1.0])], arma, (dist.ARMA,),
         bad=dict(ar=[1.2], scale=0.0), slow=True),
]
NO_ROW = (dist.DiscreteHMM, dist.GaussianHMM, dist.GammaGaussianHMM, dist.IndependentHMM,
          dist.LinearHMM,                                  # against dense matrices: test_hmm_families.py
          dist.DiscreteMarkovChain,                        # vectors of integers: test_hidden_markov.py
          dist.LinearGaussianStateSpace,                   # matrices: test_state_space.py
          dist.StructuralTimeSeries)                       # parameters in components: test_state_space.py
