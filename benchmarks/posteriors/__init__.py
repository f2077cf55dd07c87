"""Models of posteriordb by its names of posteriors: functions of its data, whose sites have Stan's names."""
from shared_models import models

import chainrule as cr
import chainrule.distributions as dist
import chainrule.engine.numpy as np
from chainrule.engine import scan

from .hierarchies import eight_schools, radon
from .others import mixture, wells
from .regressions import blr, kidscore, mesquite, nes
from .series import hmm

SHARED = models(cr, dist, np, scan)
MODELS = {
    "arK-arK": SHARED["arK"],
    "eight_schools-eight_schools_noncentered": eight_schools,
    "garch-garch11": SHARED["garch"],
    "gp_pois_regr-gp_regr": SHARED["gp_regr"],
    "hmm_example-hmm_example": hmm,
    "kidiq-kidscore_interaction": kidscore,
    "low_dim_gauss_mix-low_dim_gauss_mix": mixture,
    "mesquite-logmesquite_logvash": mesquite,
    "nes2000-nes": nes,
    "radon_mn-radon_hierarchical_intercept_centered": radon,
    "sblrc-blr": blr,
    "wells_data-wells_dist100_model": wells,
}
