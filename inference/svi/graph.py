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
    them, index by index (a plate declares that its indices do not influence each other). From the costs a running
    average of earlier steps is subtracted, for each index of the site.

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
    terms = [*_terms(model, sites_of(pair.model, pair.data), 1.0),
             *_terms(guide, sites_of(pair.guide, pair.guide_data), -1.0)]
    below, extra, costs = descendants(sites_of(pair.guide, pair.guide_data)), np.zeros(()), {}
    for name in names:
        log_q, site = score(guide[name]), guide[name]
        cost = sum((_brought(value, other, site) for value, other, inputs in terms if inputs & below[name]),
                   np.zeros(()))
        costs[name] = cost = stop_gradient(np.broadcast_to(cost, log_q.shape))
        baseline = averages[name].value if name in averages else 0.0
        extra = extra + np.sum((cost - baseline) * log_q)
    return sum((np.sum(value) for value, _, _ in terms), np.zeros(())), extra, costs


def _terms(sites, structure, sign):
    """(terms of a site, the site, the draws that they depend on) for each site with a log-density."""
    return [(sign * s.log_prob(), s, structure.parents[name] | {name}) for name, s in sites.items() if s.scored]


def _brought(term, other, site):
    """A site's terms summed over all axes but those of the plates that it shares with another site."""
    mine = {(f.name, f.dim) for f in site.plates if f.dim is not None}
    if not term.ndim:
        return term
    kept = {f.dim % term.ndim for f in other.plates if f.dim is not None and (f.name, f.dim) in mine}
    out = np.sum(term, tuple(set(range(term.ndim)) - kept), keepdims=True)
    depth = len(site.fn.batch_shape)
    return np.reshape(out, out.shape[max(out.ndim - depth, 0):])         # lanes and loops in front, all summed
