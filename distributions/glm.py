"""Likelihoods of generalized linear models: all n rows are one event, and one pass gives value and gradient.

    η = x β + α          log p(y) = Σᵢ log p(yᵢ | ηᵢ)          gradients: xᵀ (y - μ) in β, y - μ in α

Each equals the family of η, `to_event(1)`, to rounding. What it saves is work for each row: the value and the mean μ
come from the same exponential, and the gradient is one product with xᵀ.

    x : float[*batch, n, d]      alpha : float[], float[*batch, 1 or n]      beta : float[*batch, d]      y : [..., n]

Source: McCullagh & Nelder (1989), Generalized Linear Models, ch. 2.
"""
import math

from ..engine import numpy as np
from ..engine.control.custom import custom_jvp
from ..engine.scipy import special
from . import constraints
from .bernoulli import BernoulliLogits
from .binomial import BinomialLogits
from .categorical import CategoricalLogits
from .counting import log_choose, log_multichoose
from .distribution import Distribution
from .negative_binomial import NegativeBinomial2Log
from .normal import Normal
from .ordered import OrderedLogistic, first_and_last, log_widths, pick
from .poisson import PoissonLogRate
from .record import ArrayLike, param

vector_of_positive = constraints.Independent(constraints.positive, 1)
vector_of_counts = constraints.Independent(constraints.nonnegative_integer, 1)


@custom_jvp
def softplus_and_mean(z):
    """(log(1 + exp z), 1 / (1 + exp(-z))) of one exponential."""
    e = np.exp(-np.abs(z))
    return np.maximum(z, 0.0) + np.log1p(e), np.where(z >= 0, 1.0, e) / (1.0 + e)


@softplus_and_mean.defjvp
def _(primals, tangents):
    value, mean = softplus_and_mean(*primals)
    t = tangents[0]
    return (value, mean), (mean * t, mean * (1.0 - mean) * t)


def softplus(z):
    """log(1 + exp z), whose derivative costs no further exponential."""
    return softplus_and_mean(z)[0]


class GLM(Distribution):
    """Base: a family has `law`, the distribution of the rows, and log_prob_inside."""

    def __init__(self, *args, validate_args=None, **kwargs):
        self._bind(args, kwargs)
        for f in self._params:                           # one number for all rows
            if f.event_dim == 1 and f.name != "beta":
                v = np.asarray(self.__dict__[f.name])
                self.__dict__[f.name] = v.reshape((1,)) if v.ndim == 0 else v
        super().__init__(**self.__dict__, validate_args=validate_args)

    @property
    def event_shape(self):
        return self.x.shape[-2:-1]

    @property
    def support(self):
        return constraints.Independent(self.law().support, 1)

    @property
    def is_discrete(self):
        return self.law().is_discrete

    def product(self):
        """x β: [*batch, n]."""
        x, beta = self.x, self.beta
        if beta.ndim == 1:
            return np.matmul(x, beta)
        return np.matmul(beta, x.T) if x.ndim == 2 else np.matmul(x, beta[..., None])[..., 0]

    def predictor(self):
        """η = x β + α: [*batch, n]."""
        return self.product() + self.alpha

    def law(self):
        """The distribution of the rows, each by itself: batch shape [*batch, n]."""
        raise NotImplementedError

    def sample(self, key, sample_shape=()):
        return self.law().expand((*self.batch_shape, *self.event_shape)).sample(key, sample_shape)

    @property
    def mean(self):
        return np.broadcast_to(self.law().mean, self.shape())

    @property
    def variance(self):
        return np.broadcast_to(self.law().variance, self.shape())


class BernoulliLogitGLM(GLM):
    """yᵢ ~ BernoulliLogits(x β + α):  log p(y) = Σ (yᵢ ηᵢ - log(1 + exp ηᵢ)).   Arguments: see the module."""
    x: ArrayLike = param(constraints.real_matrix)
    alpha: ArrayLike = param(constraints.real_vector)
    beta: ArrayLike = param(constraints.real_vector)

    def law(self):
        return BernoulliLogits(self.predictor(), validate_args=False)

    def log_prob_inside(self, value):
        eta = self.predictor()
        return np.sum(np.astype(value, eta.dtype) * eta - softplus(eta), -1)


class BinomialLogitGLM(GLM):
    """yᵢ ~ BinomialLogits(x β + α, nᵢ):  log p(y) = Σ (yᵢ ηᵢ - nᵢ log(1 + exp ηᵢ) + log C(nᵢ, yᵢ)).

    total_count : int[], int[*batch, 1 or n], >= 0      the others: see the module
    """
    x: ArrayLike = param(constraints.real_matrix)
    alpha: ArrayLike = param(constraints.real_vector)
    beta: ArrayLike = param(constraints.real_vector)
    total_count: ArrayLike = param(vector_of_counts, default=1)

    def law(self):
        return BinomialLogits(self.predictor(), self.total_count, validate_args=False)

    def log_prob_inside(self, value):
        eta = self.predictor()
        y, n = np.astype(value, eta.dtype), np.astype(self.total_count, eta.dtype)
        return np.sum(y * eta - n * softplus(eta) + log_choose(n, y), -1)


