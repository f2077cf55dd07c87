"""Variational inference: SVI, its objectives and the automatic guides."""
from .calibration import Calibration, Diagnosis, diagnose, vsbc
from .check import psis_diagnostic
from .graph import TraceGraph_ELBO
from .mean_field import TraceMeanField_ELBO
from .objectives import Objective, Trace_ELBO
from .summed import TraceEnum_ELBO
from .svi import SVI, SVIRunResult, SVIState
from .weighted import IWAE, RenyiELBO

__all__ = [
    "Calibration",
    "Diagnosis",
    "IWAE",
    "Objective",
    "RenyiELBO",
    "SVI",
    "SVIRunResult",
    "SVIState",
    "TraceEnum_ELBO",
    "TraceGraph_ELBO",
    "TraceMeanField_ELBO",
    "Trace_ELBO",
    "diagnose",
    "psis_diagnostic",
    "vsbc",
]
