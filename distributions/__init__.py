"""Probability distributions, the sets they live on and the bijections between those.

    import chainrule.distributions as dist
    dist.Normal(0.0, 1.0).log_prob(0.3)
"""
from . import constraints, kernels, time_series, transforms, vector_transforms
from .bernoulli import Bernoulli, BernoulliLogits, BernoulliProbs
from .beta import Beta
from .binomial import Binomial, BinomialLogits, BinomialProbs
from .categorical import Categorical, CategoricalLogits, CategoricalProbs
from .cauchy import Cauchy, HalfCauchy
from .delta import Delta, ImproperUniform, Unit
from .dirichlet import Dirichlet
from .distribution import Distribution
from .exponential import Exponential, Laplace
from .gamma import Gamma, InverseGamma
from .gaussian_process import GaussianProcess, StudentTProcess
from .hidden_markov import HiddenMarkovModel
from .hilbert_space import (
    hsgp_basis,
    hsgp_frequencies,
    hsgp_parameters,
    hsgp_periodic_basis,
    hsgp_periodic_weights,
    hsgp_weights,
)
from .kl import kl_divergence
from .log_normal import LogNormal
from .logistic import Logistic
from .markov_chain import DiscreteMarkovChain, MarkovChain
from .multivariate_normal import MultivariateNormal
from .normal import HalfNormal, Normal
from .poisson import Poisson
from .record import param
from .sparse_gaussian_process import SparseGaussianProcess
from .state_space import LinearGaussianStateSpace
from .student_t import StudentT
from .time_series import ARMA, StructuralTimeSeries
from .transformed import TransformedDistribution
from .transforms import Transform, biject_to
from .uniform import Uniform
from .vmapped import Vmapped
from .wrappers import Expanded, Independent, Masked
