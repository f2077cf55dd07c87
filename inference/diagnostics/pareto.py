"""Pareto smoothed importance sampling: weights made reliable, and k-hat, which says whether they can be.

The largest weights are replaced by the expected order statistics of a generalised Pareto distribution fitted to them,

    F(x) = 1 - (1 + k x / σ)^(-1/k)    of what the weights exceed a threshold by.

Its shape k̂ counts the moments: weights with k < 1/2 have a variance, with k < 1 a mean. Above `khat_threshold` the
smoothed estimate is not to be used, whatever its standard error says: take a better proposal. The tail is the largest
⌈min(S / 5, 3 √(S / r_eff))⌉ of S weights, as in ArviZ 0.23; its line 1.x rounds down.

Source: Vehtari, Simpson, Gelman, Yao & Gabry (2024), Pareto smoothed importance sampling, JMLR 25(72).
"""
import math
from typing import NamedTuple

import numpy as np

TINY = math.log(np.finfo(float).tiny)              # no weight below it, relative to the largest, is in a tail
PRIOR, PRIOR_WEIGHT = 0.5, 10                      # k is drawn towards 1/2 as if by ten more draws (appendix G)


class Smoothed(NamedTuple):
    """What `psis` gives."""
    log_weights: np.ndarray                        # float[..., draws], smoothed and normalised: their exps sum to one
    khat: np.ndarray                               # float[...]


def psis(log_weights, r_eff=1.0):
    """Pareto smoothed weights, and k-hat.   log_weights : float[..., draws], up to a constant -> `Smoothed`

    r_eff : float[...], the ESS of the draws over their number; smaller ones fit a longer tail
    A weight may be 0, log -∞. k-hat is -∞ where all weights are equal and ∞ where fewer than five are in the tail, and
    then nothing is smoothed; where a log-weight is nan or +∞ everything is nan.
    Source: Vehtari et al. (2024), algorithm 1.

    >>> x = np.random.default_rng(0).normal(size=4000)
    >>> weights, k = psis(-0.3 * x**2)             # of N(0, 1 / 1.6) by draws from N(0, 1)
    >>> bool(k < 0), round(float(np.exp(weights).sum()), 6)
    (True, 1.0)
    """
    x = np.asarray(log_weights, dtype=float)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError(f"log_weights of shape {x.shape} has no draws: they are the last axis.")
    r_eff = np.broadcast_to(np.asarray(r_eff, dtype=float), x.shape[:-1])
    if not (r_eff > 0).all():
        raise ValueError("r_eff must be positive: it is the effective sample size over the number of draws.")
    rows, khat = x.reshape(-1, x.shape[-1]).copy(), np.full(r_eff.size, np.inf)
    top = rows.max(1)
    sound = np.isfinite(top)                       # a nan is the largest; where it is -inf no weight is positive
    rows[~sound], khat[~sound] = np.nan, np.nan
    rows[sound] -= top[sound, None]
    khat[sound & (rows.min(1) == 0)] = -np.inf
    _smooth(rows, khat, np.flatnonzero(sound & (rows.min(1) < 0)), r_eff.reshape(-1))
    with np.errstate(divide="ignore"):
        rows -= np.log(np.exp(rows).sum(1, keepdims=True))
    return Smoothed(rows.reshape(x.shape), khat.reshape(r_eff.shape)[()])


def khat(log_weights, r_eff=1.0):
    """The k-hat of `psis` alone.   log_weights : float[..., draws] -> float[...]

    >>> x = np.random.default_rng(0).normal(size=4000)
    >>> bool(khat(0.45 * x**2) > khat_threshold(4000))    # of N(0, 10) by draws from N(0, 1): too narrow
    True
    """
    return psis(log_weights, r_eff).khat


def khat_threshold(draws):
    """The largest k-hat with which that many draws are enough: min(1 - 1 / log₁₀ S, 0.7).

    Source: Vehtari et al. (2024), section 3.2.4.

    >>> float(khat_threshold(100)), float(khat_threshold(4000))
    (0.5, 0.7)
    """
    return np.minimum(1 - 1 / np.log10(draws), 0.7)[()]


def _smooth(rows, khat, chosen, r_eff):
    """Smooth the chosen rows in place, largest log-weight 0, and write their k-hat; rows of equal tails at a time."""
    draws = rows.shape[1]
    order = rows[chosen].argsort(1, kind="stable")
    tail = np.ceil(np.minimum(draws / 5, 3 * np.sqrt(draws / r_eff[chosen]))).astype(int)
    ordered = np.take_along_axis(rows[chosen], order, 1)
    cutoff = np.maximum(ordered[np.arange(len(chosen)), np.maximum(draws - tail - 1, 0)], TINY)
    counts = (ordered > cutoff[:, None]).sum(1)    # a tie with the cutoff is not in the tail
    for n in np.unique(counts[counts > 4]):
        same = np.flatnonzero(counts == n)
        threshold = np.exp(cutoff[same])[:, None]
        k, sigma = _fit_pareto(np.exp(ordered[same, draws - n:]) - threshold)
        good = np.isfinite(k)
        levels = np.arange(0.5, n) / n
        with np.errstate(all="ignore"):
            smoothed = np.minimum(np.log(_quantile(levels, k[:, None], sigma[:, None]) + threshold), 0)
        at = chosen[same[good]]
        rows[at[:, None], order[same[good], draws - n:]] = smoothed[good]
        khat[chosen[same]] = np.where(good, k, np.inf)


def _quantile(p, k, sigma):
    """F⁻¹(p) = σ ((1 - p)^(-k) - 1) / k"""
    flat = np.abs(k) < np.finfo(float).eps
    k = np.where(flat, 1.0, k)
    return sigma * np.where(flat, -np.log1p(-p), np.expm1(-k * np.log1p(-p)) / k)


def _fit_pareto(x):
    """(k, σ) of each row, sorted: the mean of θ = -k / σ under a profile likelihood and a prior that fits the data.

    x : float[rows, n] -> float[rows], float[rows]
    Source: Zhang & Stephens (2009), Technometrics 51(3), with a prior of k (Vehtari et al. 2024, appendix G).
    """
    n = x.shape[1]
    points = 30 + int(math.sqrt(n))
    with np.errstate(all="ignore"):
        theta = 1 - np.sqrt(points / (np.arange(points) + 0.5))
        theta = theta / (3 * x[:, [int(n / 4 + 0.5) - 1]]) + 1 / x[:, -1:]
        k = np.stack([np.log1p(-theta[:, [j]] * x).mean(1) for j in range(points)], axis=1)
        fit = n * (np.log(-theta / k) - k - 1)
        weight = np.exp(fit - fit.max(1, keepdims=True))
        weight /= weight.sum(1, keepdims=True)
        weight = np.where(weight >= 10 * np.finfo(float).eps, weight, 0)
        theta = (theta * weight).sum(1) / weight.sum(1)
        k = np.log1p(-theta[:, None] * x).mean(1)
    return (n * k + PRIOR_WEIGHT * PRIOR) / (n + PRIOR_WEIGHT), -k / theta
