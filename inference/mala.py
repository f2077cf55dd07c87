"""The Metropolis-adjusted Langevin algorithm: a step along the gradient, with noise.

    y ~ N(x + ½ ε² M⁻¹ ∇ log density(x), ε² M⁻¹),   accepted by Metropolis and Hastings' rule

It is Hamiltonian Monte Carlo of one leapfrog step, whose energy error is the logarithm of that rule's ratio. In many
dimensions an acceptance of 0.574 is best.
Source: Roberts & Tweedie (1996), Bernoulli 2; Roberts & Rosenthal (1998), JRSS B 60; Neal (2011), section 5.5.2.
"""
from . import hmc
from .hmc import Info, Params, State, init

__all__ = ["Info", "Params", "State", "init", "step"]


def step(key, state, logdensity_fn, params):
    """(State, Info) of one transition.

    >>> from chainrule.engine import random
    >>> from chainrule.engine import numpy as np
    >>> from chainrule.inference import mala, metrics
    >>> logdensity = lambda x: -0.5 * np.sum(x ** 2)
    >>> params = mala.Params(0.5, metrics.Diagonal(np.ones(2)))
    >>> state, info = mala.step(random.key(0), mala.init(np.zeros(2), logdensity), logdensity, params)
    >>> 0 < info.accept_prob <= 1
    Array(True)
    """
    return hmc.step(key, state, logdensity_fn, params, num_steps=1)
