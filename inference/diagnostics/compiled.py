"""R-hat, effective sample sizes and the error of a mean as array functions, for use inside of `jit` and `vmap`.

    jit(vmap(rhat))(draws)                      # of many fits at once: float[fits, chains, draws, *shape]

They are those of `diagnostics` to rounding, with nan for the same sites, and work in the precision of the draws. Ranks
are found by searching the sorted draws, not by putting them into places, which accelerators do slowly.

Source: Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Analysis 16(2).
"""
import math

import numpy as onp

from ...engine import numpy as np
from ...engine import vmap
from ...engine.avals import default_float
from ...engine.scipy.special import ndtri

# ---- sites: every statistic below is a function  float[sites, chains, draws] -> float[sites] ----

def _over_sites(statistic, x, min_chains=1):
    """`statistic` of each site of x : float[chains, draws, *shape] -> float[*shape]; nan where there is no answer."""
    x = np.asarray(x)
    if x.ndim < 2:
        raise ValueError(f"draws of shape {x.shape} cannot be told apart by chain: the first axis is for chains, "
                         "the second for draws.\nFor a single chain write x[None].")
    if not np.issubdtype(x.dtype, onp.floating):
        x = np.astype(x, default_float())
    chains, draws, *shape = x.shape
    if chains < min_chains or draws < 4:
        return np.full(shape, np.nan, x.dtype)
    sites = np.moveaxis(np.reshape(x, (chains, draws, math.prod(shape))), -1, 0)
    out = statistic(sites)
    usable = np.all(np.isfinite(sites), (1, 2)) & (np.max(sites, (1, 2)) > np.min(sites, (1, 2)))
    return np.reshape(np.where(usable, out, np.nan), shape)


def _split(x):
    """Each chain as two, its first and its last half; of an odd number of draws the middle one is dropped."""
    half = x.shape[2] // 2
    return np.concatenate([x[:, :, :half], x[:, :, -half:]], 1)


def _normal_scores(x):
    """z = Φ⁻¹((rank - 3/8) / (S + 1/4)), ranks among all S draws of a site; ties get their mean rank."""
    flat = np.reshape(x, (len(x), -1))
    size = flat.shape[1]
    score = ndtri((np.arange(2 * size - 1, dtype=x.dtype) / 2 + 1 - 3 / 8) / (size + 1 / 4))

    def one(draws):
        ordered = np.sort(draws)
        first, after = (np.searchsorted(ordered, draws, side=side) for side in ("left", "right"))
        return score[np.clip(first + after - 1, 0, 2 * size - 2)]        # of mean rank (first + last) / 2

    return np.reshape(vmap(one)(flat), x.shape)


# ---- R-hat ----

def _variances(x):
    """W, the mean of the variances within chains, and B / n, the variance of their means."""
    between = np.var(np.mean(x, 2), 1, ddof=1) if x.shape[1] > 1 else np.zeros(len(x), x.dtype)
    return np.mean(np.var(x, 2, ddof=1), 1), between


def _rhat(x):
    within, between = _variances(x)
    return np.sqrt((x.shape[2] - 1) / x.shape[2] + between / within)


