"""KL divergences: against quadrature, sums and means over draws, and laws that hold for all pairs."""
import os
import subprocess
import sys

import numpy as np
import pytest

import chainrule.distributions as dist
from chainrule.distributions import cross_entropy, kl_divergence, kl_divergence_monte_carlo, register_kl, transforms
from chainrule.engine import grad, jit, random, tree, vmap
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import MissingRule, ShapeError

KEY = random.key(5)
FACTOR = np.array([[1.2, 0.0], [-0.4, 0.7]])
LOW = np.array([[1.0], [0.5], [-0.3]])
RING = dist.CirculantNormal(np.zeros(4), covariance_rfft=[2.0, 1.0, 0.5])
SHIFT = [transforms.AffineTransform(1.0, 2.0), transforms.ExpTransform()]
PAIRS = {
    "Normal": (dist.Normal([0.0, 1.0], 1.0), dist.Normal(0.5, [2.0, 0.7])),
    "Gamma": (dist.Gamma(2.0, [1.0, 3.0]), dist.Gamma(3.5, 2.0)),
    "Exponential": (dist.Exponential([1.0, 3.0]), dist.Exponential(2.0)),
    "Poisson": (dist.Poisson([1.0, 3.0]), dist.Poisson(2.0)),
    "Beta": (dist.Beta(2.0, [1.0, 3.0]), dist.Beta(1.5, 2.0)),
    "Bernoulli": (dist.Bernoulli([0.2, 0.7]), dist.Bernoulli(logits=0.4)),
    "Categorical": (dist.Categorical([0.2, 0.7, 0.1]), dist.Categorical(logits=[0.4, 0.0, 1.0])),
    "Dirichlet": (dist.Dirichlet([2.0, 3.0, 1.5]), dist.Dirichlet([1.0, 4.0, 2.0])),
    "MultivariateNormal": (dist.MultivariateNormal([0.0, 1.0], scale_tril=FACTOR),
                           dist.MultivariateNormal([[1.0, 1.0], [0.0, 0.0]], np.eye(2))),
    "one factor each": (dist.MultivariateNormal([0.0, 1.0], scale_tril=np.stack([FACTOR, np.eye(2)])),
                        dist.MultivariateNormal([1.0, 1.0], scale_tril=np.stack([2 * FACTOR, FACTOR]))),
    "Independent": (dist.Normal([0.0, 1.0], 1.0).to_event(1), dist.Normal(0.5, [2.0, 0.7]).to_event(1)),
    "Expanded": (dist.Normal(0.0, 1.0).expand((3,)), dist.Normal(0.5, 2.0).expand((3,))),
    "Expanded, plain": (dist.Normal(0.0, 1.0).expand((3,)), dist.Normal(0.5, [2.0, 1.0, 3.0])),
    "LowRank": (dist.LowRankMultivariateNormal([0.0, 1.0, 0.5], LOW, [0.5, 1.0, 0.8]),
                dist.LowRankMultivariateNormal([0.3, 0.0, 0.0], 0.5 * LOW, [[1.0, 1.0, 0.5], [0.5, 2.0, 1.0]])),
    "LowRank, dense": (dist.LowRankMultivariateNormal([0.0, 1.0, 0.5], LOW, [0.5, 1.0, 0.8]),
                       dist.MultivariateNormal([0.0, 0.0, 1.0], np.diag([1.0, 2.0, 1.5]))),
    "dense, LowRank": (dist.MultivariateNormal(0.0, np.diag([1.0, 2.0, 1.5])),
                       dist.LowRankMultivariateNormal([0.0, 1.0, 0.5], LOW, [0.5, 1.0, 0.8])),
    "dense, independent": (dist.MultivariateNormal([0.0, 1.0], scale_tril=FACTOR),
                           dist.Normal([[0.5, 1.0], [0.0, 0.0]], 1.5).to_event(1)),
    "independent, dense": (dist.Normal(0.5, [1.0, 0.6]).to_event(1),
                           dist.MultivariateNormal([0.0, 1.0], scale_tril=FACTOR)),
    "independent copies, dense": (dist.Normal(0.5, 1.0).expand([2]).to_event(1),
                                  dist.MultivariateNormal([0.0, 1.0], scale_tril=FACTOR)),
    "independent, circulant": (dist.Normal(0.0, [1.0, 0.6, 0.8, 1.2]).to_event(1), RING),
    "circulant, independent": (RING, dist.Normal(0.2, [1.0, 0.6, 0.8, 1.2]).to_event(1)),
    "circulant": (RING, dist.CirculantNormal(np.full(4, 0.2), covariance_rfft=[1.0, 1.5, 0.7])),
    "circulant, dense": (RING, dist.MultivariateNormal(np.zeros(4), np.diag([1.0, 2.0, 1.5, 1.0]))),
    "dense, circulant": (dist.MultivariateNormal(np.zeros(4), np.diag([1.0, 2.0, 1.5, 1.0])), RING),
    "MatrixNormal": (dist.MatrixNormal(np.zeros((2, 2)), FACTOR, np.eye(2)),
                     dist.MatrixNormal(np.full((2, 2), 0.3), np.eye(2), 1.3 * FACTOR)),
    "Wishart": (dist.Wishart([3.0, 5.0], scale_tril=FACTOR), dist.Wishart(4.0, np.eye(2))),
    "WishartCholesky": (dist.WishartCholesky(3.0, scale_tril=FACTOR), dist.WishartCholesky(4.0, np.eye(2))),
    "InverseWishart": (dist.InverseWishart([6.0, 9.0], scale_tril=FACTOR), dist.InverseWishart(7.0, np.eye(2))),
    "VonMisesFisher": (dist.VonMisesFisher([0.0, 0.6, 0.8], [0.5, 4.0]), dist.VonMisesFisher([0.0, 0.0, 1.0], 2.0)),
    "VonMisesFisher, uniform": (dist.VonMisesFisher([0.0, 0.6, 0.0, 0.8], 2.0), dist.SphericalUniform(4)),
    "PowerSpherical, uniform": (dist.PowerSpherical([0.0, 0.6, 0.8], 2.0), dist.SphericalUniform(3)),
    "PowerSpherical, VonMisesFisher": (dist.PowerSpherical([0.0, 0.6, 0.8], 2.0),
                                       dist.VonMisesFisher([0.0, 0.0, 1.0], 2.0)),
    "uniform, VonMisesFisher": (dist.SphericalUniform(3), dist.VonMisesFisher([0.0, 0.0, 1.0], 2.0)),
    "Multinomial": (dist.Multinomial(5, probs=[0.2, 0.3, 0.5]), dist.Multinomial(5, logits=[0.0, 1.0, 0.0])),
    "ZeroSumNormal": (dist.ZeroSumNormal(1.0, (3,)), dist.ZeroSumNormal([2.0, 0.7], (3,))),
    "Transformed": (dist.TransformedDistribution(dist.Normal([0.0, 1.0], 1.0), SHIFT),
                    dist.TransformedDistribution(dist.Normal(0.5, 2.0), SHIFT)),
    "Transformed vectors": (dist.TransformedDistribution(dist.Normal([0.0, 1.0], 1.0).to_event(1), SHIFT),
                            dist.TransformedDistribution(dist.Normal([0.5, 0.0], 2.0).to_event(1), SHIFT)),
    "OneHotCategorical": (dist.OneHotCategorical([0.2, 0.7, 0.1]), dist.OneHotCategorical(logits=[0.4, 0.0, 1.0])),
    "LKJ": (dist.LKJ(3, [0.7, 2.0]), dist.LKJ(3, 1.3)),
    "LKJCholesky": (dist.LKJCholesky(4, [0.7, 2.0]), dist.LKJCholesky(4, 1.3)),
    "Sample": (dist.Sample(dist.Gamma([2.0, 3.0], 1.5), (2, 3)), dist.Sample(dist.Gamma(2.5, 1.0), (2, 3))),
    "Blockwise": (dist.Blockwise([dist.Normal([0.0, 1.0], 1.0), dist.Dirichlet([2.0, 3.0])]),
                  dist.Blockwise([dist.Laplace(0.5, 2.0), dist.Dirichlet([1.0, 4.0])])),
    "BatchReshape": (dist.BatchReshape(dist.Normal([0.0, 1.0], 1.0), (2, 1)),
                     dist.BatchReshape(dist.Normal(0.5, [2.0, 0.7]), (2, 1))),
    "Expanded, more": (dist.Normal(0.0, 1.0).expand((3,)), dist.Normal(np.zeros((2, 3)), 2.0)),
}
each = pytest.mark.parametrize("p, q", PAIRS.values(), ids=PAIRS)


