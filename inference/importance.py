"""Importance resampling: draws chosen by their weights p / q."""
from ..engine import ShapeDtype, pure_callback, random
from ..engine import numpy as np
from ..engine.core import Tracer
from .diagnostics import psis


def smoothed(log_weights):
    """(Pareto smoothed log-weights, k-hat) by `diagnostics.psis`; weights that are not finite count for nothing.

    log_weights : float[n]. Inside of a transformation it is a call of the host.
    """
    w = np.where(np.isfinite(log_weights), log_weights, -np.inf)
    if isinstance(w, Tracer):
        made, khat = pure_callback(lambda x: tuple(psis(x)), (ShapeDtype(w.shape, float), ShapeDtype((), float)), w)
    else:
        made, khat = psis(w)
    return np.astype(np.asarray(made), w.dtype), np.asarray(khat)


def resampled(key, log_weights, num_samples):
    """int[num_samples]: indices drawn with replacement with probabilities proportional to exp(log_weights).

    log_weights : float[n]; those that are not finite have no weight
    """
    w = np.where(np.isfinite(log_weights), log_weights, -np.inf)
    total = np.cumsum(np.exp(w - np.max(w)))
    u = random.uniform(key, (num_samples,), total.dtype) * total[-1]
    return np.minimum(np.searchsorted(total, u, side="right"), total.shape[0] - 1)


def effective_draws(log_weights):
    """(Σ w)² / Σ w²: how many equal weights they are worth; 0 where none is positive.   log_weights : float[n]"""
    w = np.where(np.isfinite(log_weights), log_weights, -np.inf)
    top = np.max(w)
    w = np.exp(w - np.where(np.isfinite(top), top, 0.0))
    return np.square(np.sum(w)) / np.maximum(np.sum(w * w), np.finfo(w.dtype).tiny)
