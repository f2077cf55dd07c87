"""The ensemble slice sampler: walkers that draw from slices along directions that the other walkers give.

The walkers are halved. Each walker x of one half takes a step of `slices` along a line x + t η, then the halves change
parts. The directions η of a transition are of one kind, for x', x'' of the other half and the covariance C of that:

    difference:  2 μ (x' - x'')
    gaussian:    2 μ v,                     v ~ N(0, C)
    kde:         2 μ (x' - x'' + √2 h v),   h = n^(-1 / (d + 4)): the difference of two draws from a kernel density
    random:      2 μ z / |z|,               z ~ N(0, 1): knows nothing of the others

All but the last do the same on a target and on any affine image of it. μ is tuned in warm-up until intervals grow as
often as they shrink, which costs least; no gradient is needed, and no proposal is refused.
A position has the walkers in front of every leaf, see `aies`.
Source: Karamanis & Beutler (2021), Statistics and Computing 31 (zeus), algorithms 1 to 3.
"""
from typing import NamedTuple

import numpy as onp

from ..engine import fori_loop, while_loop
from ..engine import numpy as np
from ..engine.array import Array
from . import slices
from .aies import State, flattened_walkers, init
from .base import below, seed_of, uniform
from .base import normal as normal_like

__all__ = ["Info", "KINDS", "Params", "State", "init", "params_of", "step"]

KINDS = ("difference", "gaussian", "kde", "random")
MAX_STEPS = 10_000


class Params(NamedTuple):
    """The scale, and the weights of the kinds."""
    scale: Array                   # float[], μ
    weights: Array                 # float[kinds], of sum 1


class Info(NamedTuple):
    """Facts of a transition."""
    logdensity: Array              # float[n], at the new positions
    num_steps: Array               # int[n], evaluations of the density
    expansions: Array              # int[n]: how often the interval grew
    contractions: Array            # int[n]: how often it shrank
    step_size: Array               # float[], μ


class _Turn(NamedTuple):
    """Between two evaluations of a half."""
    turns: Array                   # int[]
    interval: slices.Interval      # of each walker
    x: Array                       # float[half, d]
    logdensity: Array              # float[half]
    counts: Array                  # int[half, 3]: evaluations, expansions, contractions
    done: Array                    # bool[half]


def params_of(scale=1.0, weights=(1.0,)):
    """Usual parameters: of one kind."""
    return Params(np.asarray(float(scale)), np.asarray(onp.asarray(weights, float) / onp.sum(weights)))


