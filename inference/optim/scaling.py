"""Transformations that scale gradients by what they were before: momentum, Adam, RMSProp, Adagrad, Lion, SM3.

Moments have the dtypes of the parameters, or that given as accumulator_dtype or mu_dtype. `t` counts updates from 1.
"""
from typing import Any, NamedTuple

from ...engine import numpy as np
from ...engine import tree
from .transformation import GradientTransformation, increment


class TraceState(NamedTuple):
    """The decaying sum of the gradients."""
    trace: Any


class EmaState(NamedTuple):
    """The decaying mean of the gradients."""
    count: Any                 # int32[]
    ema: Any


class ScaleByAdamState(NamedTuple):
    """The decaying means of the gradients and of their squares."""
    count: Any                 # int32[]
    mu: Any
    nu: Any


class ScaleByRmsState(NamedTuple):
    """The decaying mean of the squared gradients."""
    nu: Any


class ScaleByStddevState(NamedTuple):
    """The decaying means of the gradients and of their squares."""
    mu: Any
    nu: Any


class ScaleByRssState(NamedTuple):
    """The sum of the squared gradients."""
    sum_of_squares: Any


class ScaleByLionState(NamedTuple):
    """The decaying mean of the gradients."""
    count: Any                 # int32[]
    mu: Any


class ScaleBySM3State(NamedTuple):
    """Largest sums of squared gradients by rows of each axis, and the decaying mean of the scaled gradients."""
    mu: Any                    # for each parameter the list of float[size of axis i]
    nu: Any


def zeros_of(params, dtype=None):
    """Zeros in the shapes of the parameters, and in their dtypes unless one is given."""
    return tree.map(lambda p: np.zeros_like(np.asarray(p), dtype=dtype), params)


def stored(values, dtype):
    """The arrays of a tree in a dtype; None leaves them as they are."""
    return values if dtype is None else tree.map(lambda x: np.astype(x, dtype), values)


def moment(updates, mean, decay, order=1):
    """decay · mean + (1 - decay) gᵒ"""
    return tree.map(lambda g, m: decay * m + (1.0 - decay) * g ** order, updates, mean)


def debiased(mean, decay, count):
    """mean / (1 - decayᵗ): what a decaying mean that began at 0 is of."""
    share = 1.0 / (1.0 - decay ** np.astype(count, "float64"))           # one division, not one an element
    return tree.map(lambda m: m * np.astype(share, m.dtype), mean)


def trace(decay, nesterov=False, accumulator_dtype=None):
    """Momentum: v ← g + decay · v. The update is v, or g + decay · v with Nesterov's."""
    def update(updates, state, params=None):
        add = lambda g, v: g + decay * v
        v = tree.map(add, updates, state.trace)
        return (tree.map(add, updates, v) if nesterov else v), TraceState(stored(v, accumulator_dtype))

    return GradientTransformation(lambda params: TraceState(zeros_of(params, accumulator_dtype)), update)


def ema(decay, debias=True, accumulator_dtype=None):
    """The decaying mean of the gradients, m ← decay · m + (1 - decay) g; with `debias`, m / (1 - decayᵗ)."""
    def update(updates, state, params=None):
        m, count = moment(updates, state.ema, decay), increment(state.count)
        return (debiased(m, decay, count) if debias else m), EmaState(count, stored(m, accumulator_dtype))

    return GradientTransformation(
        lambda params: EmaState(np.zeros((), "int32"), zeros_of(params, accumulator_dtype)), update)


def scale_by_adam(b1=0.9, b2=0.999, eps=1e-8, eps_root=0.0, mu_dtype=None, *, nesterov=False):
    """m̂ / (√(v̂ + eps_root) + eps), m̂ and v̂ the debiased decaying means of g and g².

    nesterov : b1 m̂' + (1 - b1) g / (1 - b1ᵗ) in place of m̂, m̂' being m debiased as of the next update
    Source: Kingma & Ba (2015), algorithm 1; Dozat (2016) for Nesterov's.
    """
    def update(updates, state, params=None):
        m, v = moment(updates, state.mu, b1), moment(updates, state.nu, b2, 2)
        count = increment(state.count)
        top = debiased(m, b1, count)
        if nesterov:
            top = moment(debiased(updates, b1, count), debiased(m, b1, increment(count)), b1)
        out = tree.map(lambda a, b: a / (np.sqrt(b + eps_root) + eps), top, debiased(v, b2, count))
        return out, ScaleByAdamState(count, stored(m, mu_dtype), v)

    return GradientTransformation(
        lambda params: ScaleByAdamState(np.zeros((), "int32"), zeros_of(params, mu_dtype), zeros_of(params)), update)


