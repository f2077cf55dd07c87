"""Ways of putting layers together; see `layers` for their form. A layer may be any (init, apply) pair of that form.

    serial(a, b, c)                   c(b(a(x)))
    parallel(a, b)                    (a(x₁), b(x₂)), for a pair of inputs
    FanOut(2)                         (x, x)
    FanInSum, FanInConcat(axis)       x₁ + x₂ + …, or one array behind the other
    Residual(a, b)                    x + b(a(x))
    MLP(sizes)                        dense layers with an activation between them
"""
import functools
import operator

from .. import numpy as np
from .. import random
from ..avals import canonical_axis
from ..errors import ShapeError
from . import activations
from .layers import Dense, elementwise


def _keys(key, n):
    return [None] * n if key is None else list(random.split(key, n))


def _run(apply, params, x, key):
    """A layer's result; a layer that takes no key is called without one where there is none."""
    return apply(params, x) if key is None else apply(params, x, key=key)


def serial(*layers):
    """One layer after the other. params : a tuple, one entry for each layer.

    >>> from chainrule.engine import nn, random
    >>> init, apply = serial(nn.Dense(4), nn.Relu, nn.Dense(2))
    >>> shape, params = init(random.key(0), (-1, 3))
    >>> shape, apply(params, np.ones((5, 3))).shape
    ((-1, 2), (5, 2))
    """
    inits, applies = [a for a, _ in layers], [b for _, b in layers]

    def init(key, input_shape):
        params = []
        for one, k in zip(inits, _keys(key, len(layers))):
            input_shape, p = one(k, input_shape)
            params.append(p)
        return input_shape, tuple(params)

    def apply(params, x, key=None):
        for one, p, k in zip(applies, params, _keys(key, len(layers))):
            x = _run(one, p, x, k)
        return x
    return init, apply


Sequential = serial


def parallel(*layers):
    """Each layer applied to its own input. The input and the result are tuples, params too."""
    inits, applies = [a for a, _ in layers], [b for _, b in layers]

    def check(inputs):
        if len(inputs) != len(layers):
            raise ShapeError(f"parallel: {len(layers)} layers and {len(inputs)} inputs; FanOut({len(layers)}) gives "
                             "each of them the same input.")

    def init(key, input_shapes):
        check(input_shapes)
        made = [one(k, shape) for one, k, shape in zip(inits, _keys(key, len(layers)), input_shapes)]
        return tuple([shape for shape, _ in made]), tuple([p for _, p in made])

    def apply(params, xs, key=None):
        check(xs)
        return tuple([_run(one, p, x, k) for one, p, x, k in zip(applies, params, xs, _keys(key, len(layers)))])
    return init, apply


def FanOut(num):
    """x, `num` times: the input of `parallel`."""
    def init(key, input_shape):
        return (tuple(input_shape),) * num, ()

    def apply(params, x, key=None):
        return (x,) * num
    return init, apply


def _sum_shape(key, input_shapes):
    first, *others = [tuple(shape) for shape in input_shapes]
    if any(shape != first for shape in others):
        raise ShapeError(f"FanInSum: the inputs have shapes {', '.join(map(str, [first, *others]))}; they must be one.")
    return first, ()


FanInSum = (_sum_shape, lambda params, xs, key=None: functools.reduce(operator.add, xs))


def FanInConcat(axis=-1):
    """The inputs one behind the other along an axis."""
    def init(key, input_shapes):
        shape = list(input_shapes[0])
        at = canonical_axis(axis, len(shape))
        shape[at] = sum(s[at] for s in input_shapes)
        return tuple(shape), ()

    def apply(params, xs, key=None):
        return np.concatenate(xs, axis)
    return init, apply


def Residual(*layers):
    """x + f(x), f the layers one after the other; f keeps the shape.

    Source: He, Zhang, Ren & Sun (2016), Deep Residual Learning, equation 1.
    """
    inner, run = serial(*layers)

    def init(key, input_shape):
        shape, params = inner(key, input_shape)
        if tuple(shape) != tuple(input_shape):
            raise ShapeError(f"Residual: the layers make shape {tuple(shape)} of {tuple(input_shape)}; to be added to "
                             "the input they must keep it.")
        return shape, params

    def apply(params, x, key=None):
        return x + run(params, x, key)
    return init, apply


def MLP(sizes, activation=activations.relu, *, activate_final=False, use_bias=True, kernel_init=None):
    """Dense layers of these sizes, with an activation (a function) after each but the last. params : a tuple of theirs.

    >>> from chainrule.engine import random
    >>> init, apply = MLP([8, 8, 1], np.tanh)
    >>> shape, params = init(random.key(0), (5, 3))
    >>> shape, len(params)
    ((5, 1), 3)
    """
    sizes = tuple(sizes)
    layers = []
    for i, n in enumerate(sizes):
        dense = Dense(n, use_bias, kernel_init=kernel_init)
        layers.append(_then(dense, activation) if activate_final or i < len(sizes) - 1 else dense)
    return serial(*layers)


def _then(layer, function):
    """The layer followed by a function, with the layer's params."""
    init, apply = layer
    _, after = elementwise(function)
    return init, lambda params, x, key=None: after((), apply(params, x))
