"""How many independent draws the chains are worth, and the Monte Carlo error that follows.

Source: Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Rank-normalization, folding, and localization: an improved
R-hat for assessing convergence of MCMC, Bayesian Analysis 16(2).
"""
import numpy as np

from .autocovariance import divisors, lagged_products
from .convergence import variances
from .sites import normal_scores, over_sites, split

# ---- effective sample size ----

def _correlations(x, bias=True):
    """ρₖ = 1 - (W - c̄ₖ) / (W (n - 1) / n + B / n), c̄ₖ the autocovariance at lag k averaged over chains; ρ₀ = 1."""
    n = x.shape[2]
    within, between = variances(x)
    covariance = lagged_products(x, average=1) / divisors(n, bias)
    rho = 1 - (within[:, None] - covariance) / (within * (n - 1) / n + between)[:, None]
    rho[:, 0] = 1
    return rho


def _autocorrelation_time(rho):
    """τ = -1 + 2 Σₖ min(P₀ … Pₖ) + ρ₂ₘ, the sum over k < m; Pₖ = ρ₂ₖ + ρ₂ₖ₊₁, and Pₘ is the first that is not positive.

    rho : float[sites, lags] -> float[sites].   Source: Geyer (1992), Practical Markov chain Monte Carlo, section 3.3,
    the initial monotone sequence. The term ρ₂ₘ, kept where positive, serves antithetic chains (Vehtari et al. 2021).
    """
    pairs = max((rho.shape[1] - 3) // 2, 0) + 1
    pair = rho[:, :2 * pairs].reshape(len(rho), pairs, 2).sum(2)
    ends = ~(pair > 0)
    m = np.where(ends.any(1), ends.argmax(1), pairs - 1)[:, None]
    total = np.where(np.arange(pairs) < m, np.minimum.accumulate(pair, axis=1), 0).sum(1)
    even = np.take_along_axis(rho, 2 * m, axis=1)
    kept = (even > 0) | (np.take_along_axis(pair, m, axis=1) >= 0)
    tau = -1 + 2 * total + np.where(kept, even, 0)[:, 0]
    return np.where(np.isnan(rho[:, 1]), np.nan, tau)


def _ess(x):
    """S / τ of S draws, at most S log₁₀ S; S where the site is constant, as the indicator of a quantile may be."""
    size = x.shape[1] * x.shape[2]
    ess = size / np.maximum(_autocorrelation_time(_correlations(x)), 1 / np.log10(size))
    return np.where(x.max((1, 2)) > x.min((1, 2)), ess, size)


def quantileess(x, prob):
    below = x <= np.quantile(x, prob, axis=(1, 2), keepdims=True)
    return _ess(split(below.astype(float)))


def effective_sample_size(x, bias=True):
    """S / τ of whole chains on their own scale, as NumPyro defines it; `ess_bulk` and `ess_tail` tell more.

    x : float[chains, draws, *shape] -> float[*shape];  bias : of the autocovariances, see `autocovariance`
    Here τ = -1 + 2 (P₀ + Σₖ min(P₁⁺ … Pₖ⁺)), over every lag. Source: Geyer (1992), section 3.3.

    >>> round(float(effective_sample_size(np.arange(1000.).reshape(100, 10), bias=False)), 2)
    52.64
    """
    def statistic(x):
        rho = _correlations(x, bias)
        if x.shape[1] == 1: rho[:, 1:] += 1 / (x.shape[2] - 1)     # W (n - 1) / n in both places: ρₖ = cₖ / c₀
        pair = rho[:, :rho.shape[1] // 2 * 2].reshape(len(rho), -1, 2).sum(2)
        later = np.minimum.accumulate(np.maximum(pair[:, 1:], 0), axis=1)
        return x.shape[1] * x.shape[2] / (-1 + 2 * (pair[:, 0] + later.sum(1)))
    return over_sites(statistic, x, min_draws=2)


def ess_mean(x):
    """How many independent draws would give the mean as well.   x : float[chains, draws, *shape] -> float[*shape]

    Of the half chains, on their own scale. Source: Vehtari et al. (2021), section 3.2.

    >>> x = np.random.default_rng(0).normal(size=(4, 1000))
    >>> bool(ess_mean(np.cumsum(x, axis=1)) < 50 < ess_mean(x))
    True
    """
    return over_sites(lambda x: _ess(split(x)), x)


def ess_sd(x):
    """How many independent draws would give (x - mean)² as well.   x : float[chains, draws, *shape] -> float[*shape]

    Source: Vehtari et al. (2021), section 3.2, of a transformed quantity.

    >>> bool(ess_sd(np.random.default_rng(0).normal(size=(4, 1000))) > 3000)
    True
    """
    return over_sites(lambda x: _ess(split((x - x.mean((1, 2), keepdims=True))**2)), x)


def ess_bulk(x):
    """ESS of the normal scores: of the centre, heavy tails or not.   x : float[chains, draws, *shape] -> float[*shape]

    Source: Vehtari et al. (2021), rank normalization.

    >>> bool(ess_bulk(np.random.default_rng(0).standard_cauchy(size=(4, 1000))) > 3000)
    True
    """
    return over_sites(lambda x: _ess(normal_scores(split(x))), x)


def ess_quantile(x, prob):
    """ESS of the indicator x ≤ q, with q the quantile at `prob`.   x : float[chains, draws, *shape] -> float[*shape]

    Raises ValueError unless 0 ≤ prob ≤ 1. Source: Vehtari et al. (2021), local efficiency of quantiles.

    >>> bool(ess_quantile(np.random.default_rng(0).normal(size=(4, 1000)), 0.5) > 3000)
    True
    """
    _check_probability(prob)
    return over_sites(lambda x: quantileess(x, prob), x)


def ess_tail(x, prob=(0.05, 0.95)):
    """The smaller `ess_quantile` of the two probabilities.   x : float[chains, draws, *shape] -> float[*shape]

    Source: Vehtari et al. (2021), tail-ESS.

    >>> bool(ess_tail(np.random.default_rng(0).normal(size=(4, 1000))) > 3000)
    True
    """
    for each in prob: _check_probability(each)
    return over_sites(lambda x: np.min([quantileess(x, each) for each in prob], axis=0), x)


def _check_probability(prob):
    if not 0 <= prob <= 1:
        raise ValueError(f"prob={prob} is not a probability: give a number from 0 to 1.")


# ---- Monte Carlo standard errors ----

def mcse_mean(x):
    """Standard error of the mean, sd / √ess_mean.   x : float[chains, draws, *shape] -> float[*shape]

    Source: Vehtari et al. (2021), section 3.2.

    >>> bool(0.014 < mcse_mean(np.random.default_rng(0).normal(size=(4, 1000))) < 0.018)
    True
    """
    return over_sites(lambda x: x.std((1, 2), ddof=1) / np.sqrt(_ess(split(x))), x)


def mcse_sd(x):
    """Standard error of the sd s, √((m₄ - s⁴) / (4 s² ess_sd)).   x : float[chains, draws, *shape] -> float[*shape]

    m₄ is the fourth central moment. Source: Kenney & Keeping (1951), Mathematics of Statistics 2, p. 141, with the ESS
    of (x - mean)² for the number of draws.

    >>> bool(0.010 < mcse_sd(np.random.default_rng(0).normal(size=(4, 1000))) < 0.013)
    True
    """
    return over_sites(_mcse_sd, x)


def _mcse_sd(x):
    square = (x - x.mean((1, 2), keepdims=True))**2
    variance = square.mean((1, 2))
    return np.sqrt(((square**2).mean((1, 2)) - variance**2) / _ess(split(square)) / variance / 4)


def mcse_quantile(x, prob):
    """Half the width between the draws that bound the quantile at `prob` with 68%.   x : float[chains, draws, *shape]

    The bounds are quantiles at the 0.1587 and 0.8413 points of Beta(E prob + 1, E (1 - prob) + 1), E the ESS.
    Source: Vehtari et al. (2021), section 4.4.

    >>> bool(0.015 < mcse_quantile(np.random.default_rng(0).normal(size=(4, 1000)), 0.5) < 0.025)
    True
    """
    _check_probability(prob)
    return over_sites(lambda x: _mcse_quantile(x, prob), x)


def _mcse_quantile(x, prob):
    from scipy.special import betaincinv
    ess = quantileess(x, prob)
    ordered = np.sort(x.reshape(len(x), -1), axis=1)
    size = ordered.shape[1]
    low, high = (size * betaincinv(ess * prob + 1, ess * (1 - prob) + 1, level) - 1 for level in (0.1586553, 0.8413447))
    low = np.floor(np.fmax(low, 0)).astype(int)
    high = np.ceil(np.fmin(high, size - 1)).astype(int)
    low, high = (np.take_along_axis(ordered, index[:, None], axis=1)[:, 0] for index in (low, high))
    return (high - low) / 2
