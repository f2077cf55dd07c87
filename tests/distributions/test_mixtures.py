"""Mixtures, gates for zero and relaxations: what test_contract.py does not ask."""
import math

import numpy as np
import pytest
from scipy import special, stats

import chainrule.distributions as dist
from chainrule.distributions import Mixture, MixtureGeneral, MixtureSameFamily, constraints
from chainrule.engine import grad, jit, jvp, random, tree
from chainrule.engine import numpy as cnp
from chainrule.engine.errors import ChainruleError

KEY = random.key(9)


def test_both_kinds_of_mixture_are_one_distribution():
    w, loc, scale = [0.2, 0.5, 0.3], np.array([-1.0, 0.5, 2.0]), np.array([1.0, 0.3, 2.0])
    same = MixtureSameFamily(dist.Categorical(probs=w), dist.Normal(loc, scale))
    listed = MixtureGeneral(w, [dist.Normal(m, s) for m, s in zip(loc, scale)])
    named = dist.NormalMixture(w, loc, scale)
    x = np.array([-60.0, -1.0, 0.0, 0.7, 90.0])
    for name in ("log_prob", "cdf", "log_cdf", "log_survival", "posterior"):
        want = np.asarray(getattr(same, name)(x))
        for other in (listed, named, Mixture(w, dist.Normal(loc, scale)), Mixture(w, listed.component_distributions)):
            np.testing.assert_allclose(np.asarray(getattr(other, name)(x)), want, rtol=1e-13)
    np.testing.assert_allclose(np.asarray(same.posterior(x)).sum(-1), 1.0)
    np.testing.assert_allclose([float(listed.mean), float(listed.variance)], [float(same.mean), float(same.variance)])
    assert same.mixture_size == listed.mixture_size == 3 and same.support == listed.support == constraints.real
    for d in (same, listed):
        u = np.asarray(d.cdf(d.sample(KEY, (2000,))))
        assert stats.kstest(u, "uniform").pvalue > 1e-6                        # false alarms: 1e-6


def test_mixtures_of_vectors():
    components = dist.MultivariateNormal(np.array([[0.0, 0.0], [1.0, 2.0]]), np.eye(2))
    d = MixtureSameFamily([0.2, 0.8], components)
    assert d.batch_shape == () and d.event_shape == (2,) and d.sample(KEY, (3,)).shape == (3, 2)
    x = np.array([[0.3, 0.1], [1.0, 2.5]])
    laws = [stats.multivariate_normal(m, np.eye(2)) for m in ([0, 0], [1, 2])]
    np.testing.assert_allclose(np.asarray(d.prob(x)), 0.2 * laws[0].pdf(x) + 0.8 * laws[1].pdf(x), rtol=1e-12)
    np.testing.assert_allclose(np.asarray(d.mean), [0.8, 1.6])
    np.testing.assert_allclose(np.asarray(d.variance), [1.16, 1.64])
    two = MixtureGeneral([0.5, 0.5], [dist.Dirichlet([1.0, 2.0]), dist.Dirichlet([3.0, 2.0])])
    np.testing.assert_allclose(np.asarray(two.mean), [(1 / 3 + 3 / 5) / 2, (2 / 3 + 2 / 5) / 2])
    assert two.support == constraints.simplex and not two.has_rsample


def test_the_support_of_a_mixture_holds_every_component():
    n, e = dist.Normal(0.0, 1.0), dist.Exponential(2.0)
    assert MixtureGeneral([0.5, 0.5], [n, e]).support == constraints.real
    np.testing.assert_allclose(float(MixtureGeneral([0.5, 0.5], [n, e]).prob(-1.0)), 0.5 * stats.norm.pdf(-1.0))
    uniform = MixtureSameFamily([0.2, 0.8], dist.Uniform([0.0, 1.0], [1.0, 3.0]))
    assert uniform.support == constraints.interval(0.0, 3.0)
    x = np.array([0.5, 2.0, 4.0])
    np.testing.assert_allclose(np.asarray(uniform.prob(x)), [0.2, 0.4, 0.0])
    assert np.all(np.isfinite(np.asarray(grad(lambda x: cnp.sum(uniform.log_prob(x)))(x))))
    counts = MixtureGeneral([0.5, 0.5], [dist.Poisson(2.0), dist.Binomial(5, 0.5)])
    assert int(counts.icdf(0.5)) == 2 and float(counts.log_prob(-1)) == -math.inf
    assert MixtureGeneral([0.5, 0.5], [n, e], support=constraints.positive).support == constraints.positive
    bits = MixtureSameFamily([0.3, 0.7], dist.Bernoulli([0.1, 0.8]))
    np.testing.assert_allclose(np.asarray(bits.prob(bits.enumerate_support())), [0.27 + 0.14, 0.03 + 0.56])


