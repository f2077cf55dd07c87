"""KL divergences of discrete families; those with finitely many values may also be summed without a rule here."""
from ...engine import numpy as np
from ...engine.array import Array
from ...engine.scipy import special
from ..bernoulli import _Bernoulli
from ..binomial import _Binomial
from ..categorical import CategoricalProbs, _Categorical
from ..discrete_uniform import DiscreteUniform
from ..distribution import safe_log
from ..geometric import _Geometric
from ..kl import absent, enumerated, kl_divergence, weighted
from ..multinomial import MultinomialBase
from ..negative_binomial import _NegativeBinomial
from ..one_hot import OneHotCategoricalProbs, _OneHotCategorical
from ..ordered import _Ordered
from ..poisson import PoissonLogRate, _Poisson


def _two(d):
    """The log-probabilities of 0 and 1."""
    return np.stack([d.log_prob_inside(np.asarray(0)), d.log_prob_inside(np.asarray(1))], -1)


@kl_divergence.register(_Bernoulli, _Bernoulli)
def _(p, q):
    return weighted(_two(p), _two(q))


def _classes(d):
    """The log-probability of each class."""
    if isinstance(d, _Ordered):
        return d.log_probs()
    if isinstance(d, (CategoricalProbs, OneHotCategoricalProbs)):
        return safe_log(d.probs)
    return special.log_softmax(d.logits, axis=-1)


@kl_divergence.register_all([_Categorical, _Ordered], [_Categorical, _Ordered])
@kl_divergence.register(_OneHotCategorical, _OneHotCategorical)
def _(p, q):
    log_p, log_q = _classes(p), _classes(q)
    return weighted(log_p, log_q) if log_p.shape[-1] == log_q.shape[-1] else enumerated(p, q)


def _some_fewer(n, m):
    """Whether some of the counts n are known to be below those of m."""
    return type(n) is Array and type(m) is Array and bool(np.any(n < m))


@kl_divergence.register(_Binomial, _Binomial)
def _(p, q):
    """n times the divergence of one trial where the counts are equal; infinite where p can count further than q, and
    else a sum over the values of p, which must be known (nan where they are being traced)."""
    n, m = p.total_count, q.total_count
    if _some_fewer(n, m):
        return enumerated(p, q)
    value = np.astype(n, p.dtype) * weighted(_success_failure(p), _success_failure(q))
    return np.where(n == m, value, np.where(n > m, np.inf, np.full((), np.nan, value.dtype)))


def _success_failure(d):
    return np.stack([-special.softplus(-d.logits), -special.softplus(d.logits)], -1)


@kl_divergence.register(MultinomialBase, MultinomialBase)
def _(p, q):
    """n times the divergence of one trial; infinite where the numbers of trials differ."""
    n = p.total_count
    value = np.astype(n, p.dtype) * weighted(safe_log(p.probs), safe_log(q.probs))
    return np.where(n == q.total_count, value, np.inf)


@kl_divergence.register(DiscreteUniform, DiscreteUniform)
def _(p, q):
    inside = np.logical_and(q.low <= p.low, p.high <= q.high)
    return np.where(inside, np.log(q._count()) - np.log(p._count()), np.inf)


@kl_divergence.register(_Geometric, _Geometric)
def _(p, q):
    """log a - log b + (1/a - 1) (log(1 - a) - log(1 - b)) for probabilities a and b of success."""
    zero, mean = np.asarray(0), p.mean
    some = mean > 0
    gap = np.where(some, p._log_failure(), 0.0) - np.where(some, q._log_failure(), 0.0)
    return p.log_prob_inside(zero) - q.log_prob_inside(zero) + np.where(some, mean * gap, 0.0)


@kl_divergence.register(_NegativeBinomial, _NegativeBinomial)
def _(p, q):
    """r log((1 - p) / (1 - q)) + m log(p / q) for one shape r and the mean m of p; without a form where the shapes
    differ (nan there, where they are being traced)."""
    r, s = p._shape, q._shape
    if type(r) is Array and type(s) is Array and bool(np.any(r != s)):
        raise absent(p, q)
    (log_p, log_rest), (log_q, other_rest) = p._logs(), q._logs()
    mean = p.mean
    some = mean > 0
    gap = np.where(some, log_p, 0.0) - np.where(some, log_q, 0.0)
    return np.where(r == s, r * (log_rest - other_rest) + np.where(some, mean * gap, 0.0), np.nan)


def _log_rate(d):
    return d.log_rate if isinstance(d, PoissonLogRate) else safe_log(d.rate)


@kl_divergence.register(_Poisson, _Poisson)
def _(p, q):
    some = p.rate > 0
    gap = np.where(some, _log_rate(p), 0.0) - np.where(some, _log_rate(q), 0.0)
    return np.where(some, p.rate * gap, 0.0) - p.rate + q.rate
