"""Inference: MCMC, SVI, MAP, Laplace, Pathfinder, optimisers, prediction, diagnostics, ArviZ; and the queries of a
model under the names that samplers know."""
from ..ppl.queries import (
    ModelInfo,
    ParamInfo,
    Predictive,
    StartError,
    compute_deterministics,
    compute_log_prior,
    compute_log_probs,
    constrain,
    constrain_fn,
    find_valid_initial_params,
    get_transforms,
    init_to_feasible,
    init_to_mean,
    init_to_median,
    init_to_sample,
    init_to_uniform,
    init_to_value,
    initialize_model,
    log_density,
    log_likelihood,
    potential_energy,
    transform_fn,
    unconstrain,
    unconstrain_fn,
)
from . import autoguide, diagnostics, optim, reparam, stein
from .advice import SamplingWarning
from .arviz import to_arviz
from .ensemble_samplers import AIES, ChEES, EnsembleSliceSampler
from .find_map import find_MAP
from .fit import Fit, fit
from .laplace import Laplace, fit_laplace
from .latent_density import ApproximationError
from .layout import StoreError
from .mcmc import MCMC
from .optim import minimize
from .path_starts import init_to_pathfinder
from .pathfinder import Pathfinder, multipathfinder, pathfinder
from .samplers import NUTS
from .starts import SamplingError
from .step_samplers import HMC, MALA, MCLMC, RWM, BarkerMH, EllipticalSlice, Slice
from .store import Store
from .svi import (
    IWAE,
    SVI,
    Calibration,
    Diagnosis,
    Objective,
    RenyiELBO,
    SVIRunResult,
    SVIState,
    Trace_ELBO,
    TraceEnum_ELBO,
    TraceGraph_ELBO,
    TraceMeanField_ELBO,
    diagnose,
    psis_diagnostic,
    vsbc,
)
from .until import Until

__all__ = [
    "AIES",
    "ApproximationError",
    "BarkerMH",
    "Calibration",
    "ChEES",
    "Diagnosis",
    "EllipticalSlice",
    "EnsembleSliceSampler",
    "Fit",
    "HMC",
    "IWAE",
    "Laplace",
    "MALA",
    "MCLMC",
    "MCMC",
    "ModelInfo",
    "NUTS",
    "Objective",
    "ParamInfo",
    "Pathfinder",
    "Predictive",
    "RWM",
    "RenyiELBO",
    "SVI",
    "SVIRunResult",
    "SVIState",
    "SamplingError",
    "SamplingWarning",
    "Slice",
    "StartError",
    "Store",
    "StoreError",
    "TraceEnum_ELBO",
    "TraceGraph_ELBO",
    "TraceMeanField_ELBO",
    "Trace_ELBO",
    "Until",
    "autoguide",
    "compute_deterministics",
    "compute_log_prior",
    "compute_log_probs",
    "constrain",
    "constrain_fn",
    "diagnose",
    "diagnostics",
    "find_MAP",
    "find_valid_initial_params",
    "fit",
    "fit_laplace",
    "get_transforms",
    "init_to_feasible",
    "init_to_mean",
    "init_to_median",
    "init_to_pathfinder",
    "init_to_sample",
    "init_to_uniform",
    "init_to_value",
    "initialize_model",
    "log_density",
    "log_likelihood",
    "minimize",
    "multipathfinder",
    "optim",
    "pathfinder",
    "potential_energy",
    "psis_diagnostic",
    "reparam",
    "stein",
    "to_arviz",
    "transform_fn",
    "unconstrain",
    "unconstrain_fn",
    "vsbc",
]
