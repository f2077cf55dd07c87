"""KL divergences between all powers of gamma numbers, X = c G^(1/t) for G ~ Gamma(a, 1), by one formula:

    KL = log |t₁/t₂| + log Γ(a₂) - log Γ(a₁) + (a₁ - r a₂) ψ(a₁) - a₂ w - a₁ + exp(w) Γ(a₁ + r) / Γ(a₁)
    r = t₂ / t₁,  w = t₂ log(c₁ / c₂);  infinite where a₁ + r <= 0

Gamma, exponential, chi-square, Weibull, half-normal, chi, Rayleigh, Maxwell, Fréchet, inverse gamma and the inverse
chi-squares are all of this form. ExpGamma and ExpInverseGamma are logarithms of gamma numbers and of their inverses,
and a divergence does not change when both variables are transformed alike.
Source: Bauckhage (2014), "Computing the Kullback-Leibler divergence between two generalized gamma distributions".
"""
import math

from ...engine import numpy as np
from ...engine.scipy import special
from ..chi import Chi, Chi2, InvChi2, Maxwell, Rayleigh, ScaledInvChi2
from ..exponential import Exponential
from ..extreme_value import Frechet, Weibull
from ..gamma import Gamma, InverseGamma
from ..gamma_relatives import ExpGamma, ExpInverseGamma
from ..kl import kl_divergence
from ..normal import HalfNormal

HALF_LOG_2 = 0.5 * math.log(2)
FORMS = {                                                                    # a, log c and t
    Gamma: lambda d: (d.concentration, -np.log(d.rate), 1),
    Exponential: lambda d: (1.0, -np.log(d.rate), 1),
    Chi2: lambda d: (0.5 * d.df, math.log(2), 1),
    InverseGamma: lambda d: (d.concentration, np.log(d.rate), -1),
    InvChi2: lambda d: (0.5 * d.df, -math.log(2), -1),
    ScaledInvChi2: lambda d: (0.5 * d.df, np.log(0.5 * d.df) + 2.0 * np.log(d.scale), -1),
    HalfNormal: lambda d: (0.5, np.log(d.scale) + HALF_LOG_2, 2),
    Chi: lambda d: (0.5 * d.df, HALF_LOG_2, 2),
    Rayleigh: lambda d: (1.0, np.log(d.scale) + HALF_LOG_2, 2),
    Maxwell: lambda d: (1.5, np.log(d.scale) + HALF_LOG_2, 2),
    Weibull: lambda d: (1.0, np.log(d.scale), d.concentration),
    Frechet: lambda d: (1.0, np.log(d.scale), -d.concentration),
}
LOGS = {ExpGamma: lambda d: (d.concentration, -np.log(d.rate), 1),
        ExpInverseGamma: lambda d: (d.concentration, np.log(d.scale), -1)}


def form(d):
    """(a, log c, t) of a distribution in the table."""
    for table in (FORMS, LOGS):
        for family in type(d).__mro__:
            if family in table:
                a, log_c, t = table[family](d)
                return *[np.asarray(x, d.dtype) if isinstance(x, float) else x for x in (a, log_c)], t
    raise KeyError(type(d).__name__)


def log_size(t):
    """log |t|."""
    return math.log(abs(t)) if isinstance(t, int) else np.log(np.abs(t))


def gamma_moment(a, r):
    """log E G^r = log Γ(a + r) - log Γ(a) for G ~ Gamma(a, 1); infinite where a + r <= 0."""
    if isinstance(r, (int, float)) and r == 1:
        return np.log(a)
    total = a + r
    ok = total > 0
    return np.where(ok, special.gammaln(np.where(ok, total, 1.0)) - special.gammaln(a), np.inf)


@kl_divergence.register_all(LOGS, LOGS)
@kl_divergence.register_all(FORMS, FORMS)
def _(p, q):
    (a, log_c, t), (b, log_d, u) = form(p), form(q)
    r, w = u / t, u * (log_c - log_d)
    norms = log_size(t) - log_size(u) + special.gammaln(b) - special.gammaln(a)
    raised = a * np.exp(w) if isinstance(r, float) and r == 1 else np.exp(w + gamma_moment(a, r))
    return norms + (a - r * b) * special.digamma(a) - b * w - a + raised
