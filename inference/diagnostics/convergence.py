"""R-hat: do the chains agree? By the variance of the chains' means against that within chains.

Source: Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Rank-normalization, folding, and localization: an improved
R-hat for assessing convergence of MCMC, Bayesian Analysis 16(2).
"""
import numpy as np

from .sites import normal_scores, over_sites, split


def variances(x):
    """W, the mean of the variances within chains, and B / n, the variance of their means."""
    between = x.mean(2).var(1, ddof=1) if x.shape[1] > 1 else np.zeros(len(x))
    return x.var(2, ddof=1).mean(1), between


def _rhat(x):
    within, between = variances(x)
    return np.sqrt((x.shape[2] - 1) / x.shape[2] + between / within)


def rank_rhat(x):
    x = split(x)
    folded = np.abs(x - np.median(x, axis=(1, 2), keepdims=True))
    return np.fmax(_rhat(normal_scores(x)), _rhat(normal_scores(folded)))


def gelman_rubin(x):
    """R-hat = √(((n - 1) W / n + B / n) / W), of whole chains.   x : float[chains, draws, *shape] -> float[*shape]

    nan where there is a single chain. Source: Gelman & Rubin (1992), Statistical Science 7(4).

    >>> round(float(gelman_rubin([[0, 1, 2, 3], [4, 5, 6, 7]])), 3)
    2.356
    """
    return over_sites(_rhat, x, min_chains=2, min_draws=2)


def split_rhat(x):
    """R-hat of the half chains, so that a drift shows even in one chain.   x : float[chains, draws, *shape]

    Of a single chain too, where ArviZ gives nan.
    Source: Gelman et al. (2013), Bayesian Data Analysis, 3rd edition, section 11.4.

    >>> round(float(split_rhat([[0, 1, 2, 3, 4, 5, 6, 7]])), 3)
    2.356
    """
    return over_sites(lambda x: _rhat(split(x)), x)


split_gelman_rubin = split_rhat


def rhat(x):
    """The larger of two split R-hats: of the draws' normal scores, and of those of |x - median|.

    x : float[chains, draws, *shape] -> float[*shape]; nan where there is a single chain, for which see `split_rhat`.
    Source: Vehtari et al. (2021), rank normalization and folding.

    >>> x = np.random.default_rng(0).normal(size=(4, 1000))
    >>> bool(rhat(x) < 1.01), bool(rhat(x + [[0], [0], [0], [1]]) > 1.01)
    (True, True)
    """
    return over_sites(rank_rhat, x, min_chains=2)


def nested_rhat(x, superchains):
    """√(1 + B / W) for chains in groups that start together, however short the chains are.

    x : float[chains, draws, *shape] -> float[*shape]
    superchains : int[chains], the group of each chain, all of one size; or the number of groups of consecutive chains
    B is the variance of the groups' means; W the mean over groups of the variance of the chains' means (0 of a single
    chain) plus the mean variance within chains (0 of a single draw). Many chains of few draws suffice: the chains of a
    group start at one point, so that B shows whether that point is forgotten.
    Source: Margossian, Hoffman, Sountsov, Riou-Durand, Vehtari & Gelman (2024), Bayesian Analysis, equations 15 to 18.

    >>> x = np.random.default_rng(0).normal(size=(64, 5))
    >>> bool(nested_rhat(x, 8) < 1.05 < nested_rhat(x + np.repeat(np.arange(8), 8)[:, None], 8))
    True
    """
    x = np.asarray(x, dtype=float)
    chains = len(x) if x.ndim else 0
    if np.ndim(superchains) == 0:
        groups = int(superchains)
        members = np.repeat(np.arange(groups), chains // groups) if groups > 0 else np.arange(0)
    else:
        members = np.unique(np.asarray(superchains), return_inverse=True)[1]
        groups = members.max(initial=-1) + 1
    sizes = np.bincount(members, minlength=groups)
    if len(members) != chains or groups < 2 or (sizes != sizes[0]).any():
        raise ValueError(f"superchains={superchains!r} does not divide {chains} chains into two groups or more of one "
                         "size.\nGive the number of groups, or the group of each chain.")

    def statistic(x):
        x = x[:, np.argsort(members, kind="stable")].reshape(len(x), groups, sizes[0], -1)
        means = x.mean(3)
        within = x.var(3, ddof=1).mean(2) if x.shape[3] > 1 else 0.0
        between = means.var(2, ddof=1) if sizes[0] > 1 else 0.0
        return np.sqrt(1 + means.mean(2).var(1, ddof=1) / (within + between).mean(1))

    return over_sites(statistic, x, min_draws=1 if sizes[0] > 1 else 2)
