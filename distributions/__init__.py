"""Probability distributions, the sets they live on and the bijections between those.

    import chainrule.distributions as dist
    dist.Normal(0.0, 1.0).log_prob(0.3)
"""
from . import constraints, transforms
from .bernoulli import Bernoulli, BernoulliLogits, BernoulliProbs
from .beta import Beta
from .binomial import Binomial, BinomialLogits, BinomialProbs
from .categorical import Categorical, CategoricalLogits, CategoricalProbs
from .cauchy import Cauchy, HalfCauchy
from .censored import Censored, IntervalCensoredDistribution, LeftCensoredDistribution, RightCensoredDistribution
from .delta import Delta, ImproperUniform, Unit
from .dirichlet import Dirichlet
from .distribution import Distribution
from .exponential import Exponential, Laplace
from .folded import FoldedDistribution
from .gamma import Gamma, InverseGamma
from .kl import kl_divergence
from .log_normal import LogNormal
from .logistic import Logistic
from .mixtures import Mixture, MixtureGeneral, MixtureSameFamily, NormalMixture
from .multivariate_normal import MultivariateNormal
from .normal import HalfNormal, Normal
from .poisson import Poisson
from .quantile import inverse_cdf, inverse_cdf_integer, inverse_log_cdf
from .record import param
from .student_t import StudentT
from .transformed import TransformedDistribution
from .transforms import Transform, biject_to
from .truncated import Truncated, TruncatedDistribution
from .truncated_families import (
    LeftTruncatedDistribution,
    RightTruncatedDistribution,
    TruncatedCauchy,
    TruncatedGamma,
    TruncatedNormal,
    TwoSidedTruncatedDistribution,
)
from .uniform import Uniform
from .vmapped import Vmapped
from .wrappers import Expanded, Independent, Masked
from .autoregressive import AR, GARCH11
from .conditional_autoregressive import CAR, ICAR
from .copula import GaussianCopula, GaussianCopulaBeta
from .euler_maruyama import EulerMaruyama
from .lkj import LKJ, LKJCholesky, LKJCholeskyCov
from .logistic_normal import LogisticNormal
from .matrix_normal import KroneckerNormal, MatrixNormal
from .matrix_t import MatrixT
from .multivariate_student_t import MultivariateStudentT
from .nan_masked import NanMaskedMultivariateNormal, NanMaskedNormal
from .projected_normal import ProjectedNormal
from .random_walk import GaussianRandomWalk, MvGaussianRandomWalk, MvStudentTRandomWalk, RandomWalk
from .sine_bivariate_von_mises import SineBivariateVonMises, SineSkewed
from .spherical import PowerSpherical, SphericalUniform, VonMises3D, VonMisesFisher
from .stick_breaking_weights import StickBreakingWeights
from .structured_normal import CirculantNormal, LowRankMultivariateNormal
from .wishart import InverseWishart, InverseWishartCholesky, Wishart, WishartCholesky
from .zero_sum_normal import ZeroSumNormal
from .gaussian_mrf import GaussianMRF
