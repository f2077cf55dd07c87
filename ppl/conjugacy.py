"""Conjugate families: integrals over a site's value that have a closed form, from the statistics of what depends on it.

With a prior p(z) ∝ exp(⟨a, t(z)⟩) and observations x of densities h(x) exp(⟨s(x), t(z)⟩), the integral over z is
Π h(x) · Z(a + Σ s(x)) / Z(a), with Z the prior's normaliser. The prior's sites and the observations may have any shapes
and be joined by indexing, broadcasting and factors (`deferred.PICK`, `SCALED`): the sums Σ s(x) are taken by the
transpose of that map.

    Beta, Uniform(0, 1)       Bernoulli, Binomial, Geometric, NegativeBinomial         (probs)
    Gamma, Exponential        Poisson, Exponential, Gamma, InverseGamma                (rate, times a number)
                              Normal                                  (scale, a number times the root of 1 / z)
    InverseGamma              those of Gamma, for 1 / z
    Dirichlet                 Categorical, OneHotCategorical, Multinomial              (probs)

Normal means are in `gaussian`.
Source: Gelman et al. (2013), Bayesian Data Analysis, 3rd ed., sections 2.4-2.7 and 3.4.
"""
import math
from typing import Any, NamedTuple

import numpy as onp

from .. import distributions
from ..distributions import Vmapped
from ..distributions.record import Record
from ..distributions.wrappers import Expanded, Independent, Masked
from ..engine import numpy as np
from ..engine import tree
from ..engine.api import vjp
from ..engine.avals import Aval
from ..engine.core import Tracer
from ..engine.scipy import special
from .deferred import PICK, POWER, SCALED, Deferred, evaluate

# ---- distributions without what wraps them ----


class Parts(NamedTuple):
    """A site's distribution taken apart: a plain family whose parameters broadcast to `shape` (then the event's axes).

    shape : the site's shape without the axes of the family's own event
    mask, scale : of the log-density, or None; they broadcast to `shape`
    """
    family: Any
    shape: tuple
    mask: Any
    scale: Any

    @property
    def name(self):
        """The family's name, where it is the library's own."""
        name = type(self.family).__name__
        return name if getattr(distributions, name, None) is type(self.family) else f"{name} of your own"

    def counted(self, lp):
        """The sum of a log-density's terms, masked and scaled."""
        lp = lp if self.mask is None else np.where(self.mask, lp, 0.0)
        return np.sum(np.broadcast_to(lp if self.scale is None else self.scale * lp, self.shape))

    def seen(self, value):
        """The value, with a member of the support where it is masked."""
        if self.mask is None:
            return value
        wide = _wide(self.mask, len(self.family.event_shape))
        return np.where(wide, value, self.family.support.example(value))

    def weigh(self, x, tail=0):
        """Statistics [*shape, *tail] times mask and scale."""
        x = np.broadcast_to(x, (*self.shape, *x.shape[x.ndim - tail:]))
        x = x if self.mask is None else np.where(_wide(self.mask, tail), x, 0.0)
        return x if self.scale is None else x * _wide(self.scale, tail)


def parts(site):
    """A site's distribution, mask and scale taken apart."""
    family, masks = _strip(site.fn, site.fn)
    event = len(family.event_shape)
    inner = len(site.fn.event_shape) - event
    shape = tuple(site.fn.shape())
    scale = None if site.scale is None else _wide(site.scale, inner)
    masks = masks if site.mask is None else [*masks, _wide(site.mask, inner)]
    mask = None
    for m in masks:
        mask = m if mask is None else np.logical_and(mask, m)
    return Parts(family, shape[:len(shape) - event], mask, scale)


def _wide(x, n):
    """x with n more axes of size one."""
    shape = (*x.shape, *(1,) * n)
    return Aval(shape, x.dtype) if isinstance(x, Aval) else np.reshape(x, shape)


def _strip(fn, shown):
    """(the plain family, masks) under the wrappers of fn. `shown` is the same for types without the axes of the vmaps
    around, by which fn's arrays may be stacked."""
    if type(fn) is Vmapped:
        return _lanes_side_by_side(fn, shown)
    if not isinstance(fn, (Expanded, Independent, Masked)):
        return fn, []
    family, masks = _strip(fn.base_dist, shown.base_dist)
    if isinstance(fn, Masked):
        masks = [*masks, _wide(fn.mask_array, len(shown.event_shape) - _event_dim(shown))]
    return family, masks


