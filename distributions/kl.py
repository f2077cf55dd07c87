"""Divergences and cross entropies: KL(p ‖ q) = E_p[log p(x) - log q(x)], by the closed forms of `kl_pairs`.

    kl_divergence(p, q)                                       float[*batch], from a rule or a sum over all values
    kl_divergence_monte_carlo(p, q, key, num_samples)         an estimate, for a pair without a rule
    cross_entropy(p, q)                                       -E_p[log q(x)]
    register_kl(P, Q)                                         decorates rule(p, q) -> float[*batch]
"""
from ..engine import numpy as np
from ..engine.avals import broadcast_shapes
from ..engine.errors import MissingRule, ShapeError
from ..engine.lazy import on_demand

_rules = on_demand(__package__, ["kl_pairs"])            # the package of rules needs this file, and every family


class Divergence:
    """The table of rules, called as `kl_divergence(p, q)`.

    A rule is found by the classes of both, nearest first (all classes of q for the nearest class of p). Where there is
    none, p has finitely many values that can be listed and q is discrete too, the divergence is the sum over them.
    It is infinite where p has values that q cannot have. The result has the batch shapes of both, broadcast.
    The library's own rules are imported with the first use of the table.

    >>> from chainrule.distributions import Normal, kl_divergence
    >>> float(kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0)))
    0.5
    """

    def __init__(self):
        self.table = {}

    def register(self, p, q, rule=None):
        """Make rule(p, q) the divergence for two classes; also a decorator."""
        if rule is None:
            return lambda f: self.register(p, q, f)
        _rules("kl_pairs")                               # first, or they would replace the user's
        self.table[p, q] = rule
        return rule

    def register_all(self, ps, qs, rule=None):
        """Make rule(p, q) the divergence for each class of ps with each of qs; also a decorator."""
        if rule is None:
            return lambda f: self.register_all(ps, qs, f)
        for p in ps:
            for q in qs:
                self.register(p, q, rule)
        return rule

    def find(self, p, q):
        """The rule for two distributions, or None."""
        _rules("kl_pairs")
        for a in type(p).__mro__:
            for b in type(q).__mro__:
                rule = self.table.get((a, b))
                if rule is not None:
                    return rule
        return None

    def __call__(self, p, q):
        if p.event_shape != q.event_shape:
            raise ShapeError(f"KL({type(p).__name__} ‖ {type(q).__name__}): the event shapes {p.event_shape} and "
                             f"{q.event_shape} differ; they must be the same.")
        rule = self.find(p, q)
        if rule is None:
            if not (p.has_enumerate_support and q.is_discrete):
                raise absent(p, q)
            rule = enumerated
        return _wide(rule(p, q), p, q)


kl_divergence = Divergence()


def register_kl(p, q):
    """Decorates rule(p, q), which becomes the divergence for these two classes."""
    return kl_divergence.register(p, q)


def absent(p, q):
    """The error for a pair without a rule."""
    listed = ("With all counts known, not traced by jit or vmap, it is the sum over the values of p, where they are "
              "finitely many.\n") if p.is_discrete and q.is_discrete else ""
    return MissingRule(f"there is no closed form here for KL({type(p).__name__} ‖ {type(q).__name__}).\n{listed}"
                       "Estimate it, kl_divergence_monte_carlo(p, q, key, num_samples), or give a rule: "
                       "kl_divergence.register(P, Q, rule).")


def _wide(x, p, q):
    """x broadcast to the batch shapes of both."""
    shape = broadcast_shapes(p.batch_shape, q.batch_shape)
    return x if x.shape == shape else np.broadcast_to(x, shape)


def weighted(log_p, log_q, axis=-1):
    """Σ p (log p - log q) over an axis; a term with p = 0 is 0, one with q = 0 < p is infinite."""
    some = log_p > -np.inf
    safe = np.where(some, log_p, 0.0)
    return np.sum(np.where(some, np.exp(safe) * (safe - np.where(some, log_q, 0.0)), 0.0), axis)


def enumerated(p, q):
    """The divergence as a sum over all values of p."""
    x = p.enumerate_support(expand=False)
    lead = len(broadcast_shapes(p.batch_shape, q.batch_shape))
    x = x.reshape((x.shape[0], *(1,) * (lead - len(p.batch_shape)), *x.shape[1:]))
    return weighted(*np.broadcast_arrays(p.log_prob(x), q.log_prob(x)), axis=0)


def kl_divergence_monte_carlo(p, q, key, num_samples=1000):
    """The mean of log p(x) - log q(x) over draws x of p: an unbiased estimate of KL(p ‖ q).

    key : a random key; num_samples : int, the number n of draws, which are independent for each element of the result
    Its standard error is the standard deviation of log p(x) - log q(x) over √n; infinite where a draw has q(x) = 0.

    >>> from chainrule.distributions import Laplace, Logistic
    >>> from chainrule.engine import random
    >>> bool(kl_divergence_monte_carlo(Laplace(0.0, 1.0), Logistic(0.0, 1.0), random.key(0), 4000) > 0)
    True
    """
    p = p.expand(broadcast_shapes(p.batch_shape, q.batch_shape))
    x = p.sample(key, (num_samples,))
    return np.mean(p.log_prob(x) - q.log_prob(x), 0)


def cross_entropy(p, q):
    """-E_p[log q(x)] = H(p) + KL(p ‖ q), for a pair with a rule and a p whose entropy has a formula: float[*batch]."""
    return p.entropy() + kl_divergence(p, q)
