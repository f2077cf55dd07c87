"""Bounds by importance weights of K draws: Rényi's, and that of importance-weighted autoencoders.

    w_k = p(z_k, x) / q(z_k),   z_1, …, z_K ~ q independent
"""
import math
from functools import partial

from ...engine import numpy as np
from ...engine import random, tree, vjp
from ...engine.avals import is_inexact
from ...engine.lax import stop_gradient
from ...engine.nn import logsumexp, softmax
from .estimators import core, score, score_sites, total
from .objectives import Objective
from .particles import AtValues, GuideRun, Rescored, given
from .structure import sites_of


class RenyiELBO(Objective):
    """Rényi's variational bound, negated: 1 / (1 - α) · log (1/K Σ w_k^(1 - α)).

    alpha : α != 1. 0 is the importance-weighted bound (`IWAE` has a better gradient for it), values towards 1 tend to
        the ELBO (take Trace_ELBO for it), negative ones to an upper bound of log p(x).
    num_particles : K. A finite number is biased: the estimates' mean tends to Rényi's bound as K grows, from below for
        α < 1, from above for α > 1.
    The weights are those of whole draws; those of plates' indices are not taken apart. Sites without pathwise
    derivatives take the score function, each particle's with what the bound would be were its own weight the geometric
    mean of the others' as baseline (Mnih & Rezende, 2016, "Variational inference for Monte Carlo objectives", eq. 9).
    Source: Li & Turner (2016), "Rényi divergence variational inference", section 4.
    """

    def __init__(self, alpha=0, num_particles=2, vectorize_particles=True):
        if alpha == 1:
            raise ValueError("RenyiELBO(alpha=1) is the evidence lower bound: take Trace_ELBO.")
        super().__init__(num_particles, vectorize_particles)
        self.alpha = float(alpha)

    def estimate(self, key, params, pair, state):
        log_w, log_q = self.over_particles(lambda key: _weight(pair, params, key), key)
        value = bound(log_w, self.alpha)
        if log_q is not None:
            gain = stop_gradient(value - without_each(log_w, self.alpha))
            extra = np.sum(gain * log_q)
            value = value + extra - stop_gradient(extra)
        return -value, state


def bound(log_w, alpha=0.0):
    """1 / (1 - α) · log mean exp((1 - α) log w), over the last axis."""
    return (logsumexp((1 - alpha) * log_w, -1) - math.log(log_w.shape[-1])) / (1 - alpha)


def without_each(log_w, alpha):
    """float[K]: the bound with weight k replaced by the geometric mean of the others; 0 where there are none."""
    k = log_w.shape[0]
    if k == 1:
        return np.zeros((1,))
    means = (np.sum(log_w) - log_w) / (k - 1)
    return bound(np.where(np.eye(k, dtype=bool), means[:, None], log_w), alpha)


def _weight(pair, params, key):
    """(log w, Σ score or None) of one particle."""
    guide, model = pair.draw(key, params)
    names = score_sites(guide)
    return total(model) - total(guide), sum(np.sum(score(guide[name])) for name in names) if names else None


class IWAE(Objective):
    """The importance-weighted bound, negated: log (1/K Σ w_k), with doubly reparameterised gradients.

    num_particles : K
    doubly_reparameterized : the gradient in what the draws are made of is Σ w̃_k² ∂ log w_k / ∂z_k · ∂z_k / ∂φ, with w̃
        the normalised weights and log q's own dependence on φ left out. Its signal does not drown in noise as K grows,
        as that of the plain gradient does, which False takes, if the guide is wide enough for weights of finite
        variance.
    All draws of the guide must have pathwise derivatives, and what it gives the model must follow from drawn sites
    alone, not from params again (normalising flows' guides: doubly_reparameterized=False).
    Source: Burda, Grosse & Salakhutdinov (2016), "Importance weighted autoencoders"; Tucker, Lawson, Gu & Maddison
    (2019), "Doubly reparameterized gradient estimators for Monte Carlo objectives", eq. 8.
    """

    def __init__(self, num_particles=10, vectorize_particles=True, *, doubly_reparameterized=True):
        super().__init__(num_particles, vectorize_particles)
        self.doubly_reparameterized = bool(doubly_reparameterized)

    def estimate(self, key, params, pair, state):
        if not self.doubly_reparameterized:
            log_w, log_q = self.over_particles(lambda key: _weight(pair, params, key), key)
            if log_q is not None:
                raise ValueError("IWAE: the guide has sites without pathwise derivatives.\n"
                                 "Take RenyiELBO(alpha=0), which gives them the score function.")
            return -bound(log_w), state
        log_w, path = self._doubly(key, params, pair)
        return -(bound(log_w) + path - stop_gradient(path)), state

    def _doubly(self, key, params, pair):
        """(log w, a constant; a number whose derivative in params is the bound's)."""
        mine, others = random.split(key)

        def draw(key):
            guide = pair.guide.record(GuideRun(key, params, pair.constrained), pair.guide_data)
            _check_paths(guide, pair)
            return given(guide)

        z, form = tree.flatten(self.over_particles(draw, mine))
        moving = [is_inexact(x.dtype) for x in z]

        def weights(z_moving, params):
            it = iter(z_moving)
            rows = [next(it) if m else x for x, m in zip(z, moving)]
            return self.over_particles(partial(_weight_at, pair, fixed, params, form), others, *rows)

        fixed, z_moving = tree.map(stop_gradient, params), [x for x, m in zip(z, moving) if m]
        log_w, pull = vjp(weights, tree.map(stop_gradient, z_moving), fixed)
        w = softmax(log_w)
        dz, dparams = pull(w)
        rows = [np.reshape(w, (-1,) + (1,) * (x.ndim - 1)) for x in dz]
        path = _dot([w * d for w, d in zip(rows, dz)], z_moving) + _dot(tree.leaves(dparams), tree.leaves(params))
        return stop_gradient(log_w), path


def _weight_at(pair, fixed, params, form, key, *row):
    """log w at values of the draws, a flat row: p with its params, q with params that are constants."""
    values = tree.unflatten(form, row)
    q = pair.guide.record(Rescored(key, fixed, values, pair.constrained), pair.guide_data)
    p = pair.model.record(AtValues(key, params, values, pair.constrained), pair.data)
    return total(p) - total(q)


def _dot(constants, xs):
    return sum((np.sum(stop_gradient(c) * x) for c, x in zip(constants, xs)), np.zeros(()))


def _check_paths(guide, pair):
    by_params = sites_of(pair.guide, pair.guide_data).by_params
    for name in score_sites(guide):
        raise guide[name].error(f"IWAE: draws of site {name!r} ({core(guide[name].fn)}) have no pathwise derivative, "
                                "which the doubly reparameterised gradient needs.\nTake RenyiELBO(alpha=0).")
    for name, s in guide.items():
        if s.kind == "sample" and core(s.fn) == "Delta" and name in by_params:
            raise s.error(f"IWAE: site {name!r} is a Delta whose value depends on params other than through drawn "
                          "sites, so its density at a given draw is not known.\n"
                          "Take IWAE(doubly_reparameterized=False).")
