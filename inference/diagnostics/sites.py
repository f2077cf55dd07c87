"""What every diagnostic does first: takes the draws site by site, and leaves out those that have no answer.

A statistic is a function float[sites, chains, draws] -> float[sites].
"""
import numpy as np

BLOCK = 2**20                                     # numbers treated at a time: bounds the memory, and fits a cache


def over_sites(statistic, x, min_chains=1, min_draws=4):
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


def split(x):
    """Each chain as two, its first and its last half; of an odd number of draws the middle one is dropped."""
    half = x.shape[2] // 2
    return np.concatenate([x[:, :, :half], x[:, :, -half:]], axis=1)


def normal_scores(x):
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
