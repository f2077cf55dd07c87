"""SciPy's special functions, with its names and argument orders, for arrays and tracers: a file a family."""
from . import (
    bessel,
    betas,
    counting,
    distributions,
    elliptic,
    entropy,
    errors,
    exponentials,
    gammas,
    hypergeometric,
    integrals,
    powers,
    zetas,
)
from .bessel import (
    i0,
    i0e,
    i1,
    i1e,
    iv,
    iv_ratio,
    ive,
    j0,
    j1,
    jn,
    k0,
    k0e,
    k1,
    k1e,
    kv,
    kv_ratio,
    kve,
    log_ive,
    log_kve,
    y0,
    y1,
    yn,
)
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
from .elliptic import agm, ellipe, ellipk, ellipkm1
from .entropy import entr, kl_div, rel_entr, xlog1py, xlogy
from .errors import (
    dawsn,
    erf,
    erfc,
    erfcinv,
    erfcx,
    erfi,
    erfinv,
    log_ndtr,
    ndtr,
    ndtri,
    ndtri_exp,
    owens_t,
)
from .exponentials import expit, log1mexp, log_expit, log_softmax, logit, logsumexp, softmax, softplus
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
from .hypergeometric import hyp0f1, hyp1f1, hyp2f1
from .integrals import exp1, expi, expn, fresnel, lambertw, shichi, sici, spence
from .powers import boxcox, boxcox1p, cosm1, exprel, huber, inv_boxcox, inv_boxcox1p, powm1, pseudo_huber
from .zetas import zeta

_FAMILIES = (bessel, betas, counting, distributions, elliptic, entropy, errors, exponentials, gammas, hypergeometric,
             integrals, powers, zetas)
__all__ = [name for family in _FAMILIES for name in family.__all__]
