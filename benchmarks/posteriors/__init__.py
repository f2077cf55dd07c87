"""Models of posteriordb by its names of posteriors: functions of its data, whose sites have Stan's names."""
from .hierarchies import eight_schools, radon
from .others import gaussian_process, mixture, wells
from .regressions import blr, kidscore, mesquite, nes
from .series import ar, garch, hmm

MODELS = {
    "arK-arK": ar,
    "eight_schools-eight_schools_noncentered": eight_schools,
    "garch-garch11": garch,
    "gp_pois_regr-gp_regr": gaussian_process,
    "hmm_example-hmm_example": hmm,
    "kidiq-kidscore_interaction": kidscore,
    "low_dim_gauss_mix-low_dim_gauss_mix": mixture,
    "mesquite-logmesquite_logvash": mesquite,
    "nes2000-nes": nes,
    "radon_mn-radon_hierarchical_intercept_centered": radon,
    "sblrc-blr": blr,
    "wells_data-wells_dist100_model": wells,
}
