"""Transformations of a part of the parameters, or with other numbers at each update."""
import inspect
from typing import Any, NamedTuple

import numpy as onp

from ...engine import numpy as np
from ...engine import tree
from .transformation import GradientTransformation, increment


class MaskedState(NamedTuple):
    """The state of the transformation inside."""
    inner_state: Any


class PartitionState(NamedTuple):
    """{label: the state of its transformation}"""
    inner_states: Any


class InjectHyperparamsState(NamedTuple):
    """The numbers a transformation is made with, as arrays that can be replaced, and its own state."""
    count: Any                 # int32[]
    hyperparams: dict
    inner_state: Any


class ApplyIfFiniteState(NamedTuple):
    """How many updates were left out, in a row and in all."""
    notfinite_count: Any       # int32[]
    last_finite: Any           # bool[]
    total_notfinite: Any       # int32[]
    inner_state: Any


def masked(inner, mask):
    """`inner` on the parameters that a mask names; the others' gradients pass unchanged.

    mask : a tree of bools of the parameters' structure, or params -> that

    >>> from .transformation import scale
    >>> half = masked(scale(0.5), {"w": True, "b": False})
    >>> params = {"w": np.asarray(1.0), "b": np.asarray(1.0)}
    >>> half.update(params, half.init(params))[0]
    {'b': Array(1.), 'w': Array(0.5)}
    """
    def chosen(values):
        return _marks(mask, values, "mask", bool)

    def init(params):
        return MaskedState(inner.init(_kept(params, chosen(params))))

    def update(updates, state, params=None):
        marks = chosen(updates)
        made, state = inner.update(_kept(updates, marks), state.inner_state,
                                   None if params is None else _kept(params, marks))
        return _merged(updates, marks, made), MaskedState(state)

    return GradientTransformation(init, update)


def _marks(mask, values, what, kind):
    """The mask's or labels' leaf for each leaf of `values`; a part of the tree may have one for all of its leaves."""
    given = mask(values) if callable(mask) else mask
    marks = tree.leaves(tree.broadcast(given, values))
    for m in marks:
        if kind is bool and not isinstance(m, bool | onp.bool_):
            raise TypeError(f"the {what} must hold bools, fixed before anything is compiled; got {m!r:.60}.")
    return marks


def _kept(values, marks):
    """The chosen leaves as a list."""
    return [x for x, m in zip(tree.leaves(values), marks) if m]


def _merged(values, marks, made):
    """`values` with its chosen leaves replaced by those of the list `made`."""
    leaves, treedef = tree.flatten(values)
    it = iter(made)
    return tree.unflatten(treedef, [next(it) if m else x for x, m in zip(leaves, marks)])


def partition(transforms, param_labels):
    """Each parameter by the transformation of its label.

    transforms : {label: transformation}
    param_labels : a tree of labels of the parameters' structure, or params -> that; a label may stand for a whole
        branch of the tree

    >>> from .transformation import scale, set_to_zero
    >>> frozen = partition({"move": scale(-0.1), "stay": set_to_zero()}, {"w": "move", "b": "stay"})
    >>> params = {"w": np.asarray(1.0), "b": np.asarray(1.0)}
    >>> frozen.update(params, frozen.init(params))[0]
    {'b': Array(0.), 'w': Array(-0.1)}
    """
    def labels(values):
        found = _marks(param_labels, values, "labels", object)
        if unknown := [k for k in found if k not in transforms]:
            raise ValueError(f"partition: the label {unknown[0]!r} has no transformation; there are "
                             f"{', '.join(map(repr, transforms))}.")
        return found

    def init(params):
        found = labels(params)
        return PartitionState({k: t.init(_kept(params, [f == k for f in found])) for k, t in transforms.items()})

    def update(updates, state, params=None):
        found, states = labels(updates), {}
        for k, t in transforms.items():
            marks = [f == k for f in found]
            made, states[k] = t.update(_kept(updates, marks), state.inner_states[k],
                                       None if params is None else _kept(params, marks))
            updates = _merged(updates, marks, made)
        return updates, PartitionState(states)

    return GradientTransformation(init, update)


multi_transform = partition


def inject_hyperparams(inner_factory, static_args=()):
    """A factory like `inner_factory` whose numbers stand in the state, where they can be replaced between updates.

    static_args : names of arguments that stay as they are; so do None, bools and strings
    A function that is not among them is a schedule: its value at the count of updates stands in the state.

    >>> from .transformation import scale
    >>> step = inject_hyperparams(scale)(step_size=-0.1)
    >>> state = step.init(np.zeros(2))
    >>> state = state._replace(hyperparams={"step_size": np.asarray(-0.5)})
    >>> step.update(np.ones(2), state)[0].tolist()
    [-0.5, -0.5]
    """
    static = {static_args} if isinstance(static_args, str) else set(static_args)
    signature = inspect.signature(inner_factory)

    def factory(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        given = dict(bound.arguments)
        schedules = {k: v for k, v in given.items() if k not in static and callable(v)}
        numbers = {k: np.asarray(v) for k, v in given.items() if k not in static and _is_number(v)}
        fixed = {k: v for k, v in given.items() if k not in schedules and k not in numbers}

        def made(hyperparams):
            return inner_factory(*_positional(signature, {**fixed, **hyperparams}),
                                 **_named(signature, {**fixed, **hyperparams}))

        def init(params):
            start = {**numbers, **{k: np.asarray(f(np.zeros((), "int32"))) for k, f in schedules.items()}}
            return InjectHyperparamsState(np.zeros((), "int32"), start, made(start).init(params))

        def update(updates, state, params=None):
            now = {**state.hyperparams, **{k: np.asarray(f(state.count)) for k, f in schedules.items()}}
            updates, inner = made(now).update(updates, state.inner_state, params)
            return updates, InjectHyperparamsState(increment(state.count), now, inner)

        return GradientTransformation(init, update)

    return factory


def _is_number(v):
    return not isinstance(v, bool) and (isinstance(v, int | float) or hasattr(v, "dtype"))


def _positional(signature, values):
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [values[k] for k, p in signature.parameters.items() if p.kind in kinds]


def _named(signature, values):
    return {k: values[k] for k, p in signature.parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}


def apply_if_finite(inner, max_consecutive_errors):
    """`inner`, but updates of zero, and the state as it was, where a gradient is not finite.

    After max_consecutive_errors of these in a row the next is let through, so that the fault shows.
    """
    def init(params):
        zero = np.zeros((), "int32")
        return ApplyIfFiniteState(zero, np.asarray(True), zero, inner.init(params))

    def update(updates, state, params=None):
        finite = all_finite(updates)
        bad = np.where(finite, 0, increment(state.notfinite_count))
        made, inner_state = inner.update(updates, state.inner_state, params)
        take = np.logical_or(finite, bad > max_consecutive_errors)
        choose = lambda new, old: np.where(take, new, old)
        out = tree.map(lambda u: np.where(take, u, np.zeros_like(u)), made)
        total = np.where(finite, state.total_notfinite, increment(state.total_notfinite))
        return out, ApplyIfFiniteState(np.astype(bad, "int32"), finite, np.astype(total, "int32"),
                                       tree.map(choose, inner_state, state.inner_state))

    return GradientTransformation(init, update)


def all_finite(values):
    """bool[]: whether all elements of a tree are finite."""
    out = np.asarray(True)
    for x in tree.leaves(values):
        out = np.logical_and(out, np.all(np.isfinite(x)))
    return out
