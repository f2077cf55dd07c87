"""Do the chains agree, and how many independent draws are they worth: R-hat, effective sample size, Monte Carlo error.

Every function takes draws `x : float[chains, draws, *shape]` and treats each of the `*shape` sites by itself, all of
them at once. A site that is constant, or that holds a value that is not finite, has no answer: it gets nan, silently;
so does every site of fewer than four draws a chain (two where chains are not split). Everything is in float64.

Sharp edges. ArviZ agrees to rounding, with three exceptions. Where all draws are equal, or within 1e-15, it calls each
of them effective; its measures that use ranks alone accept infinite draws; and its line 0.23 interpolates quantiles by
a formula that can miss a draw by one rounding, so that an ESS of a quantile that is itself a draw may differ (line 1.x
interpolates as we do).

The paper: Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Rank-normalization, folding, and localization: an
improved R-hat for assessing convergence of MCMC, Bayesian Analysis 16(2).
"""
from collections.abc import Mapping
from itertools import product

import numpy as np

BLOCK = 2**20                                     # numbers treated at a time: bounds the memory, and fits a cache


# ---- sites: every statistic below is a function  float[sites, chains, draws] -> float[sites] ----

def _over_sites(statistic, x, min_chains=1, min_draws=4):
    """`statistic` of each usable site of x : float[chains, draws, *shape], and nan for the others -> float[*shape]."""
    x = np.asarray(x, dtype=float)
    if x.ndim < 2:
        raise ValueError(f"draws of shape {x.shape} cannot be told apart by chain: the first axis is for chains, "
                         "the second for draws.\nFor a single chain write x[None].")
    chains, draws, *shape = x.shape
    sites = np.moveaxis(x.reshape(chains, draws, int(np.prod(shape))), -1, 0)
    out = np.full(len(sites), np.nan)
    if chains >= min_chains and draws >= min_draws:
        step = max(1, BLOCK // (chains * draws))
        for start in range(0, len(sites), step):
            block = np.ascontiguousarray(sites[start:start + step])
            usable = np.isfinite(block).all((1, 2)) & (block.max((1, 2)) > block.min((1, 2)))
            if usable.any():
                with np.errstate(all="ignore"):
                    out[start:start + step][usable] = statistic(block[usable])
    return out.reshape(shape)[()]


def _split(x):
    """Each chain as two, its first and its last half; of an odd number of draws the middle one is dropped."""
    half = x.shape[2] // 2
    return np.concatenate([x[:, :, :half], x[:, :, -half:]], axis=1)


def _normal_scores(x):
    """z = Φ⁻¹((rank - 3/8) / (S + 1/4)), ranks among all S draws of a site; ties get their mean rank."""
    from scipy.special import ndtri
    flat = x.reshape(len(x), -1)
    size = flat.shape[1]
    order = flat.argsort(axis=1)
    ordered = np.take_along_axis(flat, order, axis=1)
    position, edge = np.arange(size), np.ones((len(flat), 1), bool)
    differs = ordered[:, 1:] != ordered[:, :-1]
    first = np.maximum.accumulate(np.where(np.hstack([edge, differs]), position, 0), axis=1)
    last = np.where(np.hstack([differs, edge]), position, size - 1)
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    score = ndtri((np.arange(2 * size - 1) / 2 + 1 - 3 / 8) / (size + 1 / 4))       # of mean rank (first + last) / 2
    scores = np.empty_like(flat)
    np.put_along_axis(scores, order, score[first + last], axis=1)
    return scores.reshape(x.shape)


# ---- R-hat ----

def _variances(x):
    """W, the mean of the variances within chains, and B / n, the variance of their means."""
    between = x.mean(2).var(1, ddof=1) if x.shape[1] > 1 else np.zeros(len(x))
    return x.var(2, ddof=1).mean(1), between


def _rhat(x):
    within, between = _variances(x)
    return np.sqrt((x.shape[2] - 1) / x.shape[2] + between / within)


def _rank_rhat(x):
    x = _split(x)
    folded = np.abs(x - np.median(x, axis=(1, 2), keepdims=True))
    return np.fmax(_rhat(_normal_scores(x)), _rhat(_normal_scores(folded)))


def gelman_rubin(x):
    """R-hat = √(((n - 1) W / n + B / n) / W), of whole chains.   x : float[chains, draws, *shape] -> float[*shape]

    nan where there is a single chain. Source: Gelman & Rubin (1992), Statistical Science 7(4).

    >>> round(float(gelman_rubin([[0, 1, 2, 3], [4, 5, 6, 7]])), 3)
    2.356
    """
    return _over_sites(_rhat, x, min_chains=2, min_draws=2)


def split_rhat(x):
    """R-hat of the half chains, so that a drift shows even in one chain.   x : float[chains, draws, *shape]

    Of a single chain too, where ArviZ gives nan.
    Source: Gelman et al. (2013), Bayesian Data Analysis, 3rd edition, section 11.4.

    >>> round(float(split_rhat([[0, 1, 2, 3, 4, 5, 6, 7]])), 3)
    2.356
    """
    return _over_sites(lambda x: _rhat(_split(x)), x)


split_gelman_rubin = split_rhat


def rhat(x):
    """The larger of two split R-hats: of the draws' normal scores, and of those of |x - median|.

    x : float[chains, draws, *shape] -> float[*shape]; nan where there is a single chain, for which see `split_rhat`.
    Source: Vehtari et al. (2021), rank normalization and folding.

    >>> x = np.random.default_rng(0).normal(size=(4, 1000))
    >>> bool(rhat(x) < 1.01), bool(rhat(x + [[0], [0], [0], [1]]) > 1.01)
    (True, True)
    """
    return _over_sites(_rank_rhat, x, min_chains=2)


# ---- autocovariance ----

def _lagged_products(x, average=None):
    """Σₜ dₜ dₜ₊ₖ over the last axis, d = x - mean, for every lag k; averaged over the axis `average` if it is given."""
    n = x.shape[-1]
    size = 1 << (2 * n - 1).bit_length()          # at least 2n: with that many zeros behind it nothing wraps around
    spectrum = np.fft.rfft(x - x.mean(-1, keepdims=True), size)
    power = spectrum.real**2 + spectrum.imag**2
    return np.fft.irfft(power if average is None else power.mean(average), size)[..., :n]


def _divisors(n, bias):
    return n if bias else np.arange(n, 0, -1)


def autocovariance(x, axis=0, bias=True):
    """cₖ = Σₜ (xₜ - x̄)(xₜ₊ₖ - x̄) / n for every lag k along `axis`; with bias=False divided by n - k instead of n.

    x : float[..., n, ...] -> the same shape.   Source: Geyer (1992), section 3.1.

    >>> autocovariance([0, 1, 2, 3]).round(4).tolist()
    [1.25, 0.3125, -0.375, -0.5625]
    """
    x = np.moveaxis(np.asarray(x, dtype=float), axis, -1)
    with np.errstate(all="ignore"):
        return np.moveaxis(_lagged_products(x) / _divisors(x.shape[-1], bias), -1, axis)


def autocorrelation(x, axis=0, bias=True):
    """ρₖ = cₖ / c₀ with c the `autocovariance` along `axis`; nan for a constant.   x : float[..., n, ...]

    >>> autocorrelation([0, 1, 2, 3]).round(4).tolist()
    [1.0, 0.25, -0.3, -0.45]
    """
    x = np.moveaxis(np.asarray(x, dtype=float), axis, -1)
    covariance = autocovariance(x, -1, bias)
    varies = np.ptp(x, axis=-1, keepdims=True) > 0 if x.size else True
    with np.errstate(all="ignore"):
        return np.moveaxis(np.where(varies, covariance / covariance[..., :1], np.nan), -1, axis)


# ---- effective sample size ----

def _correlations(x, bias=True):
    """ρₖ = 1 - (W - c̄ₖ) / (W (n - 1) / n + B / n), c̄ₖ the autocovariance at lag k averaged over chains; ρ₀ = 1."""
    n = x.shape[2]
    within, between = _variances(x)
    covariance = _lagged_products(x, average=1) / _divisors(n, bias)
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


def _ess_quantile(x, prob):
    below = x <= np.quantile(x, prob, axis=(1, 2), keepdims=True)
    return _ess(_split(below.astype(float)))


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
    return _over_sites(statistic, x, min_draws=2)


def ess_mean(x):
    """How many independent draws would give the mean as well.   x : float[chains, draws, *shape] -> float[*shape]

    Of the half chains, on their own scale. Source: Vehtari et al. (2021), section 3.2.

    >>> x = np.random.default_rng(0).normal(size=(4, 1000))
    >>> bool(ess_mean(np.cumsum(x, axis=1)) < 50 < ess_mean(x))
    True
    """
    return _over_sites(lambda x: _ess(_split(x)), x)


def ess_sd(x):
    """How many independent draws would give (x - mean)² as well.   x : float[chains, draws, *shape] -> float[*shape]

    Source: Vehtari et al. (2021), section 3.2, of a transformed quantity.

    >>> bool(ess_sd(np.random.default_rng(0).normal(size=(4, 1000))) > 3000)
    True
    """
    return _over_sites(lambda x: _ess(_split((x - x.mean((1, 2), keepdims=True))**2)), x)


def ess_bulk(x):
    """ESS of the normal scores: of the centre, heavy tails or not.   x : float[chains, draws, *shape] -> float[*shape]

    Source: Vehtari et al. (2021), rank normalization.

    >>> bool(ess_bulk(np.random.default_rng(0).standard_cauchy(size=(4, 1000))) > 3000)
    True
    """
    return _over_sites(lambda x: _ess(_normal_scores(_split(x))), x)


def ess_quantile(x, prob):
    """ESS of the indicator x ≤ q, with q the quantile at `prob`.   x : float[chains, draws, *shape] -> float[*shape]

    Raises ValueError unless 0 ≤ prob ≤ 1. Source: Vehtari et al. (2021), local efficiency of quantiles.

    >>> bool(ess_quantile(np.random.default_rng(0).normal(size=(4, 1000)), 0.5) > 3000)
    True
    """
    _check_probability(prob)
    return _over_sites(lambda x: _ess_quantile(x, prob), x)


def ess_tail(x, prob=(0.05, 0.95)):
    """The smaller `ess_quantile` of the two probabilities.   x : float[chains, draws, *shape] -> float[*shape]

    Source: Vehtari et al. (2021), tail-ESS.

    >>> bool(ess_tail(np.random.default_rng(0).normal(size=(4, 1000))) > 3000)
    True
    """
    for each in prob: _check_probability(each)
    return _over_sites(lambda x: np.min([_ess_quantile(x, each) for each in prob], axis=0), x)


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
    return _over_sites(lambda x: x.std((1, 2), ddof=1) / np.sqrt(_ess(_split(x))), x)


def mcse_sd(x):
    """Standard error of the sd s, √((m₄ - s⁴) / (4 s² ess_sd)).   x : float[chains, draws, *shape] -> float[*shape]

    m₄ is the fourth central moment. Source: Kenney & Keeping (1951), Mathematics of Statistics 2, p. 141, with the ESS
    of (x - mean)² for the number of draws.

    >>> bool(0.010 < mcse_sd(np.random.default_rng(0).normal(size=(4, 1000))) < 0.013)
    True
    """
    return _over_sites(_mcse_sd, x)


def _mcse_sd(x):
    square = (x - x.mean((1, 2), keepdims=True))**2
    variance = square.mean((1, 2))
    return np.sqrt(((square**2).mean((1, 2)) - variance**2) / _ess(_split(square)) / variance / 4)


def mcse_quantile(x, prob):
    """Half the width between the draws that bound the quantile at `prob` with 68%.   x : float[chains, draws, *shape]

    The bounds are quantiles at the 0.1587 and 0.8413 points of Beta(E prob + 1, E (1 - prob) + 1), E the ESS.
    Source: Vehtari et al. (2021), section 4.4.

    >>> bool(0.015 < mcse_quantile(np.random.default_rng(0).normal(size=(4, 1000)), 0.5) < 0.025)
    True
    """
    _check_probability(prob)
    return _over_sites(lambda x: _mcse_quantile(x, prob), x)


def _mcse_quantile(x, prob):
    from scipy.special import betaincinv
    ess = _ess_quantile(x, prob)
    ordered = np.sort(x.reshape(len(x), -1), axis=1)
    size = ordered.shape[1]
    low, high = (size * betaincinv(ess * prob + 1, ess * (1 - prob) + 1, level) - 1 for level in (0.1586553, 0.8413447))
    low = np.floor(np.fmax(low, 0)).astype(int)
    high = np.ceil(np.fmin(high, size - 1)).astype(int)
    low, high = (np.take_along_axis(ordered, index[:, None], axis=1)[:, 0] for index in (low, high))
    return (high - low) / 2


# ---- the energy, intervals, and the table ----

def bfmi(energy):
    """Σ (Eₜ - Eₜ₋₁)² / Σ (Eₜ - Ē)², each as a mean, for every chain: below 0.3 the momenta explore too slowly.

    energy : float[chains, draws] -> float[chains].   Source: Betancourt (2016), arXiv:1604.00695, section 3.

    >>> bfmi([[0, 1, 0, 1]]).round(2).tolist()
    [3.0]
    """
    energy = np.atleast_2d(np.asarray(energy, dtype=float))
    return _over_sites(lambda e: (np.diff(e)**2).mean((1, 2)) / e.var((1, 2), ddof=1), energy.T[None], min_draws=2)


def hpdi(x, prob=0.9, axis=0):
    """The narrowest interval with `prob` of the draws along `axis`.   x : float[..., n, ...] -> float[..., 2, ...]

    Raises ValueError unless 0 < prob ≤ 1; nan where a draw is nan.
    Source: Chen & Shao (1999), Journal of Computational and Graphical Statistics 8(1).

    >>> hpdi([0, 1, 2, 3, 9], prob=0.6).tolist()
    [0.0, 3.0]
    """
    if not 0 < prob <= 1:
        raise ValueError(f"prob={prob} is no probability mass: give a number above 0 and at most 1.")
    x = np.sort(np.moveaxis(np.asarray(x, dtype=float), axis, 0), axis=0)
    if not len(x):
        raise ValueError(f"there are no draws along axis {axis}, so they have no interval.")
    held = min(int(prob * len(x)), len(x) - 1)
    with np.errstate(invalid="ignore"):
        start = (x[held:] - x[:len(x) - held]).argmin(0)[None]
    ends = [np.take_along_axis(x, index, axis=0) for index in (start, start + held)]
    return np.moveaxis(np.where(np.isnan(x[-1]), np.nan, np.concatenate(ends)), 0, axis)


def _chains_of(samples, group_by_chain):
    """name -> float[chains, draws, *shape]; arrays without names become Param:0, Param:1, …, as in NumPyro."""
    if not isinstance(samples, Mapping):
        each = samples if isinstance(samples, list | tuple) else [samples]
        samples = {f"Param:{i}": x for i, x in enumerate(each)}
    arrays = {name: np.asarray(x, dtype=float) for name, x in samples.items()}
    return arrays if group_by_chain else {name: x[None] for name, x in arrays.items()}


def _columns(x, prob):
    diagnostics = {"ess_bulk": ess_bulk(x), "ess_tail": ess_tail(x), "r_hat": _over_sites(_rank_rhat, x)}
    draws = x.reshape(x.shape[0] * x.shape[1], *x.shape[2:])
    with np.errstate(all="ignore"):
        low, high = hpdi(draws, prob)
        std = np.sqrt(((draws - draws.mean(0))**2).sum(0) / np.float64(len(draws) - 1))
        return {"mean": draws.mean(0), "std": std, "median": np.median(draws, axis=0),
                f"{50 * (1 - prob):.1f}%": low, f"{50 * (1 + prob):.1f}%": high, **diagnostics}


def summary(samples, prob=0.9, group_by_chain=True):
    """name -> {mean, std, median, 5.0%, 95.0%, ess_bulk, ess_tail, r_hat}, each float[*shape].

    samples : a dict of float[chains, draws, *shape], or of float[draws, *shape] with group_by_chain=False
    The two columns with a percent sign are the ends of the narrowest interval of mass `prob`, see `hpdi`. With one
    chain r_hat compares its halves.

    >>> table = summary({"x": np.random.default_rng(0).normal(size=(4, 1000))})
    >>> list(table["x"])
    ['mean', 'std', 'median', '5.0%', '95.0%', 'ess_bulk', 'ess_tail', 'r_hat']
    """
    return {name: _columns(x, prob) for name, x in _chains_of(samples, group_by_chain).items()}


def _cell(column, value):
    if column.startswith("ess"): return f"{value:.0f}"
    if column == "r_hat": return f"{value:.3f}"
    return f"{value:.2f}" if value == 0 or 0.1 <= abs(value) < 1e6 else f"{value:.3g}"


def print_summary(samples, prob=0.9, group_by_chain=True):
    """Prints the `summary` as a table, one row a number: name, name[i], name[i,j].   samples : see `summary`

    >>> print_summary({"x": [[0, 1, 2, 3], [3, 1, 0, 2]]})
       mean   std  median  5.0%  95.0%  ess_bulk  ess_tail  r_hat
    x  1.50  1.20    1.50  0.00   3.00         7         7  1.080
    """
    rows = [[""]]
    for name, columns in summary(samples, prob, group_by_chain).items():
        rows[0] = ["", *columns]
        for index in product(*map(range, np.shape(columns["mean"]))):
            label = f"{name}[{','.join(map(str, index))}]" if index else name
            rows.append([label, *(_cell(column, values[index]) for column, values in columns.items())])
    widths = [max(map(len, cells)) for cells in zip(*rows)]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths)))
