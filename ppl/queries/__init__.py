"""Queries of a model: densities, spaces, predictions, and where a chain starts.

The model is staged once for the types of its data (`ppl/model.py`); a query is an interpreter run over that program.
"""
from .density import compute_log_probs, log_density, potential_energy
from .predictive import Predictive, compute_deterministics, compute_log_prior, log_likelihood
from .spaces import constrain, constrain_fn, get_transforms, transform_fn, unconstrain, unconstrain_fn
from .start import ModelInfo, ParamInfo, StartError, find_valid_initial_params, initialize_model
from .strategies import (
    init_to_feasible,
    init_to_mean,
    init_to_median,
    init_to_sample,
    init_to_uniform,
    init_to_value,
)

__all__ = ["ModelInfo", "ParamInfo", "Predictive", "StartError", "compute_deterministics", "compute_log_prior",
           "compute_log_probs", "constrain", "constrain_fn", "find_valid_initial_params", "get_transforms",
           "init_to_feasible", "init_to_mean", "init_to_median", "init_to_sample", "init_to_uniform", "init_to_value",
           "initialize_model", "log_density", "log_likelihood", "potential_energy", "transform_fn", "unconstrain",
           "unconstrain_fn"]