def _median(x):
    """Of each site, float[sites, 1, 1], to the last bit that of NumPy: a tie of |x - median| stays one."""
    flat = np.sort(np.reshape(x, (len(x), -1)))
    size = flat.shape[1]
    return ((flat[:, (size - 1) // 2] + flat[:, size // 2]) / 2)[:, None, None]


def rank_rhat(x):
    """`rhat` of float[sites, chains, draws], of a single chain too: there it compares the halves."""
    x = _split(x)
    folded = np.abs(x - _median(x))
    return np.fmax(_rhat(_normal_scores(x)), _rhat(_normal_scores(folded)))


def rhat(x):
    """The larger of two split R-hats: of the draws' normal scores, and of those of |x - median|.

    x : float[chains, draws, *shape] -> float[*shape]; nan where there is a single chain
    Source: Vehtari et al. (2021), rank normalization and folding.

    >>> from chainrule.engine import jit, random
    >>> x = random.normal(random.key(0), (4, 1000))
    >>> bool(jit(rhat)(x) < 1.01), bool(rhat(x + np.asarray([[0], [0], [0], [1]])) > 1.01)
    (True, True)
    """
    return _over_sites(rank_rhat, x, min_chains=2)


# ---- effective sample size ----

def _correlations(x):
    """ρₖ = 1 - (W - c̄ₖ) / (W (n - 1) / n + B / n), c̄ₖ the autocovariance at lag k averaged over chains; ρ₀ = 1."""
    n = x.shape[2]
    within, between = _variances(x)
    size = 1 << (2 * n - 1).bit_length()          # at least 2n: with that many zeros behind it nothing wraps around
    spectrum = np.fft.rfft(x - np.mean(x, -1, keepdims=True), size)
    power = np.mean(np.real(spectrum)**2 + np.imag(spectrum)**2, 1)
    covariance = np.fft.irfft(power, size)[:, :n] / n
    rho = 1 - (within[:, None] - covariance) / (within * (n - 1) / n + between)[:, None]
    return np.concatenate([np.ones_like(rho[:, :1]), rho[:, 1:]], 1)


def _autocorrelation_time(rho):
    """τ = -1 + 2 Σₖ min(P₀ … Pₖ) + ρ₂ₘ, the sum over k < m; Pₖ = ρ₂ₖ + ρ₂ₖ₊₁, and Pₘ is the first that is not positive.

    rho : float[sites, lags] -> float[sites].   Source: Geyer (1992), Practical Markov chain Monte Carlo, section 3.3.
    """
    pairs = max((rho.shape[1] - 3) // 2, 0) + 1
    pair = np.sum(np.reshape(rho[:, :2 * pairs], (len(rho), pairs, 2)), 2)
    ends = ~(pair > 0)
    m = np.where(np.any(ends, 1), np.argmax(ends, 1), pairs - 1)[:, None]
    total = np.sum(np.where(np.arange(pairs) < m, np.minimum.accumulate(pair, axis=1), 0), 1)
    even = np.take_along_axis(rho, 2 * m, 1)
    kept = (even > 0) | (np.take_along_axis(pair, m, 1) >= 0)
    tau = -1 + 2 * total + np.where(kept, even, 0)[:, 0]
    return np.where(np.isnan(rho[:, 1]), np.nan, tau)


def _ess(x):
    """S / τ of S draws, at most S log₁₀ S; S where the site is constant, as the indicator of a quantile may be."""
    size = x.shape[1] * x.shape[2]
    ess = size / np.maximum(_autocorrelation_time(_correlations(x)), 1 / math.log10(size))
    return np.where(np.max(x, (1, 2)) > np.min(x, (1, 2)), ess, size)


def bulk(x):
    """`ess_bulk` of float[sites, chains, draws]."""
    return _ess(_normal_scores(_split(x)))


def ess_bulk(x):
    """ESS of the normal scores: of the centre, heavy tails or not.   x : float[chains, draws, *shape] -> float[*shape]

    Source: Vehtari et al. (2021), rank normalization.

    >>> from chainrule.engine import random
    >>> bool(ess_bulk(random.normal(random.key(0), (4, 1000))) > 3000)
    True
    """
    return _over_sites(bulk, x)


def ess_mean(x):
    """How many independent draws would give the mean as well.   x : float[chains, draws, *shape] -> float[*shape]

    Source: Vehtari et al. (2021), section 3.2.

    >>> from chainrule.engine import random
    >>> x = random.normal(random.key(0), (4, 1000))
    >>> bool(ess_mean(np.cumsum(x, 1)) < 50 < ess_mean(x))
    True
    """
    return _over_sites(lambda x: _ess(_split(x)), x)


def ess_tail(x, prob=(0.05, 0.95)):
    """The smaller ESS of the indicators x ≤ q, q the quantiles at `prob`.   x : float[chains, draws, *shape]

    prob : numbers from 0 to 1          Source: Vehtari et al. (2021), tail-ESS.

    >>> from chainrule.engine import random
    >>> bool(ess_tail(random.normal(random.key(0), (4, 1000))) > 3000)
    True
    """
    def statistic(x):
        quantiles = np.quantile(x, np.asarray(prob, x.dtype), (1, 2), keepdims=True)
        return np.min(np.stack([_ess(_split(np.astype(x <= q, x.dtype))) for q in quantiles]), 0)

    if not all(0 <= each <= 1 for each in prob):
        raise ValueError(f"prob={prob} are not probabilities: give numbers from 0 to 1.")
    return _over_sites(statistic, x)


def mcse_mean(x):
    """Standard error of the mean, sd / √ess_mean.   x : float[chains, draws, *shape] -> float[*shape]

    Source: Vehtari et al. (2021), section 3.2.

    >>> from chainrule.engine import random
    >>> bool(0.014 < mcse_mean(random.normal(random.key(0), (4, 1000))) < 0.018)
    True
    """
    return _over_sites(lambda x: np.std(x, (1, 2), ddof=1) / np.sqrt(_ess(_split(x))), x)


# ---- of all sites of a model ----

def of_sites(samples):
    """({site: R-hat}, {site: ess_bulk}) of {site: [chain, draw, *shape]}, all sites in one pass.

    With one chain R-hat compares its halves. Complex sites have nan.
    """
    names = [k for k, x in samples.items() if not np.issubdtype(x.dtype, onp.complexfloating)]
    out = {k: np.full(x.shape[2:], np.nan) for k, x in samples.items()}
    if not names:
        return dict(out), dict(out)
    flat = np.concatenate([np.reshape(np.astype(samples[k], default_float()), (*samples[k].shape[:2], -1))
                           for k in names], -1)
    ends = onp.cumsum([math.prod(samples[k].shape[2:]) for k in names])[:-1]
    shaped = lambda columns: {**out, **{k: np.reshape(column, samples[k].shape[2:])
                                        for k, column in zip(names, np.split(columns, ends))}}
    return shaped(_over_sites(rank_rhat, flat)), shaped(_over_sites(bulk, flat))