@each
def test_the_closed_form_is_the_mean_over_draws(p, q):
    """z-test; false-alarm rate 1e-6 for each element."""
    x = p.sample(KEY, (4000,) + (1,) * (len(q.batch_shape) - len(p.batch_shape)))
    gap = np.asarray(p.log_prob(x) - q.log_prob(x))
    gap = gap.reshape((4000, *gap.shape[1:]))
    got = np.asarray(kl_divergence(p, q))
    assert got.shape == gap.shape[1:]
    assert np.all(np.abs(gap.mean(0) - got) < 4.9 * gap.std(0) / np.sqrt(4000))


@each
def test_it_is_zero_between_equals_and_positive_between_others(p, q):
    if type(p) is type(q):
        np.testing.assert_allclose(np.asarray(kl_divergence(p, p)), 0.0, atol=1e-12)
    assert np.all(np.asarray(kl_divergence(p, q)) > 0)


def test_a_point_mass_gives_the_density_there():
    q = dist.Normal(1.0, 2.0)
    assert float(kl_divergence(dist.Delta(3.0), q)) == -float(q.log_prob(3.0))


def test_masked_elements_do_not_count():
    p, q = (d.mask(np.array([True, False])) for d in PAIRS["Normal"])
    assert np.asarray(kl_divergence(p, q)).tolist()[1] == 0.0


