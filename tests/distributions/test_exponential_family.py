"""Natural parameters, what follows from the normaliser; proposals that are accepted, distributions given a context."""
import numpy as np
import pytest
from scipy import special, stats

import chainrule.distributions as dist
from chainrule.distributions import constraints, flows, kl_divergence, kl_pairs, transforms
from chainrule.engine import grad, jit, random
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import MissingRule

KEY = random.key(2)
bregman = kl_pairs.exponential_family.bregman
LOC = np.array([[0.5], [-1.0]])
FAMILIES = {
    "Normal": (dist.Normal(LOC, [1.0, 2.0, 0.5]), dist.Normal([0.0, 1.0, 0.3], 1.5), (0.3, 2.0, -1.0)),
    "Exponential": (dist.Exponential([0.5, 2.0]), dist.Exponential(1.0), (0.3, 2.0)),
    "Gamma": (dist.Gamma([0.5, 2.0], 3.0), dist.Gamma(1.5, [1.0, 2.0]), (0.3, 2.0)),
    "Beta": (dist.Beta([0.5, 2.0], 3.0), dist.Beta(1.5, 0.7), (0.3, 0.8)),
    "Dirichlet": (dist.Dirichlet([[0.5, 2.0, 3.0], [1.0, 1.0, 4.0]]), dist.Dirichlet([1.0, 2.0, 0.6]),
                  ([0.2, 0.3, 0.5], [0.6, 0.1, 0.3])),
    "Poisson": (dist.Poisson([0.5, 7.0]), dist.Poisson(2.0), (0, 3)),
    "PoissonLogRate": (dist.PoissonLogRate([0.5, -1.0]), dist.PoissonLogRate(0.0), (0, 3)),
}
each = pytest.mark.parametrize("p, q, x", FAMILIES.values(), ids=FAMILIES)


def linear(d, x):
    """<η, T(x)> - A(η)"""
    natural, dims = d._natural
    total = -d.log_normalizer(*natural)
    for eta, t, n in zip(natural, d.sufficient_statistics(x), dims):
        total = total + (cnp.sum(eta * t, -1) if n else eta * t)
    return np.asarray(total)


@each
def test_the_log_density_is_linear_in_the_statistics(p, q, x):
    """What is left is log h(x): the same for all parameters."""
    for v in map(np.asarray, x):
        left = np.concatenate([np.ravel(np.asarray(d.log_prob(v)) - linear(d, v)) for d in (p, q)])
        np.testing.assert_allclose(left, left[0], rtol=1e-10, atol=1e-12)


@each
def test_divergences_are_those_of_bregman(p, q, x):
    np.testing.assert_allclose(np.asarray(bregman(p, q)), np.asarray(kl_divergence(p, q)), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(np.asarray(bregman(p, p)), 0.0, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in FAMILIES if "Poisson" not in name])
def test_entropies_follow_from_the_normaliser(name):
    for d in FAMILIES[name][:2]:
        got = dist.ExponentialFamily.entropy(d)
        np.testing.assert_allclose(np.asarray(got), np.asarray(d.entropy()), rtol=1e-10, atol=1e-12)


def test_expected_statistics_are_known_ones():
    first, second = dist.Gamma(2.5, [3.0, 0.5]).expected_statistics
    np.testing.assert_allclose(np.asarray(first), special.digamma(2.5) - np.log([3.0, 0.5]), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(second), 2.5 / np.array([3.0, 0.5]), rtol=1e-12)
    np.testing.assert_allclose(float(dist.Poisson(3.0).expected_statistics[0]), 3.0, rtol=1e-12)


class Maxwells(dist.ExponentialFamily):
    """A family by its natural form alone: x² exp(η x²) on the positive numbers, η = -½ rate."""
    rate: object = dist.param(constraints.positive)
    support = constraints.positive

    @property
    def natural_params(self):
        return (-0.5 * self.rate,)

    def log_normalizer(self, natural):
        return 0.5 * np.log(np.pi / 2) - 1.5 * cnp.log(-2.0 * natural)

    def sufficient_statistics(self, value):
        return (cnp.square(value),)

    @property
    def mean_log_carrier(self):
        """E log x² of x² ~ Gamma(3/2, rate / 2)"""
        return special.digamma(1.5) - cnp.log(0.5 * self.rate)


