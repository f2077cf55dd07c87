"""KL divergences in closed form: KL(p ‖ q) = E_p[log p(x) - log q(x)].

    kl_divergence(p, q)
    kl_divergence.register(P, Q, rule)      rule(p, q) -> float[*batch]

A rule is found by the classes of both, nearest first. Source of the formulas: Gil, Alajaji & Linder (2013), "Rényi
divergence measures for commonly used univariate continuous distributions"; Penny (2001), "KL-divergences of normal,
gamma, Dirichlet and Wishart densities".
"""
from ..engine import numpy as np
from ..engine.errors import MissingRule, ShapeError
from ..engine.scipy import special
from .bernoulli import _Bernoulli
from .beta import Beta
from .categorical import _Categorical
from .delta import Delta
from .dirichlet import Dirichlet
from .distribution import Distribution, sum_rightmost
from .exponential import Exponential
from .gamma import Gamma
from .multivariate_normal import MultivariateNormal, log_diagonal_sum, whiten
from .normal import Normal
from .poisson import Poisson
from .wrappers import Expanded, Independent, Masked


class Divergence:
    """The table of rules, called as `kl_divergence(p, q)`.

    >>> float(kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0)))
    0.5
    """

    def __init__(self):
        self.table = {}

    def register(self, p, q, rule=None):
        """Make rule(p, q) the divergence for two classes; also a decorator."""
        if rule is None:
            return lambda f: self.register(p, q, f)
        self.table[p, q] = rule
        return rule

    def __call__(self, p, q):
        for a in type(p).__mro__:
            for b in type(q).__mro__:
                rule = self.table.get((a, b))
                if rule is not None:
                    return rule(p, q)
        raise MissingRule(f"there is no closed form here for KL({type(p).__name__} ‖ {type(q).__name__}).\n"
                          "Estimate it, (p.log_prob(x) - q.log_prob(x)).mean() for draws x of p, or give a rule: "
                          "kl_divergence.register(P, Q, rule).")


kl_divergence = Divergence()


@kl_divergence.register(Normal, Normal)
def _(p, q):
    ratio, off = p.scale / q.scale, (p.loc - q.loc) / q.scale
    return 0.5 * (ratio * ratio + off * off - 1.0) - np.log(ratio)


@kl_divergence.register(Gamma, Gamma)
def _(p, q):
    a, b, c, d = p.concentration, p.rate, q.concentration, q.rate
    norms = special.gammaln(c) - special.gammaln(a)
    return (a - c) * special.digamma(a) + norms + c * np.log(b / d) + a * (d / b - 1.0)


@kl_divergence.register(Exponential, Exponential)
def _(p, q):
    ratio = q.rate / p.rate
    return ratio - 1.0 - np.log(ratio)


@kl_divergence.register(Poisson, Poisson)
def _(p, q):
    return p.rate * np.log(p.rate / q.rate) - p.rate + q.rate


@kl_divergence.register(Beta, Beta)
def _(p, q):
    a, b, c, d = p.concentration1, p.concentration0, q.concentration1, q.concentration0
    return (special.betaln(c, d) - special.betaln(a, b) + (a - c) * special.digamma(a) + (b - d) * special.digamma(b)
            + (c + d - a - b) * special.digamma(a + b))


@kl_divergence.register(Dirichlet, Dirichlet)
def _(p, q):
    a, c = p.concentration, q.concentration
    excess = special.digamma(a) - special.digamma(np.sum(a, -1, keepdims=True))
    return q._log_norm() - p._log_norm() + np.sum((a - c) * excess, -1)


def _weighted(p, log_p, log_q):
    """Σ p (log p - log q) over the last axis; a term with p = 0 is 0."""
    some = p > 0
    gap = np.where(some, log_p, 0.0) - np.where(some, log_q, 0.0)
    return np.sum(np.where(some, p * gap, 0.0), -1)


@kl_divergence.register(_Bernoulli, _Bernoulli)
def _(p, q):
    def both(d):
        return np.stack([d.probs, 1.0 - d.probs], -1)
    return _weighted(both(p), np.log(both(p)), np.log(both(q)))


@kl_divergence.register(_Categorical, _Categorical)
def _(p, q):
    return _weighted(p.probs, np.log(p.probs), np.log(q.probs))


@kl_divergence.register(MultivariateNormal, MultivariateNormal)
def _(p, q):
    n = p.event_shape[0]
    off = whiten(q.scale_tril, p.loc - q.loc)
    columns = whiten(q.scale_tril if q.scale_tril.ndim == 2 else q.scale_tril[..., None, :, :],
                     np.swapaxes(p.scale_tril, -1, -2))
    spread = np.sum(columns * columns, (-1, -2)) + np.sum(off * off, -1)
    return 0.5 * (spread - n) + log_diagonal_sum(q.scale_tril) - log_diagonal_sum(p.scale_tril)


@kl_divergence.register(Delta, Distribution)
def _(p, q):
    return -q.log_prob(p.v) + p.log_density


@kl_divergence.register(Independent, Independent)
def _(p, q):
    n, m = p.reinterpreted_batch_ndims, q.reinterpreted_batch_ndims
    if p.event_shape != q.event_shape:
        raise ShapeError(f"KL between distributions with event shapes {p.event_shape} and {q.event_shape}.")
    k = min(n, m)
    inner = kl_divergence(p.base_dist.to_event(n - k), q.base_dist.to_event(m - k))
    want = inner.shape[:max(inner.ndim - k, 0)] + p.event_shape[:k]
    return sum_rightmost(np.broadcast_to(inner, want), k)


@kl_divergence.register(Expanded, Distribution)
def _(p, q):
    return np.broadcast_to(kl_divergence(p.base_dist, q), p.batch_shape)


@kl_divergence.register(Distribution, Expanded)
def _(p, q):
    return np.broadcast_to(kl_divergence(p, q.base_dist), q.batch_shape)


@kl_divergence.register(Expanded, Expanded)
def _(p, q):
    return p._spread(kl_divergence(p.base_dist, q.base_dist))


@kl_divergence.register(Masked, Masked)
def _(p, q):
    both = np.logical_and(p.mask_array, q.mask_array)
    return np.where(both, kl_divergence(p.base_dist, q.base_dist), 0.0)
