"""Adam, in the form of an init/update pair."""
from typing import NamedTuple

import chainrule.engine.numpy as np
from chainrule.engine import tree


class Adam(NamedTuple):
    """Kingma & Ba (2015), algorithm 1."""
    step_size: float

    def init(self, params):
        zeros = tree.map(np.zeros_like, params)
        return np.asarray(0), zeros, zeros

    def update(self, grads, state, params):
        t, m, v = state[0] + 1, *[tree.map(lambda a, g, b=b, k=k: b * a + (1 - b) * g ** k, old, grads)
                                  for old, b, k in ((state[1], 0.9, 1), (state[2], 0.999, 2))]
        return tree.map(lambda m, v: -self.step_size * (m / (1 - 0.9 ** t)) / (np.sqrt(v / (1 - 0.999 ** t)) + 1e-8),
                        m, v), (t, m, v)