def test_it_has_derivatives():
    g = grad(lambda loc: kl_divergence(dist.Normal(loc, 1.0), dist.Normal(0.0, 2.0)))(3.0)
    assert float(g) == 0.75


def test_certain_classes_do_not_give_nan():
    assert float(kl_divergence(dist.Categorical([1.0, 0.0]), dist.Categorical([0.5, 0.5]))) == pytest.approx(np.log(2))
    assert float(kl_divergence(dist.Bernoulli(0.0), dist.Bernoulli(0.5))) == pytest.approx(np.log(2))


def test_a_pair_without_a_rule_says_what_to_do():
    with pytest.raises(MissingRule, match="Laplace ‖ StudentT(.|\\n)*kl_divergence_monte_carlo"):
        kl_divergence(dist.Laplace(0.0, 1.0), dist.StudentT(3.0))

# ---- one number: against quadrature and sums ----

CONTINUOUS = [
    (dist.Normal([0.0, 2.0], 1.0), dist.Normal(0.5, 2.0)), (dist.Normal(0.7, [1.0, 0.4]), dist.Laplace(0.5, 2.0)),
    (dist.Normal([0.0, 1.0], 0.7), dist.Gumbel(0.5, 2.0)),
    (dist.Laplace([0.0, 1.0], 1.0), dist.Laplace(0.5, [2.0, 0.6])),
    (dist.Laplace([0.0, 1.0], 1.0), dist.Normal(0.5, 2.0)), (dist.Gumbel(0.4, [1.0, 2.0]), dist.Gumbel(0.0, 1.5)),
    (dist.Gumbel(0.4, [1.0, 2.0]), dist.Normal(0.0, 1.5)), (dist.Logistic(0.4, [1.0, 2.0]), dist.Normal(0.0, 1.5)),
    (dist.Logistic(0.4, [1.0, 2.0]), dist.Laplace(0.0, 1.5)), (dist.Moyal(0.4, [1.0, 0.5]), dist.Moyal(0.0, 0.8)),
    (dist.Cauchy(0.4, [1.0, 2.0]), dist.Cauchy(0.0, 1.5)), (dist.HalfCauchy([1.0, 2.0]), dist.HalfCauchy(1.5)),
    (dist.StudentT(8.0, 0.3, [1.0, 2.0]), dist.Normal(0.0, 1.5)),
    (dist.VonMises([0.4, 2.0], 2.0), dist.VonMises(0.0, 5.0)),
    (dist.Triangular(0.0, 2.0, 0.5), dist.Normal(0.0, 1.5)),
    (dist.LogitNormal([0.0, 1.0], 1.0), dist.LogitNormal(0.5, 2.0)),
    (dist.Uniform([0.0, 0.5], 2.0), dist.Uniform(-1.0, 3.0)), (dist.Uniform([-1.0, 0.5], 2.0), dist.Normal(0.3, 2.0)),
    (dist.Uniform([-1.0, 0.5], 2.0), dist.Laplace(0.3, 2.0)), (dist.Uniform([-1.0, 0.5], 2.0), dist.Gumbel(0.3, 2.0)),
    (dist.Uniform([0.0, 0.5], 2.0), dist.Gamma(2.0, 1.5)), (dist.Uniform([0.0, 0.5], 2.0), dist.LogNormal(0.3, 1.5)),
    (dist.Uniform([0.5, 1.0], 2.0), dist.InverseGamma(2.0, 1.5)),
    (dist.Uniform([0.5, 1.0], 2.0), dist.Pareto(0.5, 2.0)),
    (dist.Uniform([0.0, 0.2], 0.7), dist.Beta(2.0, 3.0)),
    (dist.Uniform([0.0, 0.2], 1.0), dist.ContinuousBernoulli(2.0)),
    (dist.Uniform([0.0, 0.2], 2.0), dist.HalfNormal(1.5)),
    (dist.Uniform([0.5, 1.0], 2.0), dist.InverseGaussian(1.0, 2.0)),
    (dist.Uniform([0.5, 1.0], 2.0), dist.LogUniform(0.3, 2.5)),
    (dist.LogUniform([0.5, 1.0], 2.0), dist.LogUniform(0.3, 2.5)),
    (dist.LogUniform([0.5, 1.0], 2.0), dist.Gamma(2.0, 1.5)),
    (dist.LogUniform([0.5, 1.0], 2.0), dist.LogNormal(0.3, 1.5)),
    (dist.LogUniform([0.5, 1.0], 2.0), dist.Uniform(0.3, 2.5)),
    (dist.LogUniform([0.5, 1.0], 2.0), dist.Pareto(0.5, 2.5)),
    (dist.Gamma([2.0, 3.0], 1.5), dist.Gamma(2.5, 1.0)), (dist.Gamma([2.0, 3.0], 1.5), dist.Exponential(0.7)),
    (dist.Gamma([2.0, 3.0], 1.5), dist.Chi2(3.0)), (dist.Gamma([2.0, 3.0], 1.5), dist.Weibull(1.5, 1.2)),
    (dist.Gamma([2.0, 3.0], 1.5), dist.InverseGamma(2.5, 1.0)), (dist.Gamma([2.0, 3.0], 1.5), dist.LogNormal(0.5, 1.2)),
    (dist.Gamma([2.0, 3.0], 1.5), dist.Normal(0.5, 1.2)), (dist.Gamma([2.0, 3.0], 1.5), dist.Gumbel(0.5, 1.2)),
    (dist.Gamma([2.0, 3.0], 1.5), dist.InverseGaussian(0.5, 1.2)), (dist.Gamma([2.0, 3.0], 1.5), dist.HalfNormal(1.2)),
    (dist.Gamma([2.0, 3.0], 1.5), dist.Frechet(1.2, 0.5)), (dist.Exponential([2.0, 0.7]), dist.Exponential(1.5)),
    (dist.Exponential([2.0, 0.7]), dist.Gamma(1.3, 1.5)), (dist.Exponential([2.0, 0.7]), dist.Gumbel(0.3, 1.5)),
    (dist.Exponential([2.0, 0.7]), dist.Normal(0.3, 1.5)), (dist.Chi2([2.0, 5.0]), dist.Chi2(3.0)),
    (dist.Chi2([2.0, 5.0]), dist.Gamma(3.0, 0.5)), (dist.Chi([2.0, 5.0]), dist.Chi(3.0)),
    (dist.Chi([2.0, 5.0]), dist.HalfNormal(2.0)), (dist.HalfNormal([2.0, 0.7]), dist.HalfNormal(1.5)),
    (dist.HalfNormal([2.0, 0.7]), dist.Exponential(1.5)), (dist.Rayleigh([2.0, 0.7]), dist.Rayleigh(1.5)),
    (dist.Maxwell([2.0, 0.7]), dist.Maxwell(1.5)), (dist.Rayleigh([2.0, 0.7]), dist.Maxwell(1.5)),
    (dist.Weibull([2.0, 0.7], 1.5), dist.Weibull(1.2, 0.9)), (dist.Weibull([2.0, 0.7], 1.5), dist.Gamma(1.2, 0.9)),
    (dist.InverseGamma([4.0, 5.0], 1.5), dist.InverseGamma(3.0, 2.0)), (dist.InvChi2([9.0, 7.0]), dist.InvChi2(8.0)),
    (dist.ScaledInvChi2([9.0, 7.0], 1.2), dist.ScaledInvChi2(8.0, 0.8)),
    (dist.Frechet([2.0, 0.7], 4.0), dist.Frechet(1.5, 3.0)),
    (dist.ExpGamma([2.0, 3.0], 1.5), dist.ExpGamma(2.5, 1.0)),
    (dist.ExpInverseGamma([2.0, 3.0], 1.5), dist.ExpInverseGamma(2.5, 1.0)),
    (dist.LogNormal([0.0, 1.0], 0.6), dist.LogNormal(0.5, 2.0)),
    (dist.LogNormal([0.0, 1.0], 0.6), dist.Gamma(0.5, 2.0)),
    (dist.LogNormal([0.0, 0.5], 0.4), dist.Normal(0.5, 2.0)),
    (dist.InverseGaussian([1.0, 2.0], 3.0), dist.InverseGaussian(1.5, 2.0)),
    (dist.Pareto([1.0, 2.0], 12.0), dist.Pareto(0.8, 9.0)), (dist.Pareto([1.0, 2.0], 12.0), dist.Exponential(0.8)),
    (dist.Pareto([1.0, 2.0], 12.0), dist.Gamma(2.0, 0.8)), (dist.Pareto([1.0, 2.0], 12.0), dist.Normal(2.0, 1.8)),
    (dist.Beta([1.5, 2.0], 3.0), dist.Beta(2.5, 1.2)), (dist.Beta([1.5, 2.0], 3.0), dist.Exponential(0.8)),
    (dist.Beta([1.5, 2.0], 3.0), dist.Gamma(2.0, 0.8)), (dist.Beta([1.5, 2.0], 3.0), dist.Normal(0.3, 0.8)),
    (dist.Beta([1.5, 2.0], 3.0), dist.Uniform(-1.0, 1.5)), (dist.Beta([1.5, 2.0], 3.0), dist.ContinuousBernoulli(0.8)),
    (dist.Kumaraswamy([1.5, 2.0], [3.0, 0.8]), dist.Beta(2.5, 1.2)),
    (dist.Beta([1.5, 2.0], [3.0, 0.8]), dist.Kumaraswamy(2.5, 1.2)),
    (dist.Beta([0.4, 40.0], [0.7, 8.0]), dist.Kumaraswamy([12.0, 0.3], [1.2, 0.4])),
    (dist.BetaProportion([0.3, 0.6], 4.0), dist.BetaProportion(0.5, 3.0)),
    (dist.BetaProportion([0.3, 0.6], 4.0), dist.Beta(1.5, 3.0)),
    (dist.SigmoidBeta([1.5, 2.0], 3.0), dist.SigmoidBeta(2.5, 1.2)),
    (dist.ContinuousBernoulli([-1.5, 2.0]), dist.Exponential(0.8)),
    (dist.Kumaraswamy([1.5, 2.0], 3.0), dist.Kumaraswamy(2.5, 1.2)),
    (dist.Kumaraswamy([1.5, 2.0], 3.0), dist.Gamma(2.5, 1.2)),
    (dist.Kumaraswamy([1.5, 2.0], 3.0), dist.LogNormal(0.5, 1.2)),
    (dist.ContinuousBernoulli([-1.5, 2.0]), dist.ContinuousBernoulli(0.3)),
    (dist.ContinuousBernoulli([-1.5, 2.0]), dist.Normal(0.3, 1.0)),
    (dist.ContinuousBernoulli([-1.5, 2.0]), dist.Uniform(0.0, 1.0)),
]
DISCRETE = [
    (dist.Bernoulli([0.2, 0.7]), dist.Bernoulli(logits=0.4)), (dist.Bernoulli([0.2, 0.7]), dist.Poisson(0.4)),
    (dist.Bernoulli([0.2, 0.7]), dist.ProbitBernoulli(0.4)),
    (dist.Binomial(6, [0.2, 0.7]), dist.Binomial(6, logits=0.4)),
    (dist.Binomial(6, [0.2, 0.7]), dist.Binomial(9, 0.5)), (dist.Binomial(6, [0.2, 0.7]), dist.Poisson(3.0)),
    (dist.Binomial(6, [0.2, 0.7]), dist.BetaBinomial(2.0, 1.5, 6)),
    (dist.BetaBinomial([1.0, 0.7], 2.0, 6), dist.BetaBinomial(2.0, 1.5, 8)),
    (dist.Categorical([0.2, 0.7, 0.1]), dist.Categorical(logits=[[0.4, 0.0, 1.0], [0.0, 0.0, 0.0]])),
    (dist.Categorical([0.2, 0.7, 0.1]), dist.Categorical([0.2, 0.4, 0.1, 0.3])),
    (dist.OrderedLogistic([0.3, 1.0], [-1.0, 1.0]), dist.OrderedLogistic(0.0, [-0.5, 1.0])),
    (dist.StoppingRatioLogistic([0.3, 1.0], [-1.0, 1.0]), dist.OrderedProbit(0.0, [-0.5, 1.0])),
    (dist.ProbitBernoulli([0.3, -0.6]), dist.ProbitBernoulli(0.4)),
    (dist.NegativeBinomial(2.5, [0.2, 0.6]), dist.NegativeBinomial(2.5, logits=-0.4)),
    (dist.NegativeBinomial2([2.0, 5.0], 3.0), dist.NegativeBinomial(3.0, 0.5)),
    (dist.NegativeBinomial2Log([0.2, 1.0], 3.0), dist.GammaPoisson(3.0, 1.5)),
    (dist.DiscreteUniform(0, [3, 4]), dist.DiscreteUniform(0, 7)),
    (dist.Geometric([0.2, 0.7]), dist.Geometric(logits=0.4)),
    (dist.Poisson([1.0, 3.0]), dist.PoissonLogRate(0.5)), (dist.HyperGeometric(20, 8, 5), dist.Binomial(5, [0.3, 0.6])),
]


