"""Pairs whose divergence is infinite whatever the parameters: p has values that q cannot have."""
from ...engine import numpy as np
from ..bernoulli import _Bernoulli
from ..beta import Beta
from ..binomial import _Binomial
from ..cauchy import Cauchy
from ..exponential import Laplace
from ..extreme_value import Gumbel
from ..geometric import _Geometric
from ..inverse_gaussian import InverseGaussian
from ..kl import kl_divergence
from ..log_normal import LogNormal
from ..logistic import Logistic
from ..normal import Normal
from ..poisson import _Poisson
from ..power_law import LogUniform, Pareto
from ..student_t import StudentT
from ..uniform import Uniform
from ..unit_interval import ContinuousBernoulli, Kumaraswamy, LogitNormal
from .generalized_gamma import FORMS

UNIT = [Beta, ContinuousBernoulli, Kumaraswamy, LogitNormal]
POSITIVE = [*FORMS, LogNormal, InverseGaussian]
REAL = [Normal, Laplace, Gumbel, Cauchy, Logistic, StudentT]
INTERVALS = [*UNIT, Uniform, LogUniform]


@kl_divergence.register_all(REAL, [*INTERVALS, *POSITIVE, Pareto])
@kl_divergence.register_all(POSITIVE, [*INTERVALS, Pareto])
@kl_divergence.register_all([Pareto], INTERVALS)
@kl_divergence.register_all(UNIT, [Pareto, LogUniform])
@kl_divergence.register_all([_Poisson, _Geometric], [_Bernoulli, _Binomial])
def _(p, q):
    return np.full((), np.inf)
