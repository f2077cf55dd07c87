"""Do the chains agree, and how many independent draws are they worth: R-hat, effective sample size, Monte Carlo error.

Every function takes draws `x : float[chains, draws, *shape]` and treats each of the `*shape` sites by itself, all of
them at once. A site that is constant, or that holds a value that is not finite, has no answer: it gets nan, silently;
so does every site of fewer than four draws a chain (two where chains are not split). Everything is in float64, on the
host; `diagnostics.compiled` has those that are wanted inside of `jit` and `vmap`.

Sharp edges. ArviZ agrees to rounding, with three exceptions. Where all draws are equal, or within 1e-15, it calls each
of them effective; its measures that use ranks alone accept infinite draws; and its line 0.23 interpolates quantiles by
a formula that can miss a draw by one rounding, so that an ESS of a quantile that is itself a draw may differ (line 1.x
interpolates as we do).
"""
from . import compiled
from .autocovariance import autocorrelation, autocovariance
from .convergence import gelman_rubin, nested_rhat, rhat, split_gelman_rubin, split_rhat
from .effective import (
    effective_sample_size,
    ess_bulk,
    ess_mean,
    ess_quantile,
    ess_sd,
    ess_tail,
    mcse_mean,
    mcse_quantile,
    mcse_sd,
)
from .energy import bfmi, divergences_by_site, e_bfmi, ebfmi
from .pareto import Smoothed, khat, khat_threshold, psis
from .tables import hpdi, print_summary, summary

__all__ = [
    "Smoothed",
    "autocorrelation",
    "autocovariance",
    "bfmi",
    "compiled",
    "divergences_by_site",
    "e_bfmi",
    "ebfmi",
    "effective_sample_size",
    "ess_bulk",
    "ess_mean",
    "ess_quantile",
    "ess_sd",
    "ess_tail",
    "gelman_rubin",
    "hpdi",
    "khat",
    "khat_threshold",
    "mcse_mean",
    "mcse_quantile",
    "mcse_sd",
    "nested_rhat",
    "print_summary",
    "psis",
    "rhat",
    "split_gelman_rubin",
    "split_rhat",
    "summary",
]