def step(key, state, logdensity_fn, params, *, kinds=("difference",), randomize_split=True, max_steps=MAX_STEPS,
         max_shrinks=slices.MAX_SHRINKS):
    """(State, Info) of one transition, in which each walker draws from one slice.

    kinds : of the directions, some of KINDS, one for each weight          max_steps : the greatest size of an interval
        that steps out          max_shrinks : after so many the walker stays where it is

    >>> from chainrule.engine import random
    >>> from chainrule.inference import ensemble_slice
    >>> logdensity = lambda x: -0.5 * np.sum(x ** 2)
    >>> state = ensemble_slice.init(random.normal(random.key(0), (8, 2)), logdensity)
    >>> state, info = ensemble_slice.step(random.key(1), state, logdensity, ensemble_slice.params_of())
    >>> bool(np.all(info.num_steps >= 3))
    True
    """
    x, unravel, f = flattened_walkers(state.position, logdensity_fn)
    seed, n = seed_of(key), x.shape[0]
    order = np.argsort(uniform(seed, 1, x.dtype, (n,))) if randomize_split else np.arange(n)
    half = n // 2
    kind = np.sum(uniform(seed, 2, x.dtype) > np.cumsum(params.weights)[:-1])
    halves = lambda a: np.reshape(a[order], (2, half, *a.shape[1:]))

    def move(h, carry):
        x, logdensity, counts = carry
        active = x[h]
        along = 2.0 * params.scale * _directions(seed, h, kind, kinds, x[1 - h])
        u = [uniform(seed, h * 16 + 16 + k, x.dtype, (half,)) for k in range(3)]

        def evaluate(s):
            t = slices.place(s.interval, uniform(seed, (h + 1) * _EVALUATION + s.turns, x.dtype, (half,)))
            y = active + t[:, None] * along
            new = f(y)
            interval, found, grew = slices.narrowed(s.interval, t, new)
            shrank = np.logical_and(s.interval.stage == 2, np.logical_not(found))
            more = np.astype(np.stack([np.ones_like(grew), grew, shrank], -1), int)
            held = lambda old, new: np.where(np.reshape(s.done, (half, *(1,) * (old.ndim - 1))), old, new)
            done = np.logical_or(s.done, np.logical_or(found, interval.shrinks >= max_shrinks))
            take = np.logical_and(found, np.logical_not(s.done))
            return _Turn(s.turns + 1, slices.Interval(*[held(a, b) for a, b in zip(s.interval, interval)]),
                         np.where(take[:, None], y, s.x), np.where(take, new, s.logdensity),
                         held(s.counts, s.counts + more), done)

        start = _Turn(np.asarray(0), slices.around(logdensity[h], u, max_steps), active, logdensity[h], counts[h],
                      np.zeros(half, bool))
        end = while_loop(lambda s: np.logical_not(np.all(s.done)), evaluate, start)
        return x.at[h].set(end.x), logdensity.at[h].set(end.logdensity), counts.at[h].set(end.counts)

    out = fori_loop(0, 2, move, (halves(x), halves(state.logdensity), np.zeros((2, half, 3), int)))
    back = np.argsort(order)
    x, logdensity, counts = [np.reshape(a, (n, *a.shape[2:]))[back] for a in out]
    return State(unravel(x), logdensity), Info(logdensity, counts[:, 0], counts[:, 1], counts[:, 2],
                                               np.astype(params.scale, x.dtype))


def _directions(seed, h, kind, kinds, others):
    """float[half, d]: a direction for each walker, of the chosen kind."""
    half, d = others.shape
    u = lambda k: uniform(seed, h * 16 + 16 + k, others.dtype, (half,))
    z = lambda k, shape: normal_like(seed, h * 16 + 16 + k, np.zeros(shape, others.dtype))

    def difference():
        first = below(u(3), half)
        return others[first] - others[(first + 1 + below(u(4), half - 1)) % half]

    def gaussian():
        return z(5, (half, half)) @ (others - np.mean(others, 0)) / half ** 0.5          # of covariance C

    def kde():
        return difference() + 2.0 ** 0.5 * half ** (-1.0 / (d + 4)) * gaussian()

    def unit():
        v = z(6, (half, d))
        return v / np.sqrt(np.sum(v * v, -1, keepdims=True))

    made = dict(zip(KINDS, (difference, gaussian, kde, unit)))
    out = made[kinds[-1]]()
    for i, name in enumerate(kinds[:-1]):
        out = np.where(kind == i, made[name](), out)
    return out


_EVALUATION = onp.int64(1) << onp.int64(32)


# ---- warm-up ----

class Tuning(NamedTuple):
    """The state of warm-up."""
    params: Params
    num_warmup: Array              # int[]
    adapts: Array                  # bool[]


def adapt(s, transition, info):
    """With log μ moved by log (2 expansions / (expansions + contractions)), less and less, up to the end of warm-up."""
    grown = np.maximum(np.sum(info.expansions), 1)
    ratio = 2.0 * grown / (grown + np.sum(info.contractions))
    use = np.logical_and(s.adapts, transition <= s.num_warmup)
    scale = s.params.scale * np.where(use, ratio, 1.0) ** np.astype(transition, s.params.scale.dtype) ** -0.5
    return s._replace(params=s.params._replace(scale=scale))
