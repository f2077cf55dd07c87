"""Probability distributions, the sets they live on and the bijections between those.

    import chainrule.distributions as dist
    dist.Normal(0.0, 1.0).log_prob(0.3)
"""
from ..engine.lazy import on_demand
from . import components, constraints, kernels, kl_pairs, time_series, transforms
from .autoregressive import AR, GARCH11
from .bates import Bates
from .bent_normal import GeneralizedNormal, JohnsonSU, LambertWNormal, SinhArcsinh
from .bernoulli import Bernoulli, BernoulliLogits, BernoulliProbs
from .beta import Beta
from .beta_binomial import BetaBinomial, BetaNegativeBinomial
from .beta_interval import PERT, AffineBeta, BetaProportion
from .binomial import Binomial, BinomialLogits, BinomialProbs
from .categorical import Categorical, CategoricalLogits, CategoricalProbs
from .cauchy import Cauchy, HalfCauchy
from .censored import Censored, IntervalCensoredDistribution, LeftCensoredDistribution, RightCensoredDistribution
from .chi import Chi, Chi2, DoubleSidedMaxwell, InvChi2, Maxwell, Rayleigh, ScaledInvChi2
from .conditional_autoregressive import CAR, ICAR
from .copula import GaussianCopula, GaussianCopulaBeta
from .delta import Delta, ImproperUniform, Unit
from .dirichlet import Dirichlet
from .discrete_uniform import DiscreteUniform
from .discrete_weibull import DiscreteWeibull
from .distribution import Distribution
from .empirical import Empirical
from .euler_maruyama import EulerMaruyama
from .exponential import Exponential, Laplace
from .extended import ExtendedBetaBinomial, ExtendedBinomial
from .extreme_value import Frechet, Gompertz, Gumbel, Weibull
from .finite_discrete import FiniteDiscrete, FiniteDiscreteLogits, FiniteDiscreteProbs
from .folded import FoldedDistribution
from .gamma import Gamma, InverseGamma
from .gamma_relatives import ExpGamma, ExpInverseGamma, FisherSnedecor, GammaGamma
from .gaussian_mrf import GaussianMRF
from .gaussian_process import GaussianProcess, StudentTProcess
from .generalized_extreme import GeneralizedExtremeValue, GeneralizedPareto
from .generalized_poisson import GeneralizedPoisson, Skellam
from .geometric import Geometric, GeometricLogits, GeometricProbs
from .glm import (
    BernoulliLogitGLM,
    BinomialLogitGLM,
    CategoricalLogitGLM,
    NegBinomial2LogGLM,
    NormalIdGLM,
    OrderedLogisticGLM,
    PoissonLogGLM,
)
from .grouped_normal import GroupedNormalNormal
from .half_student_t import HalfStudentT
from .hidden_markov import HiddenMarkovModel
from .hilbert_space import (
    hsgp_basis,
    hsgp_frequencies,
    hsgp_parameters,
    hsgp_periodic_basis,
    hsgp_periodic_weights,
    hsgp_weights,
)
from .horseshoe import Horseshoe
from .hurdle import (
    HurdleDistribution,
    HurdleGamma,
    HurdleLogits,
    HurdleLogNormal,
    HurdleNegativeBinomial,
    HurdleNegativeBinomial2,
    HurdlePoisson,
    HurdleProbs,
)
from .hypergeometric import HyperGeometric
from .interpolated import Interpolated
from .inverse_gaussian import InverseGaussian, NormalInverseGaussian, Wald
from .kl import cross_entropy, kl_divergence, kl_divergence_monte_carlo, register_kl
from .laplace import AsymmetricLaplace, AsymmetricLaplaceQuantile, SoftAsymmetricLaplace, SoftLaplace
from .levy import Levy
from .lkj import LKJ, LKJCholesky, LKJCholeskyCov
from .log_logistic import Dagum, LogLogistic, SkewLogistic
from .log_normal import LogNormal
from .log_normal_negative_binomial import LogNormalNegativeBinomial
from .logistic import Logistic
from .logistic_normal import LogisticNormal
from .markov_chain import DiscreteMarkovChain, MarkovChain
from .masked_mixture import (
    GaussianScaleMixture,
    MaskedMixture,
    MixtureOfDiagNormals,
    MixtureOfDiagNormalsSharedCovariance,
)
from .matrix_normal import KroneckerNormal, MatrixNormal
from .matrix_t import MatrixT
from .mixtures import Mixture, MixtureGeneral, MixtureSameFamily, NormalMixture
from .multinomial import DirichletMultinomial, Multinomial, MultinomialLogits, MultinomialProbs
from .multivariate_normal import MultivariateNormal
from .multivariate_student_t import MultivariateStudentT
from .nan_masked import NanMaskedMultivariateNormal, NanMaskedNormal
from .negative_binomial import (
    GammaPoisson,
    NegativeBinomial,
    NegativeBinomial2,
    NegativeBinomial2Log,
    NegativeBinomialLogits,
    NegativeBinomialProbs,
)
from .noncentral import NoncentralChi2
from .normal import HalfNormal, Normal
from .omt_multivariate_normal import OMTMultivariateNormal
from .one_hot import (
    OneHotCategorical,
    OneHotCategoricalLogits,
    OneHotCategoricalProbs,
    OneHotCategoricalStraightThrough,
)
from .ordered import OrderedLogistic, OrderedMultinomial, OrderedProbit, StoppingRatioLogistic
from .plackett_luce import PlackettLuce
from .poisson import Poisson, PoissonLogRate
from .poisson_binomial import PoissonBinomial
from .poisson_log_normal import PoissonLogNormal
from .polya_gamma import PolyaGamma, TruncatedPolyaGamma
from .power_law import DoublyTruncatedPowerLaw, LogUniform, LowerTruncatedPowerLaw, Pareto
from .probit_bernoulli import ProbitBernoulli
from .projected_normal import ProjectedNormal
from .quantile import inverse_cdf, inverse_cdf_integer, inverse_log_cdf
from .quantized import QuantizedDistribution
from .random_walk import GaussianRandomWalk, MvGaussianRandomWalk, MvStudentTRandomWalk, RandomWalk
from .rearranged import BatchBroadcast, BatchReshape, Blockwise, Sample
from .record import param
from .relaxed import RelaxedBernoulli, RelaxedBernoulliLogits, RelaxedOneHotCategorical, RelaxedOneHotCategoricalLogits
from .rice import Rice
from .sigmoid_beta import BetaQuotient, SigmoidBeta
from .sine_bivariate_von_mises import SineBivariateVonMises, SineSkewed
from .skew import ExGaussian, Moyal, SkewNormal, SkewStudentT
from .sparse_gaussian_process import SparseGaussianProcess
from .spherical import PowerSpherical, SphericalUniform, VonMises3D, VonMisesFisher
from .stable import Stable
from .state_space import LinearGaussianStateSpace
from .stick_breaking_weights import StickBreakingWeights
from .straight_through import RelaxedBernoulliStraightThrough, RelaxedOneHotCategoricalStraightThrough
from .structured_normal import CirculantNormal, LowRankMultivariateNormal
from .student_t import StudentT
from .time_series import ARMA, StructuralTimeSeries
from .transformed import TransformedDistribution
from .transforms import Transform, biject_to
from .triangular import Triangular
from .truncated import Truncated, TruncatedDistribution
from .truncated_families import (
    LeftTruncatedDistribution,
    RightTruncatedDistribution,
    TruncatedCauchy,
    TruncatedGamma,
    TruncatedNormal,
    TwoSidedTruncatedDistribution,
)
from .two_piece import TwoPieceNormal, TwoPieceStudentT
from .uniform import Uniform
from .unit_interval import ContinuousBernoulli, Kumaraswamy, LogitNormal
from .vmapped import Vmapped
from .von_mises import VonMises
from .wiener import Wiener
from .wishart import InverseWishart, InverseWishartCholesky, Wishart, WishartCholesky
from .wrappers import Expanded, Independent, Masked
from .zero_inflated import (
    ZeroInflatedBinomial,
    ZeroInflatedDistribution,
    ZeroInflatedLogits,
    ZeroInflatedNegativeBinomial,
    ZeroInflatedNegativeBinomial2,
    ZeroInflatedPoisson,
    ZeroInflatedProbs,
)
from .zero_sum_normal import ZeroSumNormal
from .zipf import YuleSimon, Zipf

__getattr__ = on_demand(__name__, ["flows"])             # imported when they are first used