def _event_dim(shown):
    """The number of axes of the plain family's event."""
    while isinstance(shown, (Expanded, Independent, Masked, Vmapped)):
        shown = shown.lanes.lane if type(shown) is Vmapped else shown.base_dist
    return len(shown.event_shape)


def _lanes_side_by_side(fn, shown):
    """The family of vmapped distributions, its parameters aligned so that the lanes are a batch axis."""
    lane, size = shown.lanes.lane, fn.lanes.size
    family, masks = _strip(fn.base_dist, lane)               # arrays [around, lane or not, own]
    typed, typed_masks = _strip(shown.base_dist, lane)       # types [lane or not, own]
    own, own_masks = _strip(lane, lane)                      # types [own]
    rank = len(lane.shape()) - len(own.event_shape)

    def aligned(x, t, o, tail):
        if x is None or len(t.shape) == len(o.shape):
            return x
        around = tuple(x.shape)[:len(x.shape) - len(t.shape)]
        shape = (*around, size, *(1,) * (rank + tail - len(o.shape)), *o.shape)
        return Aval(shape, x.dtype) if isinstance(x, Aval) else np.reshape(x, shape)
    masks = [aligned(*row, 0) for row in zip(masks, typed_masks, own_masks)]
    if any(f.kind == "child" for f in family._fields):
        return family, masks                                 # not a family of the tables
    return with_fields(family, {f.name: aligned(*[getattr(d, f.name) for d in (family, typed, own)], f.event_dim)
                                for f in family._fields if f.kind == "param"}), masks


def with_fields(record: Record, values):
    """The record with other parameters."""
    fields = [values.get(name, getattr(record, name)) for name in record._leafy]
    return record._unflatten([getattr(record, name) for name in record._statics], fields)


# ---- the families ----

def _one_hot(x, n):
    return np.astype(np.asarray(x)[..., None] == np.arange(n), float)


# family: (kind, parameter, its power of z, statistics). Those of "gamma" are taken at z = 1, factors included.
LIKELIHOODS = {
    "BernoulliProbs": ("beta", "probs", 1, lambda d, x: (x, 1.0 - x)),
    "BinomialProbs": ("beta", "probs", 1, lambda d, x: (x, d.total_count - x)),
    "GeometricProbs": ("beta", "probs", 1, lambda d, x: (np.ones_like(x), x)),
    "NegativeBinomialProbs": ("beta", "probs", 1, lambda d, x: (x, d.total_count)),
    "Poisson": ("gamma", "rate", 1, lambda d, x: (x, d.rate)),
    "Exponential": ("gamma", "rate", 1, lambda d, x: (np.ones_like(x), d.rate * x)),
    "Gamma": ("gamma", "rate", 1, lambda d, x: (d.concentration, d.rate * x)),
    "InverseGamma": ("gamma", "rate", 1, lambda d, x: (d.concentration, d.rate / x)),
    "Normal": ("gamma", "scale", -0.5, lambda d, x: (np.full(x.shape, 0.5), 0.5 * np.square((x - d.loc) / d.scale))),
    "CategoricalProbs": ("dirichlet", "probs", 1, lambda d, x: (_one_hot(x, d.probs.shape[-1]),)),
    "OneHotCategoricalProbs": ("dirichlet", "probs", 1, lambda d, x: (x,)),
    "MultinomialProbs": ("dirichlet", "probs", 1, lambda d, x: (x,)),
}

# family: (kind, hyperparameters, the power of the site's value that has the kind's density)
PRIORS = {
    "Beta": ("beta", lambda d: (d.concentration1, d.concentration0), 1),
    "Uniform": ("beta", lambda d: (np.ones(()), np.ones(())) if _is(d.low, 0) and _is(d.high, 1) else None, 1),
    "Gamma": ("gamma", lambda d: (d.concentration, d.rate), 1),
    "Exponential": ("gamma", lambda d: (np.ones(()), d.rate), 1),
    "InverseGamma": ("gamma", lambda d: (d.concentration, d.rate), -1),
    "Dirichlet": ("dirichlet", lambda d: (d.concentration,), 1),
}

