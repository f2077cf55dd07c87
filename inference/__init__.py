"""Inference: MCMC, prediction, diagnostics, ArviZ."""
from . import diagnostics, reparam
from .arviz import to_arviz
from .mcmc import MCMC, NUTS, SamplingError
from .predictive import Predictive, log_likelihood

__all__ = ["MCMC", "NUTS", "Predictive", "SamplingError", "diagnostics", "log_likelihood", "reparam", "to_arviz"]
