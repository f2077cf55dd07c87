"""Small networks for flows: dense ones, and masked ones whose output i depends on the inputs before i alone.

Their weights are the leaves of the record, so a flow is optimised by `grad` like any other pytree.
"""
import functools

import numpy as _numpy

from ...engine import numpy as np
from ...engine import random
from ...engine.nn import initializers
from ..record import Record, child, static


class Network(Record):
    """Dense layers with an activation between them: float[*batch, n] -> float[*batch, m].

    weights : tuple of float[inputs, outputs]      biases : tuple of float[outputs]
    """
    weights: tuple = child()
    biases: tuple = child()
    activation: object = static(default=np.tanh)

    @classmethod
    def init(cls, key, inputs, outputs, hidden=(32, 32), activation=np.tanh, scale=1e-2):
        """Random weights; the last layer's are `scale` times as large, so that a flow begins near the identity."""
        return cls(*_draw(key, (inputs, *hidden, outputs), scale), activation)

    def __call__(self, x):
        for i, (w, b) in enumerate(zip(self._masked(), self.biases)):
            x = np.matmul(self.activation(x) if i else np.asarray(x), w) + b
        return x

    def _masked(self):
        return self.weights


def _draw(key, sizes, scale):
    draw, last = initializers.glorot_normal(), len(sizes) - 2
    keys = random.split(key, last + 1)
    weights = [draw(k, (n, m)) for k, n, m in zip(keys, sizes, sizes[1:])]
    return (*weights[:-1], weights[-1] * scale), tuple(np.zeros((m,)) for m in sizes[1:])


class AutoregressiveNetwork(Network):
    """`outputs` numbers for each of n inputs, which depend on the inputs that come before it: [*batch, n, outputs].

    order : the place of each input in the order, that in which they stand unless given
    Source: Germain, Gregor, Murray & Larochelle (2015), MADE, section 4.
    """
    order: tuple = static(default=())
    outputs: int = static(default=2)

    @classmethod
    def init(cls, key, dim, outputs=2, hidden=(32, 32), activation=np.tanh, scale=1e-2, order=None):
        """Random weights for vectors of `dim` elements; `scale` as for `Network`."""
        order = tuple(range(dim)) if order is None else tuple(int(i) for i in order)
        return cls(*_draw(key, (dim, *hidden, dim * outputs), scale), activation, order, outputs)

    def __call__(self, x):
        y = super().__call__(x)
        return y.reshape((*y.shape[:-1], len(self.order), self.outputs))

    def _masked(self):
        masks = _masks(self.order, tuple(w.shape[-1] for w in self.weights[:-1]), self.outputs)
        return [w * mask.astype(w.dtype) for w, mask in zip(self.weights, masks)]


@functools.cache
def _masks(order, hidden, outputs):
    """For each layer which inputs reach which outputs: a unit of degree d may know the inputs up to place d."""
    n = len(order)
    before, masks = _numpy.asarray(order), []
    for size in hidden:
        after = _numpy.arange(size) % max(n - 1, 1)
        masks.append(after[None, :] >= before[:, None])
        before = after
    last = _numpy.repeat(_numpy.asarray(order), outputs)
    return (*masks, last[None, :] > before[:, None])
