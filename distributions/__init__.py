"""Probability distributions, the sets they live on and the bijections between those.

    import chainrule.distributions as dist
    dist.Normal(0.0, 1.0).log_prob(0.3)
"""
from . import constraints, transforms, vector_transforms
from .bernoulli import Bernoulli, BernoulliLogits, BernoulliProbs
from .beta import Beta
from .beta_binomial import BetaBinomial, BetaNegativeBinomial
from .binomial import Binomial, BinomialLogits, BinomialProbs
from .categorical import Categorical, CategoricalLogits, CategoricalProbs
from .cauchy import Cauchy, HalfCauchy
from .delta import Delta, ImproperUniform, Unit
from .dirichlet import Dirichlet
from .discrete_uniform import DiscreteUniform
from .discrete_weibull import DiscreteWeibull
from .distribution import Distribution
from .exponential import Exponential, Laplace
from .extended import ExtendedBetaBinomial, ExtendedBinomial
from .finite_discrete import FiniteDiscrete, FiniteDiscreteLogits, FiniteDiscreteProbs
from .gamma import Gamma, InverseGamma
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
from .hypergeometric import HyperGeometric
from .kl import kl_divergence
from .log_normal import LogNormal
from .logistic import Logistic
from .multinomial import DirichletMultinomial, Multinomial, MultinomialLogits, MultinomialProbs
from .multivariate_normal import MultivariateNormal
from .negative_binomial import (
    GammaPoisson,
    NegativeBinomial,
    NegativeBinomial2,
    NegativeBinomial2Log,
    NegativeBinomialLogits,
    NegativeBinomialProbs,
)
from .normal import HalfNormal, Normal
from .one_hot import (
    OneHotCategorical,
    OneHotCategoricalLogits,
    OneHotCategoricalProbs,
    OneHotCategoricalStraightThrough,
    RelaxedBernoulli,
    RelaxedBernoulliLogits,
    RelaxedOneHotCategorical,
)
from .ordered import OrderedLogistic, OrderedMultinomial, OrderedProbit, StoppingRatioLogistic
from .plackett_luce import PlackettLuce
from .poisson import Poisson, PoissonLogRate
from .poisson_binomial import PoissonBinomial
from .poisson_log_normal import PoissonLogNormal
from .probit_bernoulli import ProbitBernoulli
from .record import param
from .student_t import StudentT
from .transformed import TransformedDistribution
from .transforms import Transform, biject_to
from .uniform import Uniform
from .vmapped import Vmapped
from .wrappers import Expanded, Independent, Masked
from .zipf import YuleSimon, Zipf
