"""Adafactor: second moments of matrices kept as their row and column means.

Source: Shazeer & Stern (2018), Adafactor: adaptive learning rates with sublinear memory cost, algorithms 4 and 5.
"""
from typing import Any, NamedTuple

import numpy as onp

from ...engine import numpy as np
from ...engine import tree
from .clipping import add_decayed_weights, clip_by_block_rms, root_mean_square
from .scaling import ema
from .transformation import (
    GradientTransformation,
    chain,
    increment,
    need_params,
    scale,
    scale_by_learning_rate,
    stateless,
)


class FactoredState(NamedTuple):
    """Second moments, each parameter's as (row means, column means), or as (all of them,)."""
    count: Any                 # int32[]
    v: Any


def scale_by_factored_rms(factored=True, decay_rate=0.8, step_offset=0, min_dim_size_to_factor=128, epsilon=1e-30):
    """g / √V̂, V̂ = r cᵀ / mean(r), with r and c decaying means over rows and columns of g² + epsilon.

        r ← β r + (1 - β) mean over columns,   c likewise over rows,   β = 1 - (t - step_offset)^-decay_rate

    The two largest axes of a parameter are its columns and rows; where the smaller of them has fewer than
    min_dim_size_to_factor elements, or there is one axis alone, all of V is kept.
    """
    def start(p):
        p = np.asarray(p)
        axes = _axes(p.shape, factored, min_dim_size_to_factor)
        shapes = [p.shape] if axes is None else [tuple([n for i, n in enumerate(p.shape) if i != a]) for a in axes]
        return tuple([np.zeros(s, p.dtype) for s in shapes])

    def update(updates, state, params=None):
        leaves, treedef = tree.flatten(updates)
        count = increment(state.count)
        beta = 1.0 - np.astype(count - step_offset, "float64") ** -decay_rate
        made = [_scaled(g, v, np.astype(beta, g.dtype), _axes(g.shape, factored, min_dim_size_to_factor), epsilon)
                for g, v in zip(leaves, tree.flatten_up_to(treedef, state.v, "state of scale_by_factored_rms"))]
        back = lambda column: tree.unflatten(treedef, column)
        return back([u for u, _ in made]), FactoredState(count, back([v for _, v in made]))

    return GradientTransformation(lambda params: FactoredState(np.zeros((), "int32"), tree.map(start, params)), update)


def _axes(shape, factored, least):
    """The largest axis and the second largest, if V is to be factored over them."""
    if not factored or len(shape) < 2:
        return None
    second, first = onp.argsort(shape, kind="stable")[-2:]
    return (int(first), int(second)) if shape[second] >= least else None


def _scaled(g, v, beta, axes, epsilon):
    """(the scaled gradient, the new second moments)"""
    square = g * g + epsilon
    if axes is None:
        full = beta * v[0] + (1.0 - beta) * square
        return g / np.sqrt(full), (full,)
    first, second = axes
    rows = beta * v[0] + (1.0 - beta) * np.mean(square, axis=first)
    columns = beta * v[1] + (1.0 - beta) * np.mean(square, axis=second)
    whole = np.mean(rows, axis=second - (first < second), keepdims=True)
    return (g / np.sqrt(np.expand_dims(rows / whole, first)) / np.sqrt(np.expand_dims(columns, second)),
            (rows, columns))


def scale_by_param_block_rms(min_scale=1e-3):
    """Each update times the root mean square of its parameter, at least min_scale."""
    def scaled(updates, params):
        need_params(params, "scale_by_param_block_rms")
        return tree.map(lambda g, p: g * np.maximum(root_mean_square(np.asarray(p)), min_scale), updates, params)

    return stateless(scaled)


def adafactor(learning_rate=None, min_dim_size_to_factor=128, decay_rate=0.8, decay_offset=0,
              multiply_by_parameter_scale=True, clipping_threshold=1.0, momentum=None, dtype_momentum=None,
              weight_decay_rate=None, eps=1e-30, factored=True, weight_decay_mask=None):
    """Adafactor; see the module. An n × k matrix costs n + k numbers of memory.

    learning_rate : relative to the size of each parameter where multiply_by_parameter_scale
    clipping_threshold : the largest root mean square of an update before the learning rate; None for no bound

    >>> import chainrule.engine.numpy as np
    >>> optimiser = adafactor(0.01)
    >>> state = optimiser.init({"w": np.ones((256, 512))})
    >>> [v.shape for v in state[0].v["w"]]
    [(256,), (512,)]
    """
    parts = [scale_by_factored_rms(factored, decay_rate, decay_offset, min_dim_size_to_factor, eps)]
    if clipping_threshold is not None:
        parts.append(clip_by_block_rms(clipping_threshold))
    if learning_rate is not None:
        parts.append(scale_by_learning_rate(learning_rate, flip_sign=False))
    if multiply_by_parameter_scale:
        parts.append(scale_by_param_block_rms())
    if momentum is not None:
        parts.append(ema(momentum, debias=False, accumulator_dtype=dtype_momentum))
    if weight_decay_rate is not None:
        parts.append(add_decayed_weights(weight_decay_rate, weight_decay_mask))
    return chain(*parts, scale(-1.0))