LOG_NORMALISERS = {
    "beta": special.betaln,                                          # ∫ zᵃ⁻¹ (1 - z)ᵇ⁻¹ dz
    "gamma": lambda a, b: special.gammaln(a) - a * np.log(b),        # ∫ zᵃ⁻¹ exp(-b z) dz
    "dirichlet": lambda a: np.sum(special.gammaln(a), -1) - special.gammaln(np.sum(a, -1)),
}


def _is(x, number):
    return not isinstance(x, Tracer) and bool((onp.asarray(x) == number).all())


class Prior(NamedTuple):
    """A left-out site of one of the families: which, and its hyperparameters at the site's whole shape."""
    kind: str
    hyper: tuple
    power: int


def prior_of(site):
    """The `Prior` of a site, or None where its family (or a bound of it) is not conjugate to anything here."""
    p = parts(site)
    kind, hyper, power = PRIORS.get(p.name, (None, lambda d: None, 1))
    hyper = hyper(p.family)
    if not hyper or any(isinstance(x, Deferred) for x in tree.leaves(p.family)):
        return None
    return Prior(kind, tuple([np.broadcast_to(h, site.fn.shape()) for h in hyper]), power)


class Use(NamedTuple):
    """An observed site whose distribution is conjugate to the sites in `roots`, which its parameter `at` depends on."""
    kind: str
    parts: Parts
    field: str
    at: Deferred
    stats: Any
    value: Any

    @property
    def roots(self):
        """The left-out sites that the distribution depends on."""
        return self.at.roots

    def add_to(self, totals, priors):
        """Add what the site's observations tell to {name: statistics}; returns Σ log h(x).

        log h(x) = log p(x | θ) - ⟨s(x), t(z)⟩ at any z: 1 for a rate, equal probabilities for the others.
        """
        p, kind = self.parts, self.kind
        tail = 1 if kind == "dirichlet" else 0
        full = (*p.shape, *self.at.aval.shape[len(self.at.aval.shape) - tail:])
        ones = {name: np.ones_like(priors[name].hyper[0]) for name in self.roots}
        at_one, pick = vjp(lambda z: np.broadcast_to(evaluate(self.at, z, unscaled=True), full), ones)
        n = full[-1] if tail else 2
        point = (np.broadcast_to(evaluate(self.at, ones), full) if kind == "gamma" else
                 np.full(full, 1.0 / n, at_one.dtype))
        d, value = with_fields(p.family, {self.field: point}), p.seen(self.value)
        stats = [np.broadcast_to(np.astype(np.asarray(s), at_one.dtype), full)
                 for s in self.stats(d, np.astype(value, at_one.dtype))]
        for k, s in enumerate(stats):
            for name, add in pick(p.weigh(s, tail))[0].items():
                totals[name][k] = totals[name][k] + add
        kernel = -stats[1] if kind == "gamma" else -math.log(n) * (np.sum(stats[0], -1) if tail else sum(stats))
        return p.counted(d.log_prob(value) - kernel)


def use_of(site, priors):
    """The `Use` of an observed site, or None where it is not conjugate to the left-out sites in `priors`."""
    p = parts(site)
    kind, field, power, stats = LIKELIHOODS.get(p.name, (None,) * 4)
    deferred = [x for x in tree.leaves(p.family) if isinstance(x, Deferred)]
    if kind is None or len(deferred) != 1 or deferred[0] is not getattr(p.family, field):
        return None
    at = deferred[0]
    fitting = PICK if kind != "gamma" else SCALED if at.power == 1 else POWER
    known = [priors[name] for name in at.roots if name in priors]
    if (at.form > fitting or kind == "dirichlet" and not at.whole or len(known) < len(at.roots)
            or any(prior.kind != kind or prior.power * at.power != power for prior in known)):
        return None
    return Use(kind, p, field, at, stats, site.value)


def log_marginals(priors, uses):
    """{name: term}: their sum is the log of the integral over the sites in `priors` of what `uses` observe."""
    totals = {name: [0.0] * len(prior.hyper) for name, prior in priors.items()}
    terms = {}
    for use in uses:
        first = min(use.roots)
        terms[first] = terms.get(first, 0.0) + use.add_to(totals, priors)
    for name in {name for use in uses for name in use.roots}:
        kind, hyper, _ = priors[name]
        log_z = LOG_NORMALISERS[kind]
        gain = log_z(*[h + s for h, s in zip(hyper, totals[name])]) - log_z(*hyper)
        terms[name] = terms.get(name, 0.0) + np.sum(gain)
    return terms
