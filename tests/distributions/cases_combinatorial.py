"""Rows of random partitions, weights of random measures, matchings, trees, subsets and coalescents."""
import functools
import itertools
import math

import numpy as np
from scipy import special, stats

import chainrule.distributions as dist
from tests.distributions.cases import Case
from tests.distributions.cases_discrete import Enumerated
from tests.distributions.structured_laws import Law, Structured, sticks

# ---- partitions and random measures ----

def clusters(n):
    """All vectors of clusters in order of appearance, out of all vectors."""
    return [v for v in itertools.product(range(n), repeat=n) if all(k <= max(v[:i], default=-1) + 1
                                                                    for i, k in enumerate(v))]


def seating(theta, d, v):
    """The log-probability of a partition, one thing after the other."""
    total, counts = 0.0, {}
    for i, k in enumerate(v):
        if i:
            total += math.log((counts[k] - d if k in counts else theta + len(counts) * d) / (theta + i))
        counts[k] = counts.get(k, 0) + 1
    return total


def chinese_restaurant(concentration, size, discount=0.0):
    theta, d = np.broadcast_arrays(concentration, discount)
    tables = [{v: seating(a, b, v) for v in clusters(int(size))} for a, b in zip(theta.ravel(), d.ravel())]

    def logpmf(x):
        flat = x.reshape((-1, len(tables), int(size)))
        return np.reshape([[t[tuple(v)] for t, v in zip(tables, row)] for row in flat], x.shape[:-1])
    return Enumerated(clusters(int(size)), logpmf, theta.shape)


def fractions(concentration, num_sticks, discount):
    k = np.arange(1, num_sticks + 1)
    return stats.beta(1 - np.asarray(discount)[..., None], np.asarray(concentration)[..., None] + k * discount)


def stick_breaking_process(concentration, num_sticks, discount=0.0):
    law, shape = fractions(concentration, num_sticks, discount), np.shape(concentration)
    at = list(np.ndindex(shape))
    return Law([lambda v, i=i: stats.beta(law.args[0], law.args[1][i]).logpdf(v).sum() for i in at], 1, shape,
               law.mean(), law.var(), law.entropy().sum(-1), marginal=law)


def size_biased(concentration, num_sticks, discount=0.0):
    law, shape = fractions(concentration, num_sticks, discount), np.shape(concentration)
    first, second = law.mean(), law.var() + law.mean() ** 2
    kept = np.cumprod(1 - first, -1)
    kept2 = np.cumprod(law.var() + (1 - first) ** 2, -1)
    ones = np.ones((*shape, 1))
    mean = np.concatenate([first * np.concatenate([ones, kept[..., :-1]], -1), kept[..., -1:]], -1)
    square = np.concatenate([second * np.concatenate([ones, kept2[..., :-1]], -1), kept2[..., -1:]], -1)

    def logpdf(w, i):
        v, before = sticks(w)
        return np.sum(stats.beta(law.args[0], law.args[1][i]).logpdf(v) - np.log(before))
    return Law([functools.partial(logpdf, i=i) for i in np.ndindex(shape)], 1, shape, mean, square - mean ** 2,
               statistics=lambda x: [(sticks(x)[0][(slice(None), *i, k)],
                                      stats.beta(law.args[0][0], law.args[1][(*i, k)]).cdf)
                                     for i in np.ndindex(shape) for k in range(num_sticks)])


# ---- matchings and trees ----

def by_weights(values, weigh, shape):
    """Objects in proportion to exp of their weights, by a sum over all of them.   weigh : values [m, *event] -> [m]"""
    values = np.asarray(values)
    tables = [dict(zip(map(str, values.tolist()), w - special.logsumexp(w))) for w in weigh(values)]

    def logpmf(x):
        flat = x.reshape((-1, len(tables), *values.shape[1:]))
        lead = x.shape[:x.ndim - values.ndim + 1]
        return np.reshape([[t[str(v.tolist())] for t, v in zip(tables, row)] for row in flat], lead)
    return Enumerated(values, logpmf, shape)


def matching(logits, bp_iters=None):
    sources, n = logits.shape[-2:]
    values = sorted(set(itertools.permutations(np.repeat(range(n), sources // n).tolist())))

    def weigh(values):
        return [table[np.arange(sources), values].sum(-1) for table in logits.reshape((-1, sources, n))]
    return by_weights(values, weigh, logits.shape[:-2])


WEIGHTS = np.random.default_rng(5).normal(size=(2, 4, 3)).round(1)

CASES = [
    Case("ChineseRestaurantProcess", dist.ChineseRestaurantProcess,
         [dict(concentration=1.3, size=4), dict(concentration=[[0.7], [2.0]], size=4, discount=[0.3, 0.6]),
          dict(concentration=-0.2, size=4, discount=0.5)], chinese_restaurant,
         (dist.ChineseRestaurantProcess,), outside=([0, 2, 1, 0], [1, 1, 1, 1], [0, -1, 0, 0], [0, 0.5, 1, 1]),
         bad=dict(concentration=-0.1, discount=1.0), discrete=True, slow=True),
    Case("ChineseRestaurantProcess of one", dist.ChineseRestaurantProcess, [dict(concentration=0.5, size=1)],
         chinese_restaurant, (), outside=([1],), discrete=True, slow=True),
    Structured("StickBreakingProcess", dist.StickBreakingProcess,
               [dict(concentration=[1.7, 0.8], num_sticks=3, discount=0.3), dict(concentration=1.7, num_sticks=2)],
               stick_breaking_process, (dist.StickBreakingProcess,), outside=(1.6, 0.0),
               bad=dict(concentration=-1.0, discount=1.2)),
    Structured("SizeBiasedSamplingProcess", dist.SizeBiasedSamplingProcess,
               [dict(concentration=[1.7, 0.8], num_sticks=3, discount=0.3)], size_biased,
               (dist.SizeBiasedSamplingProcess,), outside=([0.5, 0.6, -0.1, 0.0], [0.5, 0.5, 0.0, 0.0]),
               bad=dict(concentration=-1.0, discount=1.2), drawn_as="StickBreakingProcess"),
    Case("OneOneMatching", dist.OneOneMatching, [dict(logits=WEIGHTS[0, :3]), dict(logits=WEIGHTS[:, :3])], matching,
         (dist.OneOneMatching,), outside=([0, 0, 1], [1, 2, 3], [0.5, 1, 2]), bad=dict(logits=[[np.nan]]),
         discrete=True),
    Case("OneTwoMatching", dist.OneTwoMatching, [dict(logits=WEIGHTS[0, :, :2]), dict(logits=WEIGHTS[:, :, 1:])],
         matching, (dist.OneTwoMatching,), outside=([0, 0, 0, 1], [1, 2, 1, 2]), bad=dict(logits=[[np.nan], [0.0]]),
         discrete=True),
]
