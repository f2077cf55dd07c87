"""Objectives of variational inference: estimates of a bound, negated, whose derivative estimates the bound's.

    Trace_ELBO           E_q[log p(z, x) - log q(z)]
    TraceMeanField_ELBO  the same with the divergences KL(q(z) ‖ p(z)) in closed form        (`mean_field`)
    TraceGraph_ELBO      the same for discrete sites, each with the costs it has a part in   (`graph`)
    TraceEnum_ELBO       the same with discrete sites of the model summed out of it          (`summed`)
    RenyiELBO, IWAE      tighter bounds by importance weights                                (`weighted`)

An objective is a value (equal settings make equal objectives) with one method to write, `estimate`.
"""
from ...engine import lax, random, tree, vmap
from ...engine import numpy as np
from ...engine.lax import stop_gradient
from ...ppl.keys import one_key
from ...ppl.model import stage_model
from .enumeration import expectation
from .estimators import total, with_score
from .particles import Pair


class Objective:
    """Base. num_particles : draws of the guide for one estimate    vectorize_particles : side by side, or in a loop"""
    sums_model = False         # whether latent sites of the model that the guide lacks are summed out

    def __init__(self, num_particles=1, vectorize_particles=True):
        if isinstance(num_particles, bool) or int(num_particles) != num_particles or num_particles < 1:
            raise ValueError(f"num_particles must be an integer of at least 1; got {num_particles!r}.")
        self.num_particles, self.vectorize_particles = int(num_particles), bool(vectorize_particles)

    def __eq__(self, other):
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self):
        return hash((type(self), tuple(sorted(self.__dict__.items()))))

    def estimate(self, key, params, pair, state):
        """(loss, new state). Differentiated in params, the loss gives the gradient's estimate."""
        raise NotImplementedError(f"{type(self).__name__} has no estimate(key, params, pair, state).")

    def init_state(self, key, params, pair):
        """What is kept from step to step beside the params (running averages), or None."""
        return None

    def loss(self, rng_key, param_map, model, guide, *args, **kwargs):
        """An estimate of the loss, float[]: a pure function of the key, the params and the data.

        param_map : {name: value}, each in its param's set         args, kwargs : those of the model and the guide

        >>> import chainrule as cr, chainrule.distributions as dist
        >>> def model(y):
        ...     cr.sample("y", dist.Normal(cr.sample("z", dist.Normal(0.0, 1.0)), 1.0), obs=y)
        >>> def guide(y):
        ...     cr.sample("z", dist.Normal(cr.param("m", 0.0), 0.5 ** 0.5))
        >>> loss = Trace_ELBO(num_particles=4).loss(random.key(0), {"m": 0.5}, model, guide, 1.0)
        >>> loss.shape, float(loss).__round__(6)                     # the guide is the posterior: -log p(y), exactly
        ((), 1.515512)
        """
        pair = stage_pair(model, guide, args, kwargs)._replace(constrained=True)
        params = {name: np.asarray(x) for name, x in param_map.items()}
        key, first = random.split(one_key(rng_key, f"{type(self).__name__}.loss"))
        return self.estimate(key, params, pair, self.init_state(first, params, pair))[0]

    def over_particles(self, one, key, *rows):
        """one(key, *row) for each particle, stacked; a single one runs by itself, with an axis of one put in front."""
        if self.num_particles == 1:
            return tree.map(lambda x: x[None], one(key, *[x[0] for x in rows]))
        keys = random.split(key, self.num_particles)
        if self.vectorize_particles:
            return vmap(one)(keys, *rows)
        return lax.map(lambda xs: one(*xs), (keys, *rows))


def stage_pair(model, guide, args, kwargs):
    """The `Pair` of a model and a guide for these arguments; each is staged once for their types."""
    program, data = stage_model(model, args, kwargs)
    guide_program, guide_data = stage_model(guide, args, kwargs)
    return Pair(program, data, guide_program, guide_data)


class Trace_ELBO(Objective):
    """The evidence lower bound E_q[log p(z, x) - log q(z)], negated.

    num_particles : draws of the guide for one estimate, side by side unless vectorize_particles=False
    Sites without pathwise derivatives (discrete ones) take the score function with the whole bound as their cost, minus
    the mean over the other particles where there are several (Kool, van Hoof & Welling, 2019). `TraceGraph_ELBO` gives
    each its own costs alone. Sites with `infer={"grad": "enumerate"}` are summed over, without noise. Scales, masks and
    subsampled plates count in model and guide as they do in log_density.
    Source: Ranganath, Gerrish & Blei (2014), "Black box variational inference"; Kingma & Welling (2014).
    """

    def estimate(self, key, params, pair, state):
        elbo, log_q = self.over_particles(lambda key: expectation(pair, params, key, _bound), key)
        if log_q is not None:
            elbo = with_score(elbo, log_q, mean_of_others(elbo))
        return -np.mean(elbo), state


def _bound(guide, model):
    return total(model) - total(guide)


def mean_of_others(x):
    """For each element of a vector the mean of the others, a constant; 0 for a single one."""
    n = x.shape[0]
    return stop_gradient((np.sum(x) - x) / (n - 1)) if n > 1 else np.zeros_like(x)
