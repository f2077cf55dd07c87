"""Transformations that bound gradients or add to them: clipping, weight decay."""
from ...engine import numpy as np
from ...engine import tree
from .transformation import need_params, stateless, times
from .wrappers import masked


def global_norm(updates):
    """√ Σ g² over all elements of a tree.

    >>> float(global_norm({"a": np.asarray([3.0]), "b": np.asarray(4.0)}))
    5.0
    """
    return np.sqrt(sum([np.sum(np.square(np.abs(g))) for g in tree.leaves(updates)], np.zeros(())))


def clip(max_delta):
    """Every element held to [-max_delta, max_delta]."""
    return stateless(lambda updates, params: tree.map(lambda g: np.clip(g, -max_delta, max_delta), updates))


def clip_by_global_norm(max_norm):
    """All gradients times max_norm / ‖g‖ where their norm ‖g‖ is larger than max_norm.

    Source: Pascanu, Mikolov & Bengio (2013), On the difficulty of training recurrent neural networks, algorithm 1.
    """
    def bounded(updates, params):
        norm = global_norm(updates)
        small = norm < max_norm
        share = np.where(small, 1.0, max_norm / np.where(small, 1.0, norm))
        return tree.map(lambda g: times(share, g), updates)

    return stateless(bounded)


def clip_by_block_rms(threshold):
    """Each array over max(1, its root mean square / threshold)."""
    return stateless(lambda updates, params: tree.map(
        lambda g: g / np.maximum(1.0, root_mean_square(g) / threshold), updates))


def root_mean_square(g):
    """√ mean g²"""
    return np.sqrt(np.mean(np.square(g)))


def add_decayed_weights(weight_decay=0.0, mask=None):
    """g + weight_decay · params: before the learning rate this is AdamW's decay.

    mask : a tree of bools, or params -> that, for the parameters that decay; None for all
    Source: Loshchilov & Hutter (2019), Decoupled weight decay regularization, algorithm 2.
    """
    def decayed(updates, params):
        need_params(params, "add_decayed_weights")
        return tree.map(lambda g, p: g + times(weight_decay, np.asarray(p)), updates, params)

    made = stateless(decayed)
    return made if mask is None else masked(made, mask)
