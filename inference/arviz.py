"""Hands draws to ArviZ: an InferenceData with ArviZ 0.23, an xarray DataTree with ArviZ 1.x, of the same content.

Groups, dimensions, coordinates and names are ArviZ's in both lines; `result["posterior"]["mu"]` reads both results.
Names and sizes are checked here first, so that a mistake is reported by variable and dimension.
"""
import warnings
from collections import Counter
from importlib import metadata

import numpy as np

SAMPLE_DIMS = ("chain", "draw")
DATA_GROUPS = ("observed_data", "constant_data", "predictions_constant_data", "divergences")     # no chains and draws
DENSITY_GROUPS = ("log_likelihood", "log_prior")                  # the axes of an event are summed over


def _arviz():
    """The module arviz, without the notice on its coming changes that line 0.23 gives at import."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"\s*ArviZ is undergoing a major refactor", category=FutureWarning)
        import arviz
    return arviz


def to_arviz(*, posterior, sample_stats=None, warmup_posterior=None, warmup_sample_stats=None,
             unconstrained_posterior=None, log_likelihood=None, log_prior=None, prior=None, prior_predictive=None,
             posterior_predictive=None, predictions=None, observed_data=None, constant_data=None,
             predictions_constant_data=None, divergences=None, dims=None, coords=None, attrs=None):
    """All groups as one object of ArviZ: InferenceData from line 0.23, DataTree from line 1.x.

    posterior … predictions : dicts of float[chains, draws, *shape]
    observed_data, constant_data, predictions_constant_data : dicts of float[*shape]
    divergences : {"chain": int[n], "draw": int[n], site: float[n, 2, *shape]}, of where transitions began and diverged
    sample_stats : with ArviZ's names: lp, diverging, energy, acceptance_rate, step_size, tree_depth, n_steps, …
    dims : {variable: [names]}, for the axes in `*shape`; None or nothing gives ArviZ's default name, mu_dim_0. An entry
        of log_likelihood or log_prior may have fewer axes than its variable: the names of the last ones are then not
        used; one of unconstrained_posterior whose shape is not that in the posterior has ArviZ's names.
    coords : {dim: labels}; a dimension without labels counts from 0, and so does one of the predictions that has
        another size
    attrs : {name: value}, stored with the whole
    Raises ValueError where dims or coords do not fit a variable, or two variables of a group each other.
    Source: ArviZ, InferenceData schema specification.

    >>> data = to_arviz(posterior={"mu": np.zeros((4, 100, 2))}, dims={"mu": ["side"]}, coords={"side": ["l", "r"]})
    >>> data["posterior"]["mu"].dims
    ('chain', 'draw', 'side')
    """
    groups = {"posterior": posterior, "sample_stats": sample_stats, "unconstrained_posterior": unconstrained_posterior,
              "log_likelihood": log_likelihood, "log_prior": log_prior, "prior": prior,
              "prior_predictive": prior_predictive, "posterior_predictive": posterior_predictive,
              "predictions": predictions, "observed_data": observed_data, "constant_data": constant_data,
              "predictions_constant_data": predictions_constant_data, "warmup_posterior": warmup_posterior,
              "warmup_sample_stats": warmup_sample_stats, "divergences": divergences}
    coords = {dim: np.asarray(labels) for dim, labels in (coords or {}).items()}
    az = _arviz()
    dims = dict(dims or {})
    reshaped = {k for k, x in (unconstrained_posterior or {}).items() if np.shape(x) != np.shape(posterior.get(k))}
    free = {**dims, **dict.fromkeys(reshaped)}
    special = {"unconstrained_posterior": free, "divergences": _places(divergences or {}, dims)}
    coords = {"place": np.array(["start", "end"]), **coords} if divergences else coords
    datasets = {group: _dataset(az, group, arrays, special.get(group, dims), coords)
                for group, arrays in groups.items() if arrays}
    if _line(az) == 0:
        return az.InferenceData(attrs=attrs, **datasets)
    result = az.from_dict({group: {} for group in datasets}, attrs={"/": dict(attrs or {})}, save_warmup=True)
    for group, dataset in datasets.items():
        result[group].dataset = dataset
    return result


def _places(divergences, dims):
    """The names of the axes of a group of divergences."""
    lead = {name: ["divergence", "place"][:min(np.ndim(x), 2)] for name, x in divergences.items()}
    return {name: [*first, *(dims.get(name) or [])] for name, first in lead.items()}


def _line(az):
    return int(az.__version__.split(".")[0])


def _dataset(az, group, arrays, dims, coords):
    """The xarray Dataset of one group. Every dimension is named here, chain and draw too, so that ArviZ adds none."""
    arrays = {name: np.asarray(x) for name, x in arrays.items()}
    dims = {name: _dims(group, name, x.shape, dims.get(name)) for name, x in arrays.items()}
    coords = _coords(group, arrays, dims, coords)
    attrs = {"inference_library": "chainrule", **_version()}
    if _line(az) == 0:
        names = {"default_dims": []}
    else:
        names = {"sample_dims": [], "check_conventions": False}
        attrs["sample_dims"] = [] if group in DATA_GROUPS else list(SAMPLE_DIMS)
    dataset = az.dict_to_dataset({name: x for name, x in arrays.items() if x.ndim}, attrs=attrs, coords=coords,
                                 dims={name: list(each) for name, each in dims.items()}, **names)
    for name, x in arrays.items():
        if not x.ndim: dataset[name] = ((), x)    # line 0.23 would make it a vector
    return dataset


def _version():
    try:
        return {"inference_library_version": metadata.version("chainrule")}
    except metadata.PackageNotFoundError:         # run from a clone that was not installed
        return {}


def _dims(group, name, shape, given):
    """The name of each axis of a variable."""
    lead = () if group in DATA_GROUPS else SAMPLE_DIMS
    if len(shape) < len(lead):
        raise ValueError(f"{group}[{name!r}] has shape {shape}, and its first two axes must be chains and draws.\n"
                         "For a single chain write x[None].")
    if isinstance(given, str):
        raise ValueError(f"dims[{name!r}] is the string {given!r}, and must be a list of names: [{given!r}].")
    free, given = len(shape) - len(lead), list(given or ())
    if group in DENSITY_GROUPS:
        given = given[:free]
    if len(given) > free:
        raise ValueError(f"dims[{name!r}] has {len(given)} names, {given}, and {group}[{name!r}] of shape {shape} has "
                         f"{free} axes to name.\n" +
                         ("chain and draw are named already: leave them out." if lead else "Leave out the others."))
    given += [None] * (free - len(given))
    unnamed = iter(range(free))
    names = lead + tuple(f"{name}_dim_{next(unnamed)}" if dim is None else dim for dim in given)
    if repeated := [dim for dim, count in Counter(names).items() if count > 1]:
        raise ValueError(f"{group}[{name!r}] would have the dimension {repeated[0]!r} twice: {names}.\n"
                         "Each axis needs a name of its own; a square matrix may have 'row' and 'column'.")
    return names


def _coords(group, arrays, dims, coords):
    """The labels of every dimension in a group, after a check that the sizes agree."""
    seen = {}                                     # dim -> the first variable that has it, and the size there
    for name, x in arrays.items():
        for dim, size in zip(dims[name], x.shape):
            if dim in arrays:
                raise ValueError(f"{group}[{name!r}] has a dimension {dim!r}, which is also a variable of {group}.\n"
                                 f"Rename one of them, say the dimension: dims[{name!r}].")
            if dim in coords and coords[dim].shape != (size,) and not group.startswith("predictions"):
                raise ValueError(f"{group}[{name!r}] has size {size} along {dim!r}, and coords[{dim!r}] has shape "
                                 f"{coords[dim].shape}.\nGive {size} labels, or another name in dims[{name!r}].")
            first, expected = seen.setdefault(dim, (name, size))
            if size != expected:
                raise ValueError(f"{group}[{name!r}] has size {size} along {dim!r}, and {group}[{first!r}] has size "
                                 f"{expected}.\nOne name stands for one size: " +
                                 ("all variables of a group need the same chains and draws." if dim in SAMPLE_DIMS else
                                  f"give another in dims[{name!r}]."))
    fits = lambda dim, size: dim in coords and coords[dim].shape == (size,)
    return {dim: coords[dim] if fits(dim, size) else np.arange(size) for dim, (_, size) in seen.items()}
