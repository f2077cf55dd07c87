"""The groups of an export that follow from a run: pointwise densities, and the data that the model was given."""
import numpy as np

from ..ppl.queries import compute_log_prior, log_likelihood

DATA_GROUPS = ("observed_data", "constant_data", "predictions_constant_data")


def densities(program, data, samples, likelihood=False, prior=False, params=None):
    """{"log_likelihood": {observed site: [chain, draw, *batch]}, "log_prior": …} of those wanted.

    samples : {site: [chain, draw, *shape]}          params : {param of the model: the same}
    The model's Python is not run: its program is the model.
    """
    latent = {**{v.name: samples[v.name] for v in program.latents}, **(params or {})}
    out = {}
    if likelihood:
        out["log_likelihood"] = log_likelihood(program, latent, *data, batch_ndims=2)
    if prior:
        out["log_prior"] = compute_log_prior(program, latent, *data, batch_ndims=2)
    return out


def constants(program, data, observed):
    """{name: array} of the data that the model was given and does not observe, under the names of its arguments.

    An argument with the name of a site of another shape is called name_data, because it cannot have the site's axes.
    """
    seen = [np.asarray(x) for x in observed.values()]
    free = {name: np.asarray(x) for name, x in zip(program.data_names, data)}
    free = {name: x for name, x in free.items() if not any(_equal(x, y) for y in seen)}
    named = {k for k, x in free.items() if k in observed and np.shape(observed[k]) == x.shape}
    axes = {d for k in named for d in program.dims.get(k, ())}
    clash = lambda k: k in axes or k in program.dims and k not in named
    return {f"{k}_data" if clash(k) else k: x for k, x in free.items()}


def _equal(x, y):
    return x.shape == y.shape and np.array_equal(x, y, equal_nan=x.dtype.kind in "fc" and y.dtype.kind in "fc")


def prepared(given, draws_shape, observed):
    """The groups that a user gave, with chains in front; the observed sites of a prior are predictions.

    given : {group: {name: array}}          draws_shape : (chains, draws) of the run
    """
    out = {group: arrays if group in DATA_GROUPS else _by_chain(arrays, draws_shape)
           for group, arrays in given.items() if arrays}
    if prior := out.get("prior"):
        drawn = {k: v for k, v in prior.items() if k in observed}
        out["prior"] = {k: v for k, v in prior.items() if k not in observed} or None
        out["prior_predictive"] = {**drawn, **out.get("prior_predictive", {})} or None
    return out


def _by_chain(group, shape):
    """Draws [chain * draw, …] as [chain, draw, …]; of another number, as those of one chain."""
    out = {}
    for k, v in group.items():
        v = np.asarray(v)
        flat = v.shape[:1] == (shape[0] * shape[1],) and v.shape[:2] != shape
        out[k] = v.reshape(*shape, *v.shape[1:]) if flat else v if v.shape[:2] == shape else v[None]
    return out
