"""The evidence lower bound for guides with discrete sites: each takes the costs that it has a part in."""
from typing import NamedTuple

from ...engine import eval_shape
from ...engine import numpy as np
from ...engine.array import Array
from ...engine.lax import stop_gradient
from .estimators import score, score_sites, total
from .objectives import Objective
from .particles import GuideRun
from .structure import descendants, sites_of


class Average(NamedTuple):
    """An exponentially weighted mean: total over weight."""
    total: Array
    weight: Array

    @property
    def value(self):
        """The mean so far; 0 before the first number."""
        return self.total / np.where(self.weight > 0, self.weight, 1.0)


class TraceGraph_ELBO(Objective):
    """The evidence lower bound, negated, with a gradient of low variance for sites without pathwise derivatives.

    The score of such a site is multiplied by the costs that depend on it alone (Rao-Blackwellisation): log p and log q
    of the sites that are made of it, as the programs of model and guide say, and within the plates that it shares with
    them those of its own index, where the programs show that they depend on no other. From the costs a running average
    of earlier steps is subtracted, for each index of the site.

    baseline_decay : of the running average's weights, from step to step; 0 leaves the baselines out, as does
        `loss`, which has no steps before it
    Source: Schulman, Heess, Weber & Abbeel (2015), "Gradient estimation using stochastic computation graphs"; Mnih &
    Gregor (2014), section 2.3.
    """

    def __init__(self, num_particles=1, vectorize_particles=True, *, baseline_decay=0.9):
        super().__init__(num_particles, vectorize_particles)
        if not 0 <= baseline_decay < 1:
            raise ValueError(f"baseline_decay must lie in [0, 1); got {baseline_decay!r}.")
        self.baseline_decay = float(baseline_decay)

    def init_state(self, key, params, pair):
        if not self.baseline_decay:
            return None

        def scores(key, params):
            guide = pair.guide.record(GuideRun(key, params, pair.constrained), pair.guide_data)
            return {name: score(guide[name]) for name in score_sites(guide)}

        shapes = eval_shape(scores, key, params)
        return {name: Average(np.zeros(s.shape), np.zeros(())) for name, s in shapes.items()} or None

    def estimate(self, key, params, pair, state):
        averages = state or {}
        elbo, extra, costs = self.over_particles(lambda key: _parts(pair, params, averages, key), key)
        loss = -np.mean(elbo)
        if extra is not None:
            extra = np.mean(extra)
            loss = loss - (extra - stop_gradient(extra))
        return loss, self._averaged(averages, costs)

    def _averaged(self, averages, costs):
        """The running averages after this step's costs."""
        if not averages:
            return None
        d = self.baseline_decay
        return {name: Average(d * a.total + (1 - d) * stop_gradient(np.mean(costs[name], 0)), d * a.weight + (1 - d))
                for name, a in averages.items()}


def _parts(pair, params, averages, key):
    """(log p - log q, what has the score's gradient, {site: its costs}) of one particle."""
    guide, model = pair.draw(key, params)
    names = score_sites(guide)
    if not names:
        return total(model) - total(guide), None, {}
    theirs, mine = sites_of(pair.model, pair.data), sites_of(pair.guide, pair.guide_data)
    terms = [*_terms(model, theirs, 1.0), *_terms(guide, mine, -1.0)]
    below, extra, costs = descendants(mine), np.zeros(()), {}
    for name in names:
        log_q, depth = score(guide[name]), len(guide[name].fn.batch_shape)
        cost = sum((_brought(value, depth, links, below[name]) for value, links in terms), np.zeros(()))
        costs[name] = cost = stop_gradient(np.broadcast_to(cost, log_q.shape))
        baseline = averages[name].value if name in averages else 0.0
        extra = extra + np.sum((cost - baseline) * log_q)
    return sum((np.sum(value) for value, _ in terms), np.zeros(())), extra, costs


def _terms(sites, structure, sign):
    """(terms of a site, {draw that they depend on: the plates along which they do index by index}) for each site with a
    log-density."""
    return [(sign * s.log_prob(), {k: structure.link(k, name) for k in structure.parents[name] | {name}})
            for name, s in sites.items() if s.scored]


def _brought(term, depth, links, below):
    """The part of a site's terms that depends on a draw of `depth` batch axes: summed, but along the plates in which it
    does so index by index. below : `descendants` of the draw"""
    hit = [below[k] & plates for k, plates in links.items() if k in below]
    if not hit or not term.ndim:
        return term if hit else 0.0
    kept = {dim % term.ndim for _, dim in frozenset.intersection(*hit)}
    out = np.sum(term, tuple(set(range(term.ndim)) - kept), keepdims=True)
    return np.reshape(out, out.shape[max(out.ndim - depth, 0):])         # lanes and loops in front, all summed
