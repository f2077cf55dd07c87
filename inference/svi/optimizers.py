"""Optimisers as SVI uses them: init(params) -> state, update(grads, state) -> state, get_params(state) -> params.

Two forms are taken: NumPyro's classes, which have just these methods, and the init/update pairs that Optax made
standard, whose update gives what to add to the params.
"""
from typing import Any, NamedTuple

from ...engine import tree


class Stepping(NamedTuple):
    """An init/update pair with its params: init(params) -> state; update(grads, state, params) -> (updates, state)."""
    pair: Any

    def init(self, params):
        return params, self.pair.init(params)

    def update(self, grads, state):
        params, inner = state
        updates, inner = self.pair.update(grads, inner, params)
        return tree.map(lambda p, u: p + u, params, updates), inner

    def get_params(self, state):
        return state[0]


def as_optimizer(optim):
    """An optimiser of either form. Raises TypeError for anything else."""
    for name in ("init", "update"):
        if not callable(getattr(optim, name, None)):
            raise TypeError("SVI takes an optimiser: an object with init(params) and update(grads, state, params), as "
                            f"in Optax, or one of NumPyro's form; got {optim!r:.60}.")
    return optim if callable(getattr(optim, "get_params", None)) else Stepping(optim)