def test_draws_of_a_mixture_carry_derivatives_in_the_weights_and_the_components():
    def draws(logits, loc):
        return Mixture(dist.Categorical(logits=logits), dist.Normal(loc, 1.0)).sample(KEY, (4000,))

    def mean(logits, loc):
        return Mixture(dist.Categorical(logits=logits), dist.Normal(loc, 1.0)).mean
    at = np.array([0.1, 0.2]), np.array([-1.0, 2.0])
    for direction in ((np.array([1.0, 0.0]), np.zeros(2)), (np.zeros(2), np.array([0.0, 1.0]))):
        slopes = np.asarray(jvp(draws, at, direction)[1])
        want = float(jvp(mean, at, direction)[1])
        assert abs(slopes.mean() - want) < 4.9 * slopes.std() / math.sqrt(4000)             # false alarms: 1e-6
    eager = grad(lambda *p: cnp.mean(draws(*p)), argnums=(0, 1))(*at)
    compiled = jit(grad(lambda *p: cnp.mean(draws(*p)), argnums=(0, 1)))(*at)
    for a, b in zip(tree.leaves(eager), tree.leaves(compiled)):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-9)


def test_mistakes_in_mixtures_are_explained():
    n = dist.Normal(0.0, 1.0)
    for make, message in ((lambda: MixtureSameFamily([0.5, 0.5], dist.Normal([0.0, 1.0, 2.0])), "2 classes"),
                          (lambda: MixtureSameFamily(n, dist.Normal([0.0, 1.0])), "must be a Categorical"),
                          (lambda: MixtureGeneral([0.5, 0.5], [n]), "1 components for the 2 classes"),
                          (lambda: MixtureGeneral([0.5, 0.5], [n, dist.Poisson(1.0)]), "all discrete or all"),
                          (lambda: MixtureGeneral([0.5, 0.5], [dist.Dirichlet([1.0, 1.0]),
                                                               n.expand([2]).to_event(1)]).support, "support=")):
        with pytest.raises(ChainruleError, match=message):
            make()


# ---- gates ----

BASES = {"Poisson": (lambda: dist.Poisson(2.5), stats.poisson(2.5)),
         "Binomial": (lambda: dist.Binomial(5, 0.3), stats.binom(5, 0.3)),
         "NegativeBinomial": (lambda: dist.NegativeBinomial(2.5, 0.4), stats.nbinom(2.5, 0.6))}


