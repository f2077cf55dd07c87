"""SciPy's special functions, with its names and argument orders, for arrays and tracers: a file a family."""
from . import bessel, betas, entropy, errors, exponentials, gammas, zetas
from .bessel import i0, i0e, i1, i1e
from .betas import beta, betainc, betaln
from .entropy import entr, kl_div, rel_entr, xlog1py, xlogy
from .errors import erf, erfc, erfcinv, erfinv, log_ndtr, ndtr, ndtri
from .exponentials import expit, log_expit, log_softmax, logit, logsumexp, softmax
from .gammas import (
    digamma,
    factorial,
    gamma,
    gammainc,
    gammaincc,
    gammaln,
    gammasgn,
    multigammaln,
    polygamma,
    psi,
)
from .zetas import zeta

__all__ = [name for family in (bessel, betas, entropy, errors, exponentials, gammas, zetas) for name in family.__all__]