class PoissonLogGLM(GLM):
    """yᵢ ~ Poisson(exp(x β + α)):  log p(y) = Σ (yᵢ ηᵢ - exp ηᵢ - log yᵢ!).   Arguments: see the module."""
    x: ArrayLike = param(constraints.real_matrix)
    alpha: ArrayLike = param(constraints.real_vector)
    beta: ArrayLike = param(constraints.real_vector)

    def law(self):
        return PoissonLogRate(self.predictor(), validate_args=False)

    def log_prob_inside(self, value):
        eta = self.predictor()
        y = np.astype(value, eta.dtype)
        return np.sum(y * eta - np.exp(eta) - special.gammaln(y + 1.0), -1)


class NegBinomial2LogGLM(GLM):
    """yᵢ ~ NegativeBinomial2(exp(x β + α), φ):  log p(y) = Σ (log C(yᵢ+φ-1, yᵢ) + yᵢ zᵢ - (yᵢ+φ) log(1 + exp zᵢ)).

    With z = η - log φ.

    phi : float[], float[*batch, 1 or n], > 0      the others: see the module
    """
    x: ArrayLike = param(constraints.real_matrix)
    alpha: ArrayLike = param(constraints.real_vector)
    beta: ArrayLike = param(constraints.real_vector)
    phi: ArrayLike = param(vector_of_positive)

    def law(self):
        return NegativeBinomial2Log(self.predictor(), self.phi, validate_args=False)

    def log_prob_inside(self, value):
        phi = self.phi
        z = self.predictor() - np.log(phi)
        y = np.astype(value, z.dtype)
        return np.sum(log_multichoose(phi, y) + y * z - (y + phi) * softplus(z), -1)


class NormalIdGLM(GLM):
    """yᵢ ~ Normal(x β + α, σ):  log p(y) = -½ Σ ((yᵢ - ηᵢ) / σᵢ)² - Σ log σᵢ - ½ n log 2π.

    sigma : float[], float[*batch, 1 or n], > 0      the others: see the module
    """
    x: ArrayLike = param(constraints.real_matrix)
    alpha: ArrayLike = param(constraints.real_vector)
    beta: ArrayLike = param(constraints.real_vector)
    sigma: ArrayLike = param(vector_of_positive)
    reparametrized_params = ("x", "alpha", "beta", "sigma")

    def law(self):
        return Normal(self.predictor(), self.sigma, validate_args=False)

    def log_prob_inside(self, value):
        z = (np.asarray(value) - self.predictor()) / self.sigma
        n = self.x.shape[-2]
        logs = np.sum(np.log(self.sigma), -1) * (n if self.sigma.shape[-1] == 1 else 1)
        return -0.5 * np.sum(z * z, -1) - logs - 0.5 * n * math.log(2 * math.pi)


class CategoricalLogitGLM(GLM):
    """yᵢ ~ CategoricalLogits(x β + α) of c classes:  log p(y) = Σ (ηᵢ,yᵢ - log Σₖ exp ηᵢₖ).

    x : float[*batch, n, d]     alpha : float[*batch, c]     beta : float[*batch, d, c]     y : int[..., n], in [0, c)
    """
    x: ArrayLike = param(constraints.real_matrix)
    alpha: ArrayLike = param(constraints.real_vector)
    beta: ArrayLike = param(constraints.real_matrix)

    def predictor(self):
        return np.matmul(self.x, self.beta) + self.alpha[..., None, :]

    def law(self):
        return CategoricalLogits(self.predictor(), validate_args=False)

    def log_prob_inside(self, value):
        eta = self.predictor()
        y = np.astype(value, np.int64)
        return np.sum(pick(eta, y) - special.logsumexp(eta, axis=-1), -1)


class OrderedLogisticGLM(GLM):
    """yᵢ ~ OrderedLogistic(x β, c): outcomes 0 … K by the K increasing cutpoints, for all rows the same.

    x : float[*batch, n, d]     beta : float[*batch, d]     cutpoints : float[*batch, K]     y : int[..., n], in [0, K]
    """
    x: ArrayLike = param(constraints.real_matrix)
    beta: ArrayLike = param(constraints.real_vector)
    cutpoints: ArrayLike = param(constraints.ordered_vector)

    def predictor(self):
        return self.product()

    def law(self):
        return OrderedLogistic(self.predictor(), self.cutpoints[..., None, :], validate_args=False)

    def log_prob_inside(self, value):
        eta, c = self.predictor(), self.cutpoints
        c = c if c.ndim == 1 else c[..., None, :]
        index = np.astype(value, np.int64)
        low, high, lowest, highest = first_and_last(c, index)
        upper, lower = np.where(highest, 0.0, softplus(eta - high)), np.where(lowest, 0.0, softplus(low - eta))
        return np.sum(pick(log_widths(c), index) - upper - lower, -1)