def name(p, q):
    return f"{type(p).__name__}, {type(q).__name__}"


def log_ratio(p, q, x):
    """log p(x) and log p(x) - log q(x), the latter 0 where p(x) = 0."""
    log_p, log_q = np.broadcast_arrays(np.asarray(p.log_prob(x)), np.asarray(q.log_prob(x)))
    inside = log_p > -np.inf
    return log_p, np.where(inside, log_p, 0.0) - np.where(inside, log_q, 0.0)


def kinks(p, q):
    """The probabilities of p below the points where the density of one of them has no derivative."""
    at = [d.loc for d in (p, q) if isinstance(d, dist.Laplace)]
    return [np.asarray(p.cdf(x)) for x in at + [d.peak for d in (p, q) if isinstance(d, dist.Triangular)]]


def quadrature(p, q):
    """∫ (log p - log q) over the probability of p, by the tanh-sinh rule between kinks, which minds no singularity at
    its ends."""
    shape = np.broadcast_shapes(p.batch_shape, q.batch_shape)
    ends = np.sort(np.stack([np.broadcast_to(u, shape) for u in (0.0, *kinks(p, q), 1.0)]), 0)
    t = np.arange(-3.1, 3.1001, 1 / 64).reshape((-1, *(1,) * len(shape)))
    s = 0.5 * np.pi * np.sinh(t)
    v = 1.0 / (1.0 + np.exp(-2.0 * s))
    weight = np.pi / 64 * np.cosh(t) * v / (1.0 + np.exp(2.0 * s))
    total = 0.0
    for low, high in zip(ends[:-1], ends[1:]):
        x = p.icdf(low + (high - low) * v)
        total = total + (high - low) * np.sum(weight * log_ratio(p, q, x)[1], 0)
    return total


