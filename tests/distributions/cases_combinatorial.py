"""Rows of random partitions, weights of random measures, matchings, trees, subsets and coalescents."""
import functools
import itertools
import math

import numpy as np
from scipy import special, stats

import chainrule.distributions as dist
from tests.distributions.cases import Case
from tests.distributions.cases_discrete import Enumerated, EnumeratedSums
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


def is_tree(edges, n):
    """Whether n - 1 edges join n vertices, by merging the parts that each connects."""
    part = list(range(n))
    for v, w in edges:
        if part[v] == part[w]:
            return False
        part = [part[v] if p == part[w] else p for p in part]
    return True


def spanning_tree(edge_logits):
    n = (1 + math.isqrt(1 + 8 * edge_logits.shape[-1])) // 2
    pairs = [(v, w) for w in range(n) for v in range(w)]
    sets = [k for k in itertools.combinations(range(len(pairs)), n - 1) if is_tree([pairs[i] for i in k], n)]

    def weigh(_):
        return [table[np.array(sets)].sum(-1) for table in edge_logits.reshape((-1, len(pairs)))]
    return by_weights([[pairs[i] for i in k] for k in sets], weigh, edge_logits.shape[:-1])


def determinantal(eigenvalues, eigenvectors):
    shape, (n, m) = eigenvalues.shape[:-1], eigenvectors.shape[-2:]
    kernels = (np.broadcast_to(eigenvectors, (*shape, n, m)) * eigenvalues[..., None, :]) @ np.swapaxes(
        eigenvectors, -1, -2)
    values = [v for v in itertools.product((0, 1), repeat=n) if sum(v) <= m]

    def weigh(values):
        return [np.array([np.linalg.slogdet(k[np.ix_(v == 1, v == 1)])[1] for v in values])
                for k in kernels.reshape((-1, n, n))]
    law = by_weights(values, weigh, shape)
    return EnumeratedSums(law.values, law.logpmf, shape)


# ---- coalescents ----

def waits(x, leaves, cumulative):
    """Walks back from leaf to coalescence, and gives for each coalescence the pairs and the integrated rate before."""
    events = sorted([(t, 1) for t in leaves] + [(t, -1) for t in x], reverse=True)
    k, used, before, out = 0, 0.0, events[0][0], []
    for t, sign in events:
        used += k * (k - 1) / 2 * (cumulative(before) - cumulative(t))
        if sign < 0:
            out.append((k * (k - 1) / 2, used))
            used = 0.0
        k, before = k + sign, t
    return np.array(out[::-1])


def coalescent(leaves, cumulatives, rates, shape):
    """leaves : [*shape, n]      cumulatives, rates : of base rates, one each for a batch element"""
    at = list(np.ndindex(shape))

    def logpdf(x, leaves, cumulative, rate):
        pairs, used = waits(x, leaves, cumulative).T
        return np.sum(np.log(pairs * [rate(t) for t in x]) - used)

    def statistics(x):                                   # what is used up of the rates is exponential
        for i, cumulative in zip(at, cumulatives):
            used = np.stack([waits(v, leaves[i], cumulative)[:, 1] for v in x[(slice(None), *i)]])
            yield from ((column, stats.expon.cdf) for column in used.T)
    return Law([functools.partial(logpdf, leaves=leaves[i], cumulative=c, rate=r)
                for i, c, r in zip(at, cumulatives, rates)], 1, shape, statistics=statistics)


def steady_coalescent(leaf_times, rate=1.0):
    rate = np.asarray(rate)
    leaves = np.broadcast_to(leaf_times, (*rate.shape, np.shape(leaf_times)[-1]))
    return coalescent(leaves, [lambda t, r=r: r * t for r in rate.ravel()], [lambda t, r=r: r for r in rate.ravel()],
                      rate.shape)


def grid_coalescent(leaf_times, rate_grid):
    leaves, grid = np.asarray(leaf_times), np.asarray(rate_grid)

    def rate(t):
        return grid[min(max(math.floor(t), 0), len(grid) - 1)]

    def cumulative(t):                                   # from -100, cell by cell
        ends = [-100.0, *[e for e in range(1, len(grid)) if e < t], t]
        return sum((b - a) * rate(0.5 * (a + b)) for a, b in itertools.pairwise(ends))
    return coalescent(leaves, [cumulative], [rate], ())


ORTHONORMAL = np.linalg.qr(np.random.default_rng(6).normal(size=(3, 3)))[0]
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
         discrete=True, slow=True),
    Case("OneTwoMatching", dist.OneTwoMatching, [dict(logits=WEIGHTS[0, :, :2]), dict(logits=WEIGHTS[:, :, 1:])],
         matching, (dist.OneTwoMatching,), outside=([0, 0, 0, 1], [1, 2, 1, 2]), bad=dict(logits=[[np.nan], [0.0]]),
         discrete=True, slow=True),
    Case("SpanningTree", dist.SpanningTree, [dict(edge_logits=WEIGHTS[:, :2].reshape(2, 6)),
                                             dict(edge_logits=WEIGHTS[0, 0])], spanning_tree, (dist.SpanningTree,),
         outside=(0, [[0, 1]]), bad=dict(edge_logits=[np.nan]), discrete=True, slow=True),
    Case("SpanningTree of an edge", dist.SpanningTree, [dict(edge_logits=[0.7])], spanning_tree, (), outside=(0,),
         discrete=True, slow=True),
    Case("DeterminantalPointProcess", dist.DeterminantalPointProcess,
         [dict(eigenvalues=[[0.3, 1.5, 4.0], [1.0, 1.0, 1.0]], eigenvectors=ORTHONORMAL),
          dict(eigenvalues=[0.8, 2.5], eigenvectors=ORTHONORMAL[:, :2])], determinantal,
         (dist.DeterminantalPointProcess,), outside=([2, 0, 0], [0.5, 0, 0]),
         bad=dict(eigenvalues=[1.0, 0.0, 1.0], eigenvectors=np.ones((3, 3))), discrete=True, slow=True),
    Structured("CoalescentTimes", dist.CoalescentTimes,
               [dict(leaf_times=[0.3, 2.0, 1.0, -0.5], rate=[0.8, 2.0]), dict(leaf_times=[0.0, 0.5, 0.2])],
               steady_coalescent, (dist.CoalescentTimes,), outside=(3.0,), bad=dict(rate=0.0, leaf_times=[0.0, np.nan]),
               slow=True),
    Structured("CoalescentTimesWithRate", dist.CoalescentTimesWithRate,
               [dict(leaf_times=[0.3, 2.6, 1.2, 3.5], rate_grid=[0.4, 1.0, 0.3, 2.0])], grid_coalescent,
               (dist.CoalescentTimesWithRate,), outside=(5.0,), bad=dict(rate_grid=[1.0, 0.0, 1.0]), slow=True,
               drawn_as="CoalescentTimes"),
]
