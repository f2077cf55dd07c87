"""Probability distributions, the sets they live on and the bijections between those.

    import chainrule.distributions as dist
    dist.Normal(0.0, 1.0).log_prob(0.3)
"""
from . import constraints, transforms, vector_transforms
from .bates import Bates
from .bent_normal import GeneralizedNormal, JohnsonSU, LambertWNormal, SinhArcsinh
from .bernoulli import Bernoulli, BernoulliLogits, BernoulliProbs
from .beta import Beta
from .beta_interval import PERT, AffineBeta, BetaProportion
from .binomial import Binomial, BinomialLogits, BinomialProbs
from .categorical import Categorical, CategoricalLogits, CategoricalProbs
from .cauchy import Cauchy, HalfCauchy
from .chi import Chi, Chi2, DoubleSidedMaxwell, InvChi2, Maxwell, Rayleigh, ScaledInvChi2
from .delta import Delta, ImproperUniform, Unit
from .dirichlet import Dirichlet
from .distribution import Distribution
from .exponential import Exponential, Laplace
from .extreme_value import Frechet, Gompertz, Gumbel, Weibull
from .gamma import Gamma, InverseGamma
from .gamma_relatives import ExpGamma, ExpInverseGamma, FisherSnedecor, GammaGamma
from .generalized_extreme import GeneralizedExtremeValue, GeneralizedPareto
from .half_student_t import HalfStudentT
from .horseshoe import Horseshoe
from .interpolated import Interpolated
from .inverse_gaussian import InverseGaussian, NormalInverseGaussian, Wald
from .kl import kl_divergence
from .laplace import AsymmetricLaplace, AsymmetricLaplaceQuantile, SoftAsymmetricLaplace, SoftLaplace
from .levy import Levy
from .log_logistic import Dagum, LogLogistic, SkewLogistic
from .log_normal import LogNormal
from .logistic import Logistic
from .multivariate_normal import MultivariateNormal
from .noncentral import NoncentralChi2
from .normal import HalfNormal, Normal
from .poisson import Poisson
from .polya_gamma import PolyaGamma, TruncatedPolyaGamma
from .power_law import DoublyTruncatedPowerLaw, LogUniform, LowerTruncatedPowerLaw, Pareto
from .record import param
from .rice import Rice
from .sigmoid_beta import BetaQuotient, SigmoidBeta
from .skew import ExGaussian, Moyal, SkewNormal, SkewStudentT
from .student_t import StudentT
from .transformed import TransformedDistribution
from .transforms import Transform, biject_to
from .triangular import Triangular
from .two_piece import TwoPieceNormal, TwoPieceStudentT
from .uniform import Uniform
from .unit_interval import ContinuousBernoulli, Kumaraswamy, LogitNormal
from .vmapped import Vmapped
from .von_mises import VonMises
from .wrappers import Expanded, Independent, Masked