@pytest.mark.parametrize("p, q", CONTINUOUS, ids=[name(*pair) for pair in CONTINUOUS])
def test_the_closed_form_is_the_integral(p, q):
    """The rule's step is fine enough for 1e-9; what it leaves out beyond the probability 1e-15 is less than 1e-8."""
    np.testing.assert_allclose(np.asarray(kl_divergence(p, q)), quadrature(p, q), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("p, q", DISCRETE, ids=[name(*pair) for pair in DISCRETE])
def test_the_closed_form_is_the_sum(p, q):
    """Over 0 … 200, beyond which nothing here has a probability above 1e-19."""
    x = np.arange(201).reshape((-1, *(1,) * max(len(p.batch_shape), len(q.batch_shape))))
    log_p, gap = log_ratio(p, q, x)
    want = np.sum(np.exp(log_p) * gap, 0)
    np.testing.assert_allclose(np.asarray(kl_divergence(p, q)), want, rtol=1e-12, atol=1e-14)


DIFFERENTIABLE = [
    (dist.Normal, (0.3, 1.2), dist.Laplace(0.5, 2.0)), (dist.Gamma, (2.0, 1.5), dist.Weibull(1.5, 1.2)),
    (dist.Weibull, (2.0, 1.5), dist.Gamma(1.5, 1.2)), (dist.Kumaraswamy, (2.0, 1.5), dist.Beta(1.5, 1.2)),
    (dist.VonMises, (0.3, 1.5), dist.VonMises(0.5, 1.2)), (dist.Gumbel, (0.3, 1.5), dist.Gumbel(0.5, 1.2)),
    (dist.Uniform, (0.3, 1.5), dist.Gamma(1.5, 1.2)), (dist.Pareto, (1.3, 3.5), dist.Gamma(1.5, 1.2)),
    (dist.Beta, (1.3, 3.5), dist.LogNormal(0.0, 1.2)),
    (dist.InverseGaussian, (1.3, 3.5), dist.InverseGaussian(1.0, 1.2)),
    (lambda a, b: dist.Bernoulli(a), (0.3, 0.0), dist.Bernoulli(0.5)), (dist.Cauchy, (0.3, 1.5), dist.Cauchy(0.5, 1.2)),
    (lambda a, b: dist.Geometric(a), (0.3, 0.0), dist.Geometric(0.5)),
    (dist.Beta, (1.3, 3.5), dist.Kumaraswamy(2.5, 1.2)), (lambda a, b: dist.LKJ(3, a), (1.3, 0.0), dist.LKJ(3, 2.0)),
    (lambda a, b: dist.NegativeBinomial(2.0, a), (0.3, 0.0), dist.NegativeBinomial(2.0, 0.5)),
    (dist.BetaBinomial, (0.3, 1.5), dist.Binomial(1, 0.5)),
    (lambda a, b: dist.LowRankMultivariateNormal([a, 0.0], [[b], [0.4]], [0.5, 1.0]), (0.3, 1.5),
     dist.MultivariateNormal([0.0, 0.0], FACTOR @ FACTOR.T)),
    (lambda a, b: dist.VonMisesFisher([0.0, 0.6, 0.8], a), (1.3, 0.0), dist.VonMisesFisher([0.0, 0.0, 1.0], 2.0)),
    (lambda a, b: dist.Wishart(a, scale_tril=FACTOR), (3.3, 0.0), dist.Wishart(3.0, scale_tril=FACTOR)),
]


@pytest.mark.parametrize("family, at, q", DIFFERENTIABLE, ids=[name(f(*at), q) for f, at, q in DIFFERENTIABLE])
def test_compiled_gradients_are_finite_differences(family, at, q):
    """Central differences of step 1e-5 err by about 1e-10 from the third derivative and 1e-11 from rounding."""
    def f(a, b):
        return kl_divergence(family(a, b), q)
    got = jit(grad(f, (0, 1)))(*at)
    h = 1e-5
    want = [(float(f(*(np.array(at) + h * e))) - float(f(*(np.array(at) - h * e)))) / (2 * h) for e in np.eye(2)]
    np.testing.assert_allclose([float(g) for g in got], want, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("p, q", [
    (dist.Normal(), dist.Gamma(1.0)),
    (dist.Gamma(1.0), dist.Beta(1.0, 2.0)),
    (dist.Uniform(-1.0, 1.0), dist.Gamma(2.0)),
    (dist.Uniform(0.0, 2.0), dist.Uniform(0.0, 1.0)), (dist.Pareto(1.0, 2.0), dist.Pareto(1.5, 2.0)),
    (dist.Pareto(1.0, 1.5), dist.Normal()),
    (dist.Pareto(1.0, 0.5), dist.Normal()),
    (dist.Binomial(5, 0.5), dist.Binomial(3, 0.5)),
    (dist.Multinomial(5, [0.5, 0.5]), dist.Multinomial(4, [0.5, 0.5])),
    (dist.Poisson(1.0), dist.Binomial(3, 0.5)), (dist.Gamma(0.5), dist.InverseGamma(1.0)),
    (dist.Categorical([0.5, 0.5]), dist.Categorical([1.0, 0.0])),
    (dist.DiscreteUniform(0, 4), dist.DiscreteUniform(1, 5)),
    (dist.Beta(1.0, 2.0), dist.Uniform(0.0, 0.5)), (dist.StudentT(1.5), dist.Normal()),
], ids=lambda d: type(d).__name__)
def test_it_is_infinite_where_q_lacks_values_or_moments(p, q):
    assert float(kl_divergence(p, q)) == np.inf


def test_the_estimate_is_near_the_closed_form():
    """z-test; false-alarm rate 1e-6."""
    p, q = dist.Normal([0.0, 1.0], 1.0), dist.Normal(0.5, 2.0)
    x = np.asarray(p.sample(random.key(9), (4000,)))
    deviation = np.std(np.asarray(p.log_prob(x) - q.log_prob(x)), 0) / np.sqrt(4000)
    got = np.asarray(kl_divergence_monte_carlo(p, q, KEY, 4000))
    assert np.all(np.abs(got - np.asarray(kl_divergence(p, q))) < 5.1 * deviation)


def test_the_cross_entropy_of_a_distribution_with_itself_is_its_entropy():
    d = dist.Gamma([2.0, 3.0], 1.5)
    np.testing.assert_allclose(np.asarray(cross_entropy(d, d)), np.asarray(d.entropy()), rtol=1e-15)


def test_a_rule_can_be_registered():
    class Mine(dist.Normal):
        pass

    @register_kl(Mine, Mine)
    def _(p, q):
        return p.loc - q.loc
    assert float(kl_divergence(Mine(3.0), Mine(1.0))) == 2.0


def test_the_rules_are_there_in_a_new_process_and_leave_a_users_own():
    code = ("from chainrule.distributions import Exponential, Normal, kl_divergence, register_kl\n"
            "register_kl(Normal, Normal)(lambda p, q: p.loc + 7.0)\n"
            "print(float(kl_divergence(Normal(), Normal())), float(kl_divergence(Exponential(), Exponential(1.0))))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert done.stdout.split() == ["7.0", "0.0"], done.stderr


def test_events_must_have_one_shape():
    with pytest.raises(ShapeError, match=r"\(2,\) and \(3,\)"):
        kl_divergence(dist.Normal(np.zeros(2)).to_event(), dist.Normal(np.zeros(3)).to_event())


def test_only_normal_vectors_of_independent_elements_have_a_form_with_dense_ones():
    with pytest.raises(MissingRule, match="Independent ‖ MultivariateNormal"):
        kl_divergence(dist.Laplace(np.zeros(2), 1.0).to_event(), dist.MultivariateNormal(np.zeros(2), np.eye(2)))


def test_other_bijections_have_no_form():
    p, q = (dist.TransformedDistribution(dist.Normal(), transforms.AffineTransform(0.0, s)) for s in (1.0, 2.0))
    with pytest.raises(MissingRule, match="TransformedDistribution"):
        kl_divergence(p, q)


# ---- laws of all pairs ----

def reals(d):
    """The leaves that are real numbers, and what makes the distribution of others in their place."""
    leaves, form = tree.flatten(tree.map(cnp.asarray, d))
    at = [i for i, x in enumerate(leaves) if x.dtype.kind == "f"]

    def again(new):
        found = dict(zip(at, new))
        return tree.unflatten(form, [found.get(i, x) for i, x in enumerate(leaves)])
    return [leaves[i] for i in at], again


EVERY = [*PAIRS.items(), *[(name(*pair), pair) for pair in CONTINUOUS + DISCRETE]]
ROWS = [pytest.param(*pair, id=key) for key, pair in EVERY if any(reals(d)[0] for d in pair)]




@pytest.mark.parametrize("p, q", [row for row in ROWS if row.id != "HyperGeometric, BinomialProbs"])
def test_single_precision_stays_single(p, q):
    single = [again([x.astype("float32") for x in leaves]) for leaves, again in map(reals, (p, q))]
    got = kl_divergence(*single)
    assert got.dtype == np.float32
    np.testing.assert_allclose(np.asarray(got), np.asarray(kl_divergence(p, q)), rtol=2e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("p, q", ROWS)
def test_compiled_and_mapped_it_is_the_same(p, q):
    """Over a first axis of all real parameters; counts stay outside, as the values of p are to be listed."""
    (a, make_p), (b, make_q) = reals(p), reals(q)
    got = jit(vmap(lambda a, b: kl_divergence(make_p(a), make_q(b))))(*tree.map(lambda x: np.stack([x, x]), (a, b)))
    want = np.asarray(kl_divergence(p, q))
    np.testing.assert_allclose(np.asarray(got), np.stack([want, want]), rtol=1e-10, atol=1e-13)


def test_a_bijection_that_is_traced_may_turn_out_to_be_another():
    def divergence(a, b):
        p, q = (dist.TransformedDistribution(dist.Normal(m), transforms.AffineTransform(0.0, s))
                for m, s in ((0.0, a), (1.0, b)))
        return kl_divergence(p, q)
    got = jit(vmap(divergence))(np.array([2.0, 2.0]), np.array([2.0, 3.0]))
    np.testing.assert_array_equal(np.asarray(got), [0.5, np.nan])


def test_negative_binomials_of_other_shapes_have_no_form():
    p, q = dist.NegativeBinomial(2.0, 0.3), dist.NegativeBinomial([2.0, 3.0], 0.3)
    with pytest.raises(MissingRule, match="NegativeBinomialProbs"):
        kl_divergence(p, q)
    got = jit(lambda r: kl_divergence(p, dist.NegativeBinomial(r, 0.3)))(np.array([2.0, 3.0]))
    np.testing.assert_array_equal(np.asarray(got), [0.0, np.nan])


def test_counts_that_are_traced_are_named_in_the_error():
    with pytest.raises(MissingRule, match="all counts known"):
        jit(lambda n: kl_divergence(dist.Binomial(n, 0.3), dist.Poisson(2.0)))(5)


def test_closed_forms_are_there_at_first_use():
    code = ("import chainrule.distributions as dist\n"
            "print(float(dist.kl_divergence(dist.Normal(0.0, 1.0), dist.Normal(1.0, 1.0))))")
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                         env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    assert float(out.stdout) == 0.5


def test_lanes_of_a_vmap_have_the_divergences_of_each():
    p, q = (dist.Vmapped(dist.Normal(np.array(x), 1.0), (True, False), 2) for x in ([0.0, 1.0], [1.0, 3.0]))
    assert kl_divergence(p, q).tolist() == [0.5, 2.0]
