"""SciPy's special functions, with its names and argument orders, for arrays and tracers: a file a family."""
from . import bessel, betas, counting, distributions, entropy, errors, exponentials, gammas, zetas
from .bessel import i0, i0e, i1, i1e
from .betas import (
    beta,
    betainc,
    betaincc,
    betainccinv,
    betaincinv,
    betaln,
    log_betainc,
    log_betaincc,
    random_beta_grad,
)
from .counting import binom, comb, factorial, poch
from .distributions import (
    bdtr,
    bdtrc,
    chdtr,
    chdtrc,
    fdtr,
    fdtrc,
    gdtr,
    gdtrc,
    nbdtr,
    nbdtrc,
    pdtr,
    pdtrc,
    random_von_mises_grad,
    stdtr,
    von_mises_cdf,
)
from .entropy import entr, kl_div, rel_entr, xlog1py, xlogy
from .errors import erf, erfc, erfcinv, erfinv, log_ndtr, ndtr, ndtri
from .exponentials import expit, log_expit, log_softmax, logit, logsumexp, softmax
from .gammas import (
    digamma,
    gamma,
    gammainc,
    gammaincc,
    gammainccinv,
    gammaincinv,
    gammaln,
    gammasgn,
    log_gammainc,
    log_gammaincc,
    multigammaln,
    polygamma,
    psi,
    random_gamma_grad,
    rgamma,
)
from .zetas import zeta

__all__ = [name for family in (bessel, betas, counting, distributions, entropy, errors, exponentials, gammas, zetas)
           for name in family.__all__]