@pytest.mark.parametrize("name", BASES)
def test_a_gate_by_log_odds_is_a_gate_by_probability(name):
    make, law = BASES[name]
    k = np.arange(12)
    for kind in (dist.ZeroInflatedDistribution, dist.HurdleDistribution):
        by_probs, by_logits = kind(make(), gate=0.3), kind(make(), gate_logits=special.logit(0.3))
        for f in ("log_prob", "log_cdf", "survival_function"):
            np.testing.assert_allclose(np.asarray(getattr(by_logits, f)(k)), np.asarray(getattr(by_probs, f)(k)),
                                       rtol=1e-12)
    inflated, hurdle = dist.ZeroInflatedDistribution(make(), gate=0.3), dist.HurdleDistribution(make(), gate=0.3)
    np.testing.assert_allclose(np.asarray(inflated.prob(k)), 0.3 * (k == 0) + 0.7 * law.pmf(k), rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(np.asarray(hurdle.prob(k)), np.where(k == 0, 0.3, 0.7 * law.pmf(k) / law.sf(0)),
                               rtol=1e-12, atol=1e-300)


def test_gates_that_are_shut_or_open_have_finite_derivatives():
    def slope(kind, gate, k):
        return float(grad(lambda g: cnp.sum(kind(dist.Poisson(4.0), gate=g).log_prob(np.array(k))))(gate))
    assert math.isfinite(slope(dist.ZeroInflatedDistribution, 0.0, [0, 1]))
    assert math.isfinite(slope(dist.ZeroInflatedDistribution, 1.0, [0, 0]))
    assert slope(dist.HurdleDistribution, 0.0, [1, 2]) == -2.0
    assert slope(dist.HurdleDistribution, 1.0, [0, 0]) == 2.0
    rare = dist.HurdlePoisson(0.5, 1e-12)                                      # 1 - p(0) is 1e-12
    np.testing.assert_allclose(float(rare.prob(1)), 0.5, rtol=1e-11)


def test_a_hurdle_before_a_continuous_distribution():
    for d, law in ((dist.HurdleGamma(0.3, 2.0, 3.0), stats.gamma(2.0, 0, 1 / 3)),
                   (dist.HurdleLogNormal(0.3, 0.2, 0.7), stats.lognorm(0.7, 0, math.exp(0.2)))):
        x = np.array([0.0, 0.4, 2.0, -1.0])
        np.testing.assert_allclose(np.asarray(d.prob(x)), [0.3, *0.7 * law.pdf([0.4, 2.0]), 0.0], rtol=1e-12)
        np.testing.assert_allclose(np.asarray(d.cdf(x)), [0.3, *(0.3 + 0.7 * law.cdf([0.4, 2.0])), 0.0], rtol=1e-12)
        np.testing.assert_allclose(np.asarray(d.icdf([0.2, 0.65])), [0.0, law.ppf(0.5)], rtol=1e-12)
        np.testing.assert_allclose(float(d.mean), 0.7 * law.mean(), rtol=1e-12)
        np.testing.assert_allclose(float(d.variance), 0.7 * law.moment(2) - (0.7 * law.mean()) ** 2, rtol=1e-12)
        draws = np.asarray(d.sample(KEY, (3000,)))
        assert abs((draws == 0).mean() - 0.3) < 4.9 * math.sqrt(0.21 / 3000)                # false alarms: 1e-6
        assert stats.kstest(draws[draws > 0], law.cdf).pvalue > 1e-6
        slopes = grad(lambda d, x: cnp.sum(d.log_prob(x[:3])), argnums=(0, 1))(d, x)
        assert all(np.all(np.isfinite(np.asarray(s))) for s in tree.leaves(slopes))


def test_exactly_one_form_of_the_gate_is_given():
    for make in (dist.ZeroInflatedPoisson, dist.HurdlePoisson):
        with pytest.raises(ChainruleError, match="one of gate, gate_logits and psi; got none"):
            make(rate=2.0)
        with pytest.raises(ChainruleError, match="got gate and gate_logits"):
            make(0.2, 2.0, gate_logits=0.0)
        assert float(make(rate=2.0, psi=0.75).prob(1)) == float(make(0.25, 2.0).prob(1))
    with pytest.raises(ChainruleError, match="HurdleNegativeBinomial2 needs a value for concentration"):
        dist.HurdleNegativeBinomial2(0.2, 2.0)
    with pytest.raises(ChainruleError, match="Gamma is continuous"):
        dist.ZeroInflatedDistribution(dist.Gamma(2.0), gate=0.1)
    with pytest.raises(ChainruleError, match="must be nonnegative; they are finite"):
        dist.HurdleDistribution(dist.Normal(), gate=0.1)
    cut = dist.HurdleDistribution(dist.TruncatedNormal(low=0.0), gate=0.1)
    np.testing.assert_allclose(float(cut.prob(1.0)), 0.9 * 2 * stats.norm.pdf(1.0))
    np.testing.assert_allclose(float(dist.ZeroInflatedBinomial(5, 0.3, gate=0.2).prob(0)),
                               0.2 + 0.8 * 0.7 ** 5, rtol=1e-13)
    k, law = np.arange(1, 9), stats.nbinom(3.0, 3.0 / 5.0)                     # mean 2, concentration 3
    for inflated, hurdle in ((dist.ZeroInflatedNegativeBinomial2(2.0, 3.0, gate=0.2),
                              dist.HurdleNegativeBinomial2(0.2, 2.0, 3.0)),
                             (dist.ZeroInflatedNegativeBinomial(3.0, probs=0.4, gate=0.2),
                              dist.HurdleNegativeBinomial(3.0, probs=0.4, gate=0.2))):
        np.testing.assert_allclose(np.asarray(inflated.prob(k)), 0.8 * law.pmf(k), rtol=1e-12)
        np.testing.assert_allclose(np.asarray(hurdle.prob(k)), 0.8 * law.pmf(k) / law.sf(0), rtol=1e-12)


# ---- relaxations ----

def test_two_relaxed_classes_are_a_relaxed_bernoulli():
    one = dist.RelaxedBernoulli(0.7, logits=0.4)
    two = dist.RelaxedOneHotCategorical(0.7, logits=[0.4, 0.0])
    x = np.array([0.05, 0.4, 0.9])
    np.testing.assert_allclose(np.asarray(two.log_prob(np.stack([x, 1 - x], -1))), np.asarray(one.log_prob(x)),
                               rtol=1e-12)


def test_relaxed_classes_follow_the_concrete_density():
    probs, t = np.array([0.2, 0.5, 0.3]), 0.8
    d = dist.RelaxedOneHotCategorical(t, probs=probs)
    x = np.array([[0.2, 0.3, 0.5], [0.7, 0.1, 0.2]])
    top = 2.0 * t ** 2 * np.prod(probs * x ** (-t - 1), -1)                    # Γ(3) = 2
    np.testing.assert_allclose(np.asarray(d.prob(x)), top / np.sum(probs * x ** -t, -1) ** 3, rtol=1e-12)
    u = np.linspace(-16, 16, 401)                                              # log(x₁/x₃), log(x₂/x₃)
    a, b = np.meshgrid(u, u)
    y = special.softmax(np.stack([a, b, np.zeros_like(a)], -1), -1)
    total = (np.asarray(d.prob(y)) * np.prod(y, -1)).sum() * (u[1] - u[0]) ** 2
    np.testing.assert_allclose(total, 1.0, rtol=1e-4)
    draws = np.asarray(d.sample(KEY, (4000,)))
    np.testing.assert_allclose(draws.sum(-1), 1.0, rtol=1e-12)
    share = np.bincount(draws.argmax(-1), minlength=3) / 4000
    assert np.all(np.abs(share - probs) < 4.9 * np.sqrt(probs * (1 - probs) / 4000))        # false alarms: 3e-6
    assert float(d.log_prob([1.0, 0.0, 0.0])) == -math.inf and d.has_rsample
    slopes = grad(lambda d, x: d.log_prob(x), argnums=(0, 1))(d, np.array([1.0, 0.0, 0.0]))
    assert all(np.all(np.isfinite(np.asarray(s))) for s in tree.leaves(slopes))
    wide = dist.RelaxedOneHotCategorical([0.5, 1.0], logits=np.zeros((2, 3)))
    assert wide.batch_shape == (2,) and wide.sample(KEY, (4,)).shape == (4, 2, 3)


def test_straight_through_draws_are_choices_with_the_derivatives_of_relaxations():
    def bits(kind):
        return lambda h: kind(0.7, logits=h).sample(KEY, (500,))
    hard, slope = jvp(bits(dist.RelaxedBernoulliStraightThrough), (0.4,), (1.0,))
    soft, want = jvp(bits(dist.RelaxedBernoulli), (0.4,), (1.0,))
    np.testing.assert_array_equal(np.asarray(hard), (np.asarray(soft) > 0.5).astype(float))
    np.testing.assert_array_equal(np.asarray(slope), np.asarray(want))
    assert abs(np.asarray(hard).mean() - special.expit(0.4)) < 4.9 * 0.5 / math.sqrt(500)   # false alarms: 1e-6
    at = np.array([0.1, -0.5, 0.3])
    hard, slope = jvp(bits(dist.RelaxedOneHotCategoricalStraightThrough), (at,), (np.array([1.0, 0.0, 0.0]),))
    soft, want = jvp(bits(dist.RelaxedOneHotCategorical), (at,), (np.array([1.0, 0.0, 0.0]),))
    np.testing.assert_array_equal(np.asarray(hard).argmax(-1), np.asarray(soft).argmax(-1))
    np.testing.assert_array_equal(np.asarray(hard).sum(-1), 1.0)
    np.testing.assert_array_equal(np.asarray(slope), np.asarray(want))
    one, many = dist.RelaxedBernoulliStraightThrough(0.7, probs=0.3), dist.RelaxedOneHotCategoricalStraightThrough(
        0.7, probs=[0.2, 0.8])
    np.testing.assert_allclose(np.asarray(one.prob([0.0, 1.0])), [0.7, 0.3])
    np.testing.assert_allclose(np.asarray(many.prob([[1.0, 0.0], [0.0, 1.0]])), [0.2, 0.8])
