"""The network of PixelCNN++: numbers at each pixel that depend on the pixels above it and to its left alone.

Two streams go through it. `above` knows at each place the rows above, `left` also what stands in the row to the left.
A convolution looks at a window that ends at its place, downwards and, in `left`, to the right; the first ones are
shifted by one, which leaves out the pixel itself. Blocks at half the size, and skips past them, widen the view.

Weights are a tree of dicts and lists: {"w": float[rows, columns, inputs, outputs], "b": float[outputs]} for each layer.
"""
from ..engine import nn, random
from ..engine import numpy as np
from ..engine.lax import conv_general_dilated
from ..engine.nn import initializers
from .record import Record, static

LAYOUT = ("NHWC", "HWIO", "NHWC")


class Layout(Record):
    """What the network is made of: no weights, all static.

    channels : of a pixel      outputs : numbers at each pixel      filters : channels inside
    num_resnet : blocks at each size      num_hierarchies : sizes, each half of the one before
    field : rows and columns (an odd number) that a convolution looks at, as in TFP, with the row that it leaves out
    context : size of the vector that the numbers may depend on too, 0 for none
    """
    channels: int = static()
    outputs: int = static()
    filters: int = static(default=160)
    num_resnet: int = static(default=5)
    num_hierarchies: int = static(default=3)
    field: tuple = static(default=(3, 3))
    context: int = static(default=0)

    @property
    def windows(self):
        """The window of `above`, and that of `left`."""
        rows, columns = self.field
        return (rows - 1, columns), (rows - 1, (columns + 1) // 2)

    @property
    def _before(self):
        """How many rows and columns a window begins before its place: in `above`, and in `left`."""
        (rows, columns), (some, fewer) = self.windows
        return (rows - 1, (columns - 1) // 2), (some - 1, fewer - 1)

    def draw(self, key):
        """Random weights."""
        keys = iter(random.split(key, 8 + 16 * (2 * self.num_resnet + 2) * self.num_hierarchies))
        n, c, (up, left) = self.filters, self.channels + 1, self.windows
        first = [layer(next(keys), window, c, n) for window in (up, (1, up[1]), (left[0], left[1] - 1))]
        blocks = [[self._pair(keys, False) for _ in range(self.num_resnet)] for _ in range(self.num_hierarchies)]
        back = [[self._pair(keys, True) for _ in range(self.num_resnet + (i > 0))]
                for i in range(self.num_hierarchies)]
        halves, doubles = ([[layer(next(keys), w, n, n) for w in (up, left)] for _ in range(self.num_hierarchies - 1)]
                           for _ in range(2))
        return dict(first=first, blocks=blocks, halves=halves, back=back, doubles=doubles,
                    last=layer(next(keys), (1, 1), n, self.outputs, scale=0.1))

    def _pair(self, keys, skips):
        """A block of each stream: that of `left` sees `above`; on the way back both see what was on the way there."""
        n, (up, left) = self.filters, self.windows
        return [self._block(keys, up, n if skips else 0), self._block(keys, left, 2 * n if skips else n)]

    def _block(self, keys, window, others):
        n = self.filters
        weights = dict(one=layer(next(keys), window, 2 * n, n), two=layer(next(keys), window, 2 * n, 2 * n, scale=0.1))
        if others:
            weights["others"] = layer(next(keys), (1, 1), 2 * others, n)
        if self.context:
            weights["context"] = layer(next(keys), (1, 1), self.context, 2 * n, scale=0.1)
        return weights

    def __call__(self, weights, x, context=None):
        """float[N, height, width, channels], context float[N, size]  ->  float[N, height, width, outputs]"""
        up, left = self._before
        h = None if context is None else context[:, None, None, :]
        x = np.concatenate([x, np.ones_like(x[..., :1])], -1)
        above, row, corner = weights["first"]
        u = shifted(conv(above, x, up), 1)
        v = shifted(conv(row, x, (0, up[1])), 1) + shifted(conv(corner, x, (left[0], corner["w"].shape[1] - 1)), 2)
        us, vs = [u], [v]
        for i, blocks in enumerate(weights["blocks"]):
            for above, beside in blocks:
                u = block(above, u, up, None, h)
                v = block(beside, v, left, u, h)
                us.append(u)
                vs.append(v)
            if i < self.num_hierarchies - 1:
                above, beside = weights["halves"][i]
                u, v = conv(above, u, up, stride=2), conv(beside, v, left, stride=2)
                us.append(u)
                vs.append(v)
        u, v = us.pop(), vs.pop()
        for i, blocks in enumerate(weights["back"]):
            for above, beside in blocks:
                u = block(above, u, up, us.pop(), h)
                v = block(beside, v, left, np.concatenate([u, vs.pop()], -1), h)
            if i < self.num_hierarchies - 1:
                above, beside = weights["doubles"][i]
                u, v = doubled(above, u, up, us[-1].shape), doubled(beside, v, left, vs[-1].shape)
        return conv(weights["last"], nn.elu(v), (0, 0))


def layer(key, window, inputs, outputs, scale=1.0):
    """Random weights of a convolution."""
    return dict(w=scale * initializers.he_normal()(key, (*window, inputs, outputs)), b=np.zeros(outputs))


def conv(weights, x, before, stride=1):
    """Each place's sum over a window that begins `before` = (rows, columns) places earlier."""
    rows, columns = weights["w"].shape[:2]
    pads = [(before[0], rows - 1 - before[0]), (before[1], columns - 1 - before[1])]
    return conv_general_dilated(x, weights["w"], (stride, stride), pads, dimension_numbers=LAYOUT) + weights["b"]


def doubled(weights, x, before, shape):
    """Twice the size, cut to a shape: place p takes from places i with 2 i <= p, or to the right only in `above`."""
    rows, columns = weights["w"].shape[:2]
    pads = [(before[0], rows - before[0]), (before[1], columns - before[1])]
    y = conv_general_dilated(x, weights["w"], (1, 1), pads, (2, 2), dimension_numbers=LAYOUT) + weights["b"]
    return y[:, :shape[1], :shape[2]]


def shifted(x, axis):
    """Every place gets what the one before it had."""
    zeros = np.zeros_like(np.take(x, [0], axis))
    kept = x[:, :-1] if axis == 1 else x[:, :, :-1]
    return np.concatenate([zeros, kept], axis)


def both_signs(x):
    """elu(x) and elu(-x), side by side."""
    return nn.elu(np.concatenate([x, -x], -1))


def block(weights, x, before, others, context):
    """x + a sigmoid(b), for a and b from two convolutions; what the others say is added after the first one."""
    y = conv(weights["one"], both_signs(x), before)
    if others is not None:
        y = y + conv(weights["others"], both_signs(others), (0, 0))
    y = conv(weights["two"], both_signs(y), before)
    if context is not None:
        y = y + conv(weights["context"], context, (0, 0))
    a, b = np.split(y, 2, -1)
    return x + a * nn.sigmoid(b)