def scale_by_rms(decay=0.9, eps=1e-8, initial_scale=0.0, eps_in_sqrt=True, bias_correction=False):
    """g / √(v + eps), v the decaying mean of g² that began at initial_scale; without eps_in_sqrt g / (√v + eps).

    Source: Hinton (2012), Neural networks for machine learning, lecture 6e.
    """
    def start(params):
        nu = tree.map(lambda p: np.full_like(np.asarray(p), initial_scale), params)
        return EmaState(np.zeros((), "int32"), nu) if bias_correction else ScaleByRmsState(nu)

    def update(updates, state, params=None):
        if bias_correction:
            count, v = increment(state.count), moment(updates, state.ema, decay, 2)
            return _over_root(updates, debiased(v, decay, count), eps, eps_in_sqrt), EmaState(count, v)
        v = moment(updates, state.nu, decay, 2)
        return _over_root(updates, v, eps, eps_in_sqrt), ScaleByRmsState(v)

    return GradientTransformation(start, update)


def scale_by_stddev(decay=0.9, eps=1e-8, initial_scale=0.0, eps_in_sqrt=True):
    """g / √(v - m² + eps), m and v the decaying means of g and g²: RMSProp, centred."""
    def start(params):
        return ScaleByStddevState(zeros_of(params),
                                  tree.map(lambda p: np.full_like(np.asarray(p), initial_scale), params))

    def update(updates, state, params=None):
        m, v = moment(updates, state.mu, decay), moment(updates, state.nu, decay, 2)
        variance = tree.map(lambda a, b: b - a * a, m, v)
        return _over_root(updates, variance, eps, eps_in_sqrt), ScaleByStddevState(m, v)

    return GradientTransformation(start, update)


def _over_root(updates, v, eps, eps_in_sqrt):
    return tree.map(lambda g, b: g / np.sqrt(b + eps) if eps_in_sqrt else g / (np.sqrt(b) + eps), updates, v)


def scale_by_rss(initial_accumulator_value=0.1, eps=1e-7):
    """g / √(s + eps), s = initial_accumulator_value + Σ g² over all updates; 0 where s is 0.

    Source: Duchi, Hazan & Singer (2011), JMLR 12, figure 1 with diagonal matrices.
    """
    def start(params):
        return ScaleByRssState(tree.map(lambda p: np.full_like(np.asarray(p), initial_accumulator_value), params))

    def update(updates, state, params=None):
        total = tree.map(lambda g, s: s + g * g, updates, state.sum_of_squares)
        return tree.map(lambda g, s: g * _inverse_root(s, eps), updates, total), ScaleByRssState(total)

    return GradientTransformation(start, update)


def _inverse_root(s, eps):
    """1 / √(s + eps), 0 where s is 0."""
    return np.where(s > 0.0, 1.0 / np.sqrt(np.where(s > 0.0, s, 1.0) + eps), 0.0)


def scale_by_lion(b1=0.9, b2=0.99, mu_dtype=None):
    """sign(b1 m + (1 - b1) g); then m ← b2 m + (1 - b2) g.

    Source: Chen et al. (2023), Symbolic discovery of optimization algorithms, algorithm 2.
    """
    def update(updates, state, params=None):
        out = tree.map(np.sign, moment(updates, state.mu, b1))
        m = stored(moment(updates, state.mu, b2), mu_dtype)
        return out, ScaleByLionState(increment(state.count), m)

    return GradientTransformation(
        lambda params: ScaleByLionState(np.zeros((), "int32"), zeros_of(params, mu_dtype)), update)


def scale_by_sm3(b1=0.9, b2=1.0, eps=1e-8):
    """m of g / √(s + eps), where s = b2 · (the least of the row sums that cross an element) + g², 0 where s is 0.

    A parameter of shape [n, k] keeps n + k numbers, the largest s of each row and each column.
    b1 : m ← b1 m + (1 - b1) · scaled gradient is the update; b2 : 1 for sums, less for decaying means (1 - b2) g²
    Source: Anil, Gupta, Koren & Singer (2019), Memory-efficient adaptive optimization, algorithm SM3-II.
    """
    share = 1.0 - b2 if b2 != 1.0 else 1.0

    def start(params):
        rows = tree.map(lambda p: [np.zeros((n,), np.asarray(p).dtype) for n in np.shape(p)] or
                        [np.zeros((), np.asarray(p).dtype)], params)
        return ScaleBySM3State(rows, zeros_of(params))

    def update(updates, state, params=None):
        leaves, treedef = tree.flatten(updates)
        rows = tree.flatten_up_to(treedef, state.mu, "state of SM3")
        sums = [b2 * _least(r, g) + share * g * g for g, r in zip(leaves, rows)]
        scaled = tree.unflatten(treedef, [g * _inverse_root(s, eps) for g, s in zip(leaves, sums)])
        m = moment(scaled, state.nu, b1)
        return m, ScaleBySM3State(tree.unflatten(treedef, [_largest(s) for s in sums]), m)

    return GradientTransformation(start, update)


def _least(rows, g):
    """float[*g.shape]: the least of the rows' numbers that meet in an element."""
    out = None
    for i, r in enumerate(rows):
        wide = r if g.ndim == 0 else np.reshape(r, [-1 if k == i else 1 for k in range(g.ndim)])
        out = wide if out is None else np.minimum(out, wide)
    return out


def _largest(s):
    """For each axis, the largest number of each of its rows."""
    if s.ndim == 0:
        return [s]
    return [np.max(s, axis=tuple([k for k in range(s.ndim) if k != i])) for i in range(s.ndim)]