def test_a_family_of_ones_own_has_an_entropy_and_divergences():
    rate = np.array([0.5, 4.0])
    p, q = Maxwells(rate), Maxwells(1.3)
    np.testing.assert_allclose(np.asarray(p.entropy()), stats.maxwell(scale=rate ** -0.5).entropy(), rtol=1e-9)
    want = kl_divergence(dist.Maxwell(rate ** -0.5), dist.Maxwell(1.3 ** -0.5))
    np.testing.assert_allclose(np.asarray(jit(kl_divergence)(p, q)), np.asarray(want), rtol=1e-10)
    slope = grad(lambda r: kl_divergence(Maxwells(r), q))(0.7)
    np.testing.assert_allclose(float(slope), 1.5 * (-1.3 / 0.7 ** 2 + 1 / 0.7), rtol=1e-10)


def test_members_of_different_families_have_no_divergence_of_bregman():
    with pytest.raises(MissingRule, match="Maxwells ‖ Gamma"):
        kl_divergence(Maxwells(1.0), dist.Gamma(1.0))


# ---- proposals that are accepted ----

def test_vectors_are_accepted_as_a_whole():
    """N(m, s²) times exp(-0.3 x²) is N(m / q, s² / q), q = 1 + 0.6 s²; false-alarm rate 1e-6."""
    loc, scale = np.array([0.5, -1.0]), np.array([1.0, 2.0])
    d = dist.Rejector(dist.Normal(loc, scale).to_event(1), lambda x: -0.3 * cnp.sum(cnp.square(x), -1))
    x = np.asarray(d.sample(KEY, (1500,)))
    q = 1 + 0.6 * scale ** 2
    for i in range(2):
        assert stats.kstest(x[:, i], stats.norm(loc[i] / q[i], scale[i] / np.sqrt(q[i])).cdf).pvalue > 1e-6
    want = stats.norm(loc, scale).logpdf(x).sum(-1) - 0.3 * (x ** 2).sum(-1)
    np.testing.assert_allclose(np.asarray(d.log_prob(x)), want, rtol=1e-10)


def test_counts_can_be_accepted():
    """A Poisson count that is not 0; false-alarm rate 1e-6."""
    d = dist.Rejector(dist.Poisson(0.7), lambda k: cnp.where(k > 0, 0.0, -np.inf), np.log(-np.expm1(-0.7)))
    k = np.arange(1, 30)
    mass = np.exp(np.asarray(d.log_prob(k)))
    np.testing.assert_allclose(mass.sum(), 1.0, rtol=1e-12)
    drawn = np.asarray(d.sample(KEY, (2000,)))
    assert drawn.dtype.kind == "i" and drawn.min() == 1
    f = np.bincount(np.minimum(drawn, 4), minlength=5)[1:]
    e = 2000 * np.array([*mass[:3], mass[3:].sum()])
    assert stats.chisquare(f, e * f.sum() / e.sum()).pvalue > 1e-6


# ---- given a context ----

def test_a_context_sets_the_parameters_of_the_base_and_of_the_transforms():
    base = dist.ConditionalDistribution(lambda c, w: dist.Normal(w * c, 1.0), (np.array(2.0),))
    scaled = dist.ConditionalTransform(lambda c, b: transforms.AffineTransform(0.0, cnp.exp(b * c)), (np.array(0.5),))
    d = dist.ConditionalTransformedDistribution(base, [scaled, transforms.ExpTransform()])
    c = np.array([0.1, 0.7])
    want = stats.lognorm(np.exp(0.5 * c), 0, np.exp(2.0 * c * np.exp(0.5 * c))).logpdf(1.3)
    np.testing.assert_allclose(np.asarray(d.condition(c).log_prob(1.3)), want, rtol=1e-12)
    slope = grad(lambda d: cnp.sum(d.condition(c).log_prob(1.3)))(d)          # in what is fitted
    h = 1e-6

    def at(w):
        moved = dist.ConditionalDistribution(base.make, (w,))
        return float(cnp.sum(dist.ConditionalTransformedDistribution(moved, d.transforms).condition(c).log_prob(1.3)))
    np.testing.assert_allclose(float(slope.base_dist.args[0]), (at(2.0 + h) - at(2.0 - h)) / (2 * h), rtol=1e-6)


def test_a_flow_can_be_made_for_each_context():
    flow = flows.AffineCouplingTransform.init(random.key(0), 2, hidden=(4,))
    d = dist.ConditionalTransformedDistribution(
        dist.Normal(np.zeros(2), 1.0), [flow, dist.ConditionalTransform(lambda c: transforms.AffineTransform(c, 1.0))])
    y = d.condition(np.array([1.0, -1.0])).sample(KEY, (3,))
    np.testing.assert_allclose(np.asarray(d.condition(np.array([1.0, -1.0])).log_prob(y)),
                               np.asarray(d.condition(np.zeros(2)).log_prob(y - np.array([1.0, -1.0]))), rtol=1e-10)
